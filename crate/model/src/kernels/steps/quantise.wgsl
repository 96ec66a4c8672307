// Quantises every 32 values of a token to 8 bits, after the norm if they are the stream's: 8 u32 of four codes, laid
// out as for weights; then the scale, the sum of all codes and, for the first and last 16, the sum of codes 0 to 2 of
// every u32.
#import shared/step
#import shared/vectors
#import input/*

struct Params { input: InputParams }

@group(0) @binding(8) var<storage, read_write> quantised: array<vec4<u32>>;  // [T, C/32, 3]

// One invocation: 32 values of one token. Each sums its whole row for the norm, which avoids a barrier.
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_words = (params.input.n_cols + 3u) / 4u;
    let n_blocks = n_words / 8u;
    if (id.x >= n_blocks || id.y >= batch.n_tokens) {
        return;
    }
    var norm = 1.0;
    if (NORMED) {
        var squares = 0.0;
        for (var word = 0u; word < n_words; word++) {
            let x = input(id.y, word);
            squares += dot(x, x);
        }
        norm = inverseSqrt(squares / f32(params.input.n_cols) + params.input.eps);
    }
    var values: array<vec4<f32>, 8>;
    var largest = 0.0;
    for (var i = 0u; i < 8u; i++) {
        let word = id.x * 8u + i;
        var x = input(id.y, word);
        if (NORMED) {
            x *= norm * vectors[params.input.gain + word];
        }
        values[i] = x;
        let size = abs(x);
        largest = max(largest, max(max(size.x, size.y), max(size.z, size.w)));
    }
    let inverse = select(0.0, 127.0 / largest, largest > 0.0);
    var codes: array<u32, 8>;
    var sum = 0.0;
    var thirds = vec2<f32>();
    for (var i = 0u; i < 8u; i++) {
        let code = round(values[i] * inverse);
        // The first three codes are unsigned, the last is signed.
        let bytes = vec4<u32>(vec4<i32>(code) + vec4<i32>(128, 128, 128, 0)) & vec4<u32>(0xffu);
        codes[i] = bytes.x + bytes.y * 0x100u + bytes.z * 0x10000u + bytes.w * 0x1000000u;
        let three = code.x + code.y + code.z;
        sum += three + code.w;
        thirds += select(vec2<f32>(three, 0.0), vec2<f32>(0.0, three), i >= 4u);
    }
    let at = (id.y * n_blocks + id.x) * 3u;
    quantised[at] = vec4<u32>(codes[0], codes[1], codes[2], codes[3]);
    quantised[at + 1u] = vec4<u32>(codes[4], codes[5], codes[6], codes[7]);
    quantised[at + 2u] = bitcast<vec4<u32>>(vec4<f32>(largest / 127.0, sum, thirds));
}
