//! Turns a model's weights into its layers on the device: matrices with their rows in the order the kernels compute
//! them, gains and biases in one buffer, and the cache.

use crate::config::{ModelConfig, Rope, RopeOrder};
use crate::gguf::TensorType;
use crate::gpu::{Gpu, GpuError, PackedMatrix};
use crate::kernels::params::{param, words};
use crate::ops::rope::turn;
use crate::weights::{LayerWeights, Matrix, Weights};

/// The weights and the cache. Shapes as in [`Weights`].
#[derive(Debug)]
pub(super) struct Model {
    pub(super) token_embd: PackedMatrix,
    /// `[C]`, followed by the last layer's pending gain and the output's bias.
    pub(super) output_norm: wgpu::Buffer,
    /// Where that bias starts; 0 if there is none.
    pub(super) output_bias: u32,
    /// Where the pending gain starts; `None` in families that don't norm a block's output.
    pub(super) last_post_ffw: Option<u32>,
    pub(super) output: PackedMatrix,
    /// `[positions, rope.dim / 4]` of two `(cos, sin)` pairs
    pub(super) angles: wgpu::Buffer,
    /// The same for layers with a window.
    pub(super) local_angles: Option<wgpu::Buffer>,
    pub(super) layers: Vec<Layer>,
}

#[derive(Debug)]
pub(super) struct Layer {
    /// Gains and biases: see [`Vectors`].
    pub(super) vectors: wgpu::Buffer,
    pub(super) places: Places,
    /// Queries, keys and values, each with its first row in the joint output; a single matrix if all are of one type.
    pub(super) qkv: Vec<(usize, PackedMatrix)>,
    pub(super) attn_output: PackedMatrix,
    /// Rows of gate and up, interleaved.
    pub(super) gate_up: PackedMatrix,
    pub(super) ffn_down: PackedMatrix,
    /// Keys, then values, laid out as in `shared/cache.wgsl`.
    pub(super) cache: wgpu::Buffer,
}

/// Where a layer's gains and biases start, in words; 0 for those the family lacks.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) attn_norm: u32,
    pub(super) ffn_norm: u32,
    pub(super) bias: u32,
    pub(super) attn_output_bias: u32,
    /// Values of gate and up, interleaved.
    pub(super) gate_up_bias: u32,
    pub(super) ffn_down_bias: u32,
    pub(super) q_gain: u32,
    pub(super) k_gain: u32,
    pub(super) post_attention: u32,
    pub(super) post_ffw: u32,
    /// `post_ffw` of the previous layer, which may leave its last norm to this one.
    pub(super) last_post_ffw: Option<u32>,
}

/// Gains and biases, one after the other, each aligned to a word.
#[derive(Default)]
struct Vectors(Vec<f32>);

impl Vectors {
    fn push(&mut self, values: &[f32]) -> u32 {
        let place = words(self.0.len());
        self.0.extend_from_slice(values);
        self.0.resize(self.0.len().next_multiple_of(4), 0.0);
        place
    }
}

impl Model {
    pub(super) fn load(
        gpu: &Gpu,
        config: &ModelConfig,
        n_positions: usize,
        weights: Weights,
    ) -> Result<Self, GpuError> {
        let token_embd = load_matrix(gpu, "token_embd", &weights.token_embd)?;
        let output = match weights.output {
            Some(output) => load_matrix(gpu, "output", &output)?,
            None => token_embd.clone(),
        };
        let angles = |rope: &Rope, factors: Option<&[f32]>| {
            gpu.storage_of("angles", &angles(rope, factors, n_positions))
        };
        let local = config.local.as_ref();
        let mut layers = Vec::new();
        let mut last_post_ffw: Option<Vec<f32>> = None;
        for layer in weights.layers {
            let post_ffw = layer.post_ffw_norm.clone();
            layers.push(Layer::load(gpu, config, n_positions, layer, last_post_ffw)?);
            last_post_ffw = post_ffw;
            // Flush this layer's uploads, or they pile up in memory while the other weights load.
            gpu.submit(&[], None);
        }
        let mut vectors = Vectors::default();
        vectors.push(&weights.output_norm);
        let last_post_ffw = last_post_ffw.map(|gain| vectors.push(&gain));
        let output_bias = weights.output_bias.map_or(0, |bias| vectors.push(&bias));
        Ok(Self {
            token_embd,
            output_norm: gpu.storage_of("output_norm", &vectors.0)?,
            output_bias,
            last_post_ffw,
            output,
            angles: angles(&config.rope, weights.rope_factors.as_deref())?,
            local_angles: local.map(|local| angles(&local.rope, None)).transpose()?,
            layers,
        })
    }

