//! Turns a kernel's source and its buffers into a recorded dispatch that can be replayed for every batch of tokens.

use super::device::lock;
use super::{Gpu, GpuError};

/// One compute shader: the pieces of WGSL that make it up, and the name of its entry point.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// Entry point, file stem and label.
    pub name: &'static str,
    /// Which of several weight layouts it is for; empty if there is only one form.
    pub variant: &'static str,
    /// WGSL, in any order: shared fragments and the kernel's own file.
    pub sources: &'static [&'static str],
}

/// How many workgroups a dispatch needs for `T` tokens.
#[derive(Debug, Clone, Copy)]
pub enum Grid {
    /// `x` workgroups, once for each `tokens` tokens.
    Tokens {
        /// Workgroups along x.
        x: u32,
        /// Tokens that one workgroup handles.
        tokens: u32,
    },
    /// As many workgroups of `workgroup` invocations as cover `per_token * T` invocations.
    Flat {
        /// Invocations for each token.
        per_token: u32,
        /// Invocations in a workgroup.
        workgroup: u32,
    },
}

/// A pipeline with its buffers bound, ready to be recorded any number of times.
#[derive(Debug, Clone)]
pub struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    grid: Grid,
}

/// A step of the forward pass: the form for one token and, where it pays, another for many.
#[derive(Debug, Clone)]
pub struct Op {
    /// Runs when the batch has one token, and always if `many` is absent.
    pub one: Dispatch,
    /// Runs when the batch has more tokens.
    pub many: Option<Dispatch>,
}

impl From<Dispatch> for Op {
    fn from(one: Dispatch) -> Self {
        Self { one, many: None }
    }
}

impl Op {
    /// Appends this step to a compute pass over `n_tokens` tokens. Nothing runs until the pass is submitted.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, n_tokens: u32) {
        let dispatch = match &self.many {
            Some(many) if n_tokens > 1 => many,
            _ => &self.one,
        };
        let (x, y) = match dispatch.grid {
            Grid::Tokens { x, tokens } => (x, n_tokens.div_ceil(tokens)),
            Grid::Flat {
                per_token,
                workgroup,
            } => (n_tokens.saturating_mul(per_token).div_ceil(workgroup), 1),
        };
        pass.set_pipeline(&dispatch.pipeline);
        pass.set_bind_group(0, &dispatch.bind_group, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

impl Kernel {
    /// The whole WGSL text.
    pub fn wgsl(&self) -> String {
        self.sources.concat()
    }

    /// Name and layout, as they stand in labels and messages.
    pub fn label(&self) -> String {
        match self.variant {
            "" => self.name.to_owned(),
            variant => format!("{}_{variant}", self.name),
        }
    }
}

impl Gpu {
    /// Binds `buffers` (by binding number) to `kernel` with its `override` constants.
    ///
    /// Faults of the shader or of a binding surface through [`Gpu::scoped`] or [`Gpu::check`].
    pub fn dispatch(
        &self,
        kernel: &Kernel,
        constants: &[(&str, f64)],
        buffers: &[(u32, wgpu::BufferBinding<'_>)],
        grid: Grid,
    ) -> Dispatch {
        let pipeline = self.pipeline(kernel, constants);
        let entries = buffers
            .iter()
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(buffer.clone()),
            })
            .collect::<Vec<_>>();
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&kernel.label()),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Dispatch {
            pipeline,
            bind_group,
            grid,
        }
    }

    /// Compiles `kernel`, or finds it compiled.
    fn pipeline(&self, kernel: &Kernel, constants: &[(&str, f64)]) -> wgpu::ComputePipeline {
        let label = kernel.label();
        let key = format!("{label} {constants:?}");
        if let Some(pipeline) = lock(&self.pipelines).get(&key) {
            return pipeline.clone();
        }
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(kernel.wgsl().into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: None,
                module: &module,
                entry_point: Some(kernel.name),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    ..Default::default()
                },
                cache: None,
            });
        lock(&self.pipelines).insert(key, pipeline.clone());
        pipeline
    }

    /// Records each run of steps, over its number of tokens, into one pass; copies `read_back` from its first buffer to
    /// its second afterwards, and submits all of it.
    pub fn submit(&self, runs: &[(&[Op], u32)], read_back: Option<(&wgpu::Buffer, &wgpu::Buffer)>) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        if !runs.is_empty() {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (ops, n_tokens) in runs {
                for op in *ops {
                    op.record(&mut pass, *n_tokens);
                }
            }
        }
        if let Some((source, target)) = read_back {
            let size_bytes = source.size().min(target.size());
            encoder.copy_buffer_to_buffer(source, 0, target, 0, size_bytes);
        }
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
