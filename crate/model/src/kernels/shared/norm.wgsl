// Finishes a sum over a normed input: `sum * gain * x` becomes `sum * gain * x / rms(x)`.
#import shared/step

fn finish(sum: vec4<f32>, squares: f32) -> vec4<f32> {
    if (NORMED) {
        return sum * inverseSqrt(squares / f32(params.input.n_cols) + params.input.eps);
    }
    return sum;
}
