//! Opens the system's best GPU as a device that reports its faults as values.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::layouts::Layouts;
use super::trace::Counters;
use super::{GpuError, Trace, Variant};

/// Properties of the GPU behind a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuInfo {
    /// The name the driver reports, or a stand-in if the browser hides it.
    pub name: String,
    /// `webgpu` in a browser, `vulkan` natively.
    pub kind: &'static str,
    /// True if a CPU emulates the graphics card (lavapipe, SwiftShader): correct but slow.
    pub is_software: bool,
    /// True if shaders can use subgroups.
    pub has_subgroups: bool,
    /// True if shaders can use half precision.
    pub has_f16: bool,
}

/// True if the browser opens its devices with subgroups. wgpu 30 can't request them from a browser, so the page does
/// (`www/src/engine/subgroups.ts`) and sets this flag.
static BROWSER_HAS_SUBGROUPS: AtomicBool = AtomicBool::new(false);

/// Records that this browser opens every device with the feature `subgroups`.
pub fn browser_has_subgroups() {
    BROWSER_HAS_SUBGROUPS.store(true, Ordering::Relaxed);
}

/// An open device, its queue, its limits, and its compiled pipelines.
///
/// A clone is the same device.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Arc<Mutex<HashMap<String, wgpu::ComputePipeline>>>,
    pub(super) layouts: Arc<Layouts>,
    pub(super) counters: Arc<Counters>,
    info: GpuInfo,
    variant: Variant,
    max_binding_bytes: u64,
    fault: Arc<Mutex<Option<Fault>>>,
}

/// The first thing that went wrong on a device outside any error scope.
#[derive(Debug, Clone)]
enum Fault {
    Lost(String),
    OutOfMemory,
    Refused(String),
}

impl Gpu {
    /// Opens the adapter that the system prefers, hardware before software.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`] if there is none, [`GpuError::NoDevice`] if it refuses to open a device.
    pub async fn open() -> Result<Self, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let found =
            instance
                .request_adapter(&options)
                .await
                .map_err(|error| GpuError::NoAdapter {
                    reason: error.to_string(),
                })?;
        let features = found.features();
        let info = describe(&found.get_info(), features);
        // Only the limits on binding size are raised to the adapter's own. Everything else stays at WebGPU's defaults,
        // so a shader that works here works in every browser.
        let offered = found.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            max_buffer_size: offered.max_buffer_size,
            ..wgpu::Limits::default()
        };
        let max_binding_bytes = required_limits
            .max_storage_buffer_binding_size
            .min(required_limits.max_buffer_size);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("anchorite"),
            required_features: features & (wgpu::Features::SUBGROUP | wgpu::Features::SHADER_F16),
            required_limits,
            ..Default::default()
        };
        let (device, queue) =
            found
                .request_device(&descriptor)
                .await
                .map_err(|error| GpuError::NoDevice {
                    adapter: info.name.clone(),
                    reason: error.to_string(),
                })?;
        let fault = Arc::new(Mutex::new(None));
        watch(&device, &fault);
        let pipelines = Arc::new(Mutex::new(HashMap::new()));
        let variant = Variant::best(info.is_software, info.has_subgroups, info.has_f16);
        Ok(Self {
            #[cfg_attr(
                target_arch = "wasm32",
                expect(
                    clippy::arc_with_non_send_sync,
                    reason = "natively it is shared by threads; a browser's module has one"
                )
            )]
            layouts: Arc::new(Layouts::new(&device)),
            counters: Arc::default(),
            device,
            queue,
            pipelines,
            info,
            variant,
            max_binding_bytes,
            fault,
        })
    }

    /// Properties of the GPU in use.
    pub fn info(&self) -> &GpuInfo {
        &self.info
    }

    /// The kernel variant in use.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Every kernel variant that this adapter can run.
    pub fn variants(&self) -> Vec<Variant> {
        Variant::all(self.info.has_subgroups, self.info.has_f16)
    }

    /// Overrides the adapter's best variant, from the next kernel on; for tests and measurements.
    ///
    /// # Errors
    /// [`GpuError::Variant`] if the adapter can't run it.
    pub fn set_variant(&mut self, variant: Variant) -> Result<(), GpuError> {
        if !self.variants().contains(&variant) {
            return Err(GpuError::Variant {
                adapter: self.info.name.clone(),
                variant,
            });
        }
        self.variant = variant;
        Ok(())
    }

    /// Counts of everything sent to the device since it was opened.
    pub fn trace(&self) -> Trace {
        self.counters.trace()
    }

    /// The most bytes that one storage binding may hold.
    pub fn max_binding_bytes(&self) -> u64 {
        self.max_binding_bytes
    }

    /// Lowers [`Self::max_binding_bytes`], for tests that split small tensors the way large ones are split.
    pub fn limit_binding_bytes(&mut self, bytes: u64) {
        self.max_binding_bytes = self.max_binding_bytes.min(bytes);
    }

    /// Gives the device back to the system; every later use reports [`GpuError::Lost`].
    pub fn destroy(&self) {
        self.device.destroy();
        record(
            &self.fault,
            Fault::Lost("destroyed by its owner".to_owned()),
        );
    }

    /// The first fault since the device was opened. A lost device stays lost; other faults are reported once.
    ///
    /// # Errors
    /// The fault, reported as happening while `act`.
    pub fn check(&self, act: &'static str) -> Result<(), GpuError> {
        let mut slot = lock(&self.fault);
        let Some(fault) = slot.clone() else {
            return Ok(());
        };
        if !matches!(fault, Fault::Lost(_)) {
            *slot = None;
        }
        let adapter = self.info.name.clone();
        Err(match fault {
            Fault::Lost(reason) => GpuError::Lost { adapter, reason },
            Fault::OutOfMemory => GpuError::OutOfMemory { adapter, act },
            Fault::Refused(reason) => GpuError::Refused {
                adapter,
                act,
                reason,
            },
        })
    }

    /// Runs `work` and waits until the device has accepted or refused all of it. Meant for loading, where errors must
    /// surface before the first token; too slow for every token.
    ///
    /// # Errors
    /// The error of `work`, or of a command in it that the device refused.
    pub async fn scoped<T>(
        &self,
        act: &'static str,
        work: impl FnOnce() -> Result<T, GpuError>,
    ) -> Result<T, GpuError> {
        self.check(act)?;
        let scopes = [
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::OutOfMemory,
            wgpu::ErrorFilter::Internal,
        ]
        .map(|filter| self.device.push_error_scope(filter));
        let result = work();
        // Scopes close in reverse order, all of them before the first wait.
        let refusals = scopes
            .into_iter()
            .rev()
            .map(|scope| scope.pop())
            .collect::<Vec<_>>();
        for refusal in refusals {
            if let Some(error) = refusal.await {
                record(&self.fault, Fault::from(error));
            }
        }
        self.check(act)?;
        result
    }

    /// Waits until the device has finished everything submitted. A browser does this by itself.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn wait(&self, act: &'static str) -> Result<(), GpuError> {
        self.check(act)?;
        // wgpu 30 panics here if the driver says that the device is gone; turn that into an error.
        let poll =
            std::panic::AssertUnwindSafe(|| self.device.poll(wgpu::PollType::wait_indefinitely()));
        let polled = match std::panic::catch_unwind(poll) {
            Ok(Ok(_)) => return self.check(act),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the driver failed while the device was being waited for".to_owned(),
        };
        record(&self.fault, Fault::Lost(polled));
        self.check(act)
    }

    /// The error for a read-back that never completed.
    pub(super) fn read_back_failed(&self, act: &'static str) -> GpuError {
        match self.check(act) {
            Err(error) => error,
            Ok(()) => GpuError::Lost {
                adapter: self.info.name.clone(),
                reason: "its results could not be read back".to_owned(),
            },
        }
    }
}

