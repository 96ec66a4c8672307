//! The tokens of a pass and their position, in the small buffer that every kernel of a forward pass reads.

use crate::gpu::{Gpu, GpuError};

/// Most tokens in a batch.
pub const MAX_TOKENS: usize = 128;

/// The tokens of a pass and their positions. WGSL: `Batch` in `shared/batch.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Batch {
    /// `T`: tokens in this batch.
    pub n_tokens: u32,
    /// Row of the residual stream that holds the first token; nonzero only in the steps after the last layer.
    pub first_row: u32,
    /// Position of the first token in the KV cache.
    pub position: u32,
    /// Pads these fields to 16 bytes.
    pub padding: u32,
    /// The tokens' ids.
    pub tokens: [u32; MAX_TOKENS],
}

/// Byte offset of the second batch: every device accepts binding offsets that are multiples of 256.
const HEAD_OFFSET: u64 = 768;

/// A batch on the device: one buffer, so a single small write sets everything that changes between two passes.
///
/// | byte | what                                                          |
/// |------|---------------------------------------------------------------|
/// | 0    | [`Batch`] of all tokens                                       |
/// | 768  | [`Batch`] of the last tokens alone, for the steps after the layers |
#[derive(Debug, Clone)]
pub struct BatchBuffer {
    buffer: wgpu::Buffer,
}

impl BatchBuffer {
    /// Allocates room for a batch.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`], never in practice: it is small.
    pub fn new(gpu: &Gpu) -> Result<Self, GpuError> {
        let usage = wgpu::BufferUsages::UNIFORM
            | wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_DST;
        let size_bytes = HEAD_OFFSET + size_of::<Batch>().next_multiple_of(16) as u64;
        let buffer = gpu.buffer("batch", size_bytes, usage)?;
        Ok(Self { buffer })
    }

    /// Sets the tokens of the next submitted pass: `tokens`, the first at `position`, and for the steps after the
    /// layers only the last `n_last` of them. At most [`MAX_TOKENS`].
    pub fn write(&self, gpu: &Gpu, position: u32, tokens: &[u32], n_last: u32) {
        let n_tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let mut words = vec![n_tokens, 0, position, 0];
        words.extend_from_slice(tokens);
        gpu.write(&self.buffer, 0, bytemuck::cast_slice(&words));
        let first_row = n_tokens.saturating_sub(n_last);
        let head = [n_last, first_row, position.saturating_add(first_row), 0];
        gpu.write(&self.buffer, HEAD_OFFSET, bytemuck::cast_slice(&head));
    }

    /// The batch of all tokens.
    pub fn all(&self) -> wgpu::BufferBinding<'_> {
        self.at(0)
    }

    /// The batch of the last tokens.
    pub fn last(&self) -> wgpu::BufferBinding<'_> {
        self.at(HEAD_OFFSET)
    }

    fn at(&self, offset: u64) -> wgpu::BufferBinding<'_> {
        wgpu::BufferBinding {
            buffer: &self.buffer,
            offset,
            size: wgpu::BufferSize::new(size_of::<Batch>() as u64),
        }
    }
}
