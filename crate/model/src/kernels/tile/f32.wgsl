// A tile's numbers in single precision.
alias Word = vec4<f32>;
