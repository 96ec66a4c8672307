//! Turns slices of numbers into device buffers, and device buffers back into numbers.

use futures_channel::oneshot;

use super::{Gpu, GpuError};

/// A matrix of activations on the device: one row for each token.
///
/// Rows start at multiples of four floats, so that kernels read `vec4<f32>` whatever the number of columns; the floats
/// between `n_cols` and `stride` are always zero.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The buffer that holds the rows.
    pub buffer: wgpu::Buffer,
    /// Capacity in rows.
    pub n_rows: usize,
    /// Values in a row.
    pub n_cols: usize,
    /// Floats from one row's start to the next: `n_cols` rounded up to a multiple of four.
    pub stride: usize,
}

impl Gpu {
    /// Allocates `n_rows` rows of `n_cols` zeros.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] if the device cannot bind that much at once.
    pub fn rows(&self, label: &str, n_rows: usize, n_cols: usize) -> Result<Rows, GpuError> {
        let stride = n_cols.max(1).next_multiple_of(4);
        let size_bytes = 4 * (stride as u64).saturating_mul(n_rows.max(1) as u64);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let buffer = self.buffer(label, size_bytes, usage)?;
        Ok(Rows {
            buffer,
            n_rows,
            n_cols,
            stride,
        })
    }

    /// Uploads `values` as rows of `n_cols`.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] if the device cannot bind that much at once.
    pub fn rows_of(&self, label: &str, values: &[f32], n_cols: usize) -> Result<Rows, GpuError> {
        let n_cols = n_cols.max(1);
        let rows = self.rows(label, values.len().div_ceil(n_cols), n_cols)?;
        let mut padded = vec![0.0; rows.stride * rows.n_rows.max(1)];
        for (target, source) in padded.chunks_mut(rows.stride).zip(values.chunks(n_cols)) {
            target[..source.len()].copy_from_slice(source);
        }
        self.queue
            .write_buffer(&rows.buffer, 0, bytemuck::cast_slice(&padded));
        Ok(rows)
    }

    /// A storage buffer with these bytes, padded to a multiple of 16.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] if the device cannot bind that much at once.
    pub fn storage_of<T: bytemuck::NoUninit>(
        &self,
        label: &str,
        values: &[T],
    ) -> Result<wgpu::Buffer, GpuError> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let size_bytes = (bytes.len() as u64).next_multiple_of(16).max(16);
        let buffer = self.buffer(label, size_bytes, usage)?;
        self.write(&buffer, 0, bytes);
        Ok(buffer)
    }

    /// A uniform buffer with the parameters of one dispatch, written once.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
    pub fn params_of<T: bytemuck::NoUninit>(
        &self,
        label: &str,
        params: &T,
    ) -> Result<wgpu::Buffer, GpuError> {
        let bytes = bytemuck::bytes_of(params);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffer = self.buffer(label, (bytes.len() as u64).next_multiple_of(16), usage)?;
        self.write(&buffer, 0, bytes);
        Ok(buffer)
    }

    /// A zeroed buffer of `size_bytes`.
    pub(crate) fn buffer(
        &self,
        label: &str,
        size_bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        if size_bytes > self.max_binding_bytes() {
            return Err(GpuError::BindingTooLarge {
                name: label.to_owned(),
                expected: size_bytes,
                found: self.max_binding_bytes(),
            });
        }
        let descriptor = wgpu::BufferDescriptor {
            label: Some(label),
            size: size_bytes,
            usage,
            mapped_at_creation: false,
        };
        Ok(self.device.create_buffer(&descriptor))
    }

    /// Queues a write of `bytes` at byte `offset`, ahead of everything submitted later.
    pub(crate) fn write(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.counters.wrote(bytes.len());
        // A queue takes whole words; only the odd tail needs a copy.
        let (whole, tail) = bytes.split_at(bytes.len() & !3);
        if !whole.is_empty() {
            self.queue.write_buffer(buffer, offset, whole);
        }
        if !tail.is_empty() {
            let mut word = [0; 4];
            word[..tail.len()].copy_from_slice(tail);
            self.queue
                .write_buffer(buffer, offset + whole.len() as u64, &word);
        }
    }

    /// A buffer to copy results into and read them back from.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] if the device has no buffers of this size.
    pub(crate) fn read_back_buffer(&self, size_bytes: u64) -> Result<wgpu::Buffer, GpuError> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.buffer("read-back", size_bytes, usage)
    }

    /// Reads the first `n_floats` of a buffer made by [`Self::read_back_buffer`], once the device is done with it.
    ///
    /// # Errors
    /// [`GpuError::Lost`], or any other fault of the work that fills it.
    pub(crate) async fn read_floats(
        &self,
        buffer: &wgpu::Buffer,
        n_floats: usize,
        act: &'static str,
    ) -> Result<Vec<f32>, GpuError> {
        self.read(buffer, n_floats, act).await
    }

    /// As [`Self::read_floats`], for any type of four bytes.
    pub(crate) async fn read<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        n_values: usize,
        act: &'static str,
    ) -> Result<Vec<T>, GpuError> {
        self.check(act)?;
        let size_bytes = (size_of::<T>() * n_values) as u64;
        let (sender, receiver) = oneshot::channel();
        buffer.map_async(wgpu::MapMode::Read, 0..size_bytes, move |result| {
            // If the receiver is gone, nobody is waiting any more.
            let _ = sender.send(result);
        });
        #[cfg(not(target_arch = "wasm32"))]
        self.wait(act)?;
        match receiver.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(self.read_back_failed(act)),
        }
        let values = match buffer.get_mapped_range(0..size_bytes) {
            Ok(bytes) => bytemuck::pod_collect_to_vec(&bytes),
            Err(_) => return Err(self.read_back_failed(act)),
        };
        buffer.unmap();
        self.check(act)?;
        Ok(values)
    }

    /// All floats of `rows`, padding included; for tests and tools, since it stalls the queue.
    ///
    /// # Errors
    /// Any fault of the work that fills them.
    pub async fn read_padded(&self, rows: &Rows) -> Result<Vec<f32>, GpuError> {
        let source = &rows.buffer;
        let target = self.read_back_buffer(source.size())?;
        self.submit(&[], Some((source, &target)));
        let n_floats = usize::try_from(source.size() / 4).unwrap_or(usize::MAX);
        self.read_floats(&target, n_floats, "reading a buffer")
            .await
    }

    /// The logical values of `rows`, padding left out; for tests and tools.
    ///
    /// # Errors
    /// Any fault of the work that fills them.
    pub async fn read_rows(&self, rows: &Rows) -> Result<Vec<f32>, GpuError> {
        let values = self.read_padded(rows).await?;
        let logical = values.chunks(rows.stride).take(rows.n_rows);
        Ok(logical
            .flat_map(|row| &row[..rows.n_cols])
            .copied()
            .collect())
    }
}
