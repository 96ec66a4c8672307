// An adapter's change to a group of rows, from inner products that an earlier step has computed for each token.
#import shared/step
#import shared/norm

@group(0) @binding(7) var<storage, read> lora: array<vec4<f32>>;

fn prepare_lora(lane: u32, tile: u32) {}

fn inner(token: u32, idx: u32) -> f32 {
    return lora[params.lora.x + token * ((params.lora.n_pairs * params.lora.rank + 3u) / 4u) + idx / 4u][idx % 4u];
}

// The finished sum of a group of rows, with `count` inner products from `first` on.
fn adapted(token: u32, group: u32, first: u32, count: u32, rows: vec4<f32>, squares: f32) -> vec4<f32> {
    var sum = finish(rows, squares);
    for (var i = 0u; i < count; i++) {
        sum += inner(token, first + i) * lora[params.lora.b + group * count + i];
    }
    return sum;
}
