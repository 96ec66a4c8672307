//! Compares `attention`, whole, split and tiled, with its twin.

use anchorite_model::ModelConfig;
use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Gpu, Op, Rows};
use anchorite_model::kernels::attention::{self, AttentionBindings};
use anchorite_model::kernels::matmul::{Matmul, MatmulBindings};
use anchorite_model::kernels::params::{
    AttentionParams, AttentionStepParams, InputParams, OutputParams, param, words,
};
use anchorite_model::kernels::{Epilogue, Input};
use anchorite_model::quant;
use anchorite_model::reference;
use anchorite_model::weights::Matrix;
use harness::gpu::{
    Numbers, assert_close, batch, filled, model_config, on_device, output, run, variants,
};

/// Scores of this size make the softmax nearly one-hot, so that a wrong maximum shows.
const SHARP: f32 = 6.0;

/// Values that f16 holds exactly.
fn exact(values: Vec<f32>) -> Vec<f32> {
    let mut rounded = vec![0.0; values.len()];
    let bytes = quant::quantize(TensorType::F16, &values);
    quant::dequantize(TensorType::F16, &bytes, &mut rounded);
    rounded
}

/// The values that a cache on the device holds.
pub(crate) fn halves(gpu: &Gpu, cache: &Rows) -> Vec<f32> {
    let words = pollster::block_on(gpu.read_padded(cache)).expect("the cache");
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.to_bits().to_le_bytes())
        .collect();
    let mut values = vec![0.0; bytes.len() / 2];
    quant::dequantize(TensorType::F16, &bytes, &mut values);
    values
}

/// Keys and values, `[places, K * D]`, as the cache holds them; the kernel must not see anything after them.
fn cache(gpu: &Gpu, config: &ModelConfig, k: &[f32], v: &[f32]) -> (Rows, usize) {
    let (width, d) = (config.kv_width(), config.head_size);
    let n_places = (k.len() / width + 3).next_multiple_of(64);
    let mut values = vec![f32::NAN; 2 * n_places * width];
    for (at, (&k, &v)) in k.iter().zip(v).enumerate() {
        let (place, head, at) = (at / width, at % width / d, at % d);
        let tile = head * (n_places / 64) + place / 64;
        values[((tile * (d / 4) + at / 4) * 64 + place % 64) * 4 + at % 4] = k;
        values[n_places * width + (head * n_places + place) * d + at] = v;
    }
    let bytes = quant::quantize(TensorType::F16, &values);
    let words: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    (gpu.rows_of("cache", &words, 4).expect("room"), n_places)
}

struct Case {
    n_heads: usize,
    n_kv_heads: usize,
    head_size: usize,
    position: usize,
    n_tokens: usize,
    n_visible: Option<usize>,
}

