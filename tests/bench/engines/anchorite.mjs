// Turns the shared calls of an engine into messages to a worker that runs ours; every engine here has the same shape.
let worker;
let nextId = 0;
const waiting = new Map();

function ask(name, ...values) {
  const id = nextId++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, name, values });
  });
}

/** Loads a model for a task (`lm`, `embed` or `read`), on the CPU or, for `device` of "webgpu", on WebGPU. `glue` is the built module; the
 * rest names files. Returns the backend that ran. */
export async function load({ task, glue, weights, adapters, device }) {
  worker = new Worker(new URL("anchorite-worker.mjs", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  worker.addEventListener("error", (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || "the worker did not start"));
  });
  return ask("load", { task, glue, weights, adapters, device });
}

/** Runs a prompt, ids or text, from an empty cache. Returns the milliseconds until the first token is known, and the prompt's tokens. */
export async function prefill(prompt) {
  const start = performance.now();
  const ids = await idsOf(prompt);
  await ask("prefill", ids);
  return { ms: performance.now() - start, n: ids.length };
}

/** Runs a prompt, then `n` more tokens. Returns the milliseconds for tokens 2 to `n + 1`, and `n`. */
export const decode = async (prompt, n) => ask("decode", await idsOf(prompt), n);

const idsOf = ({ ids, text }) => ids ?? ask("tokens", text);

/** Returns the milliseconds until all texts have their vectors, and the vectors. */
export async function embed(texts) {
  const start = performance.now();
  const vectors = await ask("embed", texts);
  return { ms: performance.now() - start, vectors };
}

/** Returns the milliseconds until a question is read in the first window of `n_tokens` of each text. */
export async function read(question, texts, n_tokens) {
  const start = performance.now();
  const logits = await ask("read", question, texts, n_tokens);
  return { ms: performance.now() - start, n: logits.length };
}

/** Puts the adapter of that number on, or takes it off for null. Returns the milliseconds. */
export const swap = (idx) => ask("swap", idx);

export function unload() {
  worker.terminate();
}
