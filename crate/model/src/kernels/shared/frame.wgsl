// Inputs of every kernel of the forward pass: which tokens run, and where this step's operands lie.

// Which tokens run: the only thing that changes between two runs of the same steps.
struct Batch {
    n_tokens: u32,   // T: tokens of this run; 0 once the text has ended
    first_row: u32,  // row of the stream that holds the first token
    position: u32,   // place of the first token in the cache
    padding: u32,
    tokens: array<vec4<u32>, 32>,  // their ids, four to a word
}

// Where the operands of one step lie. A word is a vec4: 4 neighbouring values of one token. A group is 4 neighbouring
// rows of a matrix, whose outputs make one word. Sizes and places are counted in words.
struct Params {
    n_cols: u32,       // C: values of the input
    n_words: u32,      // words of the input that meet the weights
    x: u32,            // first word of the input
    x_stride: u32,     // words from one token's input to the next
    gain: u32,         // first word of the norm's gain, in `vectors`
    eps: f32,
    delta: u32,        // first word of what the last block adds to the stream, where it is normed before
    delta_gain: u32,   // first word of that norm's gain
    next: u32,         // where the stream goes on once that was added
    n_groups: u32,     // groups of this slice of the matrix
    first_group: u32,  // this slice's first group
    highs: u32,        // first word of the weights' upper bits
    scales: u32,       // first word of their scales
    supers: u32,       // first word of their scales' scales
    y: u32,            // first word of the output
    y_stride: u32,     // words from one token's output to the next
    bias: u32,         // first word of the bias, in `vectors`; 0: none, but for queries, keys and values
    n_heads: u32,      // H
    n_kv_heads: u32,   // K
    head_words: u32,   // D/4
    rope_words: u32,   // words of a head that are rotated
    n_positions: u32,  // places of the cache
    n_visible: u32,    // places that a token sees, its own included
    scale: f32,        // of embeddings when looked up, or of scores before the softmax
    cap: f32,          // c of c * tanh(logit / c); 0: none
    n_splits: u32,     // parts that the places are shared out to
    rank: u32,         // R: inner width of an adapter's pair; 0: none
    n_pairs: u32,      // pairs of this step, their inner products side by side
    lora_b: u32,       // first word of the pairs' outer matrices
    lora_x: u32,       // first word of the inner products, where another step made them
    q_gain: u32,       // first word of the gain of queries' heads
    k_gain: u32,       // first word of the gain of keys' heads
}

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> params: Params;
