// Turns engines and models into rows: one JSON line for each engine, model and metric. `cargo xtask bench cpu` and
// `cargo xtask bench gpu` call it.
import path from "node:path";
import { parseArgs } from "node:util";
import { closeBrowsers, describeBrowser, open, versionOf } from "./contestants.mjs";
import { watchCores } from "./machine.mjs";
import { reporter, skipper } from "./report.mjs";
import { serve } from "./server.mjs";
import { grounded, passages, prompt } from "./texts.mjs";

const { values: options } = parseArgs({
  options: {
    /** The folder with `models`, `wasm` and the cached sizes. */
    target: { type: "string" },
    /** The folder with the models that ship. */
    shipped: { type: "string" },
    reps: { type: "string", default: "3" },
    only: { type: "string", multiple: true, default: ["lm", "qwen3", "adapter", "grounded", "embed", "read"] },
    /** A generator with real weights, and its adapter. */
    generator: { type: "string" },
    adapter: { type: "string" },
    engine: { type: "string", multiple: true, default: ["anchorite", "transformers", "wllama"] },
    type: { type: "string", multiple: true, default: ["Q8_0", "Q4_0", "Q4_K_M"] },
  },
});
const N_REPS = Number(options.reps);
/** Tokens before the timed ones of a decoding run, and the timed ones. */
const N_BEFORE = 16;
const N_DECODED = 64;
const PREFILLS = [128, 512];
/** An engine slower than this per token, as on WebGPU without a graphics card, is timed once, with `N_SLOW_DECODED` tokens. */
const SLOW_MS = 1000;
const N_SLOW_DECODED = 4;
/** Short runs before the timed ones: the browser compiles a module's hot functions again while it runs. */
const WARM_UP = { n_prompt: 128, n_decoded: 16 };
/** A query takes milliseconds, so it is repeated more often. */
const QUERY_REPS = 5;
/** Windows read for a question, and the tokens of each, including question and frame. */
const WINDOWS = { n: 8, n_tokens: 192, n_words: 200 };

/** Words of a page under a question: prompts of about 150 and 900 tokens. */
const GROUNDED = [
  { n_tokens: 150, n_words: 45 },
  { n_tokens: 900, n_words: 560 },
];

const host = await serve({
  bench: import.meta.dirname,
  ...(options.generator && { real: path.dirname(options.generator) }),
  models: path.join(options.target, "models"),
  ours: path.join(options.target, "wasm"),
  shipped: options.shipped,
});
const browser = await describeBrowser();
const say = (text) => process.stderr.write(`${text}\n`);
const report = reporter(process.stdout);
const skip = skipper(process.stdout);

/** Loads engines one after the other; those that cannot load are a row that says why. */
async function openAll(group, model, entries) {
  const contestants = [];
  for (const { engine, kernel, type, ...load } of entries) {
    const row = { group, engine, kernel, model, type };
    if (engine !== "anchorite") row.version = versionOf(engine);
    row.browser = browser.version;
    say(`${group} ${model} ${type}: loading ${[engine, kernel].filter(Boolean).join(" ")}`);
    try {
      const opened = await open(host, engine, load, path.join(options.target, "brotli"));
      const contestant = { row: { ...row, ...opened.about }, ...opened };
      const units = { load: "s", fetch: "s", weights: "bytes", code: "bytes", code_brotli: "bytes" };
      for (const [metric, value] of Object.entries(opened.facts)) report(contestant.row, metric, units[metric], [value]);
      contestants.push(contestant);
    } catch (error) {
      skip(row, error);
    }
  }
  return contestants;
}

/** The last word of each page, and its end. */
async function closeAll(contestants) {
  for (const contestant of contestants) {
    report(contestant.row, "peak_memory", "bytes", [await contestant.peak()]);
    await contestant.call("unload");
    await contestant.close();
  }
}

/**
 * Times `run` on all contestants in turn, again and again, so that a busy neighbour affects all equally. The slow
 * ones run once, after the others.
 */
async function alternate(contestants, n_reps, run) {
  const results = contestants.map(() => ({ values: [], cores: [] }));
  for (let rep = 0; rep < n_reps; rep++) {
    for (const [idx, contestant] of contestants.entries()) {
      if (contestant.isSlow && rep < n_reps - 1) continue;
      const stop = watchCores();
      const value = await run(contestant, rep);
      results[idx].cores.push(stop());
      results[idx].values.push(value);
    }
  }
  return results;
}

async function timeDecoders(contestants) {
  if (contestants.length === 0) return;
  for (const contestant of contestants) {
    await contestant.call("prefill", prompt(WARM_UP.n_prompt, 1));
    await contestant.call("decode", prompt(N_BEFORE, 2), WARM_UP.n_decoded);
  }
  for (const n_tokens of PREFILLS) await timePrefill(contestants, n_tokens);
  say(`  decoding of ${N_DECODED}`);
  const results = await alternate(contestants, N_REPS, (contestant, rep) => decode(contestant, 200 + rep));
  results.forEach(({ values, cores }, idx) => report(contestants[idx].row, `decode${N_DECODED}`, "tok/s", values, cores));
}

