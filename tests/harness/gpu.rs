//! Helpers to run a kernel on the device under test and compare it with its plain twin.

use anchorite_model::ModelConfig;
use anchorite_model::adapter::LoraPair;
use anchorite_model::config::{Architecture, Rope, RopeFactors, Traits};
use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Gpu, GpuError, Op, PackedMatrix, Rows};
use anchorite_model::kernels::batch::BatchBuffer;
use anchorite_model::weights::Matrix;

/// Fills the rows after a kernel's output, which must still hold it afterwards.
pub const SENTINEL: f32 = -12345.0;

/// The device under test. `None` only if `ANCHORITE_GPU=none`.
///
/// # Panics
/// If there is no GPU: a test that silently runs nowhere proves nothing.
pub fn gpu() -> Option<Gpu> {
    if std::env::var_os("ANCHORITE_GPU").is_some_and(|value| value == "none") {
        crate::skipped("ANCHORITE_GPU=none");
        return None;
    }
    let gpu = match pollster::block_on(Gpu::open()) {
        Ok(gpu) => gpu,
        Err(error) => panic!(
            "{error}; install a Vulkan driver (Debian: mesa-vulkan-drivers libvulkan1), or set ANCHORITE_GPU=none"
        ),
    };
    let info = gpu.info();
    assert!(!info.name.is_empty(), "an adapter has a name");
    eprintln!("adapter: {} ({})", info.name, info.kind);
    Some(gpu)
}

/// The device under test, once for each kernel variant it can run.
pub fn variants() -> Vec<Gpu> {
    let Some(gpu) = gpu() else { return Vec::new() };
    let in_form = |variant| {
        let mut gpu = gpu.clone();
        gpu.set_variant(variant).expect("one that it can run");
        gpu
    };
    gpu.variants().into_iter().map(in_form).collect()
}

/// Random weights of a type, as a file would store them.
pub fn matrix(kind: TensorType, n_rows: usize, n_cols: usize) -> Matrix {
    let mut random = crate::tiny::Random((n_rows * n_cols) as u64);
    Matrix {
        kind,
        n_rows,
        n_cols,
        bytes: crate::blocks::random_blocks(kind, n_rows, n_cols, &mut random),
    }
}

/// A matrix on the device, its rows in the order of `rows`.
pub fn on_device(gpu: &Gpu, matrix: &Matrix) -> PackedMatrix {
    let rows: Vec<&[u8]> = matrix.rows().collect();
    gpu.matrix("weights", matrix.kind, matrix.n_cols, &rows)
        .expect("weights")
}

/// A random LoRA pair.
pub fn pair(rank: usize, n_rows: usize, n_cols: usize) -> LoraPair {
    let mut numbers = Numbers::new((rank * n_rows) as u64);
    LoraPair {
        rank,
        scale: 0.5,
        a: numbers.take(rank * n_cols),
        b: numbers.take(n_rows * rank),
    }
}

/// A source of pseudo-random numbers, the same in every run.
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number, in -1 .. 1.
    pub fn one(&mut self) -> f32 {
        // Knuth's MMIX generator; its upper bits are good enough for weights.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// The next `n` numbers, in -1 .. 1.
    pub fn take(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.one()).collect()
    }
}

/// Room for `T` rows of `n_cols` and one more, all filled with [`SENTINEL`].
pub fn output(gpu: &Gpu, n_tokens: usize, n_cols: usize) -> Rows {
    let filled = vec![SENTINEL; (n_tokens + 1) * n_cols];
    gpu.rows_of("output", &filled, n_cols)
        .expect("room for the output")
}

/// A batch of tokens with these ids, the first of them at `position`.
pub fn batch(gpu: &Gpu, position: u32, tokens: &[u32]) -> BatchBuffer {
    let batch = BatchBuffer::new(gpu).expect("room for a batch");
    batch.write(gpu, position, tokens, 1);
    batch
}

/// Plans and runs `ops` over `n_tokens` tokens; a refused shader or binding fails the test with the device's message.
pub fn run(gpu: &Gpu, n_tokens: usize, plan: impl FnOnce() -> Result<Vec<Op>, GpuError>) {
    let n_tokens = u32::try_from(n_tokens).expect("few tokens");
    let ran = pollster::block_on(gpu.scoped("running a kernel", || {
        gpu.submit(&[(&plan()?, n_tokens)], None);
        Ok(())
    }));
    if let Err(error) = ran {
        panic!("{error}");
    }
}

/// The rows of an [`output`] that a kernel had to fill, after checking that it did not write past them.
pub fn filled(gpu: &Gpu, case: &str, rows: &Rows) -> Vec<f32> {
    let mut values = pollster::block_on(gpu.read_rows(rows)).expect("the output");
    let rest = values.split_off(values.len() - rows.n_cols);
    assert!(
        rest.iter().all(|&v| v == SENTINEL),
        "{case}: wrote behind its last row"
    );
    values
}

/// Fails unless `got` is within `bound` of `expected`, by [`crate::nmse`]; prints the case either way.
pub fn assert_close(case: &str, bound: f64, expected: &[f32], got: &[f32]) {
    let found = crate::nmse(got, expected);
    eprintln!("{case}: NMSE {found:.1e}, bound {bound:.0e}");
    // Written so that NaN fails.
    assert!(
        found <= bound,
        "{case}: NMSE bound {bound:.0e}, got {found:.3e}"
    );
}

/// A configuration with these heads, for kernels that read nothing else from it.
pub fn model_config(n_heads: usize, n_kv_heads: usize, head_size: usize) -> ModelConfig {
    ModelConfig {
        architecture: Architecture::Llama,
        traits: Traits::default(),
        languages: Vec::new(),
        name: "heads".to_owned(),
        n_layers: 1,
        n_embd: n_heads * head_size,
        n_heads,
        n_kv_heads,
        head_size,
        n_ff: 1,
        n_vocab: 1,
        context_length: 512,
        norm_eps: 1e-5,
        embd_scale: 1.0,
        query_scale: 1.0 / small(head_size).sqrt(),
        logit_cap: None,
        rope: Rope::plain(10_000.0, head_size),
        rope_factors: RopeFactors::Always,
        local: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "heads are small")]
fn small(n: usize) -> f32 {
    n as f32
}
