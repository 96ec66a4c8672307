// Turns engines that search vectors into rows: bytes, times, and how many of the nearest are found. `search.mjs` calls it.
import fs from "node:fs";
import path from "node:path";
import { brotliLength } from "./contestants.mjs";
import { watchCores } from "./machine.mjs";
import { p95 } from "./report.mjs";

const DIMENSION = 384;
/** Engines whose index is text, which a host sends by brotli; the others' files are numbers. */
const TEXT = ["orama", "voy"];

/** Returns a function that measures engines on the vectors of `n` chunks; `kernel` names the build of ours that is run. */
export function byMeaning({ host, options, scratch, report, skip, say, openPage, version, kernel }) {
  const N_REPS = Number(options.reps);
  const read = (file) => JSON.parse(fs.readFileSync(path.join(options.corpus, file), "utf8"));

  const open = ({ engine, said }) => openPage("meaning", engine, { ours: `/wasm/${kernel}` }, said);

  /** Has the engine build its index; returns the arguments of its `load`, and the bytes that a reader downloads. */
  async function build(contestant, n) {
    const { engine, row } = contestant;
    if (engine === "anchorite") {
      const bundle = `vectors-${n}`;
      const { bytes } = read(`${bundle}/manifest.json`).files.find(({ role }) => role === "vectors");
      return { load: { bundle: `/corpus/${bundle}` }, n_bytes: bytes };
    }
    const index = `/scratch/${engine}-${n}.${TEXT.includes(engine) ? "json" : "bin"}`;
    const { browser, page } = await open(contestant);
    const given = { from: `/corpus/vectors-${n}.f32`, to: index, dimension: DIMENSION };
    report(row, "build", "ms", [await page.evaluate((values) => search.build(values), given)]);
    await browser.close();
    const file = path.join(scratch, path.basename(index));
    const n_bytes = TEXT.includes(engine) ? brotliLength(file, options.brotli) : fs.statSync(file).size;
    return { load: { index, n: Number(n), dimension: DIMENSION }, n_bytes };
  }

  /** Builds the index and loads it, each time in a new browser; the last one stays open. */
  async function prepare(contestant, n) {
    const { engine, row } = contestant;
    const { load, n_bytes } = await build(contestant, n);
    const loads = [];
    for (let rep = 0; rep < N_REPS; rep += 1) {
      await contestant.opened?.browser.close();
      contestant.opened = await open(contestant);
      loads.push(await contestant.opened.page.evaluate((values) => search.load(values), load));
    }
    const { page } = contestant.opened;
    // Our module says how it searches, which depends on the build; the reason follows a colon.
    const mode = await page.evaluate(() => search.mode());
    if (mode) [row.type] = mode.split(":");
    await page.evaluate(([url, dimension]) => search.prepare(url, dimension), [`/corpus/vector-queries-${n}.f32`, DIMENSION]);
    report(row, "load", "ms", loads);
    report(row, "index_bytes", "bytes", [n_bytes]);
    // Our module here has everything that is measured; the rows by words have the code that a page loads.
    if (engine !== "anchorite") {
      const code = new Set(host.sent.filter(({ folder }) => folder === "modules").map(({ file }) => file));
      const lengths = [...code].map((file) => brotliLength(file, options.brotli));
      report(row, "code_brotli", "bytes", [lengths.reduce((sum, length) => sum + length, 0)]);
    }
    const { found } = await page.evaluate(() => search.round());
    report(row, "recall10", "share", [recall(found, read(`nearest-${n}.json`))]);
  }

  async function measure(engines, n) {
    const contestants = [];
    for (const engine of engines) {
      const row = { group: "meaning", engine, model: `rust-docs ${n} x ${DIMENSION}`, type: "vectors", version: version(engine) };
      if (engine === "anchorite") row.kernel = kernel;
      const contestant = { engine, row, said: [] };
      say(`${n} vectors: ${engine}`);
      try {
        await prepare(contestant, n);
        contestants.push(contestant);
      } catch (error) {
        skip(row, error, contestant.said);
        await contestant.opened?.browser.close();
      }
    }
    // Engines take turns, so that a busy neighbour affects each equally.
    const rounds = contestants.map(() => ({ ms: [], cores: [] }));
    for (let rep = 0; rep < N_REPS; rep += 1) {
      for (const [idx, { opened }] of contestants.entries()) {
        const stop = watchCores();
        const { ms } = await opened.page.evaluate(() => search.round());
        rounds[idx].cores.push(stop());
        rounds[idx].ms.push(...ms);
      }
    }
    for (const [idx, { row, opened }] of contestants.entries()) {
      const { ms, cores } = rounds[idx];
      report(row, "query", "ms", ms, cores);
      report(row, "query_p95", "ms", [p95(ms)]);
      await opened.browser.close();
    }
  }

  return measure;
}

/** The share of the nearest chunks that an engine finds. */
function recall(found, nearest) {
  const shares = nearest.map((expected, idx) => expected.filter((id) => found[idx].includes(id)).length / expected.length);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
