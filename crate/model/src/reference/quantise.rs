//! Quantises to 8 bits, as the inputs of integer products are.

/// Quantises `x` in place: every 32 values become multiples of 1/127 of their largest magnitude.
pub fn quantise(x: &mut [f32]) {
    for block in x.chunks_mut(32) {
        let largest = block
            .iter()
            .fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
        if largest > 0.0 {
            let scale = largest / 127.0;
            for x in block {
                *x = super::round((f64::from(*x) / scale).round_ties_even() * scale);
            }
        }
    }
}
