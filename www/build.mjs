// Turns the TypeScript and the wasm package into `dist/`: static files that work in any folder of any host.
// Usage: node build.mjs [--pkg DIR] [--out DIR]; prints one JSON line for each file: raw and gzip bytes.
//        node build.mjs --list; prints the names of the files that a site uploads, and writes nothing.
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
    list: { type: "boolean", default: false },
  },
});

/** The scripts that run a module: the entry to build, and the names of script and module. */
const scripts = [
  { entry: "src/engine/worker.ts", script: "anchorite-worker", name: "anchorite_answers" },
  { entry: "src/engine/search-worker.ts", script: "anchorite-search-worker", name: "anchorite_search" },
  { entry: "src/engine/embedder.ts", script: "anchorite-embedder", name: "anchorite_embedder" },
];

/** The modules that a page chooses from, by their folder in the package; the tests' double has none, and stands for all. */
const modules = [
  { folder: "simd128", dash: "", low: "" },
  { folder: "relaxed-simd", dash: "-relaxed", low: "_relaxed" },
].flatMap(({ folder, dash, low }) =>
  scripts.map(({ entry, script, name }) => {
    const named = path.resolve(values.pkg, folder);
    const source = fs.existsSync(named) ? path.join(named, name) : path.resolve(values.pkg, "anchorite_answers");
    const embedder = `./anchorite-embedder${dash}.js`;
    return { entry, script: `${script}${dash}`, wasm: `${name}${low}_bg.wasm`, embedder, glue: `${source}.js`, source: `${source}_bg.wasm` };
  }),
);
/** The scripts that a page loads. */
const pages = { anchorite: "src/index.ts", "anchorite-engine": "src/engine/index.ts", "anchorite-search": "src/search.ts" };
/** The scripts that load the elements from `anchorite.js`, as a site would: one copy of them on a page. */
const guests = { "anchorite-widget": "src/widget.ts", demo: "demo/demo.ts" };
/** The sentences of each language but English, which pages in that language load. */
const catalogues = fs.readdirSync(path.join(here, "src/elements/messages"))
  .map((file) => path.basename(file, ".ts"))
  .filter((language) => language !== "en")
  .map((language) => `messages/${language}`);
if (values.list) {
  const scripts = [...Object.keys(pages), "anchorite-widget", ...modules.map(({ script }) => script), ...catalogues];
  console.log([...scripts.map((script) => `${script}.js`), ...modules.map(({ wasm }) => wasm)].join("\n"));
  process.exit(0);
}
for (const file of modules.flatMap(({ glue, source }) => [glue, source])) {
  if (!fs.existsSync(file)) {
    console.error(`error: wasm package is incomplete: \`${file}\` is missing\nhint: run \`cargo xtask wasm\` first`);
    process.exit(2);
  }
}

/** Everything that the page itself needs apart from its module, so that the service worker can keep it. */
const SHELL = [
  "./",
  "anchorite.js",
  "demo.js",
  "demo.css",
  "demo.json",
  "icon.svg",
];

const { build } = await import("esbuild");
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

/** Leaves the catalogues out of the scripts, which import them by these names when a page needs one. */
const apart = {
  name: "catalogues-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/messages\/\w+\.js$/ }, ({ path: name }) => (name === "./messages/en.js" ? null : { path: name, external: true }));
  },
};

fs.rmSync(values.out, { recursive: true, force: true });
fs.mkdirSync(values.out, { recursive: true });
await Promise.all([
  build({ ...shared, entryPoints: pages, plugins: [squeeze, apart] }),
  build({ ...shared, charset: "utf8", entryPoints: Object.fromEntries(catalogues.map((name) => [name, `src/elements/${name}.ts`])) }),
  ...modules.map(({ script, entry, wasm, embedder, glue }) =>
    build({
      ...shared,
      entryPoints: { [script]: entry },
      alias: { "#pkg": glue, "#pkg-search": glue, "#pkg-embedder": glue },
      define: { MODULE: JSON.stringify(wasm), EMBEDDER: JSON.stringify(embedder) },
      // Fetched on demand, from the worker's folder.
      external: [embedder],
      // The glue is generated; its own `new URL` is never reached, because the worker names the file itself.
      logOverride: { "empty-import-meta": "silent" },
    }),
  ),
  build({
    ...shared,
    entryPoints: guests,
    plugins: [
      {
        name: "share-elements",
        setup({ onResolve }) {
          onResolve({ filter: /^\.\.?\/(src\/)?index\.js$/ }, () => ({ path: "./anchorite.js", external: true }));
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
for (const file of fs.readdirSync(values.out, { recursive: true }).sort()) {
  if (fs.statSync(path.join(values.out, file)).isDirectory()) continue;
  const bytes = fs.readFileSync(path.join(values.out, file));
  console.log(JSON.stringify({ file, bytes: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length }));
}
