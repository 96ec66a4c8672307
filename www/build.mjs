// Turns the TypeScript and the wasm package into `dist/`: static files that work in any folder of any host.
// Usage: node build.mjs [--pkg DIR] [--out DIR]; prints one JSON line for each file: raw and gzip bytes.
import { build } from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import zlib from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    pkg: { type: "string", default: path.join(here, "pkg") },
    out: { type: "string", default: path.join(here, "dist") },
  },
});

/** The modules that a page chooses from, by their folder in the package; the tests' double has none, and stands for all. */
const modules = [
  { folder: "simd128", name: "anchorite_web", worker: "anchorite-worker", wasm: "anchorite_web_bg.wasm" },
  { folder: "relaxed-simd", name: "anchorite_web", worker: "anchorite-worker-relaxed", wasm: "anchorite_web_relaxed_bg.wasm" },
  { folder: "simd128", name: "anchorite_search", worker: "anchorite-search-worker", wasm: "anchorite_search_bg.wasm" },
  { folder: "relaxed-simd", name: "anchorite_search", worker: "anchorite-search-worker-relaxed", wasm: "anchorite_search_relaxed_bg.wasm" },
].map((module) => {
  const named = path.resolve(values.pkg, module.folder);
  const source = fs.existsSync(named) ? path.join(named, module.name) : path.resolve(values.pkg, "anchorite_web");
  const entry = module.name === "anchorite_search" ? "src/engine/search-worker.ts" : "src/engine/worker.ts";
  return { ...module, entry, glue: `${source}.js`, source: `${source}_bg.wasm` };
});
for (const file of modules.flatMap(({ glue, source }) => [glue, source])) {
  if (!fs.existsSync(file)) {
    console.error(`error: wasm package is incomplete: \`${file}\` is missing\nhint: run \`cargo xtask wasm\` first`);
    process.exit(2);
  }
}

/** Whatever the page itself needs beside its module, so that the service worker can keep it. */
const SHELL = [
  "./",
  "anchorite.js",
  "demo.js",
  "demo.css",
  "demo.json",
  "icon.svg",
];

const shared = {
  bundle: true,
  format: "esm",
  platform: "browser",
  target: ["chrome123", "firefox128", "safari18"],
  minify: true,
  legalComments: "linked",
  outdir: values.out,
  absWorkingDir: here,
  logLevel: "warning",
};

/** Lit prints its templates with the whitespace of the source; nothing in ours depends on line breaks. */
const squeeze = {
  name: "squeeze-templates",
  setup({ onLoad }) {
    onLoad({ filter: /src\/elements\/.*\.ts$/ }, async ({ path: file }) => ({
      loader: "ts",
      contents: (await fs.promises.readFile(file, "utf8")).replace(/\n\s+/g, "\n"),
    }));
  },
};

fs.rmSync(values.out, { recursive: true, force: true });
fs.mkdirSync(values.out, { recursive: true });
await Promise.all([
  build({ ...shared, entryPoints: { anchorite: "src/index.ts", "anchorite-search": "src/search.ts" }, plugins: [squeeze] }),
  ...modules.map(({ worker, entry, wasm, glue }) =>
    build({
      ...shared,
      entryPoints: { [worker]: entry },
      alias: { "#pkg": glue, "#pkg-search": glue },
      define: { MODULE: JSON.stringify(wasm) },
      // The glue is generated; its own `new URL` is never reached, for the worker names the file itself.
      logOverride: { "empty-import-meta": "silent" },
    }),
  ),
  build({
    ...shared,
    entryPoints: { demo: "demo/demo.ts" },
    // One copy of the elements on the page: the demo imports the same file that a site would.
    plugins: [
      {
        name: "share-elements",
        setup({ onResolve }) {
          onResolve({ filter: /src\/index\.js$/ }, () => ({ path: "./anchorite.js", external: true }));
        },
      },
    ],
  }),
  build({
    ...shared,
    entryPoints: { "anchorite-offline": "src/offline/service-worker.ts" },
    define: { SHELL: JSON.stringify(SHELL) },
  }),
]);
for (const { wasm, source } of modules) fs.copyFileSync(source, path.join(values.out, wasm));
for (const file of ["index.html", "demo.css", "icon.svg"]) {
  fs.copyFileSync(path.join(here, "demo", file), path.join(values.out, file));
}
for (const file of fs.readdirSync(values.out).sort()) {
  const bytes = fs.readFileSync(path.join(values.out, file));
  console.log(JSON.stringify({ file, bytes: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length }));
}
