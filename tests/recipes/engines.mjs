// Turns the folder of a built site into its pages, once as Pagefind indexes them and once as we do.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";

/** Each fragment opens with this, which tells that it is already decompressed. */
const FRAGMENT_MARK = "pagefind_dcd";

/** Maximum bytes of a program's output. */
const MAX_OUTPUT = 1 << 26;

/** A failure whose message says what to do about it. */
export class Wrong extends Error {}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {(stderr: string) => boolean} isFine true if the output of a failed program shows a failure that doesn't matter here
 * @returns {{ stdout: string, stderr: string }}
 */
export function run(program, args, isFine = () => false) {
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT,
  });
  if (error?.code === "ENOENT") throw new Wrong(`\`${program}\` is not there`);
  if (error) throw new Wrong(`\`${program}\` could not be run: ${error.message}`);
  if (status !== 0 && !isFine(stderr))
    throw new Wrong(`\`${[program, ...args].join(" ")}\` failed: ${signal ?? status}\n${stderr.trim()}`);
  return { stdout, stderr };
}

/**
 * The address of a page without the parts in which engines differ: a leading slash, and `index.html`.
 * @param {string} url
 */
function key(url) {
  return url.replace(/^\//, "").replace(/(^|\/)index\.html$/, "$1");
}

/**
 * Runs Pagefind and reads the texts of its fragments.
 * @param {string} site the built site
 * @param {string} scratch an empty folder for the index
 * @param {{ root?: string, exclude?: string }} selectors the part that counts as the page, and the parts to ignore
 * @returns {Map<string, string>} texts by address
 */
export function pagefindPages(site, scratch, { root, exclude } = {}) {
  const program = path.join(import.meta.dirname, "node_modules/pagefind/lib/runner/bin.cjs");
  const options = ["--site", site, "--output-path", scratch, "--silent"];
  if (root) options.push("--root-selector", root);
  if (exclude) options.push("--exclude-selectors", exclude);
  run(process.execPath, [program, ...options], (stderr) => stderr.includes("not able to build an index"));
  const folder = path.join(scratch, "fragment");
  // It writes nothing if there is nothing to index.
  if (!fs.existsSync(folder)) return new Map();
  const fragments = fs.readdirSync(folder).map((name) => {
    const text = gunzipSync(fs.readFileSync(path.join(folder, name))).toString("utf8");
    if (!text.startsWith(FRAGMENT_MARK))
      throw new Wrong(`\`${name}\` is no fragment of Pagefind: it opens with \`${text.slice(0, 12)}\``);
    return JSON.parse(text.slice(FRAGMENT_MARK.length));
  });
  return new Map(fragments.map(({ url, content }) => [key(url), content]));
}

/**
 * Reads our texts from the chunks that a build indexes, and has a build report how many pages it accepts.
 * @param {string} anchorite the program
 * @param {string} site the built site
 * @param {string} scratch an empty folder
 * @returns {{ pages: Map<string, OurPage>, leftOut: Record<string, number>, isMarked: boolean }}
 *
 * @typedef {object} OurPage
 * @property {string} text its headings and its text
 * @property {string} besides words indexed with the page that need not be in its text: its title, a repeated heading
 */
export function ourPages(anchorite, site, scratch) {
  const chunks = path.join(scratch, "chunks.arrow");
  const { stderr } = run(anchorite, ["chunk", "--site", site, "--out", chunks]);
  const bySource = new Map();
  for (const row of tableFromIPC(fs.readFileSync(chunks))) {
    if (!bySource.has(row.source)) bySource.set(row.source, []);
    bySource.get(row.source).push(row);
  }
  if (bySource.size === 0) {
    const [, n] = stderr.match(/(\d+) page\(s\) left out/) ?? [];
    return { pages: new Map(), leftOut: { pages: Number(n ?? 0) }, isMarked: false };
  }
  const isMarked = [...bySource.values()].some(([first]) => first.is_marked);
  const keys = new Set([...bySource.values()].filter(([first]) => !first.copy_of).map(([first]) => first.key));
  // The last step of a build chooses likewise: if any page is marked, only marked ones count, and a copy gives way to its original.
  const counts = ([first]) => (first.is_marked || !isMarked) && !(first.copy_of && keys.has(first.copy_of));
  const pages = new Map(
    [...bySource].filter(([, rows]) => counts(rows)).map(([source, rows]) => [key(source), ourPage(rows)]),
  );
  const models = ["--no-generator", "--no-reader", "--no-calibration", "--no-cache"];
  const { stdout } = run(anchorite, [
    "build",
    "--site",
    site,
    "--bundle",
    path.join(scratch, "bundle"),
    ...models,
    "--json",
  ]);
  const built = JSON.parse(stdout);
  if (pages.size !== built.documents)
    throw new Wrong(`chunks of ${pages.size} pages, but a bundle of ${built.documents}`);
  return { pages, leftOut: built.left_out, isMarked };
}

/** Puts a page together from the rows of its chunks: each heading once, where its section begins. */
function ourPage(rows) {
  const besides = [];
  const text = [];
  let above = [];
  let anchor;
  for (const row of rows.toSorted((a, b) => a.ordinal - b.ordinal)) {
    const headings = [...row.headings];
    const firstNew = headings.findIndex((heading, at) => heading !== above[at]);
    if (firstNew >= 0) text.push(...headings.slice(firstNew));
    // A term with an anchor stays under the headings of its list; two sections may also have the same heading.
    else if (row.anchor !== anchor) besides.push(headings.at(-1) ?? "");
    [above, anchor] = [headings, row.anchor];
    // A heading without text below it is also the text of its section.
    if (row.text !== headings.at(-1)) text.push(withoutMarks(row.text));
  }
  if (!rows.some(({ headings }) => [...headings].includes(rows[0].title))) besides.push(rows[0].title);
  return { text: text.join("\n"), besides: besides.join("\n") };
}

/** Drops what we add to a page's words: the languages of code, and the numbers of lists. */
function withoutMarks(text) {
  let fence;
  const lines = text.split("\n").map((line) => {
    const [mark] = line.match(/^`{3,}/) ?? [];
    if (mark && (!fence || line === fence)) {
      fence = fence ? undefined : mark;
      return "";
    }
    return fence ? line : line.replace(/^(\s*(- )?)\d+\. /, "$1");
  });
  return lines.join("\n");
}
