//! Turns a graphics device's failure in mid-answer into the backend to load the generator on next, and the reason.
//!
//! A lost device (sleep, a driver, another page) is opened again, once per answer; one that refuses a command or is out
//! of memory would fail again, so the CPU takes over. The caller, who has the files, does the loading.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;

use anchorite_model::error::{LoadError, RunError};
use anchorite_model::generate::{Backend, BackendRequest, Generator};

use crate::answer::AskEvent;
use crate::error::EngineError;

/// Loads the bundle's generator again, without an adapter, on the given backend, for the given reason.
///
/// If it returns [`LoadError::Gpu`], there is no device to load on, and the CPU is requested next.
pub type Reload = Box<
    dyn FnMut(
        BackendRequest,
        String,
    ) -> Pin<Box<dyn Future<Output = Result<Generator, EngineError>>>>,
>;

/// A failure after which the answer starts over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fallback {
    /// The backend to load the generator on next.
    pub(crate) on: BackendRequest,
    /// The failure's stable name.
    pub(crate) code: &'static str,
    /// Error text for people: this failure, and the one before it in the same answer.
    pub(crate) reason: String,
}

impl Fallback {
    /// The fallback that follows from `error`, raised while the generator ran on `backend`; `None` if another device
    /// would not help.
    ///
    /// `before` is the last fallback of the same answer.
    pub(crate) fn after_run(
        error: &EngineError,
        backend: &Backend,
        before: Option<&Fallback>,
    ) -> Option<Fallback> {
        let EngineError::Run(error) = error else {
            return None;
        };
        if backend.kind == "cpu" {
            return None;
        }
        let (reason, is_lost) = match error {
            RunError::DeviceLost { reason } => (reason.clone(), true),
            // Refusals by the device, including failed allocations.
            RunError::Kernel { reason, .. } => (reason.clone(), false),
            // Weights are checked on loading, so this must be the device's fault.
            RunError::NotFinite { .. } => (
                format!("graphics device `{}`: {error}", backend.device),
                false,
            ),
            _ => return None,
        };
        Some(Fallback {
            on: if is_lost && before.is_none() {
                BackendRequest::Gpu
            } else {
                BackendRequest::Cpu
            },
            code: error.code(),
            reason: with_earlier(before, reason),
        })
    }

    /// The fallback that follows from `error`, raised while the generator was loaded again because of `self`.
    pub(crate) fn after_load(&self, error: &EngineError) -> Option<Fallback> {
        let EngineError::Load(error @ LoadError::Gpu { reason }) = error else {
            return None;
        };
        (self.on == BackendRequest::Gpu).then(|| Fallback {
            on: BackendRequest::Cpu,
            code: error.code(),
            reason: with_earlier(Some(self), reason.clone()),
        })
    }
}

/// Loads the generator on the backend of `fallback`, or of further fallbacks if that fails; also returns the last
/// fallback, and true if the answer is still wanted.
pub(crate) async fn load_again(
    reload: &mut Reload,
    mut fallback: Fallback,
    mut on_event: impl AsyncFnMut(AskEvent) -> ControlFlow<()>,
) -> Result<(Generator, Fallback, bool), EngineError> {
    let mut wanted = true;
    loop {
        let restarted = AskEvent::Restarted {
            on: match fallback.on {
                BackendRequest::Gpu => "gpu",
                BackendRequest::Cpu => "cpu",
            },
            code: fallback.code,
            reason: fallback.reason.clone(),
        };
        // Go on even if the visitor cancelled: the next question needs a generator.
        wanted &= on_event(restarted).await.is_continue();
        match reload(fallback.on, fallback.reason.clone()).await {
            Ok(generator) => {
                let backend = generator.backend().clone();
                wanted &= on_event(AskEvent::Backend { backend }).await.is_continue();
                return Ok((generator, fallback, wanted));
            }
            Err(error) => fallback = fallback.after_load(&error).ok_or(error)?,
        }
    }
}

fn with_earlier(before: Option<&Fallback>, reason: String) -> String {
    match before {
        Some(before) => format!("{}; then {reason}", before.reason),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(kind: &'static str) -> Backend {
        Backend {
            kind,
            device: "Card".to_owned(),
            reason: String::new(),
        }
    }

    fn lost() -> EngineError {
        EngineError::Run(RunError::DeviceLost {
            reason: "graphics device `Card` was lost: unplugged".to_owned(),
        })
    }

    #[test]
    fn a_lost_device_is_opened_again_once() {
        let first = Fallback::after_run(&lost(), &backend("webgpu"), None).expect("a way on");
        assert_eq!(first.on, BackendRequest::Gpu);
        assert_eq!(first.code, "device_lost");
        let second =
            Fallback::after_run(&lost(), &backend("webgpu"), Some(&first)).expect("a way on");
        assert_eq!(second.on, BackendRequest::Cpu);
        let once = "graphics device `Card` was lost: unplugged";
        assert_eq!(second.reason, format!("{once}; then {once}"), "both losses");
    }

    #[test]
    fn a_device_that_refuses_is_not_asked_again() {
        let full = RunError::Kernel {
            kernel: "forward",
            reason: "graphics device `Card` is out of memory".to_owned(),
        };
        for (error, code) in [
            (full, "kernel"),
            (RunError::NotFinite { position: 3 }, "not_finite"),
        ] {
            let step =
                Fallback::after_run(&error.into(), &backend("vulkan"), None).expect("a way on");
            assert_eq!(
                (step.on, step.code),
                (BackendRequest::Cpu, code),
                "{}",
                step.reason
            );
        }
    }

    #[test]
    fn the_processor_takes_over_where_no_device_opens() {
        let first = Fallback::after_run(&lost(), &backend("webgpu"), None).expect("a way on");
        let none = EngineError::Load(LoadError::Gpu {
            reason: "the browser offers no GPU adapter".to_owned(),
        });
        let second = first.after_load(&none).expect("a way on");
        assert_eq!(second.on, BackendRequest::Cpu);
        assert!(
            second
                .reason
                .ends_with("unplugged; then the browser offers no GPU adapter"),
            "both reasons: {}",
            second.reason
        );
        assert_eq!(
            second.after_load(&none),
            None,
            "below the processor is nothing"
        );
    }

    #[test]
    fn what_another_device_would_not_change_is_an_error() {
        let long = EngineError::Run(RunError::ContextOverflow {
            prompt: 9,
            context: 8,
        });
        assert_eq!(Fallback::after_run(&long, &backend("webgpu"), None), None);
        assert_eq!(Fallback::after_run(&lost(), &backend("cpu"), None), None);
        let first = Fallback::after_run(&lost(), &backend("webgpu"), None).expect("a way on");
        assert_eq!(first.after_load(&EngineError::Busy), None);
    }
}
