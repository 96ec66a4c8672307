//! Prints errors and warnings on standard error: what, where and why, then what to do.

use anchorite::EngineError;
use anchorite::index::error::BundleError;
use anchorite::model::adapter::ConvertError;
use anchorite::model::error::{LoadError, RunError};

/// Prints `error: cause: cause`, and `hint: ...` if the cause has one.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
    if let Some(hint) = hint(error) {
        eprintln!("hint: {hint}");
    }
}

pub(crate) fn hint(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| {
        let hint = cause
            .downcast_ref::<EngineError>()
            .map(EngineError::hint)
            .or_else(|| cause.downcast_ref::<BundleError>().map(BundleError::hint))
            .or_else(|| cause.downcast_ref::<LoadError>().map(LoadError::hint))
            .or_else(|| cause.downcast_ref::<RunError>().map(RunError::hint))
            .or_else(|| cause.downcast_ref::<ConvertError>().map(ConvertError::hint));
        hint.or_else(|| cause.downcast_ref::<Hint>().map(|hint| hint.hint.as_str()))
    })
}

/// A failure with advice for the user.
#[derive(Debug)]
pub(crate) struct Hint {
    message: String,
    hint: String,
}

impl Hint {
    /// An error with this message and advice.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Hint {
            message: message.into(),
            hint: hint.into(),
        })
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Hint {}
