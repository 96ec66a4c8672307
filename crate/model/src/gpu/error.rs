//! Turns device failures into named errors, so that falling back to the CPU has a stated reason.

/// Why a graphics device could not be opened, loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The system or browser offers no adapter.
    #[error("no graphics adapter was found: {reason}")]
    NoAdapter {
        /// The system's or browser's message.
        reason: String,
    },
    /// There is an adapter, but it opens no device with the limits requested.
    #[error("adapter `{adapter}` gave no device: {reason}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// The driver's or browser's message.
        reason: String,
    },
    /// A kernel variant needs a feature that the adapter lacks.
    #[error("adapter `{adapter}` cannot run kernels of the form `{variant}`")]
    Variant {
        /// The adapter's name.
        adapter: String,
        /// The variant.
        variant: super::Variant,
    },
    /// The device was lost: reset, unplugged, destroyed, or reclaimed by the system.
    #[error("graphics device `{adapter}` was lost: {reason}")]
    Lost {
        /// The adapter's name.
        adapter: String,
        /// The driver's or browser's message.
        reason: String,
    },
    /// An allocation failed.
    #[error("graphics device `{adapter}` is out of memory while {act}")]
    OutOfMemory {
        /// The adapter's name.
        adapter: String,
        /// The action under way, such as `running the model`.
        act: &'static str,
    },
    /// The device refused a command or a shader: a bug here or in a driver.
    #[error("graphics device `{adapter}` refused a command while {act}: {reason}")]
    Refused {
        /// The adapter's name.
        adapter: String,
        /// The action under way, such as `running the model`.
        act: &'static str,
        /// The device's message.
        reason: String,
    },
    /// One buffer would exceed the device's binding limit.
    #[error("`{name}` needs a binding of {expected} bytes, the device allows {found}")]
    BindingTooLarge {
        /// Name of the buffer's contents.
        name: String,
        /// Bytes needed.
        expected: u64,
        /// Bytes allowed.
        found: u64,
    },
    /// A kernel's operands don't match in size.
    #[error(
        "`{kernel}` operand `{operand}` has the wrong size: expected {expected}, found {found}"
    )]
    Shape {
        /// The kernel's name.
        kernel: &'static str,
        /// The operand's name in the kernel's table.
        operand: &'static str,
        /// Size needed.
        expected: usize,
        /// Size given.
        found: usize,
    },
}

impl GpuError {
    /// Advice on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoAdapter { .. } | Self::NoDevice { .. } | Self::Variant { .. } => {
                "use the CPU backend, or a browser and driver with WebGPU or Vulkan"
            }
            Self::Lost { .. } => "load the model again, or go on with the CPU backend",
            Self::OutOfMemory { .. } | Self::BindingTooLarge { .. } => {
                "use a smaller model, or the CPU backend"
            }
            Self::Refused { .. } | Self::Shape { .. } => {
                "use the CPU backend and report the model and the device"
            }
        }
    }
}
