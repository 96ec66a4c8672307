//! Times one product with a 4096 by 4096 matrix, for a type of weights and a number of tokens.

use std::error::Error;
use std::time::Instant;

use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Gpu, Op};
use anchorite_model::kernels::batch::BatchBuffer;
use anchorite_model::kernels::matmul::{Matmul, MatmulBindings};
use anchorite_model::kernels::params::{AttentionParams, InputParams, OutputParams, words};
use anchorite_model::kernels::{Epilogue, Input};
use anchorite_model::weights::Matrix;
use serde_json::{Value, json};

use crate::blocks::random_blocks;
use crate::tiny::Random;

/// Rows and columns.
const SIZE: usize = 4096;

/// A command buffer holds as many products as take this long, so that submitting it and reading back hardly matter.
const RUN_MS: f64 = 100.0;

/// Times the product `n_reps` times; returns the milliseconds of one, and the bytes that the matrix takes on the device.
///
/// Each time covers one command buffer of several products, which run one after another since all write the same output.
pub(crate) fn multiply(
    gpu: &Gpu,
    kind: &str,
    n_tokens: usize,
    n_reps: usize,
) -> Result<Value, Box<dyn Error>> {
    let kind = type_of(kind)?;
    let mut random = Random(7);
    let matrix = Matrix {
        kind,
        n_rows: SIZE,
        n_cols: SIZE,
        bytes: random_blocks(kind, SIZE, SIZE, &mut random),
    };
    let rows: Vec<&[u8]> = matrix.rows().collect();
    let packed = gpu.matrix("weights", kind, SIZE, &rows)?;
    let values: Vec<f32> = (0..n_tokens * SIZE).map(|_| random.draw()).collect();
    let source = gpu.rows_of("input", &values, SIZE)?;
    let y = gpu.rows("output", n_tokens, SIZE)?;
    let quantised = gpu.rows("quantised", n_tokens, SIZE)?;
    let batch = BatchBuffer::new(gpu)?;
    batch.write(gpu, 0, &vec![0; n_tokens], 1);
    let matmul = Matmul {
        matrix: &packed,
        first_group: 0,
        input: Input::StepOutput,
        input_params: InputParams {
            x_stride: words(SIZE),
            ..InputParams::default()
        },
        epilogue: Epilogue::Linear,
        output_params: OutputParams {
            y_stride: words(SIZE),
            ..OutputParams::default()
        },
        attention: AttentionParams::default(),
        lora: None,
        bindings: MatmulBindings {
            vectors: None,
            input: &source.buffer,
            quantised: &quantised.buffer,
            output: &y.buffer,
            cache: None,
        },
    };
    let ops: Vec<Op> = pollster::block_on(gpu.scoped("compiling kernels", || match n_tokens {
        1 => matmul.one(gpu, &batch.all()),
        _ => matmul.many(gpu, &batch.all()),
    }))?;
    let run = |n_runs| -> Result<f64, Box<dyn Error>> {
        let runs = vec![(ops.as_slice(), u32::try_from(n_tokens)?); n_runs];
        let start = Instant::now();
        gpu.submit(&runs, None);
        pollster::block_on(gpu.read_rows(&y))?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    // The driver compiles the kernel when it is first run.
    run(1)?;
    let once = run(1)?;
    let mut n_runs = 1;
    let mut sum = once;
    while sum < RUN_MS {
        n_runs += 1;
        sum += once;
    }
    #[expect(clippy::cast_precision_loss, reason = "few runs")]
    let times = (0..n_reps)
        .map(|_| Ok(run(n_runs)? / n_runs as f64))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(json!({
        "ms": times,
        "weight_bytes": packed.n_bytes(),
        "n_products": n_tokens * SIZE * SIZE,
    }))
}

fn type_of(name: &str) -> Result<TensorType, Box<dyn Error>> {
    use TensorType::{F32, Q4_0, Q4K, Q6K, Q8_0};
    [F32, Q8_0, Q4_0, Q4K, Q6K]
        .into_iter()
        .find(|kind| kind.to_string() == name)
        .ok_or_else(|| format!("no product is timed for the type `{name}`").into())
}
