//! Compares `embed`, `quantise`, `heads` and `residual` with their twins.

use anchorite_model::TokenId;
use anchorite_model::gguf::TensorType;
use anchorite_model::kernels::Input;
use anchorite_model::kernels::params::{
    AttentionParams, HeadsParams, InputParams, ResidualParams, param, words,
};
use anchorite_model::kernels::steps::{self, HeadsBindings, QuantiseBindings};
use anchorite_model::reference;
use harness::gpu::{
    Numbers, SENTINEL, assert_close, batch, filled, matrix, model_config, on_device, output, run,
    variants,
};

#[test]
fn looks_tokens_up_in_every_type() {
    use TensorType::{BF16, F16, F32, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
    let Some(mut gpu) = harness::gpu::gpu() else {
        return;
    };
    // A matrix in one piece, then one in several.
    for limit in [u64::MAX, 256 * 32 * 4] {
        gpu.limit_binding_bytes(limit);
        for kind in [F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4K, Q5K, Q6K] {
            let case = format!("embed {kind}");
            let weights = matrix(kind, 150, 256);
            let packed = on_device(&gpu, &weights);
            let tokens = [0, 149, 31, 32, 33, 149, 64];
            let y = output(&gpu, tokens.len(), 256);
            let batch = batch(&gpu, 0, &tokens);
            run(&gpu, tokens.len(), || {
                steps::embed(&gpu, &batch.all(), &packed, 2.0, 0, &y.buffer)
            });
            let mut expected = vec![0.0; tokens.len() * 256];
            reference::embed::embed(&weights, &tokens.map(TokenId), &mut expected);
            expected.iter_mut().for_each(|value| *value *= 2.0);
            assert_close(&case, 1e-12, &expected, &filled(&gpu, &case, &y));
        }
    }
}

/// The values of the codes, after checking that their sums match and that nothing was written after them.
fn dequantised(case: &str, words: &[f32], n_values: usize) -> Vec<f32> {
    let (blocks, behind) = words.split_at(n_values / 32 * 12);
    assert!(
        behind.iter().all(|&word| word == SENTINEL),
        "{case}: writes behind its output"
    );
    let mut values = Vec::new();
    for block in blocks.chunks(12) {
        let codes: Vec<f32> = block[..8]
            .iter()
            // The first three of every four codes are stored with 128 added.
            .flat_map(|word| (word.to_bits() ^ 0x0080_8080).to_le_bytes())
            .map(|byte| f32::from(byte.cast_signed()))
            .collect();
        let sum = |codes: &[f32]| codes.iter().sum::<f32>();
        let thirds = |half: &[f32]| half.chunks(4).map(|four| sum(&four[..3])).sum::<f32>();
        let expected = [sum(&codes), thirds(&codes[..16]), thirds(&codes[16..])];
        assert_eq!(block[9..], expected, "{case}: sums");
        values.extend(codes.iter().map(|code| code * block[8]));
    }
    values
}

#[test]
fn rounds_to_eight_bits() {
    let Some(gpu) = harness::gpu::gpu() else {
        return;
    };
    for (n_tokens, c) in [(1, 64), (3, 288), (5, 576)] {
        let mut numbers = Numbers::new(c as u64);
        let mut x = numbers.take(n_tokens * c);
        // A block of zeros has no scale.
        x[..32].fill(0.0);
        let gain = numbers.take(c);
        let rows = |values: &[f32]| gpu.rows_of("rows", values, c).expect("rows");
        let (input, vectors) = (rows(&x), rows(&gain));
        let batch = batch(&gpu, 0, &vec![0; n_tokens]);
        for form in [Input::StepOutput, Input::Stream] {
            let case = format!("quantise {form:?} C={c} T={n_tokens}");
            let y = output(&gpu, n_tokens, c / 32 * 12);
            let params = InputParams {
                n_cols: param(c),
                x_stride: words(c),
                eps: 1e-5,
                ..InputParams::default()
            };
            let bindings = QuantiseBindings {
                vectors: Some(&vectors.buffer),
                input: &input.buffer,
                output: &y.buffer,
            };
            run(&gpu, n_tokens, || {
                Ok(vec![steps::quantise(
                    &gpu,
                    &batch.all(),
                    form,
                    &params,
                    bindings,
                )?])
            });
            let mut expected = x.clone();
            if form == Input::Stream {
                reference::rms_norm::rms_norm(&x, &gain, 1e-5, &mut expected);
            }
            reference::quantise::quantise(&mut expected);
            let words = pollster::block_on(gpu.read_padded(&y)).expect("the codes");
            let found = dequantised(&case, &words, n_tokens * c);
            assert_close(&case, 1e-5, &expected, &found);
        }
    }
}

#[test]
fn norms_and_turns_heads() {
    const POSITION: usize = 9;
    let config = model_config(3, 1, 16);
    let (q, kv) = (config.q_width(), config.kv_width());
    for gpu in variants() {
        let n_tokens = 3;
        let case = format!("{}, heads", gpu.variant());
        let mut numbers = Numbers::new(2);
        let made = numbers.take(n_tokens * (q + kv));
        let gains = numbers.take(2 * 16);
        let angles: Vec<f32> = (0..64 * 8)
            .flat_map(|idx| reference::rope::turn(&config.rope, None, idx / 8, idx % 8))
            .collect();
        let rows = |values: &[f32], n_cols| gpu.rows_of("rows", values, n_cols).expect("rows");
        // Rotated queries follow the values of the previous step.
        let whole = [&made[..], &vec![0.0; n_tokens * q]].concat();
        let (heads, vectors, angles) = (rows(&whole, 4), rows(&gains, 4), rows(&angles, 4));
        let cache = gpu.rows("cache", 64, kv).expect("room");
        let batch = batch(&gpu, 9, &vec![0; n_tokens]);
        run(&gpu, n_tokens, || {
            let params = HeadsParams {
                attention: AttentionParams {
                    n_heads: 3,
                    n_kv_heads: 1,
                    head_words: 4,
                    rope_words: 4,
                    n_positions: 64,
                    ..AttentionParams::default()
                },
                x: 0,
                x_stride: words(q + kv),
                y: words(n_tokens * (q + kv)),
                y_stride: words(q),
                q_gain: 0,
                k_gain: 4,
                eps: config.norm_eps,
                padding: 0,
            };
            let bindings = HeadsBindings {
                vectors: &vectors.buffer,
                cache: &cache.buffer,
                angles: &angles.buffer,
                heads: &heads.buffer,
            };
            Ok(vec![steps::heads(&gpu, &batch.all(), &params, bindings)?])
        });
        let part = |from: usize, n: usize| -> Vec<f32> {
            made.chunks(q + kv)
                .flat_map(|row| row[from..from + n].to_vec())
                .collect()
        };
        let (mut queries, mut keys) = (part(0, q), part(q, kv));
        reference::heads::heads(&config, 3, &gains[..16], POSITION, &mut queries);
        reference::heads::heads(&config, 1, &gains[16..], POSITION, &mut keys);
        let all = pollster::block_on(gpu.read_padded(&heads)).expect("heads");
        assert_close(
            &case,
            1e-9,
            &queries,
            &all[made.len()..made.len() + queries.len()],
        );
        let halves = super::attention::halves(&gpu, &cache);
        let found: Vec<f32> = (0..n_tokens * kv)
            .map(|at| (POSITION + at / kv, at % kv))
            .map(|(place, at)| halves[(at / 4 * 64 + place) * 4 + at % 4])
            .collect();
        assert_close(&format!("{case}, keys"), 1e-6, &keys, &found);
    }
}

#[test]
fn adds_what_a_block_made() {
    let Some(gpu) = harness::gpu::gpu() else {
        return;
    };
    let (n_tokens, c) = (5, 36);
    let mut numbers = Numbers::new(4);
    let (x, delta, gain) = (
        numbers.take(n_tokens * c),
        numbers.take(n_tokens * c),
        numbers.take(c),
    );
    let all = [&x[..], &delta[..], &vec![0.0; n_tokens * c]].concat();
    let rows = |values: &[f32]| gpu.rows_of("rows", values, c).expect("rows");
    let (stream, vectors) = (rows(&all), rows(&gain));
    let batch = batch(&gpu, 0, &vec![0; n_tokens]);
    run(&gpu, n_tokens, || {
        let params = ResidualParams {
            n_cols: param(c),
            x_stride: words(c),
            delta: words(n_tokens * c),
            next: words(2 * n_tokens * c),
            eps: 1e-5,
            ..ResidualParams::default()
        };
        let (vectors, stream) = (&vectors.buffer, &stream.buffer);
        let residual = steps::residual(&gpu, &batch.all(), &params, vectors, stream)?;
        Ok(vec![residual])
    });
    let got = pollster::block_on(gpu.read_padded(&stream)).expect("the stream");
    let expected = reference::residual::residual(&gain, 1e-5, &delta, &x);
    assert_close("residual", 1e-9, &expected, &got[2 * n_tokens * c..]);
    assert_eq!(got[..x.len()], x, "the stream stays where it was");
}
