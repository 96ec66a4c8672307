// Gains and biases of a layer, one after the other.
@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
