// Turns messages into calls of the WebAssembly module, with as short a loop around it as possible.

/** The size of a bundle's parts. */
const PART_BYTES = 20 * 1024 * 1024;

/** Command buffers in flight while tokens are read back, as when an answer is written. */
const N_AHEAD = 2;

let decoder;
let embedder;
let reader;
let adapters = [];

/** A decoder on WebGPU. */
const gpu = {
  async prefill(ids) {
    decoder.begin(new Uint32Array(ids));
    // The first token is in flight with the prompt, and nothing else is.
    const [token] = await decoder.next(1);
    return token;
  },
  async decode(ids, n) {
    await gpu.prefill(ids);
    const start = performance.now();
    let nWritten = 0;
    while (nWritten < n) {
      const { length } = await decoder.next(N_AHEAD);
      if (length === 0) throw new Error(`the text ended after ${nWritten} tokens`);
      nWritten += length;
    }
    const ms = performance.now() - start;
    // Commands sent ahead must not run into the next timing.
    await decoder.next(1);
    return { ms, n: nWritten };
  },
};

const work = {
  async load({ task, glue, weights, adapters: urls = [], device }) {
    const module = await import(glue);
    await module.default({ module_or_path: new URL(glue.replace(/\.js$/, "_bg.wasm"), location.href) });
    const parts = await receive(weights, new module.Parts());
    if (task === "embed") {
      embedder = module.Embedder.load(parts);
      return {};
    }
    if (task === "read") {
      reader = module.Reader.load(parts);
      return {};
    }
    if (device === "webgpu") {
      decoder = await module.GpuDecoder.load(parts);
      Object.assign(work, gpu);
      return { device: decoder.device() };
    }
    decoder = await module.Decoder.load(parts);
    adapters = await Promise.all(urls.map(async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())));
    return { device: decoder.kernel() };
  },
  tokens: (text) => Array.from(decoder.tokens(text)),
  prefill: (ids) => decoder.run(new Uint32Array(ids), 0),
  async decode(ids, n) {
    let token = await work.prefill(ids);
    const start = performance.now();
    for (let i = 0; i < n; i++) token = await decoder.run(new Uint32Array([token]), ids.length + i);
    return { ms: performance.now() - start, n };
  },
  embed(texts) {
    const values = embedder.embed(texts);
    const dimension = values.length / texts.length;
    return texts.map((_, i) => Array.from(values.subarray(i * dimension, (i + 1) * dimension)));
  },
  read: (question, texts, n_tokens) => Array.from(reader.read(question, texts, n_tokens)),
  swap(idx) {
    const start = performance.now();
    if (idx === null) decoder.take_off();
    else decoder.put_on(adapters[idx]);
    return { ms: performance.now() - start };
  },
};

/** Downloads a file part by part, as a page does with a bundle. */
async function receive(url, parts) {
  const head = await fetch(url, { method: "HEAD" });
  const n_bytes = Number(head.headers.get("Content-Length"));
  for (let start = 0; start < n_bytes; start += PART_BYTES) {
    const end = Math.min(start + PART_BYTES, n_bytes) - 1;
    const response = await fetch(url, { headers: { Range: `bytes=${start}-${end}` } });
    parts.add(new Uint8Array(await response.arrayBuffer()));
  }
  return parts;
}

addEventListener("message", async ({ data: { id, name, values } }) => {
  try {
    postMessage({ id, value: await work[name](...values) });
  } catch (error) {
    postMessage({ id, error: String(error?.message ?? error) });
  }
});
