// Turns the native program on a graphics device into rows: counts, products, or speed. `cargo xtask bench gpu` calls it.
import path from "node:path";
import { parseArgs } from "node:util";
import { watchCores } from "./machine.mjs";
import { start } from "./program.mjs";
import { KERNELS, TRACES } from "./published.mjs";
import { reporter } from "./report.mjs";
import { prompt } from "./texts.mjs";

const { values: options } = parseArgs({
  options: {
    /** `trace`, `kernels` or `speed`. */
    do: { type: "string" },
    ours: { type: "string" },
    /** The folder with the GGUF files. */
    models: { type: "string" },
    reps: { type: "string", default: "3" },
    model: { type: "string", multiple: true, default: [] },
    type: { type: "string", multiple: true, default: [] },
  },
});
const N_REPS = Number(options.reps);
/** Tokens before the timed ones. */
const N_BEFORE = 16;
/** Tokens whose commands are counted, after a prompt of one token; each has the same count. */
const N_TRACED = 8;
const N_DECODED = 16;
const N_PREFILL = 128;
/** Steps outside the layers: looking up a token, its logits, and two to choose the next. */
const N_AROUND = 4;
const FAR_PLACES = [4000, 2000];
const SIZE = 4096;

const ours = start(options.ours);
const report = reporter(process.stdout);
const say = (text) => process.stderr.write(`${text}\n`);
const ask = (what, values = {}) => ours.ask({ do: what, ...values });
const { device, variants, best } = await ask("describe");
say(device);

/** Asks, and watches the machine's load meanwhile. */
async function watched(what, values) {
  const stop = watchCores();
  const answer = await ask(what, values);
  return { answer, cores: stop() };
}

/** Bytes of weights and cache that a token reads, without adapters: calculated from their layout, not measured. */
function reportRead(row, { weight_bytes, place_bytes }) {
  for (const place of [0, 2000, 4000]) report(row, `read_${place}`, "bytes", [weight_bytes + place * place_bytes]);
}

const work = {
  async trace() {
    for (const model of options.model) {
      for (const kernel of variants) {
        const sizes = await ask("load", { model: path.join(options.models, `${model}-q4_0.gguf`), variant: kernel });
        for (const adapter of [null, path.join(options.models, `${model}-lora-a.gguf`)]) {
          const type = adapter ? "Q4_0, adapter of rank 16" : "Q4_0";
          say(`${model}, ${kernel}, ${type}`);
          await ask("adapt", { adapter });
          const { n, trace } = await ask("trace", { ids: prompt(1, 1).ids, n: N_TRACED });
          const row = { group: "trace", engine: "anchorite", kernel, model, type, device };
          const dispatches = trace.dispatches / n;
          report(row, "dispatches", "a token", [dispatches]);
          report(row, "dispatches_per_layer", "a layer", [(dispatches - N_AROUND) / sizes.n_layers]);
          report(row, "submits", "a token", [trace.submits / n]);
          report(row, "tokens_per_submit", "tokens", [n / trace.submits]);
          report(row, "bind_groups", "a token", [trace.bind_groups / n]);
          report(row, "written", "B a token", [trace.written_bytes / n]);
          reportRead(row, sizes);
        }
      }
      for (const { known, ...peer } of TRACES.filter((peer) => peer.model === model)) reportPublished(peer, known);
    }
    for (const { known, ...peer } of TRACES.filter((peer) => !options.model.includes(peer.model))) reportPublished(peer, known);
  },

  async kernels() {
    const row = { group: "kernels", model: `${SIZE} x ${SIZE}` };
    for (const { ms, ...peer } of KERNELS) reportProduct({ ...row, ...peer }, 1, [ms]);
    for (const kernel of variants) {
      for (const type of ["F32", "Q8_0", "Q4_0", "Q4_K", "Q6_K"]) {
        say(`${kernel}, ${type}`);
        for (const n_tokens of [1, 8, 128]) {
          const { answer, cores } = await watched("multiply", { variant: kernel, type, n_tokens, n_reps: N_REPS });
          reportProduct({ ...row, engine: "anchorite", kernel, type, device }, n_tokens, answer.ms, answer.weight_bytes, cores);
        }
      }
    }
  },

  async speed() {
    for (const type of options.type) {
      const model = "smollm2-135m";
      const row = { group: "native", engine: "anchorite", kernel: best, model, type, device };
      const sizes = await ask("load", { model: path.join(options.models, `${model}-${type.toLowerCase()}.gguf`), variant: best });
      say(`${model}, ${type}: prefill of ${N_PREFILL}`);
      const { ids } = prompt(N_PREFILL, 1);
      await ask("decode", { ids, position: 0, n: 1 });
      await timed(row, `prefill${N_PREFILL}`, "prefill", (rep) => ({ ids: prompt(N_PREFILL, 100 + rep).ids }));
      await timed(row, "decode", "decode", (rep) => ({ ids: prompt(N_BEFORE, 200 + rep).ids, position: 0, n: N_DECODED }));
      // A text can continue from anywhere in the cache, so one long prompt serves all places, the farthest first.
      say(`${model}, ${type}: behind ${FAR_PLACES.join(" and ")} places`);
      await ask("prefill", { ids: prompt(FAR_PLACES[0], 1).ids });
      for (const position of FAR_PLACES) {
        await timed(row, `decode_${position}`, "decode", (rep) => ({ ids: prompt(1, 300 + rep).ids, position, n: N_DECODED }));
      }
      reportRead(row, sizes);
    }
  },
};

async function timed(row, metric, what, values) {
  const speeds = [];
  const cores = [];
  for (let rep = 0; rep < N_REPS; rep++) {
    const { answer, cores: used } = await watched(what, values(rep));
    speeds.push((1000 * answer.n) / answer.ms);
    cores.push(used);
  }
  report(row, metric, "tok/s", speeds, cores);
}

function reportPublished({ source, ...row }, known) {
  const units = { dispatches_per_layer: "a layer", tokens_per_submit: "tokens" };
  for (const [metric, value] of Object.entries(known)) {
    report({ group: "trace", ...row, source }, metric, units[metric] ?? "a token", [value]);
  }
}

/** Products per second and, for one token, bytes of weights read per second if known. */
function reportProduct(row, n_tokens, times, weight_bytes, cores) {
  const used = cores ? [cores] : [];
  const speeds = times.map((ms) => (n_tokens * SIZE * SIZE) / ms / 1e6);
  report(row, `products${n_tokens}`, "GMAC/s", speeds, used);
  if (weight_bytes && n_tokens === 1) report(row, "weights1", "GB/s", times.map((ms) => weight_bytes / ms / 1e6), used);
}

try {
  await work[options.do]();
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  ours.end();
}
