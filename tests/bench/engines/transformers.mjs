// Turns the shared calls of an engine into calls of transformers.js, on onnxruntime's WebAssembly for the CPU or for WebGPU.
const MODULES = "/bench/node_modules";
/** The build of the runtime that the library fetches by itself. */
const RUNTIME = `${MODULES}/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify`;

let library;
let model;

export async function load({ task, weights, device = "wasm", dtype = "q8" }) {
  library = await import(`${MODULES}/@huggingface/transformers/dist/transformers.min.js`);
  const { env } = library;
  const cut = weights.lastIndexOf("/");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = weights.slice(0, cut + 1);
  env.useBrowserCache = false;
  env.useWasmCache = false;
  Object.assign(env.backends.onnx.wasm, { numThreads: 1, wasmPaths: { mjs: `${RUNTIME}.mjs`, wasm: `${RUNTIME}.wasm` } });
  const name = weights.slice(cut + 1);
  const options = { device, dtype };
  model =
    task === "embed"
      ? await library.pipeline("feature-extraction", name, options)
      : await library.AutoModelForCausalLM.from_pretrained(name, options);
  return { device: `onnxruntime-web ${env.backends.onnx.versions?.web ?? "of unknown version"}` };
}

/** Returns the times of the call and of each new token. */
async function generate(ids, n) {
  const tensor = (values) => new library.Tensor("int64", BigInt64Array.from(values, BigInt), [1, ids.length]);
  const times = [];
  const start = performance.now();
  await model.generate({
    input_ids: tensor(ids),
    attention_mask: tensor(ids.map(() => 1)),
    max_new_tokens: n,
    do_sample: false,
    streamer: { put: () => times.push(performance.now()), end: () => undefined },
  });
  // The first piece that it streams is the prompt.
  return { start, times: times.slice(1) };
}

export async function prefill({ ids }) {
  const { start, times } = await generate(ids, 1);
  return { ms: times[0] - start, n: ids.length };
}

export async function decode({ ids }, n) {
  const { times } = await generate(ids, n + 1);
  return { ms: times.at(-1) - times[0], n: times.length - 1 };
}

export async function embed(texts) {
  const start = performance.now();
  const output = await model(texts, { pooling: "mean", normalize: true });
  return { ms: performance.now() - start, vectors: output.tolist() };
}

export const unload = () => model.dispose();
