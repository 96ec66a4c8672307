// Turns an engine, its kernels and a model into a page in a browser of its own, ready to be timed.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { chromium } from "playwright-core";
import { peakMemory } from "./machine.mjs";

const here = import.meta.dirname;
/** The smallest module that adds an int8 dot product by a relaxed instruction: `i32x4.relaxed_dot_i8x16_i7x16_add_s`. */
const RELAXED_SIMD = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  [0x03, 0x02, 0x01, 0x00],
  [0x0a, 0x13, 0x01, 0x11, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x11, 0xfd, 0x93, 0x02, 0x0b],
].flat();

/** WebGPU on SwiftShader. `ANCHORITE_GPU_ARGS` replaces that adapter's flag on a machine with a real one. */
const WEBGPU = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  ...(process.env.ANCHORITE_GPU_ARGS ?? "--use-webgpu-adapter=swiftshader").split(" ").filter(Boolean),
];

const browsers = new Set();

/** Starts a browser whose pages can reach only this machine. */
export async function launch(args = []) {
  const browser = await chromium.launch({
    executablePath: process.env.ANCHORITE_CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-extensions",
      "--disable-sync",
      // Pages take turns, and must not be throttled while they wait.
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...args,
    ],
  });
  browsers.add(browser);
  browser.on("disconnected", () => browsers.delete(browser));
  return browser;
}

/** Closes the browsers that are still open, so that the process can end. */
export async function closeBrowsers() {
  await Promise.all([...browsers].map((browser) => browser.close()));
}

/** The browser's version, and whether it has relaxed SIMD. */
export async function describeBrowser() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const relaxed = await page.evaluate((bytes) => WebAssembly.validate(new Uint8Array(bytes)), RELAXED_SIMD);
    return { version: browser.version(), relaxed };
  } finally {
    await browser.close();
  }
}

/** The version of an engine's package. */
export function versionOf(engine) {
  const names = { wllama: "@wllama/wllama", transformers: "@huggingface/transformers" };
  const file = path.join(here, "node_modules", names[engine], "package.json");
  return JSON.parse(fs.readFileSync(file, "utf8")).version;
}

/**
 * Opens a page and loads an engine in it. Returns `call` for the engine's functions, and `facts`: seconds to load and to
 * fetch the weights alone, bytes of weights and code.
 */
export async function open(host, engine, options, brotliCache) {
  const isGpu = options.device === "webgpu";
  const browser = await launch(isGpu ? WEBGPU : []);
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${engine}: ${error.message}\n`));
    await page.goto(`${host.origin}/bench/page.html`);
    await page.waitForFunction(() => "bench" in globalThis);
    const file = options.file ?? options.weights;
    const fetch_s = (await page.evaluate((url) => bench.fetch(url), file)) / 1000;
    host.sent.length = 0;
    const loaded = await page.evaluate(([module, values]) => bench.load(module, values), [`/bench/engines/${engine}.mjs`, options]);
    const bytes = count(host.sent, brotliCache);
    const session = await browser.newBrowserCDPSession();
    return {
      about: loaded.about,
      facts: { load: loaded.ms / 1000, fetch: fetch_s, ...bytes },
      call: (name, ...values) => page.evaluate(([called, given]) => bench.call(called, ...given), [name, values]),
      async peak() {
        const { processInfo } = await session.send("SystemInfo.getProcessInfo");
        const peakOf = (kind) => peakMemory(processInfo.filter(({ type }) => type === kind).map(({ id }) => id));
        // A page's graphics memory belongs to another process.
        return peakOf("renderer") + (isGpu ? peakOf("GPU") : 0);
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Bytes downloaded for an engine: weights as sent, and code, counted once, as stored and as a host would compress it. */
function count(sent, brotliCache) {
  const isCode = ({ folder, file }) => folder === "ours" || file.includes("node_modules");
  const isWeights = ({ folder }) => ["models", "real", "shipped"].includes(folder);
  const code = [...new Set(sent.filter(isCode).map(({ file }) => file))];
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return {
    weights: sum(sent.filter(isWeights).map(({ n_bytes }) => n_bytes)),
    code: sum(code.map((file) => fs.statSync(file).size)),
    code_brotli: sum(code.map((file) => brotliLength(file, brotliCache))),
  };
}

/** Above this size, brotli's best quality takes minutes, so larger files get the best of the quick ones. */
const LARGE_BYTES = 48 << 20;

/** The length after brotli at its best, which takes a minute for the largest runtime, so it is cached by the content's hash. */
export function brotliLength(file, cache) {
  const bytes = fs.readFileSync(file);
  const kept = path.join(cache, crypto.createHash("sha256").update(bytes).digest("hex"));
  if (fs.existsSync(kept)) return Number(fs.readFileSync(kept, "utf8"));
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY } = zlib.constants;
  const quality = bytes.length > LARGE_BYTES ? 9 : 11;
  const { length } = zlib.brotliCompressSync(bytes, { params: { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_LGWIN]: 24 } });
  fs.mkdirSync(cache, { recursive: true });
  fs.writeFileSync(kept, String(length));
  return length;
}
