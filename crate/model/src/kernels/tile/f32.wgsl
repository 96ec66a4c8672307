// Tiles in f32.
alias Word = vec4<f32>;