impl From<wgpu::Error> for Fault {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory,
            other => Self::Refused(
                other
                    .to_string()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
        }
    }
}

fn describe(info: &wgpu::AdapterInfo, features: wgpu::Features) -> GpuInfo {
    let in_browser = info.backend == wgpu::Backend::BrowserWebGpu;
    let is_software = info.device_type == wgpu::DeviceType::Cpu;
    let kind = match info.backend {
        wgpu::Backend::BrowserWebGpu => "webgpu",
        wgpu::Backend::Vulkan => "vulkan",
        wgpu::Backend::Metal => "metal",
        wgpu::Backend::Dx12 => "dx12",
        wgpu::Backend::Gl => "gl",
        wgpu::Backend::Noop => "noop",
    };
    let name = match (info.name.trim(), is_software) {
        ("", true) => "software adapter of the browser".to_owned(),
        ("", false) => "graphics adapter of the browser".to_owned(),
        (name, _) => name.to_owned(),
    };
    GpuInfo {
        name,
        kind,
        is_software,
        has_subgroups: features.contains(wgpu::Features::SUBGROUP)
            || in_browser && BROWSER_HAS_SUBGROUPS.load(Ordering::Relaxed),
        has_f16: features.contains(wgpu::Features::SHADER_F16),
    }
}

fn watch(device: &wgpu::Device, fault: &Arc<Mutex<Option<Fault>>>) {
    let on_lost = Arc::clone(fault);
    device.set_device_lost_callback(move |_reason, message| {
        let message = if message.is_empty() {
            "no reason given".to_owned()
        } else {
            message
        };
        record(&on_lost, Fault::Lost(message));
    });
    let on_error = Arc::clone(fault);
    device.on_uncaptured_error(Arc::new(move |error| record(&on_error, Fault::from(error))));
}

/// Keeps the first fault, except that a lost device outranks the refusals it causes.
fn record(slot: &Mutex<Option<Fault>>, fault: Fault) {
    let mut slot = lock(slot);
    if slot.is_none() || (matches!(fault, Fault::Lost(_)) && !matches!(*slot, Some(Fault::Lost(_))))
    {
        *slot = Some(fault);
    }
}

/// A poisoned lock is safe: it guards plain data, which a panic can't leave invalid.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
