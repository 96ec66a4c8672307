// Turns a checkout into sites to test: one on the double, one on the real package and a real bundle of the user guide.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fakeSite } from "./fake-bundle.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "../..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-browser-"));
process.on("exit", () => fs.rmSync(scratch, { recursive: true, force: true }));

/** The folder of the demo's bundle: the documents are a site of its own, below the page. */
export const BUNDLE = "pages/anchorite/";

/** The time for loading and one answer on a slow machine with a software GPU. */
export const PATIENCE_MS = Number(process.env.ANCHORITE_PATIENCE_MS ?? 120_000);

const run = (program, ...args) => execFileSync(program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });

/**
 * The page on the double: seconds to build, for tests of what the page does with an engine's answers.
 * A site is `{ name, roots, answerable, unanswerable, query }`: folders to serve, and what to ask there.
 */
export function doubleSite() {
  const dist = path.join(scratch, "double-dist");
  const site = path.join(scratch, "double-site");
  run("node", "www/build.mjs", "--pkg", path.join(here, "fake-pkg"), "--out", dist);
  fakeSite(path.join(here, "fixtures"), site);
  describeSite(site, "What causes the tides?");
  return {
    name: "double",
    roots: [dist, site],
    query: { text: "tides", page: "pages/tides.html" },
    answerable: "What causes the tides?",
    unanswerable: "Who wrote the Brandenburg concertos?",
  };
}

/** A program in the target folder, such as `anchorite`; null when it is not built. */
export function built(name) {
  const program = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug", name);
  return fs.existsSync(program) ? program : null;
}

/** The page on the real package, and the command line in the target folder; null when those are missing. */
function realPackage() {
  const program = built("anchorite");
  if (!fs.existsSync(path.join(root, "www/pkg/simd128/anchorite_answers_bg.wasm")) || !program) return null;
  run("node", "www/build.mjs");
  return { dist: path.join(root, "www/dist"), program };
}

/** The page on the real package with a site of these `pages`, texts by name. Null when the package is missing. */
export function deployedSite(pages) {
  const real = realPackage();
  if (!real) return null;
  const site = path.join(scratch, "deployed-site");
  for (const [name, text] of Object.entries(pages)) {
    fs.mkdirSync(path.dirname(path.join(site, name)), { recursive: true });
    fs.writeFileSync(path.join(site, name), text);
  }
  run(real.program, "build", "--site", site, "--json", "--no-calibration", "--bundle", path.join(site, "bundle"));
  return { roots: [real.dist, site] };
}

/**
 * The page on the real package with the user guide. `ANCHORITE_SITE` names a folder that `cargo xtask demo` put together;
 * without it, the folder is made here from `www/dist` and the command line in the target folder. Null if those are missing.
 */
export function realSite() {
  const about = {
    name: "real",
    query: { text: "opens the chat", page: "adding-chat.html" },
    answerable: "Which key combination opens the chat?",
    unanswerable: "Who wrote the Brandenburg concertos?",
  };
  if (process.env.ANCHORITE_SITE) return { ...about, roots: [process.env.ANCHORITE_SITE] };
  const real = realPackage();
  if (!real) return null;
  const { dist, program } = real;
  const site = path.join(scratch, "real-site");
  if (!fs.existsSync(site)) {
    const models = knownModels("script");
    if (!models) return null;
    buildGuide(program, models, ["adapter.gguf"], site);
    describeSite(site, about.answerable);
  }
  return { ...about, roots: [dist, site] };
}

/** Builds the user guide's bundle with the model whose text is known, and some of its adapters. */
function buildGuide(program, models, adapters, site) {
  const weights = ["--generator", path.join(models, "generator.gguf"), ...adapters.flatMap((name) => ["--adapter", path.join(models, name)])];
  // Calibration takes most of a build, and no test here uses the site's own threshold.
  run(program, "build", "docs", "--json", "--no-calibration", ...weights, "--out", path.join(site, "pages"));
}

/** As `realSite`, with two voices: `Calm` writes what the model writes, `Brisk` another text. */
export function voicesSite() {
  const real = realPackage();
  const models = real && knownModels("script");
  if (!models) return null;
  const site = path.join(scratch, "voices-site");
  if (!fs.existsSync(site)) {
    buildGuide(real.program, models, ["calm.gguf", "brisk.gguf"], site);
    describeSite(site, "Which key combination opens the chat?");
  }
  return { name: "voices", roots: [real.dist, site], answerable: "Which key combination opens the chat?" };
}

