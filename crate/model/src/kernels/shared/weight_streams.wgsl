// Weights in the streams laid out by `gpu/matrix`: words of four u32.
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;
