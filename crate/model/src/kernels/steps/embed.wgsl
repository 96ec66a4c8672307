// y[t,:] = scale * weights[tokens[t],:], for the tokens whose row is in this slice of the matrix.
#import shared/step
#import weights/*

struct Params {
    weights: WeightParams,
    y: u32,         // first word of the output
    y_stride: u32,  // words from one token's output to the next
    scale: f32,     // factor on the row
    padding: u32,
}

@group(0) @binding(8) var<storage, read_write> stream: array<vec4<f32>>;    // [T, C]

// One invocation: one unit of one token.
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = id.x;
    if (unit * UNIT_WORDS >= params.weights.n_words || id.y >= batch.n_tokens) {
        return;
    }
    let token = batch.tokens[id.y / 4u][id.y % 4u];
    if (token / 4u < params.weights.first_group || token / 4u - params.weights.first_group >= params.weights.n_groups) {
        return;
    }
    let group = token / 4u - params.weights.first_group;
    let b = block_at(group, unit / UNITS);
    let u = unit_at(group, unit);
    let row = token % 4u;
    for (var i = 0u; i < UNIT_WORDS; i++) {
        var words = unit_words(b, u, unit % UNITS, i);
        let value = words[row] * b.scales[row] + vec4<f32>(b.mins[row]);
        stream[params.y + id.y * params.y_stride + unit * UNIT_WORDS + i] = value * params.scale;
    }
}
