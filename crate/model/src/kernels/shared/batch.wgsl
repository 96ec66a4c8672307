// The tokens to run: the only thing that changes between two runs of the same steps.
struct Batch {
    n_tokens: u32,   // T: tokens of this run; 0 once the text has ended
    first_row: u32,  // row of the stream that holds the first token
    position: u32,   // position of the first token in the KV cache
    padding: u32,
    tokens: array<vec4<u32>, 32>,  // their ids, four to a word
}