    /// Bytes of weights read per token.
    pub(super) fn n_bytes(&self) -> u64 {
        let layers = self.layers.iter().map(|layer| {
            let qkv = layer.qkv.iter().map(|(_, matrix)| matrix.n_bytes());
            qkv.sum::<u64>()
                + layer.attn_output.n_bytes()
                + layer.gate_up.n_bytes()
                + layer.ffn_down.n_bytes()
        });
        layers.sum::<u64>() + self.output.n_bytes()
    }
}

impl Layer {
    fn load(
        gpu: &Gpu,
        config: &ModelConfig,
        n_positions: usize,
        weights: LayerWeights,
        last_post_ffw: Option<Vec<f32>>,
    ) -> Result<Self, GpuError> {
        let (q_order, kv_order) = (
            head_order(config, config.n_heads),
            head_order(config, config.n_kv_heads),
        );
        let mut vectors = Vectors::default();
        let mut places = Places {
            attn_norm: vectors.push(&weights.attn_norm),
            ffn_norm: vectors.push(&weights.ffn_norm),
            ..Places::default()
        };
        let zeros = |values: Option<Vec<f32>>, n: usize| values.unwrap_or_else(|| vec![0.0; n]);
        let q_bias = zeros(weights.attn_q_bias, config.q_width());
        let k_bias = zeros(weights.attn_k_bias, config.kv_width());
        let mut bias: Vec<f32> = q_order.iter().map(|&row| q_bias[row]).collect();
        bias.extend(kv_order.iter().map(|&row| k_bias[row]));
        bias.extend(zeros(weights.attn_v_bias, config.kv_width()));
        places.bias = vectors.push(&bias);
        let head = head_order(config, 1);
        let mut push_head = |gain: Option<Vec<f32>>| match gain {
            Some(gain) => vectors.push(&head.iter().map(|&at| gain[at]).collect::<Vec<_>>()),
            None => 0,
        };
        places.q_gain = push_head(weights.attn_q_norm);
        places.k_gain = push_head(weights.attn_k_norm);
        let mut push = |gain: Option<Vec<f32>>| gain.map(|gain| vectors.push(&gain));
        places.attn_output_bias = push(weights.attn_output_bias).unwrap_or(0);
        places.ffn_down_bias = push(weights.ffn_down_bias).unwrap_or(0);
        if weights.ffn_gate_bias.is_some() || weights.ffn_up_bias.is_some() {
            let [gate, up] = [weights.ffn_gate_bias, weights.ffn_up_bias]
                .map(|bias| bias.unwrap_or_else(|| vec![0.0; config.n_ff]));
            let by_turns = gate.into_iter().zip(up).flat_map(<[f32; 2]>::from);
            places.gate_up_bias = push(Some(by_turns.collect())).unwrap_or(0);
        }
        places.post_attention = push(weights.post_attention_norm).unwrap_or(0);
        places.post_ffw = push(weights.post_ffw_norm).unwrap_or(0);
        places.last_post_ffw = push(last_post_ffw);

        let v_order: Vec<usize> = (0..config.kv_width()).collect();
        let qkv = [
            (&weights.attn_q, &q_order),
            (&weights.attn_k, &kv_order),
            (&weights.attn_v, &v_order),
        ];
        let cache_words = 2 * config.n_kv_heads * n_positions * config.head_size / 4;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        Ok(Self {
            vectors: gpu.storage_of("vectors", &vectors.0)?,
            places,
            qkv: load_side_by_side(gpu, "attn_qkv", &qkv)?,
            attn_output: load_matrix(gpu, "attn_output", &weights.attn_output)?,
            gate_up: load_by_turns(gpu, "ffn_gate_up", &weights.ffn_gate, &weights.ffn_up)?,
            ffn_down: load_matrix(gpu, "ffn_down", &weights.ffn_down)?,
            cache: gpu.buffer("cache", 8 * cache_words as u64, usage)?,
        })
    }
}

