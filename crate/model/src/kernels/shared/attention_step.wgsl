// Parameters of attention: where the queries are, and where the result goes.
#import shared/params

struct Params {
    attention: AttentionParams,
    q: u32,         // first word of the queries
    q_stride: u32,  // words from one token's queries to the next
    y: u32,         // first word of the output
    y_stride: u32,  // words from one token's output to the next
}
