//! Turns a panel and some tokens into their products with vector instructions: the loop that all instruction sets
//! share.

use super::pack::PLANE;
use super::{EIGHT, FIVE, FOUR, Panel, ROWS, SIX, SPREAD, STEP, STEPS, Tokens, block_bytes};
use crate::quant::QK;

/// The vector instructions of one set that the products use.
///
/// All are inlined into a function that enables the set. Callers have checked that the processor has the set; pointers
/// are readable, or writable, for a whole vector.
pub(super) trait Lanes {
    /// Rows in a vector.
    const N: usize;
    /// True if inputs are i16.
    const IS_WIDE: bool = false;
    /// True if it is faster to add some steps of codes below 64 in 16 bits, by `pairs`, before widening.
    const JOINS_STEPS: bool = false;
    /// Four codes of each row.
    type Codes: Copy;
    /// Four activations, the same for each row.
    type Inputs: Copy;
    /// An integer for each row.
    type Dots: Copy;
    /// A float for each row.
    type Floats: Copy;

    unsafe fn codes(bytes: *const u8) -> Self::Codes;
    unsafe fn no_codes() -> Self::Codes;
    /// The low (0) or high (1) nibbles of bytes.
    unsafe fn nibbles(codes: Self::Codes, half: usize) -> Self::Codes;
    /// Moves bit `shift` of each byte of `plane` to bit 4, and adds the bits of `mask << 4`.
    unsafe fn add_upper(
        codes: Self::Codes,
        plane: Self::Codes,
        shift: usize,
        mask: u8,
    ) -> Self::Codes;
    /// Four activations, `n` fours after index `idx`. Indexed as an array, because the compiler can't prove that a
    /// pointer offset doesn't wrap.
    unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> Self::Inputs;
    /// As `inputs`, for each of `T` tokens, `n` steps on.
    #[inline(always)]
    unsafe fn inputs_of_step<const T: usize>(
        tokens: &Tokens<'_>,
        idx: usize,
        n: usize,
    ) -> [Self::Inputs; T] {
        // SAFETY: the caller keeps this function's contract.
        std::array::from_fn(|t| unsafe { Self::inputs(tokens, idx, n * T + t) })
    }
    /// Initial value of a sum whose codes are all `offset` too high, given that the activations add up to `sum`.
    unsafe fn start(bits: usize, offset: i32, sum: i32) -> Self::Dots;
    /// Adds each row's four products.
    unsafe fn dot(
        bits: usize,
        dots: Self::Dots,
        codes: Self::Codes,
        inputs: Self::Inputs,
    ) -> Self::Dots;
    /// Each row's four products, added in pairs in 16 bits. This and the next two are called only if `JOINS_STEPS`.
    unsafe fn pairs(_: Self::Codes, _: Self::Inputs) -> Self::Codes {
        unreachable!("steps are taken one by one")
    }
    /// As `pairs`, added to the pairs of other steps. Four steps of codes below 32 fit, `4 * 2 * 31 * 127`, or two of
    /// codes below 64.
    unsafe fn add_pairs(_: Self::Codes, _: Self::Codes, _: Self::Inputs) -> Self::Codes {
        unreachable!("steps are taken one by one")
    }
    /// Adds both of a row's pairs.
    unsafe fn widen(_: Self::Dots, _: Self::Codes) -> Self::Dots {
        unreachable!("steps are taken one by one")
    }
    unsafe fn floats(dots: Self::Dots) -> Self::Floats;
    unsafe fn load(floats: *const f32) -> Self::Floats;
    unsafe fn store(floats: Self::Floats, to: *mut f32);
    unsafe fn splat(float: f32) -> Self::Floats;
    unsafe fn mul(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b + c`
    unsafe fn mul_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
}

/// As [`super::plain::tile`], for one token or `T`. One token takes `V1` vectors of rows at once, `T` tokens take `V`,
/// as many as the set has registers for.
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
    // SAFETY: the caller keeps this function's contract.
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
// Functions that use a set must be inlined into the one that enables it. Wasm's set is enabled everywhere, and there
// many small functions compile better than one large one.
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
    // SAFETY: the lengths above cover every block, and 16 rows are whole vectors.
    unsafe {
        for first in (0..ROWS).step_by(V * L::N) {
            let mut totals = [[L::splat(0.0); V]; T];
            for t in 0..T {
                for v in 0..V {
                    totals[t][v] = L::load(sums[t].as_ptr().add(first + v * L::N));
                }
            }
            for block_idx in 0..n_blocks {
                // Compilers turn addresses that advance with the loop into sums that wasm loads can't encode as
                // constant offsets, which costs an instruction per load. An opaque index keeps the offsets constant.
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
                    let of_half = half * STEPS / SCALES..(half + 1) * STEPS / SCALES;
                    match (T, L::JOINS_STEPS && BITS < EIGHT, SCALES) {
                        (1, ..) => {
                            if SCALES == 1 || half == 0 {
                                steps::<L, BITS, SCALES, 0, V>(block, tokens, idx, &mut dots[0]);
                            }
                            if SCALES == 1 || half == 1 {
                                steps::<L, BITS, SCALES, 1, V>(block, tokens, idx, &mut dots[0]);
                            }
                        }
                        (_, false, _) => {
                            spread_steps::<L, BITS, 1, V, T>(
                                block, of_half, tokens, idx, &mut dots,
                            );
                        }
                        (.., 1) => {
                            spread_steps::<L, BITS, 4, V, T>(
                                block, of_half, tokens, idx, &mut dots,
                            );
                        }
                        // 6-bit codes have two scales.
                        _ => {
                            spread_steps::<L, BITS, 2, V, T>(
                                block, of_half, tokens, idx, &mut dots,
                            );
                        }
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

/// The planes of a block, from some row on; narrower codes have fewer.
type Planes = [[u8; PLANE]; STEPS];

/// The fours of a block's interleaved tokens.
#[cfg(target_arch = "wasm32")]
pub(super) type Fours<Q> = [[Q; STEP]; STEPS * super::MAX_TOKENS];

/// The codes of step `4 HALF + P` for the `v`th vector of rows.
#[inline(always)]
unsafe fn codes<L: Lanes, const BITS: usize, const HALF: usize, const P: usize>(
    block: *const Planes,
    v: usize,
) -> L::Codes {
    // Indexed as an array, because the compiler can't prove that a pointer offset doesn't wrap.
    let i = v * L::N * STEP;
    let step = HALF * STEPS / 2 + P;
    // SAFETY: planes are inside the block.
    unsafe {
        let plane = |idx: usize| L::codes(&raw const (*block)[idx][i]);
        match BITS {
            FOUR => L::nibbles(plane(P), HALF),
            FIVE => L::add_upper(L::nibbles(plane(P), HALF), plane(4), step, 1),
            SIX => L::add_upper(L::nibbles(plane(P), HALF), plane(4 + HALF), 2 * P, 3),
            _ => plane(step),
        }
    }
}

/// Adds the products of one token with half a block: the columns from `16 * HALF` on. The block's activations start at
/// index `idx`.
#[inline(always)]
unsafe fn steps<
    L: Lanes,
    const BITS: usize,
    const SCALES: usize,
    const HALF: usize,
    const V: usize,
>(
    block: *const Planes,
    tokens: &Tokens<'_>,
    idx: usize,
    dots: &mut [L::Dots; V],
) {
    // SAFETY: planes are inside the block, and columns inside the token.
    unsafe {
        if L::JOINS_STEPS && BITS < EIGHT {
            let inputs = |p: usize| L::inputs(tokens, idx, HALF * STEPS / 2 + p);
            let inputs = [inputs(0), inputs(1), inputs(2), inputs(3)];
            for (v, dots) in dots.iter_mut().enumerate() {
                let codes = [
                    codes::<L, BITS, HALF, 0>(block, v),
                    codes::<L, BITS, HALF, 1>(block, v),
                    codes::<L, BITS, HALF, 2>(block, v),
                    codes::<L, BITS, HALF, 3>(block, v),
                ];
                let [a, b, c, d] = codes;
                let [e, f, g, h] = inputs;
                let first = L::add_pairs(L::pairs(a, e), b, f);
                // 6-bit codes have two scales, and two steps of them fill 16 bits.
                *dots = if SCALES == 1 {
                    L::widen(*dots, L::add_pairs(L::add_pairs(first, c, g), d, h))
                } else {
                    let last = L::add_pairs(L::pairs(c, g), d, h);
                    L::widen(L::widen(*dots, first), last)
                };
            }
            return;
        }
        // Unrolled by hand: a shift takes one instruction only if its amount is a constant.
        macro_rules! step {
            ($p:literal) => {
                let mut codes_of_step = [L::no_codes(); V];
                for v in 0..V {
                    codes_of_step[v] = codes::<L, BITS, HALF, $p>(block, v);
                }
                let inputs = L::inputs(tokens, idx, HALF * STEPS / 2 + $p);
                for v in 0..V {
                    dots[v] = L::dot(BITS, dots[v], codes_of_step[v], inputs);
                }
            };
        }
        step!(0);
        step!(1);
        step!(2);
        step!(3);
    }
}

/// Adds the products of some steps of a block whose codes are bytes, `N` at a time in 16 bits, or one by one if `N` is
/// 1. The block's activations start at index `idx`.
///
/// Compilers must not unroll this loop: with all its loads in flight, everything spills. For the same reason, it holds
/// only one step's codes and inputs next to the sums.
#[inline(always)]
unsafe fn spread_steps<
    L: Lanes,
    const BITS: usize,
    const N: usize,
    const V: usize,
    const T: usize,
>(
    block: *const Planes,
    steps: std::ops::Range<usize>,
    tokens: &Tokens<'_>,
    idx: usize,
    dots: &mut [[L::Dots; V]; T],
) {
    let mut step = steps.start;
    while step < std::hint::black_box(steps.end) {
        // SAFETY: planes are inside the block, and indices inside the tokens.
        unsafe {
            let idx = idx + step * T * STEP;
            let codes = codes_of_step::<L, V>(block, step);
            let inputs: [L::Inputs; T] = L::inputs_of_step(tokens, idx, 0);
            if N == 1 {
                for t in 0..T {
                    for v in 0..V {
                        dots[t][v] = L::dot(BITS, dots[t][v], codes[v], inputs[t]);
                    }
                }
            } else {
                let mut pairs: [[L::Codes; V]; T] =
                    std::array::from_fn(|t| std::array::from_fn(|v| L::pairs(codes[v], inputs[t])));
                for i in 1..N {
                    let codes = codes_of_step::<L, V>(block, step + i);
                    let inputs: [L::Inputs; T] = L::inputs_of_step(tokens, idx, i);
                    for t in 0..T {
                        for v in 0..V {
                            pairs[t][v] = L::add_pairs(pairs[t][v], codes[v], inputs[t]);
                        }
                    }
                }
                for t in 0..T {
                    for v in 0..V {
                        dots[t][v] = L::widen(dots[t][v], pairs[t][v]);
                    }
                }
            }
        }
        step += N;
    }
}

/// The codes of a step for `V` vectors of rows, each code a byte.
#[inline(always)]
unsafe fn codes_of_step<L: Lanes, const V: usize>(
    block: *const Planes,
    step: usize,
) -> [L::Codes; V] {
    // SAFETY: planes are inside the block.
    unsafe {
        let plane: *const [u8; PLANE] = block.cast::<[u8; PLANE]>().add(step);
        std::array::from_fn(|v| L::codes(&raw const (*plane)[v * L::N * STEP]))
    }
}
