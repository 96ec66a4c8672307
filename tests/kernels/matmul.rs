//! Compares `linear`, `project`, `gate_up` and `qkv` with their twins, for every type, few tokens and many, with
//! adapters.

use anchorite_model::adapter::LoraPair;
use anchorite_model::config::Activation;
use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Gpu, GpuError, Op, PackedMatrix, Precision, Rows};
use anchorite_model::kernels::lora::PackedPairs;
use anchorite_model::kernels::matmul::{CacheBindings, Matmul, MatmulBindings};
use anchorite_model::kernels::params::{AttentionParams, InputParams, OutputParams, param, words};
use anchorite_model::kernels::{Epilogue, Input};
use anchorite_model::reference;
use anchorite_model::weights::Matrix;
use harness::gpu::{
    Numbers, SENTINEL, assert_close, batch, filled, matrix, model_config, on_device, output, pair,
    run, variants,
};

/// A single token, groups of four and tiles use different kernels; the last count does not fill its tile.
const N_TOKENS: [usize; 4] = [1, 3, 8, 70];

const EPS: f32 = 1e-5;

fn bound(gpu: &Gpu, kind: TensorType, n_tokens: usize) -> f64 {
    match gpu.variant().precision {
        Precision::F16 if n_tokens > 8 => 1e-5,
        Precision::Int8 if kind.block_len() > 1 => 5e-4,
        _ => 1e-9,
    }
}

/// Room for inputs quantised to 8 bits.
fn room(gpu: &Gpu, n_tokens: usize) -> Rows {
    gpu.rows("quantised", n_tokens, 1024).expect("room")
}

fn rows(gpu: &Gpu, values: &[f32], n_cols: usize) -> Rows {
    gpu.rows_of("rows", values, n_cols).expect("rows")
}

/// Plans `matmul` for a batch of `n_tokens`.
fn plan(gpu: &Gpu, n_tokens: usize, matmul: &Matmul<'_>) -> Result<Vec<Op>, GpuError> {
    let batch = batch(gpu, 0, &vec![0; n_tokens]);
    match n_tokens {
        1 => matmul.one(gpu, &batch.all()),
        _ => matmul.many(gpu, &batch.all()),
    }
}

fn compare_linear(
    gpu: &Gpu,
    weights: &Matrix,
    n_tokens: usize,
    lora: Option<&LoraPair>,
    cap: Option<f32>,
    has_bias: bool,
) {
    let (n_rows, n_cols) = (weights.n_rows, weights.n_cols);
    let case = format!(
        "{}, linear {} N={n_rows} C={n_cols} T={n_tokens} bias {has_bias} adapter {}",
        gpu.variant(),
        weights.kind,
        lora.is_some()
    );
    let mut numbers = Numbers::new(7);
    let values = numbers.take(n_tokens * n_cols);
    // The bias follows four words that are not part of it.
    let bias = numbers.take(4 + n_rows);
    let vectors = rows(gpu, &bias, bias.len());
    let packed = on_device(gpu, weights);
    let y = output(gpu, n_tokens, n_rows);
    let by_row: Vec<_> = (0..n_rows).map(|row| (0, row)).collect();
    let pairs = lora.map(|lora| {
        PackedPairs::new(
            gpu,
            "pairs",
            &[Some(lora)],
            n_cols,
            &by_row,
            false,
            n_tokens,
        )
        .expect("pairs")
    });
    let source = rows(gpu, &values, n_cols);
    let quantised = room(gpu, n_tokens);
    run(gpu, n_tokens, || {
        let matmul = Matmul {
            matrix: &packed,
            first_group: 0,
            input: Input::StepOutput,
            input_params: InputParams {
                x_stride: words(n_cols),
                ..InputParams::default()
            },
            epilogue: Epilogue::Linear,
            output_params: OutputParams {
                y: 0,
                y_stride: words(n_rows),
                bias: u32::from(has_bias),
                cap: cap.unwrap_or(0.0),
            },
            attention: AttentionParams::default(),
            lora: pairs.as_ref(),
            bindings: MatmulBindings {
                vectors: Some(&vectors.buffer),
                input: &source.buffer,
                quantised: &quantised.buffer,
                output: &y.buffer,
                cache: None,
            },
        };
        plan(gpu, n_tokens, &matmul)
    });
    let mut expected = vec![0.0; n_tokens * n_rows];
    let bias = has_bias.then_some(&bias[4..]);
    reference::linear::linear(weights, lora, bias, cap, &values, &mut expected);
    assert_close(
        &case,
        bound(gpu, weights.kind, n_tokens),
        &expected,
        &filled(gpu, &case, &y),
    );
}

