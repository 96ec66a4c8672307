// What one batch of tokens is: written once for each batch, read by every kernel whose work depends on it.
struct Batch {
    n_tokens: u32,   // T: tokens in this batch
    first_row: u32,  // row of the input that holds the first token; not 0 only behind the last layer
    position: u32,   // place of the first token in the cache
    padding: u32,
}
@group(0) @binding(0) var<uniform> batch: Batch;
