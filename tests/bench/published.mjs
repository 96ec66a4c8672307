// Turns others' published figures for what a decoded token sends to a graphics device into rows; we measured none of them.

/** Ours are judged by six steps a layer and four outside the layers, so the peers' are counted the same way. */
const perLayer = (dispatches, n_layers) => (dispatches - 4) / n_layers;

/** Engine, how it runs, model, source, and the known figures of a token. */
export const TRACES = [
  {
    engine: "llama.cpp",
    kernel: "WebGPU",
    model: "llama-3.2-1b",
    type: "Q8_0, Q4_0, ..",
    source: "ggml-org/ggml, src/ggml-webgpu, August 2026, read: 18 kernels a layer, a bind group for each, 64 in a submit",
    known: { dispatches: 290, dispatches_per_layer: 18, submits: 290 / 64, tokens_per_submit: 64 / 290, bind_groups: 290 },
  },
  {
    engine: "llama.cpp",
    kernel: "WebGPU, int8 activations",
    model: "llama-3.2-1b",
    type: "Q8_0, Q4_0, ..",
    source: "ggml-org/ggml, src/ggml-webgpu, August 2026, read: 25 kernels a layer, a bind group for each, 64 in a submit",
    known: { dispatches: 405, dispatches_per_layer: 25, submits: 405 / 64, tokens_per_submit: 64 / 405, bind_groups: 405 },
  },
  {
    engine: "WebLLM",
    kernel: "TVM",
    model: "phi-3-mini",
    type: "q4f16",
    source: "counted by Zero-TVM's README; web-llm waits for the device after each token",
    known: { dispatches: 342, dispatches_per_layer: perLayer(342, 32), tokens_per_submit: 1 },
  },
  {
    engine: "Zero-TVM",
    kernel: "by hand",
    model: "phi-3-mini",
    type: "q4f16",
    source: "Zero-TVM's README",
    known: { dispatches: 228, dispatches_per_layer: perLayer(228, 32) },
  },
  {
    engine: "gemma-webgpu",
    kernel: "by hand",
    model: "gemma-3-1b",
    type: "Q8_0",
    source: "svenflow/webgpu-gemma, March 2026, read: bind groups made once, a submit for each token",
    known: { dispatches_per_layer: 18, submits: 1, tokens_per_submit: 1, bind_groups: 0 },
  },
];

/** Milliseconds of one token's product of 4096 by 4096 on lavapipe, by kernels that unpack weights for one row or for four. */
const PRODUCTS = { F32: [18, 12.5], Q8_0: [12.9, 6.1], Q4_0: [6.8, 2.8] };

/** `PRODUCTS` as rows of `bench gpu --kernels`. */
export const KERNELS = Object.entries(PRODUCTS).flatMap(([type, times]) =>
  times.map((ms, idx) => ({
    engine: "sketch",
    kernel: ["a row for each thread", "4 rows for each thread"][idx],
    type,
    source: "kernels from before this engine, single activations, on another machine: lavapipe on two shared cores of a Xeon",
    ms,
  })),
);