impl Case {
    fn check(&self, gpu: &Gpu) {
        let &Self {
            position, n_tokens, ..
        } = self;
        let config = model_config(self.n_heads, self.n_kv_heads, self.head_size);
        let (q_width, kv_width) = (config.q_width(), config.kv_width());
        let name = format!(
            "{}, attention H={} K={} D={} position={position} T={n_tokens} sees {:?}",
            gpu.variant(),
            self.n_heads,
            self.n_kv_heads,
            self.head_size,
            self.n_visible
        );
        let n_places = position + n_tokens;
        let mut numbers = Numbers::new(q_width as u64);
        let mut sharp = |n| -> Vec<f32> { numbers.take(n).iter().map(|v| v * SHARP).collect() };
        let (q, k) = (sharp(n_tokens * q_width), exact(sharp(n_places * kv_width)));
        let v = exact(numbers.take(n_places * kv_width));
        let (cache, n_positions) = cache(gpu, &config, &k, &v);
        let queries = gpu.rows_of("q", &q, q_width).expect("rows");
        let y = output(gpu, n_tokens, q_width);
        let params = AttentionStepParams {
            attention: AttentionParams {
                n_heads: param(self.n_heads),
                n_kv_heads: param(self.n_kv_heads),
                head_words: words(self.head_size),
                rope_words: 0,
                n_positions: param(n_positions),
                n_visible: param(self.n_visible.unwrap_or(1 << 20)),
                n_splits: 5,
                scale: config.query_scale,
            },
            q: 0,
            q_stride: words(q_width),
            y: 0,
            y_stride: words(q_width),
        };
        let place = u32::try_from(position).expect("a position");
        let batch = batch(gpu, place, &vec![0; n_tokens]);
        let is_split = n_tokens == 1 && attention::is_split(gpu);
        let parts = gpu
            .rows("parts", self.n_heads * 5, self.head_size + 4)
            .expect("room");
        // An identity projection, to merge the parts.
        let same: Vec<f32> = (0..q_width * q_width)
            .map(|at| {
                if at / q_width == at % q_width {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        let same = on_device(
            gpu,
            &Matrix {
                kind: TensorType::F32,
                n_rows: q_width,
                n_cols: q_width,
                bytes: quant::quantize(TensorType::F32, &same),
            },
        );
        run(gpu, n_tokens, || {
            let bindings = AttentionBindings {
                queries: &queries.buffer,
                cache: &cache.buffer,
                output: if is_split { &parts.buffer } else { &y.buffer },
            };
            let all = batch.all();
            let mut ops: Vec<Op> = vec![match n_tokens {
                1 => attention::one(gpu, &all, &params, bindings)?,
                _ => attention::many(gpu, &all, &params, bindings)?,
            }];
            if is_split {
                let together = Matmul {
                    matrix: &same,
                    first_group: 0,
                    input: Input::Splits,
                    input_params: InputParams {
                        x_stride: words(q_width),
                        ..InputParams::default()
                    },
                    epilogue: Epilogue::Project { adds: false },
                    output_params: OutputParams {
                        y_stride: words(q_width),
                        ..OutputParams::default()
                    },
                    attention: params.attention,
                    lora: None,
                    bindings: MatmulBindings {
                        vectors: None,
                        input: &parts.buffer,
                        quantised: &parts.buffer,
                        output: &y.buffer,
                        cache: None,
                    },
                };
                ops.extend(together.one(gpu, &all)?);
            }
            Ok(ops)
        });
        let mut expected = vec![0.0; q.len()];
        reference::attention::attention(
            &config,
            self.n_visible,
            position,
            &q,
            &k,
            &v,
            &mut expected,
        );
        assert_close(&name, 1e-7, &expected, &filled(gpu, &name, &y));
    }
}

#[test]
fn attends_to_everything_up_to_each_token() {
    for gpu in variants() {
        for ((n_heads, n_kv_heads, head_size), position, n_tokens) in [
            ((1, 1, 4), 0, 1),
            ((8, 4, 8), 0, 33),
            ((3, 1, 64), 62, 1),
            ((6, 2, 48), 63, 5),
            ((4, 4, 128), 251, 3),
            ((2, 1, 80), 700, 1),
            ((2, 1, 256), 130, 20),
            ((9, 3, 64), 1000, 1),
        ] {
            let case = Case {
                n_heads,
                n_kv_heads,
                head_size,
                position,
                n_tokens,
                n_visible: None,
            };
            case.check(&gpu);
        }
    }
}

#[test]
fn sees_no_further_than_its_window() {
    for gpu in variants() {
        for (position, n_tokens, n_visible) in [
            (0, 1, 8),
            (300, 1, 8),
            (300, 1, 290),
            (150, 40, 70),
            (5, 20, 512),
        ] {
            let case = Case {
                n_heads: 2,
                n_kv_heads: 1,
                head_size: 32,
                position,
                n_tokens,
                n_visible: Some(n_visible),
            };
            case.check(&gpu);
        }
    }
}
