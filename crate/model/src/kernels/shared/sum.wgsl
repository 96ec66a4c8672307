// A group of 4 rows times a token's input, and the sum of the input's squares if it is to be normed.
struct Sum { rows: vec4<f32>, squares: f32 }
