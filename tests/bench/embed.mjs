// Turns two native embedders into rows: passages of 200 tokens a second on one thread. `cargo xtask bench embed` calls it.
import { parseArgs } from "node:util";
import { watchCores } from "./machine.mjs";
import { start } from "./program.mjs";
import { reporter } from "./report.mjs";
import { passages } from "./texts.mjs";

const { values: options } = parseArgs({
  options: {
    reps: { type: "string", default: "3" },
    ours: { type: "string" },
    embedder: { type: "string" },
    python: { type: "string" },
    onnx: { type: "string" },
  },
});
const N_REPS = Number(options.reps);
const N_PASSAGES = 32;
const N_TOKENS = 200;
/** Every word of the texts is one token, and two more frame a text. */
const N_WORDS = N_TOKENS - 2;

const ours = start(options.ours, options.embedder);
const peer = start(options.python, `${import.meta.dirname}/embed_peer.py`, options.onnx);
const common = { group: "native", model: "all-minilm-l6-v2" };
const contestants = [
  { program: ours, batch: N_PASSAGES, row: { ...common, engine: "anchorite", kernel: "native", type: "Q8_0" } },
  { program: peer, batch: 1, row: { ...common, engine: "onnxruntime", kernel: "batch 1", type: "q8" } },
  { program: peer, batch: 16, row: { ...common, engine: "onnxruntime", kernel: "batch 16", type: "q8" } },
];
const report = reporter(process.stdout);

async function time(contestant, seed) {
  const texts = passages(N_PASSAGES, N_WORDS, seed);
  const stop = watchCores();
  const { ms, n_tokens, first } = await contestant.program.ask({ texts, batch: contestant.batch });
  const cores = stop();
  const expected = N_PASSAGES * N_TOKENS;
  if (n_tokens !== expected) throw new Error(`${contestant.row.engine} read another number of tokens, expected ${expected}: \`${n_tokens}\``);
  return { rate: (1000 * N_PASSAGES) / ms, cores, first };
}

try {
  const firsts = [];
  for (const contestant of contestants) firsts.push((await time(contestant, 1)).first);
  const runs = contestants.map(() => []);
  // Engines take turns, so that a busy neighbour affects each equally.
  for (let rep = 0; rep < N_REPS; rep++) {
    for (const [idx, contestant] of contestants.entries()) runs[idx].push(await time(contestant, 100 + rep));
  }
  for (const [idx, { row }] of contestants.entries()) {
    const rates = runs[idx].map(({ rate }) => rate);
    report(row, "passages200", "per s", rates, runs[idx].map(({ cores }) => cores));
    const cosine = firsts[idx].reduce((sum, value, i) => sum + value * firsts[0][i], 0);
    report(row, "passages200_agreement", "cosine", [cosine]);
  }
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  ours.end();
  peer.end();
}
