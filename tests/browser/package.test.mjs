// Checks the package as another project gets it: its files, its entry points, and their types.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { esbuild } from "./source.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const www = path.join(here, "../../www");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-package-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const run = (program, ...args) => execFileSync(program, args, { cwd: www, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const tsc = path.join(www, "node_modules/typescript/bin/tsc");

// The files that `npm publish` would send, from a build on the double.
const source = path.join(scratch, "source");
const consumer = path.join(scratch, "consumer");
const installed = path.join(consumer, "node_modules/anchorite");
fs.mkdirSync(source);
fs.copyFileSync(path.join(www, "package.json"), path.join(source, "package.json"));
run("node", "build.mjs", "--pkg", path.join(here, "fake-pkg"), "--out", path.join(source, "dist"));
run("node", tsc, "--project", "tsconfig.types.json", "--outDir", path.join(source, "dist/types"));
const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--update-notifier=false"], { cwd: source, stdio: ["ignore", "pipe", "ignore"] }));
const packed = files.map((file) => file.path).sort();
for (const file of packed) fs.cpSync(path.join(source, file), path.join(installed, file));
// Dependencies, as npm would install them.
fs.symlinkSync(path.join(www, "node_modules/lit"), path.join(consumer, "node_modules/lit"));

const read = (file) => fs.readFileSync(path.join(installed, file), "utf8");
const { exports } = JSON.parse(read("package.json"));

test("the package has its entry points, the scripts and modules that a site serves, and declarations", () => {
  assert.deepEqual(Object.keys(exports), [".", "./engine", "./search", "./widget"]);
  for (const [entry, { types, default: script }] of Object.entries(exports)) {
    for (const file of [types, script]) assert.ok(packed.includes(file.slice(2)), `${entry}: ${file} is not in the package`);
  }
  const served = run("node", "build.mjs", "--list").trim().split("\n").map((file) => `dist/${file}`);
  const rest = packed.filter((file) => !/^dist\/types\/.*\.d\.ts$|\.LEGAL\.txt$/.test(file));
  assert.deepEqual(rest, [...served, "package.json"].sort());
});

test("the engine's entry defines no element, and the others define theirs", () => {
  const defined = (text) => [...text.matchAll(/customElements\.define\("([^"]+)"/g)].map(([, name]) => name).sort();
  const elements = path.join(www, "src/elements");
  const all = fs.readdirSync(elements).filter((file) => file.endsWith(".ts")).flatMap((file) => defined(fs.readFileSync(path.join(elements, file), "utf8"))).sort();
  assert.ok(all.includes("anchorite-chat"), `elements in the sources: ${all}`);
  assert.deepEqual(defined(read("dist/anchorite.js")), all);
  assert.deepEqual(defined(read("dist/anchorite-search.js")), ["anchorite-search"]);
  assert.doesNotMatch(read("dist/anchorite-engine.js"), /customElements\.define/);
});

test("the engine's entry can be imported where there is no page", async () => {
  const engine = await import(pathToFileURL(path.join(installed, "dist/anchorite-engine.js")).href);
  assert.deepEqual(Object.keys(engine).sort(), ["Anchorite", "AnchoriteError"]);
});

test("a bundler drops the engine's entry if nothing of it is used, and keeps the elements", async () => {
  const bundle = async (code) => {
    const stdin = { contents: code, resolveDir: consumer };
    const { outputFiles } = await esbuild.build({ stdin, bundle: true, format: "esm", write: false, logLevel: "silent" });
    return outputFiles[0].text;
  };
  assert.equal((await bundle('import "anchorite/engine";')).trim(), "");
  for (const entry of ["anchorite", "anchorite/search"]) assert.match(await bundle(`import "${entry}";`), /customElements\.define/);
});

test("declarations import only each other and Lit", () => {
  const declarations = packed.filter((file) => file.endsWith(".d.ts"));
  assert.ok(declarations.length > 0);
  for (const file of declarations) {
    const text = read(file);
    assert.doesNotMatch(text, /#pkg/, file);
    const imported = [...text.matchAll(/(?:^(?:import|export)\b[^;"]*\bfrom |^import |\bimport\()"([^"]+)"/gm)].map(([, name]) => name);
    for (const name of imported) {
      if (/^lit(\/|$)/.test(name)) continue;
      assert.match(name, /^\.\.?\//, `${file} imports ${name}`);
      const target = path.join(path.dirname(file), name.replace(/\.js$/, ".d.ts"));
      assert.ok(packed.includes(target), `${file} imports ${name}, which is not in the package`);
    }
  }
});

/** Code of a project that uses everything once; a line that must not compile follows each `@ts-expect-error`. */
const CONSUMER = `import { Anchorite, AnchoriteChat, AnchoriteSearch, type Answer } from "anchorite";
import { Anchorite as Engine, AnchoriteError, type AnswerEvent, type Hit, type Sort } from "anchorite/engine";
import { AnchoriteSearch as SearchAlone } from "anchorite/search";

export async function ask(question: string): Promise<Answer> {
  const engine = await Anchorite.open("bundle/", { backend: "cpu" });
  return engine.ask(question, { onEvent: (event: AnswerEvent) => console.log(event.kind) });
}
export async function search(query: string, sort: Sort): Promise<readonly Hit[]> {
  try {
    const engine = await Engine.open(new URL("https://host.test/bundle/"), { backend: "none" });
    return await engine.search(query, { limit: 3, sort });
  } catch (error) {
    if (error instanceof AnchoriteError) console.log(error.code, error.hint);
    throw error;
  }
}
export const chat: HTMLElement = new AnchoriteChat();
export const limits: number[] = [new AnchoriteSearch().limit, new SearchAlone().limit];

// @ts-expect-error An engine is opened, not constructed.
new Engine();
// @ts-expect-error Limits are numbers.
void Engine.shared("bundle/").search("query", { limit: "3" });
// @ts-expect-error The search entry has no chat.
export type { AnchoriteChat as Missing } from "anchorite/search";
// @ts-expect-error The engine's entry has no element.
export type { AnchoriteSearch as Absent } from "anchorite/engine";
`;

for (const [module, moduleResolution] of [["NodeNext", "NodeNext"], ["ESNext", "Bundler"]]) {
  test(`an empty project compiles against all three entry points (${moduleResolution})`, () => {
    const options = { target: "ES2022", lib: ["ES2023", "DOM", "DOM.Iterable"], module, moduleResolution, strict: true, noEmit: true, types: [], skipLibCheck: false };
    fs.writeFileSync(path.join(consumer, "package.json"), JSON.stringify({ type: "module" }));
    fs.writeFileSync(path.join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }));
    fs.writeFileSync(path.join(consumer, "consumer.ts"), CONSUMER);
    const { status, stdout } = spawnSync("node", [tsc, "--project", consumer], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
}