/** The folder with a model whose text is known, as `write_models` makes it. Null if it cannot be made. */
function knownModels(name) {
  const writer = built("examples/write_models");
  const models = path.join(scratch, "known", name);
  if (!fs.existsSync(models) && writer) run(writer, models, name);
  return fs.existsSync(models) ? models : null;
}

/**
 * The page on the real package with a generator whose text is known: `stories260K`, `mixed` or `smollm2`, as `write_models`
 * makes them. The site also has that `text`. Null if it cannot be made.
 */
export function knownSite(name) {
  const models = knownModels(name);
  if (!models || !fs.existsSync(path.join(root, "www/dist/anchorite_answers_bg.wasm"))) return null;
  const site = path.join(scratch, `${name}-site`);
  run(built("anchorite"), "build", path.join(here, "fixtures"), "--no-calibration", "--models", models, "--bundle", path.join(site, BUNDLE));
  const question = "What causes the tides?";
  describeSite(site, question);
  return {
    name,
    roots: [path.join(root, "www/dist"), site],
    answerable: question,
    text: fs.readFileSync(path.join(models, "text.txt"), "utf8"),
  };
}

/** The texts that `cargo xtask demo` writes next to the page. */
function describeSite(folder, question) {
  fs.writeFileSync(path.join(folder, "demo.json"), JSON.stringify({ title: "Ask the tests", questions: [question] }));
}

/**
 * Opens the demo and watches it: `problems` collects everything that a faultless page would not log. Without `relaxed` the
 * page believes that its browser has no relaxed SIMD.
 */
export async function visit(
  browser,
  address,
  { context = null, query = "", viewport = { width: 1100, height: 900 }, relaxed = true } = {},
) {
  const mine = context ?? (await browser.newContext({ viewport }));
  const page = await mine.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems = [];
  const origin = new URL(address).origin;
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(`console: ${message.text()}`);
  });
  mine.on("request", (request) => {
    if (!request.url().startsWith(origin)) problems.push(`third party: ${request.url()}`);
  });
  if (!relaxed) await page.addInitScript(() => (WebAssembly.validate = () => false));
  await page.goto(address + query);
  return { page, context: mine, problems };
}

/** Waits until every rung has ended, well or not, and the page asks for nothing more. */
export async function settle(page) {
  await page.waitForSelector("anchorite-chat[data-state=ready], anchorite-chat[data-state=error]");
  await page.waitForSelector("html[data-state=ready]", { state: "attached" });
}

/** The parts of the engine's state that tests look at. */
export function engineState(page) {
  return page.evaluate(async () => {
    const engine = await document.querySelector("anchorite-chat").engine;
    const { rungs, backend, offline, bytes, manifest } = engine.state;
    return { rungs, backend, offline, bytes, manifest };
  });
}

/** Asks through the chat's own field and waits for the end. Returns the event's detail. */
export async function askInChat(page, question) {
  await page.evaluate(() => {
    globalThis.heard = new Promise((resolve) => {
      for (const type of ["anchorite-answer", "anchorite-error"]) {
        document.addEventListener(type, (event) => resolve({ type, detail: event.detail }), { once: true });
      }
    });
  });
  await page.fill("anchorite-chat textarea", question);
  await page.press("anchorite-chat textarea", "Enter");
  const heard = await page.evaluate(() => globalThis.heard);
  await page.waitForSelector("anchorite-chat[data-asking=false]");
  return heard;
}

/** True if the page behind `url` has the anchor that it names; fetched from here, not by the browser. */
export async function anchorExists(url) {
  const address = new URL(url);
  const anchor = decodeURIComponent(address.hash.slice(1).split(":~:")[0]);
  const response = await fetch(address.origin + address.pathname);
  if (!response.ok) return false;
  if (!anchor) return true;
  const html = await response.text();
  const names = [...html.matchAll(/\s(?:id|name)=(?:"([^"]*)"|'([^']*)'|([^\s>]+))/g)].map((match) => match[1] ?? match[2] ?? match[3]);
  const plain = names.map((name) => name.replace(/&amp;/g, "&").replace(/&#39;|&#x27;/g, "'").replace(/&quot;/g, '"'));
  return plain.includes(anchor);
}

/** A file of the bundle by its role. */
export function partOf(site, role, idx = 0) {
  const manifest = site.roots.map((folder) => path.join(folder, BUNDLE, "manifest.json")).find((file) => fs.existsSync(file));
  const { files } = JSON.parse(fs.readFileSync(manifest, "utf8"));
  return `${BUNDLE}${files.find((file) => file.role === role).parts[idx].path}`;
}
