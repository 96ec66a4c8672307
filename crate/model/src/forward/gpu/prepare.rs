//! Compiles a model's kernels from the first bytes of its file, while the rest is still downloading.

use std::collections::BTreeSet;

use super::GpuForward;
use crate::config::{Activation, ModelConfig};
use crate::error::LoadError;
use crate::gguf::{Gguf, TensorType};
use crate::gpu::{Gpu, Reduction};
use crate::kernels::{Epilogue, Input, matmul, steps};

impl GpuForward {
    /// Opens the best GPU and compiles the kernels that a model will need there, as the head of its file, read by
    /// [`Gguf::parse_head`], determines.
    ///
    /// # Errors
    /// As [`ModelConfig::from_gguf`], and [`LoadError::Gpu`] if there is no GPU or it can't run the model.
    pub async fn prepare(gguf: &Gguf, has_adapter: bool) -> Result<Gpu, LoadError> {
        let config = ModelConfig::from_gguf(gguf)?;
        Self::check(&config)?;
        let gpu = Gpu::open().await?;
        gpu.scoped("compiling kernels", || {
            compile(&gpu, gguf, &config, has_adapter);
            Ok(())
        })
        .await?;
        Ok(gpu)
    }
}

/// Compiles every kernel the layers will run. A missing tensor is reported later, when the weights are loaded.
fn compile(gpu: &Gpu, gguf: &Gguf, config: &ModelConfig, has_adapter: bool) {
    let traits = config.traits;
    let kind = |name: &str| gguf.tensors.get(name).map(|entry| entry.kind);
    let embedding = kind("token_embd.weight").unwrap_or(TensorType::F32);
    let has_norms = [traits.has_head_norms, traits.has_post_norms];
    steps::compile(gpu, embedding, config.head_size, has_norms);

    let has_barriers = gpu.variant().reduction != Reduction::BarrierFree;
    let normed = |is_first: bool| match traits.has_post_norms && has_barriers && !is_first {
        true => Input::StreamPending,
        false => Input::Stream,
    };
    let gathered = if has_barriers {
        Input::Splits
    } else {
        Input::StepOutput
    };
    let qkv = Epilogue::Qkv {
        rotates: !traits.has_head_norms,
    };
    let gate_up = Epilogue::GateUp {
        is_gelu: traits.activation == Activation::GeluTanh,
    };
    let project = Epilogue::Project {
        adds: !traits.has_post_norms,
    };
    let mut compiled = BTreeSet::new();
    for layer_idx in 0..config.n_layers {
        let kind = |stem: &str| kind(&format!("blk.{layer_idx}.{stem}.weight"));
        let input = normed(layer_idx == 0);
        let mut matrices = ["attn_q", "attn_k", "attn_v"]
            .map(|stem| (qkv, kind(stem), config.n_embd, input))
            .to_vec();
        let gates = match kind("ffn_gate") == kind("ffn_up") {
            true => kind("ffn_gate"),
            false => Some(TensorType::F32),
        };
        matrices.extend([
            (project, kind("attn_output"), config.q_width(), gathered),
            (gate_up, gates, config.n_embd, normed(false)),
            (project, kind("ffn_down"), config.n_ff, Input::StepOutput),
        ]);
        for (epilogue, kind, n_cols, input) in matrices {
            let Some(kind) = kind else { continue };
            if compiled.insert(format!("{epilogue:?} {kind} {n_cols} {input:?}")) {
                matmul::compile(gpu, epilogue, kind, n_cols, input, has_adapter);
            }
        }
    }
    let output = kind("output.weight").unwrap_or(embedding);
    // Adapters rarely change the output, and only where it is a matrix of its own.
    matmul::compile(
        gpu,
        Epilogue::Linear,
        output,
        config.n_embd,
        normed(false),
        false,
    );
}
