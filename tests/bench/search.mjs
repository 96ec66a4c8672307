// Turns search engines and chunks into rows, by words and by meaning. `cargo xtask bench search` calls it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { closeBrowsers, describeBrowser, launch } from "./contestants.mjs";
import { byMeaning } from "./meaning.mjs";
import { reporter, skipper } from "./report.mjs";
import { serve } from "./server.mjs";
import { byWords } from "./words.mjs";

const { values: options } = parseArgs({
  options: {
    /** The folder with what `bench_search` wrote. */
    corpus: { type: "string" },
    /** The folder with our page's files. */
    ours: { type: "string" },
    /** The folder with our module that searches vectors, once for each of its builds. */
    wasm: { type: "string" },
    /** The folder that caches brotli's lengths. */
    brotli: { type: "string" },
    reps: { type: "string", default: "3" },
    /** Engines, and numbers of chunks, for search by words and by meaning. */
    words: { type: "string", multiple: true, default: [] },
    "words-n": { type: "string", multiple: true, default: [] },
    meaning: { type: "string", multiple: true, default: [] },
    "meaning-n": { type: "string", multiple: true, default: [] },
  },
});

const here = import.meta.dirname;
const modules = path.join(here, "node_modules");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-bench-search-"));
const { ours, wasm, corpus } = options;
const host = await serve({ bench: here, modules, ours, wasm, corpus, scratch }, { writable: "scratch" });
const say = (text) => process.stderr.write(`${text}\n`);

const PACKAGES = { pagefind: "pagefind", minisearch: "minisearch", orama: "@orama/orama", hnswlib: "hnswlib-wasm", voy: "voy-search" };

function version(engine) {
  if (!PACKAGES[engine]) return undefined;
  return JSON.parse(fs.readFileSync(path.join(modules, PACKAGES[engine], "package.json"), "utf8")).version;
}

/** Opens a page in a browser of its own, with the engine's module from the folder of its kind of search; `said` gets its errors. */
async function openPage(kind, engine, values = {}, said = []) {
  const browser = await launch();
  const page = await browser.newPage();
  page.on("pageerror", (error) => say(`${engine}: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  await page.goto(`${host.origin}/bench/${kind}/page.html`);
  await page.waitForFunction(() => "search" in globalThis);
  host.sent.length = 0;
  const start = ([module, given]) => search.start(module, given);
  await page.evaluate(start, [`/bench/${kind}/${engine}.mjs`, { modules: "/modules", ...values }]);
  return { browser, page };
}

const rows = { report: reporter(process.stdout), skip: skipper(process.stdout) };
const context = { host, options, scratch, ...rows, say, openPage, version };
try {
  const words = byWords(context);
  for (const n of options["words-n"]) for (const engine of options.words) await words(engine, n);
  // The bytes that a site of 10,000 pages costs its reader; only ours is built from pages.
  if (options.words.includes("anchorite")) await words("anchorite", "pages");
  if (options.meaning.length > 0) {
    const { relaxed } = await describeBrowser();
    const meaning = byMeaning({ ...context, kernel: relaxed ? "relaxed-simd" : "simd128" });
    for (const n of options["meaning-n"]) await meaning(options.meaning, n);
  }
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  await closeBrowsers();
  host.close();
  fs.rmSync(scratch, { recursive: true, force: true });
}
