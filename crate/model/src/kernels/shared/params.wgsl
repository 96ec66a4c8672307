// The parts of a step's `Params`. A word is a vec4: 4 neighbouring values of one token. A group is 4 neighbouring rows
// of a matrix, whose outputs make one word. Sizes and offsets are counted in words.

// An input of `C` values for each token, and the norm before it, if any.
struct InputParams {
    n_cols: u32,      // C
    x: u32,           // first word of the input
    x_stride: u32,    // words from one token's input to the next
    gain: u32,        // first word of the norm's gain, in `vectors`
    eps: f32,
    delta: u32,       // first word of the last block's output, if it is normed before it is added
    delta_gain: u32,  // first word of that norm's gain
    next: u32,        // first word of the stream after that addition
}

// A slice of a matrix `[N, C]`.
struct WeightParams {
    n_words: u32,       // words of a row
    n_groups: u32,      // groups of this slice
    first_group: u32,   // this slice's first group
    high_bits: u32,     // first word of the weights' upper bits
    scales: u32,        // first word of their scales
    super_scales: u32,  // first word of their scales' scales, or of minimums in single precision
    padding: vec2<u32>,
}

// An adapter's pairs of matrices, `[R, C]` and `[N, R]`.
struct LoraParams {
    rank: u32,     // R; 0: no adapter
    n_pairs: u32,  // pairs of this step, their inner products side by side
    b: u32,        // first word of the outer matrices
    x: u32,        // first word of the inner products, if another step computed them
}

// An output of `N` values for each token.
struct OutputParams {
    y: u32,         // first word of the output
    y_stride: u32,  // words from one token's output to the next
    bias: u32,      // first word of the bias, in `vectors`; 0: none, except for queries, keys and values
    cap: f32,       // c of c * tanh(y / c); 0: none
}

// The heads of a layer's attention, and its cache.
struct AttentionParams {
    n_heads: u32,      // H
    n_kv_heads: u32,   // K
    head_words: u32,   // D/4
    rope_words: u32,   // words of a head that are rotated
    n_positions: u32,  // positions of the cache
    n_visible: u32,    // positions that a token sees, its own included
    n_splits: u32,     // parts that the positions are divided into
    scale: f32,        // factor on scores before the softmax
}