/// Maps each row on the device, where the two rows of a rotary pair are neighbours, to its row in the file.
pub(super) fn head_order(config: &ModelConfig, n_heads: usize) -> Vec<usize> {
    let (size, half) = (config.head_size, config.rope.dim / 2);
    let within = |at: usize| match config.traits.rope_order {
        RopeOrder::Halves if at < 2 * half => at / 2 + at % 2 * half,
        _ => at,
    };
    (0..n_heads * size)
        .map(|row| row / size * size + within(row % size))
        .collect()
}

fn load_matrix(gpu: &Gpu, label: &str, matrix: &Matrix) -> Result<PackedMatrix, GpuError> {
    gpu.matrix(
        label,
        matrix.kind,
        matrix.n_cols,
        &matrix.rows().collect::<Vec<_>>(),
    )
}

/// Loads matrices that share their input and write to different rows of one output, joining neighbours of the same
/// type: one matrix is one dispatch.
fn load_side_by_side(
    gpu: &Gpu,
    label: &str,
    matrices: &[(&Matrix, &Vec<usize>)],
) -> Result<Vec<(usize, PackedMatrix)>, GpuError> {
    let mut loaded = Vec::new();
    let mut first_row = 0;
    for alike in matrices.chunk_by(|a, b| a.0.kind == b.0.kind) {
        let mut rows = Vec::new();
        for (matrix, order) in alike {
            let of_file: Vec<&[u8]> = matrix.rows().collect();
            rows.extend(order.iter().map(|&row| of_file[row]));
        }
        let (kind, n_cols) = (alike[0].0.kind, alike[0].0.n_cols);
        loaded.push((first_row, gpu.matrix(label, kind, n_cols, &rows)?));
        first_row += rows.len();
    }
    Ok(loaded)
}

/// Loads two matrices as one with interleaved rows; dequantises both if their types differ.
fn load_by_turns(
    gpu: &Gpu,
    label: &str,
    first: &Matrix,
    second: &Matrix,
) -> Result<PackedMatrix, GpuError> {
    if first.kind != second.kind {
        let [first, second] = [first, second].map(|matrix| Matrix {
            kind: TensorType::F32,
            bytes: bytemuck::cast_slice(&matrix.to_f32()).to_vec(),
            ..matrix.clone()
        });
        return load_by_turns(gpu, label, &first, &second);
    }
    let rows: Vec<&[u8]> = first
        .rows()
        .zip(second.rows())
        .flat_map(|(a, b)| [a, b])
        .collect();
    gpu.matrix(label, first.kind, first.n_cols, &rows)
}

/// Rotation of every pair at positions `0 .. n_positions`: cosines and sines, `[positions, rope.dim]`. Tabulated, since
/// a device's own `sin` and `cos` lose precision at large positions.
fn angles(rope: &Rope, factors: Option<&[f32]>, n_positions: usize) -> Vec<f32> {
    let pairs = (0..n_positions).flat_map(|position| {
        (0..rope.dim / 2).map(move |pair| turn(rope, factors, position, pair))
    });
    pairs.flat_map(<[f32; 2]>::from).collect()
}

/// Words of a token's queries, and of its keys.
pub(super) fn qkv_words(config: &ModelConfig) -> (u32, u32) {
    (words(config.q_width()), param(config.kv_width() / 4))
}
