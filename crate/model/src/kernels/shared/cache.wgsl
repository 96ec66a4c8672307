// The keys and values of one layer as f16, four to a word of two u32. A key's words are 64 apart, so 64 invocations at
// 64 positions read contiguous memory; a value's words are contiguous.
#import shared/step

const TILE_PLACES = 64u;

@group(0) @binding(5) var<storage, read_write> cache: array<vec2<u32>>;

fn key_place(kv_head: u32, place: u32, word: u32) -> u32 {
    let tile = kv_head * (params.attention.n_positions / TILE_PLACES) + place / TILE_PLACES;
    return (tile * params.attention.head_words + word) * TILE_PLACES + place % TILE_PLACES;
}

fn value_place(kv_head: u32, place: u32, word: u32) -> u32 {
    let n_key_words = params.attention.n_kv_heads * params.attention.n_positions * params.attention.head_words;
    return n_key_words + (kv_head * params.attention.n_positions + place) * params.attention.head_words + word;
}

fn to_f16(value: vec4<f32>) -> vec2<u32> {
    let bounded = clamp(value, vec4<f32>(-65504.0), vec4<f32>(65504.0));
    return vec2<u32>(pack2x16float(bounded.xy), pack2x16float(bounded.zw));
}

fn from_f16(word: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
}
