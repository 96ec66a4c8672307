//! Turns an adapter into the pairs that each step of the forward pass binds.

use super::model::head_order;
use crate::adapter::{Adapter, LoraPair};
use crate::config::ModelConfig;
use crate::gpu::{Gpu, GpuError};
use crate::kernels::lora::PackedPairs;

/// The pairs of one layer; `None` for a step without any.
#[derive(Debug, Default)]
pub(super) struct LayerPairs {
    pub(super) qkv: Option<PackedPairs>,
    pub(super) attn_output: Option<PackedPairs>,
    pub(super) gate_up: Option<PackedPairs>,
    pub(super) ffn_down: Option<PackedPairs>,
}

/// The pairs of a model.
#[derive(Debug, Default)]
pub(super) struct ModelPairs {
    pub(super) layers: Vec<LayerPairs>,
    pub(super) output: Option<PackedPairs>,
}

impl ModelPairs {
    /// Uploads an adapter's pairs, with room for the inner products of `n_tokens` tokens.
    pub(super) fn new(
        gpu: &Gpu,
        config: &ModelConfig,
        adapter: Option<&Adapter>,
        n_tokens: usize,
    ) -> Result<Self, GpuError> {
        let Some(adapter) = adapter else {
            let layers = (0..config.n_layers)
                .map(|_| LayerPairs::default())
                .collect();
            return Ok(Self {
                layers,
                output: None,
            });
        };
        let (c, q_width) = (config.n_embd, config.q_width());
        // For each row, its pair and the row within that pair.
        let mut qkv_rows = Vec::new();
        for (pair, order) in [
            head_order(config, config.n_heads),
            head_order(config, config.n_kv_heads),
            (0..config.kv_width()).collect(),
        ]
        .into_iter()
        .enumerate()
        {
            qkv_rows.extend(order.into_iter().map(|row| (pair, row)));
        }
        let by_turns: Vec<_> = (0..2 * config.n_ff).map(|row| (row % 2, row / 2)).collect();
        let plain = |n_rows: usize| (0..n_rows).map(|row| (0, row)).collect::<Vec<_>>();
        let stream_rows = plain(c);
        let put = |name: String, pairs: &[Option<&LoraPair>], n_cols, rows: &[_], is_mixed| {
            if pairs.iter().all(Option::is_none) {
                return Ok(None);
            }
            PackedPairs::new(gpu, &name, pairs, n_cols, rows, is_mixed, n_tokens).map(Some)
        };
        let layers = (0..config.n_layers).map(|layer_idx| {
            let name = |stem: &str| format!("blk.{layer_idx}.{stem}.weight");
            let pair = |stem: &str| adapter.pairs.get(&name(stem));
            let qkv = [pair("attn_q"), pair("attn_k"), pair("attn_v")];
            let gate_up = [pair("ffn_gate"), pair("ffn_up")];
            Ok(LayerPairs {
                qkv: put(name("attn_qkv"), &qkv, c, &qkv_rows, false)?,
                attn_output: put(
                    name("attn_output"),
                    &[pair("attn_output")],
                    q_width,
                    &stream_rows,
                    false,
                )?,
                gate_up: put(name("ffn_gate_up"), &gate_up, c, &by_turns, true)?,
                ffn_down: put(
                    name("ffn_down"),
                    &[pair("ffn_down")],
                    config.n_ff,
                    &stream_rows,
                    false,
                )?,
            })
        });
        // A tied embedding is only looked up at the input, so there the pair changes just the output.
        let output = [adapter.pairs.get("output.weight")];
        Ok(Self {
            layers: layers.collect::<Result<_, GpuError>>()?,
            output: put(
                "output.weight".to_owned(),
                &output,
                c,
                &plain(config.n_vocab),
                false,
            )?,
        })
    }
}
