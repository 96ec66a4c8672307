// Turns the shared calls of an engine into calls of wllama: llama.cpp compiled to WebAssembly.
const PACKAGE = "/bench/node_modules/@wllama/wllama/esm";
/** Tokens of the longest run's prompt and answer. */
const N_CONTEXT = 1024;
/** Prompt tokens in one pass: those of the longest prompt. */
const N_BATCH = 512;

let wllama;

export async function load({ task, weights }) {
  const { LoggerWithoutDebug, Wllama } = await import(`${PACKAGE}/index.min.js`);
  const paths = { default: `${PACKAGE}/wasm/wllama.wasm` };
  wllama = new Wllama(paths, { logger: LoggerWithoutDebug, suppressNativeLog: true });
  const blob = await (await fetch(weights)).blob();
  await wllama.loadModel([blob], {
    n_ctx: N_CONTEXT,
    n_batch: N_BATCH,
    n_ubatch: N_BATCH,
    n_threads: 1,
    n_gpu_layers: 0,
    n_parallel: 1,
    warmup: false,
    ...(task === "embed" ? { embeddings: true, pooling_type: "mean" } : {}),
  });
  return { device: `${wllama.getNumThreads()} thread` };
}

// It takes prompts only as text, so a prefill includes its tokenizer's time, which is microseconds.
const complete = (text, n) =>
  wllama.createCompletion({
    prompt: text,
    max_tokens: n,
    samplers: ["top_k"],
    top_k: 1,
    temperature: 0,
    ignore_eos: true,
    cache_prompt: false,
    stream: false,
  });

export async function prefill({ text }) {
  const start = performance.now();
  const { timings } = await complete(text, 1);
  return { ms: performance.now() - start, n: timings.prompt_n };
}

export async function decode({ text }, n) {
  // Its clock starts when the first token is known.
  const { timings } = await complete(text, n + 1);
  return { ms: timings.predicted_ms, n: timings.predicted_n - 1 };
}

export async function embed(texts) {
  const start = performance.now();
  const vectors = [];
  // One by one: a list of texts is never answered by this version.
  for (const input of texts) vectors.push((await wllama.createEmbedding({ input })).data[0].embedding);
  return { ms: performance.now() - start, vectors };
}

export const unload = () => wllama.exit();
