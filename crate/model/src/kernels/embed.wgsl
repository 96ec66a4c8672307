// y[t,:] = weights[tokens[t],:], for the tokens whose row lies in this slice of the matrix.
// With shared/batch.wgsl and one of shared/weights_*.wgsl.
struct Params {
    n_words: u32,    // C/4
    y_words: u32,    // vec4s from one row of y to the next
    first_row: u32,  // row of the matrix that is this slice's first
    n_rows: u32,     // rows in this slice
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> tokens: array<u32>;          // [T]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;   // [T, C]

// One invocation: one word of one token.
@compute @workgroup_size(16)
fn embed(@builtin(global_invocation_id) id: vec3<u32>) {
    let word = id.x;
    if (word >= params.n_words || id.y >= batch.n_tokens) {
        return;
    }
    let token = tokens[id.y];
    if (token < params.first_row || token - params.first_row >= params.n_rows) {
        return;
    }
    let row = token - params.first_row;
    var words = weight_words(row / 4u, word, params.n_words);
    var scale = weight_scales(row / 4u, word / WORDS_PER_BLOCK, params.n_words);
    y[id.y * params.y_words + word] = words[row % 4u] * scale[row % 4u];
}
