// Turns engines that search by words into rows: bytes for the first and a later query, times, hits. `search.mjs` calls it.
import fs from "node:fs";
import path from "node:path";
import { brotliLength, closeBrowsers } from "./contestants.mjs";
import { watchCores } from "./machine.mjs";
import { p95 } from "./report.mjs";

/** Queries after the first whose bytes are averaged. */
const N_LATER = 20;

/** Code that a page loads before any index: modules, scripts, Pagefind's own files. */
function isCode({ folder, file }) {
  if (folder === "modules" || folder === "ours") return true;
  return folder === "scratch" && /\.(js|pagefind)$/.test(file);
}

const index = (sent) => sent.filter((one) => !isCode(one) && one.folder !== "bench" && !/(docs|queries)-\w+\.json$/.test(one.file));
const code = (sent) => [...new Map(sent.filter(isCode).map((one) => [one.file, one])).values()];

/** Returns a function that measures one engine on `n` chunks, or on the pages of a site. */
export function byWords({ host, options, scratch, report, skip, say, openPage, version }) {
  /** Bytes of `sent`, as a host sends them: text with brotli, and compressed files unchanged. */
  function sentBytes(sent) {
    const length = ({ file, n_bytes }) => (/\.(js|mjs|json|wasm)$/.test(file) ? brotliLength(file, options.brotli) : n_bytes);
    return sent.reduce((sum, one) => sum + length(one), 0);
  }

  /** Builds the index that the engine ships; returns the arguments of its `load`. */
  async function build(engine, n, row) {
    if (engine === "anchorite") return { ours: `${host.origin}/ours`, bundle: `${host.origin}/corpus/${n === "pages" ? n : `bundle-${n}`}/` };
    const docs = `docs-${n}.json`;
    if (engine === "pagefind") {
      const folder = path.join(scratch, `pagefind-${n}`);
      const { default: contestant } = await import(`./words/${engine}.mjs`);
      const start = performance.now();
      await contestant.buildInNode(JSON.parse(fs.readFileSync(path.join(options.corpus, docs), "utf8")), folder);
      report(row, "build", "ms", [performance.now() - start]);
      return { folder: `/scratch/pagefind-${n}` };
    }
    const { browser, page } = await openPage("words", engine);
    const { ms, text } = await page.evaluate((url) => search.build(url), `/corpus/${docs}`);
    await browser.close();
    const file = `${engine}-${n}.json`;
    fs.writeFileSync(path.join(scratch, file), text);
    report(row, "build", "ms", [ms]);
    return { index: `/scratch/${file}` };
  }

  async function measure(row, engine, n) {
    const load = await build(engine, n, row);
    const loads = [];
    let last;
    for (let rep = 0; rep < Number(options.reps); rep += 1) {
      await last?.browser.close();
      last = await openPage("words", engine);
      loads.push(await last.page.evaluate((values) => search.load(values), load));
    }
    report(row, "load", "ms", loads);
    const queries = `/corpus/queries-${n}.json`;
    await last.page.evaluate((url) => search.prepare(url), queries);
    const before = host.sent.length;
    const { ms } = await last.page.evaluate(() => search.one(0));
    const first = index(host.sent);
    report(row, "first_query", "ms", [ms]);
    report(row, "first_bytes", "bytes", [sentBytes(first)]);
    report(row, "first_requests", "requests", [first.length]);
    report(row, "code_brotli", "bytes", [sentBytes(code(host.sent))]);
    report(row, "query_bytes", "bytes", [sentBytes(index(host.sent.slice(before)))]);
    const n_before_later = host.sent.length;
    const cold = [];
    for (let idx = 1; idx <= N_LATER; idx += 1) cold.push((await last.page.evaluate((at) => search.one(at), idx)).ms);
    const later = index(host.sent.slice(n_before_later));
    report(row, "later_query", "ms", cold);
    report(row, "later_bytes", "bytes", [sentBytes(later) / N_LATER]);
    report(row, "later_requests", "requests", [later.length / N_LATER]);
    const { hit10 } = await last.page.evaluate(() => search.round());
    report(row, "hit10", "share", [hit10]);
    const stop = watchCores();
    const rounds = [];
    for (let rep = 0; rep < Number(options.reps); rep += 1) rounds.push((await last.page.evaluate(() => search.round())).ms);
    report(row, "query", "ms", rounds.flat(), [stop()]);
    report(row, "query_p95", "ms", [p95(rounds.flat())]);
    await last.browser.close();
  }

  return async (engine, n) => {
    const row = { group: "search", engine, model: `rust-docs ${n}`, type: "text", version: version(engine) };
    say(`${n}: ${engine}`);
    try {
      await measure(row, engine, n);
    } catch (error) {
      skip(row, error);
    } finally {
      await closeBrowsers();
    }
  };
}
