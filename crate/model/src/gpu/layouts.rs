//! Defines the bind group layouts that kernels share.

/// The bind group layout that a kernel uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bindings {
    /// A step of the forward pass: batch, parameters, and [`Slots`](super::Slots).
    Step,
    /// A step that chooses the next token: batch, sampling parameters, logits, state, each part's best, the head's
    /// batch.
    Sample,
}

/// The two bind group layouts. All steps share one, so a kernel can be swapped without rebinding its buffers.
#[derive(Debug)]
pub(super) struct Layouts {
    step: Layout,
    sample: Layout,
    /// Placeholders for bindings that a step does not use; one for each that may be written.
    pub(super) unused: [wgpu::Buffer; 4],
}

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) bind_group: wgpu::BindGroupLayout,
    pub(super) pipeline: wgpu::PipelineLayout,
}

impl Layouts {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let read = Storage { read_only: true };
        let write = Storage { read_only: false };
        let layout = |label, types: &[wgpu::BufferBindingType]| {
            let entries: Vec<_> = (0..)
                .zip(types)
                .map(|(binding, &ty)| wgpu::BindGroupLayoutEntry {
                    binding,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty,
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                })
                .collect();
            let bind_group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(label),
                entries: &entries,
            });
            let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(label),
                bind_group_layouts: &[Some(&bind_group)],
                ..Default::default()
            });
            Layout {
                bind_group,
                pipeline,
            }
        };
        let unused = || {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("unused"),
                size: 16,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        };
        Self {
            step: layout(
                "step",
                &[
                    Uniform, Uniform, read, read, write, write, read, read, write,
                ],
            ),
            sample: layout("sample", &[write, Uniform, write, write, write, write]),
            unused: [unused(), unused(), unused(), unused()],
        }
    }

    pub(super) fn of(&self, bindings: Bindings) -> &Layout {
        match bindings {
            Bindings::Step => &self.step,
            Bindings::Sample => &self.sample,
        }
    }
}