async function timePrefill(contestants, n_tokens) {
  say(`  prefill of ${n_tokens}`);
  const results = await alternate(contestants, N_REPS, async (contestant, rep) => {
    const { ms, n } = await contestant.call("prefill", prompt(n_tokens, 100 + rep));
    expectSame(contestant, n, n_tokens);
    return (1000 * n) / ms;
  });
  results.forEach(({ values, cores }, idx) => report(contestants[idx].row, `prefill${n_tokens}`, "tok/s", values, cores));
}

async function decode(contestant, seed, n_decoded = N_DECODED) {
  const { ms, n } = await contestant.call("decode", prompt(N_BEFORE, seed), n_decoded);
  expectSame(contestant, n, n_decoded);
  return (1000 * n) / ms;
}

/** Fails if an engine ran another number of tokens or windows, because it was then timed on different work. */
function expectSame({ row }, found, expected) {
  if (found !== expected) throw new Error(`${row.engine} did another amount of work\nexpected: ${expected}\nfound: ${found}`);
}

/** Ours, once with each build that this browser runs. */
function ours(type, weights, more = {}, kernels = browser.relaxed ? ["simd128", "relaxed-simd"] : ["simd128"]) {
  return kernels.map((kernel) => ({ engine: "anchorite", kernel, type, weights, glue: `/ours/${kernel}/anchorite_bench.js`, ...more }));
}

const wanted = (entries) => entries.filter(({ engine }) => options.engine.includes(engine));
const smollm2 = (type) => `/models/smollm2-135m-${type.toLowerCase()}.gguf`;

