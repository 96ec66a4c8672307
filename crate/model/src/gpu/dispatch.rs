//! Turns a shader and its buffers into a recorded dispatch that can be replayed for every batch of tokens.

use std::sync::atomic::Ordering::Relaxed;

use super::device::lock;
use super::layouts::Bindings;
use super::{Gpu, GpuError};

/// The buffers of a step of the forward pass, in binding order; `None` for those it does not use. Each step has its own
/// names for them, and a buffer that is written must not be bound twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots<'b> {
    /// 2, read: a slice of a matrix.
    pub(crate) weights: Option<&'b wgpu::Buffer>,
    /// 3, read: gains and biases.
    pub(crate) vectors: Option<&'b wgpu::Buffer>,
    /// 4, written by steps that also update the stream: the input of a product, or the queries.
    pub(crate) input: Option<&'b wgpu::Buffer>,
    /// 5, written: the layer's cache.
    pub(crate) cache: Option<&'b wgpu::Buffer>,
    /// 6, read: cosines and sines.
    pub(crate) angles: Option<&'b wgpu::Buffer>,
    /// 7, read: an adapter's pairs.
    pub(crate) lora: Option<&'b wgpu::Buffer>,
    /// 8, written.
    pub(crate) output: Option<&'b wgpu::Buffer>,
}

/// The workgroups of a dispatch over `T` tokens: `x` of them for every `tokens` tokens.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Workgroups along x.
    pub x: u32,
    /// Workgroups along y, if not by tokens.
    pub y: Option<u32>,
    /// Tokens that one workgroup handles.
    pub tokens: u32,
}

/// A pipeline with its buffers bound, to be recorded any number of times.
#[derive(Debug, Clone)]
pub struct Dispatch {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bind_group: wgpu::BindGroup,
    pub(crate) grid: Grid,
}

/// A step of the forward pass: one dispatch for few tokens and, where it pays off, another for many.
#[derive(Debug, Clone)]
pub struct Op {
    /// Runs for at most as many tokens as `many` says, or always if `many` is `None`.
    pub(crate) few: Dispatch,
    /// The most tokens `few` is used for, and the dispatch for more.
    pub(crate) many: Option<(u32, Dispatch)>,
}

impl From<Dispatch> for Op {
    fn from(few: Dispatch) -> Self {
        Self { few, many: None }
    }
}

impl Op {
    /// Appends this step to a compute pass over `n_tokens` tokens. Nothing runs until the pass is submitted.
    fn record(&self, pass: &mut wgpu::ComputePass<'_>, n_tokens: u32) {
        let dispatch = match &self.many {
            Some((few, many)) if n_tokens > *few => many,
            _ => &self.few,
        };
        let Grid { x, y, tokens } = dispatch.grid;
        pass.set_pipeline(&dispatch.pipeline);
        pass.set_bind_group(0, &dispatch.bind_group, &[]);
        pass.dispatch_workgroups(x, y.unwrap_or(n_tokens.div_ceil(tokens)), 1);
    }
}

impl Gpu {
    /// Binds a step's buffers: the batch, the parameters and its [`Slots`].
    pub(crate) fn bind_step(
        &self,
        batch: wgpu::BufferBinding<'_>,
        params: &wgpu::Buffer,
        slots: &Slots<'_>,
    ) -> wgpu::BindGroup {
        let unused = &self.layouts.unused;
        let others = [
            slots.weights.unwrap_or(&unused[0]),
            slots.vectors.unwrap_or(&unused[0]),
            slots.input.unwrap_or(&unused[1]),
            slots.cache.unwrap_or(&unused[2]),
            slots.angles.unwrap_or(&unused[0]),
            slots.lora.unwrap_or(&unused[0]),
            slots.output.unwrap_or(&unused[3]),
        ];
        let mut bindings = vec![batch, params.as_entire_buffer_binding()];
        bindings.extend(
            others
                .into_iter()
                .map(wgpu::Buffer::as_entire_buffer_binding),
        );
        self.bind(Bindings::Step, bindings)
    }

    /// Binds `buffers`, in order, to the layout for `bindings`.
    pub(crate) fn bind(
        &self,
        bindings: Bindings,
        buffers: Vec<wgpu::BufferBinding<'_>>,
    ) -> wgpu::BindGroup {
        self.counters.bind_groups.fetch_add(1, Relaxed);
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(buffer),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layouts.of(bindings).bind_group,
            entries: &entries,
        })
    }

    /// Returns the pipeline cached under its unique `label`, or compiles the shader that `wgsl` returns, with the entry
    /// point `main`. Faults surface through [`Gpu::scoped`] or [`Gpu::check`].
    pub fn pipeline(
        &self,
        label: &str,
        bindings: Bindings,
        wgsl: impl FnOnce() -> String,
    ) -> wgpu::ComputePipeline {
        if let Some(pipeline) = lock(&self.pipelines).get(label) {
            return pipeline.clone();
        }
        self.counters.pipelines.fetch_add(1, Relaxed);
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(wgsl().into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: Some(&self.layouts.of(bindings).pipeline),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
        lock(&self.pipelines).insert(label.to_owned(), pipeline.clone());
        pipeline
    }

    /// Records the lists of steps, each with its number of tokens, into one pass, then copies the first buffer of
    /// `read_back` to the second, and submits everything.
    pub fn submit(&self, runs: &[(&[Op], u32)], read_back: Option<(&wgpu::Buffer, &wgpu::Buffer)>) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        if !runs.is_empty() {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (ops, n_tokens) in runs {
                for op in *ops {
                    op.record(&mut pass, *n_tokens);
                }
                self.counters
                    .dispatches
                    .fetch_add(ops.len() as u64, Relaxed);
            }
        }
        if let Some((source, target)) = read_back {
            let size_bytes = source.size().min(target.size());
            encoder.copy_buffer_to_buffer(source, 0, target, 0, size_bytes);
        }
        self.counters.submits.fetch_add(1, Relaxed);
        self.queue.submit([encoder.finish()]);
    }

    /// Checks an operand's size for a kernel.
    pub(crate) fn check_shape(
        kernel: &'static str,
        operand: &'static str,
        expected: usize,
        found: usize,
    ) -> Result<(), GpuError> {
        if expected == found {
            return Ok(());
        }
        Err(GpuError::Shape {
            kernel,
            operand,
            expected,
            found,
        })
    }
}
