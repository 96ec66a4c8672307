//! Turns floats into f16 (IEEE 754 binary16) and back, in loops that compilers vectorise.
//!
//! The crates for this convert one value at a time where the instruction set has no conversion, as in wasm.

/// Moves a float's exponent from one format's bias to the other's: `2^112`, `112 = 127 - 15`.
const BIAS: f32 = f32::from_bits((127 + 112) << 23);

/// The nearest f16, ties to even; values that are too large become the largest f16, never an infinity. Below the
/// smallest normal f16 it rounds twice, so a value close to a tie may round the wrong way.
pub(crate) fn from_f32(x: f32) -> u16 {
    const LARGEST: f32 = 65504.0;
    // Not `clamp`, which would keep a NaN: the largest f16 signals the fault just as well.
    let size = x.abs().min(LARGEST);
    // The quotient has the f16's exponent, and rounds by itself where the f16 is subnormal.
    let bits = (size / BIAS).to_bits();
    let rounded = bits + 0xfff + (bits >> 13 & 1);
    let sign = x.to_bits() >> 16 & 0x8000;
    #[expect(clippy::cast_possible_truncation, reason = "15 bits and the sign")]
    let half = (rounded >> 13 | sign) as u16;
    half
}

/// Converts `halves`, all finite, to `floats` of the same length.
pub(crate) fn to_f32(halves: &[u16], floats: &mut [f32]) {
    for (float, half) in floats.iter_mut().zip(halves) {
        let half = u32::from(*half);
        let size = f32::from_bits((half & 0x7fff) << 13) * BIAS;
        *float = f32::from_bits(size.to_bits() | (half & 0x8000) << 16);
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn every_finite_half_comes_back() {
        let halves: Vec<u16> = (0..=u16::MAX)
            .filter(|bits| f16::from_bits(*bits).is_finite())
            .collect();
        let mut floats = vec![0.0; halves.len()];
        to_f32(&halves, &mut floats);
        for (half, float) in halves.iter().zip(&floats) {
            assert_eq!(*float, f16::from_bits(*half).to_f32(), "half {half:#06x}");
            assert_eq!(from_f32(*float), *half, "float {float}");
        }
    }

    #[test]
    fn rounds_as_the_standard_says() {
        let numbers = (0..100_000).map(|i: u32| f32::from_bits(i.wrapping_mul(2_654_435_761)));
        for x in numbers.filter(|x| x.abs() < 65504.0) {
            let (found, expected) = (from_f32(x), f16::from_f32(x).to_bits());
            let off_by = found.abs_diff(expected);
            let allowed = u16::from(x.abs() < f16::MIN_POSITIVE.to_f32());
            assert!(
                off_by <= allowed,
                "float {x:e}: found {found:#x}, expected {expected:#x}"
            );
        }
        assert_eq!(from_f32(1e9), f16::MAX.to_bits(), "too large");
        assert_eq!(from_f32(-1e9), f16::MIN.to_bits(), "too small");
        assert!(f16::from_bits(from_f32(f32::NAN)).is_finite(), "no number");
    }
}
