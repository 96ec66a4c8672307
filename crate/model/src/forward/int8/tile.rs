//! Turns a panel and some tokens into their products with the vectors of some instruction set: the loop that all share.

use super::pack::PLANE;
use super::{EIGHT, FIVE, FOUR, Panel, ROWS, SIX, SPREAD, STEP, STEPS, Tokens, block_bytes};
use crate::quant::QK;

/// The vector instructions of one set, as the products use them.
///
/// All are inlined into a function that switches the set on. Whoever calls them has asked the processor for the set; pointers are
/// readable, or writable, for a whole vector.
pub(super) trait Lanes {
    /// Rows in a vector.
    const N: usize;
    /// Whether inputs are numbers of 16 bits.
    const IS_WIDE: bool = false;
    /// Four codes of each row.
    type Codes: Copy;
    /// Four activations, the same for each row.
    type Inputs: Copy;
    /// A whole number for each row.
    type Dots: Copy;
    /// A float for each row.
    type Floats: Copy;

    unsafe fn codes(bytes: *const u8) -> Self::Codes;
    unsafe fn no_codes() -> Self::Codes;
    /// The low (0) or high (1) halves of bytes.
    unsafe fn nibbles(codes: Self::Codes, half: usize) -> Self::Codes;
    /// Adds `mask << 4` of `plane`, moved down by `shift` first.
    unsafe fn add_upper(
        codes: Self::Codes,
        plane: Self::Codes,
        shift: usize,
        mask: u8,
    ) -> Self::Codes;
    /// Four activations that start at place `idx`.
    unsafe fn inputs(tokens: &Tokens<'_>, idx: usize) -> Self::Inputs;
    /// Where a sum begins that will count every code `offset` too high, under activations whose sum is `sum`.
    unsafe fn start(bits: usize, offset: i32, sum: i32) -> Self::Dots;
    /// Adds the four products of each row.
    unsafe fn dot(
        bits: usize,
        dots: Self::Dots,
        codes: Self::Codes,
        inputs: Self::Inputs,
    ) -> Self::Dots;
    unsafe fn floats(dots: Self::Dots) -> Self::Floats;
    unsafe fn load(floats: *const f32) -> Self::Floats;
    unsafe fn store(floats: Self::Floats, to: *mut f32);
    unsafe fn splat(float: f32) -> Self::Floats;
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b + c`
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
}

/// As [`super::plain::tile`], for one token or `T`. One token takes `V1` vectors of rows at once, `T` tokens `V`, as the
/// set's registers allow.
///
/// # Safety
/// The processor has the set of `L`.
#[inline(always)]
pub(super) unsafe fn run<L: Lanes, const V1: usize, const V: usize, const T: usize>(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: passed on from this function.
    unsafe {
        match (tokens.n == 1, bits, n_scales) {
            (true, FOUR, _) => tile::<L, FOUR, 1, V1, 1>(panel, tokens, sums),
            (true, FIVE, _) => tile::<L, FIVE, 1, V1, 1>(panel, tokens, sums),
            (true, SIX, _) => tile::<L, SIX, 2, V1, 1>(panel, tokens, sums),
            (true, EIGHT, _) => tile::<L, EIGHT, 1, V1, 1>(panel, tokens, sums),
            (true, _, 1) => tile::<L, SPREAD, 1, V1, 1>(panel, tokens, sums),
            (true, ..) => tile::<L, SPREAD, 2, V1, 1>(panel, tokens, sums),
            (false, EIGHT, _) => tile::<L, EIGHT, 1, V, T>(panel, tokens, sums),
            (false, _, 1) => tile::<L, SPREAD, 1, V, T>(panel, tokens, sums),
            (false, ..) => tile::<L, SPREAD, 2, V, T>(panel, tokens, sums),
        }
    }
}

/// The products of `V` vectors of rows with `T` tokens at a time.
#[expect(
    clippy::needless_range_loop,
    reason = "several arrays go by the same index"
)]
// A set that is switched on for a function must be inlined into it; wasm's is there for all, and engines compile many small
// functions better than one large one.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
unsafe fn tile<L: Lanes, const BITS: usize, const SCALES: usize, const V: usize, const T: usize>(
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    let n_blocks = panel.n_blocks;
    let has_mins = !panel.mins.is_empty();
    assert!(
        tokens.n == T
            && sums.len() == T
            && panel.codes.len() == n_blocks * block_bytes(BITS)
            && panel.scales.len() == n_blocks * SCALES * ROWS
            && (!has_mins || panel.mins.len() == n_blocks * ROWS)
            && tokens.quants.len() == n_blocks * QK * T
            && (!L::IS_WIDE || tokens.wide.len() == n_blocks * QK * T)
            && tokens.scales.len() == n_blocks * T
            && tokens.sums.len() == n_blocks * T,
        "operands of one size"
    );
    // SAFETY: the lengths above hold every block, and rows run to 16 in whole vectors.
    unsafe {
        for first in (0..ROWS).step_by(V * L::N) {
            let mut totals = [[L::splat(0.0); V]; T];
            for block_idx in 0..n_blocks {
                // Compilers turn addresses that move with a loop into sums, which wasm's loads then can't hold as their
                // constant offsets: an instruction more for each load. What they know nothing of keeps its offsets.
                #[cfg(target_arch = "wasm32")]
                let block_idx = std::hint::black_box(block_idx);
                let block = panel.codes.as_ptr().add(block_idx * block_bytes(BITS));
                let block = block.add(first * STEP);
                #[cfg(target_arch = "wasm32")]
                let block = std::hint::black_box(block);
                let block: *const Planes = block.cast();
                let scales = panel.scales.as_ptr().add(block_idx * SCALES * ROWS + first);
                let mut scaled = [[L::splat(0.0); V]; T];
                for half in 0..SCALES {
                    let mut dots = [[L::start(BITS, 0, 0); V]; T];
                    for t in 0..T {
                        let [first, whole] = *tokens.sums.get_unchecked(block_idx * T + t);
                        let sum = match (SCALES, half) {
                            (1, _) => whole,
                            (_, 0) => first,
                            _ => whole - first,
                        };
                        dots[t] = [L::start(BITS, panel.offset, sum); V];
                    }
                    let idx = block_idx * QK * T;
                    if T > 1 {
                        let steps = half * STEPS / SCALES..(half + 1) * STEPS / SCALES;
                        spread_steps::<L, BITS, V, T>(block, steps, tokens, idx, &mut dots);
                    }
                    if T == 1 && (SCALES == 1 || half == 0) {
                        steps::<L, BITS, 0, V, T>(block, tokens, idx, &mut dots);
                    }
                    if T == 1 && (SCALES == 1 || half == 1) {
                        steps::<L, BITS, 1, V, T>(block, tokens, idx, &mut dots);
                    }
                    for v in 0..V {
                        let scale = L::load(scales.add(half * ROWS + v * L::N));
                        for t in 0..T {
                            let floats = L::floats(dots[t][v]);
                            scaled[t][v] = if half == 0 {
                                L::mul(floats, scale)
                            } else {
                                L::mul_add(floats, scale, scaled[t][v])
                            };
                        }
                    }
                }
                if has_mins {
                    let mins = panel.mins.as_ptr().add(block_idx * ROWS + first);
                    for t in 0..T {
                        let [_, whole] = *tokens.sums.get_unchecked(block_idx * T + t);
                        #[expect(clippy::cast_precision_loss, reason = "at most 32 * 127, exact")]
                        let sum = L::splat(whole as f32);
                        for v in 0..V {
                            let min = L::load(mins.add(v * L::N));
                            scaled[t][v] = L::mul_add(min, sum, scaled[t][v]);
                        }
                    }
                }
                for t in 0..T {
                    let scale = L::splat(*tokens.scales.get_unchecked(block_idx * T + t));
                    for v in 0..V {
                        totals[t][v] = L::mul_add(scaled[t][v], scale, totals[t][v]);
                    }
                }
            }
            for t in 0..T {
                for v in 0..V {
                    L::store(totals[t][v], sums[t].as_mut_ptr().add(first + v * L::N));
                }
            }
        }
    }
}

/// The planes of a block, from some row on; those of few bits have fewer.
type Planes = [[u8; PLANE]; STEPS];

/// Adds the products of half a block, the columns from `16 * HALF` on; the block's activations start at place `idx`.
#[inline(always)]
unsafe fn steps<L: Lanes, const BITS: usize, const HALF: usize, const V: usize, const T: usize>(
    block: *const Planes,
    tokens: &Tokens<'_>,
    idx: usize,
    dots: &mut [[L::Dots; V]; T],
) {
    // Written out, because shifts must be constants to be one instruction.
    macro_rules! step {
        ($p:literal) => {
            let step = HALF * STEPS / 2 + $p;
            // SAFETY: planes lie inside the block, and columns inside the tokens.
            unsafe {
                let mut codes = [L::no_codes(); V];
                for v in 0..V {
                    // A place in an array, since what is added to a pointer is not known to stay below the end of memory.
                    let i = v * L::N * STEP;
                    let plane = |idx: usize| L::codes(&raw const (*block)[idx][i]);
                    codes[v] = match BITS {
                        FOUR => L::nibbles(plane($p), HALF),
                        FIVE => L::add_upper(L::nibbles(plane($p), HALF), plane(4), step, 1),
                        SIX => {
                            L::add_upper(L::nibbles(plane($p), HALF), plane(4 + HALF), 2 * $p, 3)
                        }
                        _ => plane(step),
                    };
                }
                for t in 0..T {
                    let inputs = L::inputs(tokens, idx + (step * T + t) * STEP);
                    for v in 0..V {
                        dots[t][v] = L::dot(BITS, dots[t][v], codes[v], inputs);
                    }
                }
            }
        };
    }
    step!(0);
    step!(1);
    step!(2);
    step!(3);
}

/// Adds the products of some steps of a block whose codes are bytes; the block's activations start at place `idx`.
///
/// A loop, which compilers must not unroll: with all its loads in flight nothing stays in a register.
#[expect(
    clippy::needless_range_loop,
    reason = "several arrays go by the same index"
)]
#[inline(always)]
unsafe fn spread_steps<L: Lanes, const BITS: usize, const V: usize, const T: usize>(
    block: *const Planes,
    steps: std::ops::Range<usize>,
    tokens: &Tokens<'_>,
    idx: usize,
    dots: &mut [[L::Dots; V]; T],
) {
    for step in steps.start..std::hint::black_box(steps.end) {
        // SAFETY: planes lie inside the block, and places inside the tokens.
        unsafe {
            let plane = block.cast::<[u8; PLANE]>().add(step);
            let mut codes = [L::no_codes(); V];
            for v in 0..V {
                codes[v] = L::codes(&raw const (*plane)[v * L::N * STEP]);
            }
            for t in 0..T {
                let inputs = L::inputs(tokens, idx + (step * T + t) * STEP);
                for v in 0..V {
                    dots[t][v] = L::dot(BITS, dots[t][v], codes[v], inputs);
                }
            }
        }
    }
}