#[test]
fn multiplies_by_every_type() {
    use TensorType::{BF16, F16, F32, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
    for gpu in variants() {
        for kind in [F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4K, Q5K, Q6K] {
            let weights = matrix(kind, 70, 512);
            for n_tokens in N_TOKENS {
                compare_linear(&gpu, &weights, n_tokens, None, None, false);
            }
        }
    }
}

#[test]
fn multiplies_odd_sizes() {
    for gpu in variants() {
        for (kind, n_rows, n_cols) in [
            (TensorType::F32, 1, 1),
            (TensorType::F16, 63, 63),
            (TensorType::BF16, 257, 157),
            (TensorType::Q8_0, 5, 96),
            (TensorType::Q4_0, 33, 1760),
        ] {
            for n_tokens in [1, 2, 9] {
                compare_linear(
                    &gpu,
                    &matrix(kind, n_rows, n_cols),
                    n_tokens,
                    None,
                    None,
                    false,
                );
            }
        }
    }
}

#[test]
fn keeps_logits_below_the_cap() {
    for gpu in variants() {
        for n_tokens in N_TOKENS {
            compare_linear(
                &gpu,
                &matrix(TensorType::Q8_0, 64, 64),
                n_tokens,
                None,
                Some(0.3),
                false,
            );
        }
    }
}

#[test]
fn adds_an_adapter_of_any_rank() {
    for gpu in variants() {
        // The last rank has more inner products than a workgroup has room for.
        for rank in [1, 16, 40, 520] {
            for n_tokens in N_TOKENS {
                let weights = matrix(TensorType::Q8_0, 70, 96);
                compare_linear(
                    &gpu,
                    &weights,
                    n_tokens,
                    Some(&pair(rank, 70, 96)),
                    None,
                    true,
                );
            }
        }
    }
}

#[test]
fn splits_a_matrix_that_passes_a_binding() {
    for mut gpu in variants() {
        // Three tiles of 32 rows, with 2 bytes of scale for 32 weights of 1 byte.
        gpu.limit_binding_bytes(3 * 32 * (512 + 32));
        for n_tokens in [1, 9] {
            compare_linear(
                &gpu,
                &matrix(TensorType::Q8_0, 257, 512),
                n_tokens,
                None,
                None,
                true,
            );
        }
    }
}

#[test]
fn projects_to_the_stream_or_beside_it() {
    for gpu in variants() {
        for (adds, has_bias, n_tokens) in [
            (true, false, 1),
            (true, true, 1),
            (false, true, 1),
            (true, false, 5),
            (true, true, 5),
            (false, false, 20),
            (false, true, 20),
        ] {
            let variant = gpu.variant();
            let case = format!("{variant}, project adds {adds} bias {has_bias} T={n_tokens}");
            let weights = matrix(TensorType::Q4_0, 64, 96);
            let packed = on_device(&gpu, &weights);
            let mut numbers = Numbers::new(3);
            let x = numbers.take(n_tokens * 96);
            let stream = numbers.take(n_tokens * 64);
            let with_sentinel = [&stream[..], &[SENTINEL; 64]].concat();
            // The bias follows four words that are not part of it.
            let bias = numbers.take(4 + 64);
            let (source, y) = (rows(&gpu, &x, 96), rows(&gpu, &with_sentinel, 64));
            let vectors = rows(&gpu, &bias, bias.len());
            let quantised = room(&gpu, n_tokens);
            run(&gpu, n_tokens, || {
                let matmul = Matmul {
                    matrix: &packed,
                    first_group: 0,
                    input: Input::StepOutput,
                    input_params: InputParams {
                        x_stride: words(96),
                        ..InputParams::default()
                    },
                    epilogue: Epilogue::Project { adds },
                    output_params: OutputParams {
                        y_stride: words(64),
                        bias: u32::from(has_bias),
                        ..OutputParams::default()
                    },
                    attention: AttentionParams::default(),
                    lora: None,
                    bindings: MatmulBindings {
                        vectors: Some(&vectors.buffer),
                        input: &source.buffer,
                        quantised: &quantised.buffer,
                        output: &y.buffer,
                        cache: None,
                    },
                };
                plan(&gpu, n_tokens, &matmul)
            });
            let mut expected = stream;
            let bias = has_bias.then_some(&bias[4..]);
            reference::project::project(&weights, None, bias, adds, &x, &mut expected);
            assert_close(
                &case,
                bound(&gpu, TensorType::Q4_0, n_tokens),
                &expected,
                &filled(&gpu, &case, &y),
            );
        }
    }
}

/// Gate and up as one matrix, with their rows interleaved.
fn by_turns(gpu: &Gpu, gate: &Matrix, up: &Matrix) -> PackedMatrix {
    let rows: Vec<&[u8]> = gate
        .rows()
        .zip(up.rows())
        .flat_map(|(a, b)| [a, b])
        .collect();
    gpu.matrix("gate_up", gate.kind, gate.n_cols, &rows)
        .expect("weights")
}

#[test]
fn gates_what_was_normed() {
    const F: usize = 48;
    const C: usize = 64;
    for gpu in variants() {
        for (activation, has_adapter, has_bias, n_tokens) in [
            (Activation::Silu, false, false, 1),
            (Activation::GeluTanh, false, true, 1),
            (Activation::Silu, true, false, 1),
            (Activation::Silu, true, true, 6),
            (Activation::GeluTanh, true, true, 33),
        ] {
            let variant = gpu.variant();
            let case = format!(
                "{variant}, gate_up {activation:?} adapter {has_adapter} bias {has_bias} T={n_tokens}"
            );
            let (gate, up) = (
                matrix(TensorType::Q8_0, F, C),
                matrix(TensorType::Q8_0, F, C),
            );
            let packed = by_turns(&gpu, &gate, &up);
            // Only one of the two is adapted.
            let lora = pair(3, F, C);
            let pairs = [None, has_adapter.then_some(&lora)];
            let by_row: Vec<_> = (0..2 * F).map(|row| (row % 2, row / 2)).collect();
            let on_gpu = has_adapter.then(|| {
                PackedPairs::new(&gpu, "pairs", &pairs, C, &by_row, true, n_tokens).expect("pairs")
            });
            let mut numbers = Numbers::new(5);
            let (x, gain) = (numbers.take(n_tokens * C), numbers.take(C));
            let biases = [numbers.take(F), numbers.take(F)];
            let by_turns = biases[0]
                .iter()
                .zip(&biases[1])
                .flat_map(|(&gate, &up)| [gate, up]);
            let vectors: Vec<f32> = gain.iter().copied().chain(by_turns).collect();
            let (stream, vectors) = (rows(&gpu, &x, C), rows(&gpu, &vectors, vectors.len()));
            let y = output(&gpu, n_tokens, F);
            let quantised = room(&gpu, n_tokens);
            run(&gpu, n_tokens, || {
                let matmul = Matmul {
                    matrix: &packed,
                    first_group: 0,
                    input: Input::Stream,
                    input_params: InputParams {
                        x_stride: words(C),
                        eps: EPS,
                        ..InputParams::default()
                    },
                    epilogue: Epilogue::GateUp {
                        is_gelu: activation == Activation::GeluTanh,
                    },
                    output_params: OutputParams {
                        y_stride: 2 * words(F),
                        bias: if has_bias { words(C) } else { 0 },
                        ..OutputParams::default()
                    },
                    attention: AttentionParams::default(),
                    lora: on_gpu.as_ref(),
                    bindings: MatmulBindings {
                        vectors: Some(&vectors.buffer),
                        input: &stream.buffer,
                        quantised: &quantised.buffer,
                        output: &y.buffer,
                        cache: None,
                    },
                };
                plan(&gpu, n_tokens, &matmul)
            });
            let mut expected = vec![0.0; n_tokens * F];
            let bias = |idx: usize| has_bias.then_some(&biases[idx][..]);
            reference::gate_up::gate_up(
                [(&gate, pairs[0], bias(0)), (&up, pairs[1], bias(1))],
                activation,
                &gain,
                EPS,
                &x,
                &mut expected,
            );
            assert_close(
                &case,
                bound(&gpu, TensorType::Q8_0, n_tokens),
                &expected,
                &filled(&gpu, &case, &y),
            );
        }
    }
}

#[test]
fn turns_queries_and_fills_the_cache() {
    const POSITION: usize = 61;
    const N_PLACES: usize = 192;
    let config = model_config(3, 1, 16);
    let (c, q, kv) = (config.n_embd, config.q_width(), config.kv_width());
    for gpu in variants() {
        for (has_adapter, n_tokens) in [(false, 1), (true, 1), (false, 5), (true, 70)] {
            let variant = gpu.variant();
            let case = format!("{variant}, qkv adapter {has_adapter} T={n_tokens}");
            let matrices = [q, kv, kv].map(|n_rows| matrix(TensorType::F16, n_rows, c));
            let all: Vec<&[u8]> = matrices.iter().flat_map(|matrix| matrix.rows()).collect();
            let packed = gpu
                .matrix("qkv", TensorType::F16, c, &all)
                .expect("weights");
            let mut numbers = Numbers::new(11);
            let (x, gain) = (numbers.take(n_tokens * c), numbers.take(c));
            let bias = [q, kv, kv].map(|n| numbers.take(n));
            // Values have no pair, and keys have one of lower rank.
            let loras = [pair(4, q, c), pair(2, kv, c)];
            let pairs = if has_adapter {
                [Some(&loras[0]), Some(&loras[1]), None]
            } else {
                [None; 3]
            };
            let n_rows = [(0, q), (1, kv), (2, kv)];
            let by_row: Vec<_> = n_rows
                .iter()
                .flat_map(|&(idx, n)| (0..n).map(move |row| (idx, row)))
                .collect();
            let on_gpu = has_adapter.then(|| {
                PackedPairs::new(&gpu, "pairs", &pairs, c, &by_row, false, n_tokens).expect("pairs")
            });
            let vectors = [gain.clone(), bias.concat()].concat();
            let angles: Vec<f32> = (0..N_PLACES)
                .flat_map(|place| (0..8).map(move |idx| (place, idx)))
                .flat_map(|(place, idx)| reference::rope::turn(&config.rope, None, place, idx))
                .collect();
            let (stream, vectors) = (rows(&gpu, &x, c), rows(&gpu, &vectors, c));
            let angles = rows(&gpu, &angles, 4);
            let y = output(&gpu, n_tokens, q + kv);
            let cache = gpu.rows("cache", N_PLACES, kv).expect("room");
            let place = u32::try_from(POSITION).expect("a position");
            let batch = batch(&gpu, place, &vec![0; n_tokens]);
            let quantised = room(&gpu, n_tokens);
            run(&gpu, n_tokens, || {
                let matmul = Matmul {
                    matrix: &packed,
                    first_group: 0,
                    input: Input::Stream,
                    input_params: InputParams {
                        x_stride: words(c),
                        eps: config.norm_eps,
                        ..InputParams::default()
                    },
                    epilogue: Epilogue::Qkv { rotates: true },
                    output_params: OutputParams {
                        y_stride: words(q + kv),
                        bias: words(c),
                        ..OutputParams::default()
                    },
                    attention: AttentionParams {
                        n_heads: 3,
                        n_kv_heads: 1,
                        head_words: 4,
                        rope_words: 4,
                        n_positions: param(N_PLACES),
                        ..AttentionParams::default()
                    },
                    lora: on_gpu.as_ref(),
                    bindings: MatmulBindings {
                        vectors: Some(&vectors.buffer),
                        input: &stream.buffer,
                        quantised: &quantised.buffer,
                        output: &y.buffer,
                        cache: Some(CacheBindings {
                            cache: &cache.buffer,
                            angles: &angles.buffer,
                        }),
                    },
                };
                match n_tokens {
                    1 => matmul.one(&gpu, &batch.all()),
                    _ => matmul.many(&gpu, &batch.all()),
                }
            });
            let [queries, keys, values] = reference::qkv::qkv(
                &config,
                [&matrices[0], &matrices[1], &matrices[2]],
                pairs,
                [&bias[0], &bias[1], &bias[2]],
                &gain,
                POSITION,
                &x,
            );
            let got = filled(&gpu, &case, &y);
            let got: Vec<f32> = got
                .chunks(q + kv)
                .flat_map(|row| row[..q].to_vec())
                .collect();
            assert_close(
                &case,
                bound(&gpu, TensorType::F16, n_tokens),
                &queries,
                &got,
            );
            let halves = super::attention::halves(&gpu, &cache);
            let (found_keys, found_values): (Vec<f32>, Vec<f32>) = (POSITION..POSITION + n_tokens)
                .flat_map(|place| (0..kv).map(move |at| (place, at)))
                .map(|(place, at)| {
                    let key = ((place / 64 * 4 + at / 4) * 64 + place % 64) * 4 + at % 4;
                    (halves[key], halves[N_PLACES * kv + place * kv + at])
                })
                .unzip();
            let in_halves = bound(&gpu, TensorType::F16, n_tokens).max(1e-6);
            assert_close(&format!("{case}, keys"), in_halves, &keys, &found_keys);
            assert_close(
                &format!("{case}, values"),
                in_halves,
                &values,
                &found_values,
            );
        }
    }
}
