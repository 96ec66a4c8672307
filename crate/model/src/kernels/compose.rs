//! Turns a step's WGSL file into a complete shader: the files that it imports, directly or not, once each.
//!
//! `#import shared/cache` imports that file of this folder; `#import weights/*` imports one file of a folder, picked by
//! the kernel's permutation. All files of such a folder define the same functions and constants, so they are
//! interchangeable. Values known only when the shader is assembled come first, as constants.

use std::fmt::Write as _;

use crate::gpu::{Bindings, Gpu};

/// Every WGSL file, by its path in this folder without the extension.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        pub(super) const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!($path, ".wgsl")))),+];
    };
}

files![
    "attention/barrier_free",
    "attention/split",
    "attention/tiled",
    "entry/plain",
    "entry/subgroups",
    "input/splits",
    "input/step_output",
    "input/stream",
    "input/stream_pending",
    "lora/inline",
    "lora/stored",
    "matmul/few",
    "matmul/few_int8",
    "matmul/few_workgroup",
    "matmul/tiled",
    "matmul/vec",
    "matmul/vec_int8",
    "matmul/vec_workgroup",
    "reduce/memory",
    "reduce/subgroups",
    "reduce_max/memory",
    "reduce_max/subgroups",
    "sample/choose",
    "sample/penalise",
    "scales/f16",
    "scales/f16_centred",
    "scales/f16_min",
    "scales/k",
    "shared/attention_step",
    "shared/batch",
    "shared/cache",
    "shared/codes",
    "shared/f16_scales",
    "shared/few_sums",
    "shared/float_weights",
    "shared/int8_products",
    "shared/norm",
    "shared/params",
    "shared/rope",
    "shared/sampling",
    "shared/step",
    "shared/sum",
    "shared/vec_sum",
    "shared/vectors",
    "shared/weight_streams",
    "steps/embed",
    "steps/gate_up",
    "steps/heads",
    "steps/linear",
    "steps/project",
    "steps/qkv",
    "steps/quantise",
    "steps/residual",
    "tile/f16",
    "tile/f32",
    "weights/bf16",
    "weights/bytes",
    "weights/f16",
    "weights/f32",
    "weights/q4",
    "weights/q5",
    "weights/q6_k",
    "weights/q8_0",
];

/// A value that a shader is compiled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    U32(u32),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::U32(value) => write!(f, "{value}u"),
        }
    }
}

/// One compute shader, not yet assembled. Its entry point is `main`.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// The root file, whose imports are followed.
    pub(super) root: &'static str,
    /// The files picked from the folders it imports, one from each.
    pub(super) picked: Vec<&'static str>,
    pub(super) constants: Vec<(&'static str, Value)>,
    pub(super) bindings: Bindings,
}

impl Kernel {
    /// A step of the forward pass.
    pub(super) fn step(root: &'static str, picked: &[&'static str]) -> Self {
        Self {
            root,
            picked: picked.to_vec(),
            constants: Vec::new(),
            bindings: Bindings::Step,
        }
    }

    /// Adds a constant.
    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.constants.push((name, value));
        self
    }

    /// A unique name that lists the kernel's parts.
    pub(crate) fn label(&self) -> String {
        let mut label = self.root.to_owned();
        for path in &self.picked {
            let _ = write!(label, " {path}");
        }
        for (name, value) in &self.constants {
            let _ = write!(label, " {name}={value}");
        }
        label
    }

    /// The complete WGSL text, with a comment at the start of each file.
    pub(crate) fn wgsl(&self) -> String {
        let mut shader = Shader::default();
        for (name, value) in &self.constants {
            let _ = writeln!(shader.body, "const {name} = {value};");
        }
        self.import(self.root, &mut shader);
        shader.enables + &shader.body
    }

    /// Compiles the kernel, or returns its cached pipeline.
    pub(crate) fn pipeline(&self, gpu: &Gpu) -> wgpu::ComputePipeline {
        gpu.pipeline(&self.label(), self.bindings, || self.wgsl())
    }

    /// Appends a file after the files it imports. A file that does not exist is left out: the tests, and the device's
    /// compiler, then report its names as undefined.
    fn import(&self, path: &str, shader: &mut Shader) {
        let picked = match path.strip_suffix("/*") {
            Some(folder) => self
                .picked
                .iter()
                .find(|picked| picked.split('/').next() == Some(folder)),
            None => None,
        };
        let path = picked.copied().unwrap_or(path);
        let Some(&(path, text)) = FILES.iter().find(|file| file.0 == path) else {
            return;
        };
        if shader.imported.contains(&path) {
            return;
        }
        shader.imported.push(path);
        let mut own = format!("// from {path}.wgsl\n");
        for line in text.lines() {
            if let Some(imported) = line.strip_prefix("#import ") {
                self.import(imported, shader);
            } else if line.starts_with("enable ") {
                shader.enable(line);
            } else {
                own.push_str(line);
                own.push('\n');
            }
        }
        shader.body.push_str(&own);
    }
}

/// A shader being assembled.
#[derive(Default)]
struct Shader {
    imported: Vec<&'static str>,
    /// Directives, which must come before everything else.
    enables: String,
    body: String,
}

impl Shader {
    fn enable(&mut self, directive: &str) {
        // naga accepts subgroup functions but rejects this directive; browsers require it.
        if directive != "enable subgroups;" || cfg!(target_arch = "wasm32") {
            self.enables.push_str(directive);
            self.enables.push('\n');
        }
    }
}