const groups = {
  async lm() {
    for (const type of options.type) {
      const entries = [...ours(type, smollm2(type)), { engine: "wllama", type, weights: smollm2(type) }];
      if (type === "Q8_0") {
        const weights = "/models/smollm2-135m-onnx";
        entries.push({ engine: "transformers", type: "q8", weights, file: `${weights}/onnx/model_quantized.onnx` });
      }
      const contestants = await openAll("lm", "smollm2-135m", wanted(entries));
      await timeDecoders(contestants);
      await closeAll(contestants);
    }
  },
  async qwen3() {
    const contestants = await openAll("qwen3", "qwen3-0.6b", wanted(ours("Q8_0", "/models/qwen3-0.6b-q8_0.gguf")));
    await timeDecoders(contestants);
    await closeAll(contestants);
  },
  async adapter() {
    const adapters = ["a", "b"].map((name) => `/models/smollm2-135m-lora-${name}.gguf`);
    const contestants = await openAll("adapter", "smollm2-135m", wanted(ours("Q8_0", smollm2("Q8_0"), { adapters })));
    const swaps = contestants.map(() => []);
    // With and without the adapter in turn, because the difference is smaller than the noise of a busy machine.
    const speeds = contestants.map(() => ({ plain: [], adapted: [], cores: [] }));
    for (const contestant of contestants) {
      await contestant.call("decode", prompt(N_BEFORE, 2), WARM_UP.n_decoded);
      await contestant.call("swap", 0);
      await contestant.call("decode", prompt(N_BEFORE, 2), WARM_UP.n_decoded);
    }
    await alternate(contestants, N_REPS, async (contestant, rep) => {
      const idx = contestants.indexOf(contestant);
      const stop = watchCores();
      await contestant.call("swap", null);
      speeds[idx].plain.push(await decode(contestant, 300 + rep));
      await contestant.call("swap", 0);
      speeds[idx].adapted.push(await decode(contestant, 300 + rep));
      speeds[idx].cores.push(stop());
      swaps[idx].push((await contestant.call("swap", 1)).ms);
    });
    contestants.forEach((contestant, idx) => {
      const { plain, adapted, cores } = speeds[idx];
      report(contestant.row, "decode64_without", "tok/s", plain, cores);
      report(contestant.row, "decode64_with", "tok/s", adapted, cores);
      report(contestant.row, "swap", "ms", swaps[idx], cores);
    });
    await closeAll(contestants);
  },
  /** Real weights, and prompts as a page writes them, each engine with its own tokenizer: the time to the first word. */
  async grounded() {
    const type = "Q4_1";
    const weights = `/real/${path.basename(options.generator)}`;
    const adapters = [`/real/${path.basename(options.adapter)}`];
    const entries = [
      ...ours(type, weights),
      ...ours(`${type} and adapter`, weights, { adapters }),
      { engine: "wllama", type, weights },
    ];
    const contestants = await openAll("grounded", "smollm2-135m-instruct", wanted(entries));
    for (const contestant of contestants) {
      if (contestant.row.type !== type) await contestant.call("swap", 0);
      await contestant.call("decode", grounded(GROUNDED[0].n_words, 1), WARM_UP.n_decoded);
    }
    for (const { n_tokens, n_words } of GROUNDED) {
      const name = `grounded${n_tokens}`;
      say(`  ${name}`);
      const counts = new Set();
      const first = await alternate(contestants, N_REPS, async (contestant, rep) => {
        const { ms, n } = await contestant.call("prefill", grounded(n_words, 100 + rep));
        counts.add(`${rep}: ${n}`);
        return ms;
      });
      if (counts.size !== N_REPS) throw new Error(`engines read the same prompts as different tokens: ${[...counts].join(", ")}`);
      first.forEach(({ values, cores }, idx) => report(contestants[idx].row, name, "ms", values, cores));
    }
    say(`  decoding of ${N_DECODED}`);
    const results = await alternate(contestants, N_REPS, async (contestant, rep) => {
      const { ms, n } = await contestant.call("decode", grounded(GROUNDED[0].n_words, 200 + rep), N_DECODED);
      expectSame(contestant, n, N_DECODED);
      return (1000 * n) / ms;
    });
    results.forEach(({ values, cores }, idx) => report(contestants[idx].row, `decode${N_DECODED}`, "tok/s", values, cores));
    await closeAll(contestants);
  },
  async gpu() {
    const device = "webgpu";
    const entries = options.type.flatMap((type) => ours(type, smollm2(type), { device }, ["simd128"]));
    const weights = "/models/smollm2-135m-q4-onnx";
    entries.push({ engine: "transformers", type: "q4", weights, file: `${weights}/onnx/model_q4.onnx`, device, dtype: "q4" });
    const contestants = await openAll("gpu", "smollm2-135m", wanted(entries));
    for (const contestant of contestants) {
      // The first run compiles every kernel; the second shows which engine takes seconds for a token.
      await contestant.call("decode", prompt(N_BEFORE, 2), 1);
      const { ms, n } = await contestant.call("decode", prompt(1, 3), 1);
      contestant.isSlow = ms / n > SLOW_MS;
    }
    await timePrefill(contestants, 128);
    say("  decoding");
    const n_decoded = ({ isSlow }) => (isSlow ? N_SLOW_DECODED : N_DECODED);
    const results = await alternate(contestants, N_REPS, (contestant, rep) => decode(contestant, 200 + rep, n_decoded(contestant)));
    results.forEach(({ values, cores }, idx) => {
      const row = { ...contestants[idx].row, n_tokens: n_decoded(contestants[idx]) };
      report(row, "decode", "tok/s", values, cores);
    });
    await closeAll(contestants);
  },
  async embed() {
    const task = "embed";
    const shipped = "/shipped/embedder.gguf";
    const onnx = "/models/minilm-onnx";
    const entries = [
      ...ours("Q8_0", shipped, { task }),
      { engine: "transformers", type: "q8", weights: onnx, file: `${onnx}/onnx/model_quantized.onnx`, task },
      { engine: "wllama", type: "Q8_0", weights: shipped, task },
    ];
    const contestants = await openAll("embed", "all-minilm-l6-v2", wanted(entries));
    const kinds = [
      { metric: "query", n_texts: 1, n_words: 10, n_reps: N_REPS * QUERY_REPS },
      { metric: "passages16", n_texts: 16, n_words: 90, n_reps: N_REPS },
    ];
    for (const { metric, n_texts, n_words, n_reps } of kinds) {
      say(`  ${metric}`);
      const vectors = [];
      for (const contestant of contestants) {
        vectors.push((await contestant.call("embed", passages(n_texts, n_words, 1))).vectors);
        await contestant.call("embed", passages(n_texts, n_words, 2));
      }
      const results = await alternate(contestants, n_reps, async (contestant, rep) => {
        return (await contestant.call("embed", passages(n_texts, n_words, 100 + rep))).ms;
      });
      results.forEach(({ values, cores }, idx) => {
        report(contestants[idx].row, metric, "ms", values, cores);
        report(contestants[idx].row, `${metric}_agreement`, "cosine", [agreement(vectors[idx], vectors[0])]);
      });
    }
    await closeAll(contestants);
  },
  /** No peer has a reader; the same work would cost a peer as much as embedding as many tokens. */
  async read() {
    const entries = ours("shipped", "/shipped/reader.gguf", { task: "read" });
    const contestants = await openAll("read", "reader", wanted(entries));
    const [question] = passages(1, 10, 1);
    const read = (contestant, seed) =>
      contestant.call("read", question, passages(WINDOWS.n, WINDOWS.n_words, seed), WINDOWS.n_tokens);
    for (const contestant of contestants) await read(contestant, 2);
    const results = await alternate(contestants, N_REPS * QUERY_REPS, async (contestant, rep) => {
      const { ms, n } = await read(contestant, 100 + rep);
      expectSame(contestant, n, WINDOWS.n);
      return ms;
    });
    results.forEach(({ values, cores }, idx) => report(contestants[idx].row, "windows8", "ms", values, cores));
    await closeAll(contestants);
  },
};

/** The lowest cosine between two engines' vectors of the same texts: they must embed the same to be compared. */
function agreement(found, expected) {
  const cosines = found.map((vector, idx) => vector.reduce((sum, value, i) => sum + value * expected[idx][i], 0));
  return Math.min(...cosines);
}

try {
  for (const name of options.only) await groups[name]();
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  host.close();
  await closeBrowsers();
}
