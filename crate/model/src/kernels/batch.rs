//! Turns "these tokens, from this position on" into the small buffer that every kernel of a forward pass reads.

use crate::gpu::{Gpu, GpuError};

/// Which tokens a pass handles and where they stand. WGSL: `Batch` in `shared/batch.wgsl`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Batch {
    /// `T`: tokens in this batch.
    pub n_tokens: u32,
    /// Row of the input that holds the first token; not 0 only behind the last layer.
    pub first_row: u32,
    /// Place of the first token in the cache.
    pub position: u32,
    /// Fills 16 bytes.
    pub padding: u32,
}

/// Bindings start at multiples of this on every device.
const ALIGNMENT: usize = 256;

/// A batch on the device: one buffer, so that one small write sets everything that changes between two passes.
///
/// | byte | what                                                          |
/// |------|---------------------------------------------------------------|
/// | 0    | [`Batch`] of all tokens                                       |
/// | 256  | [`Batch`] of the last token alone, for what follows the layers |
/// | 512  | the tokens' ids                                               |
#[derive(Debug, Clone)]
pub struct BatchBuffer {
    buffer: wgpu::Buffer,
    /// Tokens there is room for.
    pub n_tokens: usize,
    is_last: bool,
}

impl BatchBuffer {
    /// Room for `n_tokens` tokens.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] if the device cannot bind that many.
    pub fn new(gpu: &Gpu, n_tokens: usize) -> Result<Self, GpuError> {
        let n_tokens = n_tokens.max(1);
        let usage = wgpu::BufferUsages::UNIFORM
            | wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_DST;
        let size_bytes = (2 * ALIGNMENT + 4 * n_tokens) as u64;
        let buffer = gpu.buffer("batch", size_bytes, usage)?;
        Ok(Self {
            buffer,
            n_tokens,
            is_last: false,
        })
    }

    /// The same buffer, seen by kernels as a batch of the last token alone.
    pub fn last(&self) -> Self {
        Self {
            is_last: true,
            ..self.clone()
        }
    }

    /// Sets what the next submitted pass handles: `tokens`, the first of them at `position`.
    pub fn write(&self, gpu: &Gpu, position: u32, tokens: &[u32]) {
        let n_tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let all = Batch {
            n_tokens,
            first_row: 0,
            position,
            padding: 0,
        };
        let last_row = n_tokens.saturating_sub(1);
        let position = position.saturating_add(last_row);
        let last = Batch {
            n_tokens: 1,
            first_row: last_row,
            position,
            padding: 0,
        };
        let mut bytes = bytemuck::bytes_of(&all).to_vec();
        bytes.resize(ALIGNMENT, 0);
        bytes.extend_from_slice(bytemuck::bytes_of(&last));
        bytes.resize(2 * ALIGNMENT, 0);
        bytes.extend_from_slice(bytemuck::cast_slice(tokens));
        gpu.write(&self.buffer, &bytes);
    }

    /// The [`Batch`].
    pub(crate) fn binding(&self) -> wgpu::BufferBinding<'_> {
        let offset = if self.is_last { ALIGNMENT as u64 } else { 0 };
        let size = wgpu::BufferSize::new(size_of::<Batch>() as u64);
        wgpu::BufferBinding {
            buffer: &self.buffer,
            offset,
            size,
        }
    }

    /// The tokens' ids.
    pub(crate) fn tokens(&self) -> wgpu::BufferBinding<'_> {
        wgpu::BufferBinding {
            buffer: &self.buffer,
            offset: 2 * ALIGNMENT as u64,
            size: None,
        }
    }
}
