// Turns the folder of a built site into its pages as Pagefind and as we index them.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";

/** Each fragment opens with this, so that a browser which unpacked it knows. */
const FRAGMENT_MARK = "pagefind_dcd";

/**
 * The address of a page without what engines differ in: a slash in front, `index.html`.
 * @param {string} url
 */
function key(url) {
  return url.replace(/^\//, "").replace(/(^|\/)index\.html$/, "$1");
}

/**
 * Runs Pagefind and reads the texts of its fragments.
 * @param {string} site the built site
 * @param {string} scratch an empty folder for the index
 * @param {{ root?: string, exclude?: string }} selectors what counts as the page, and what to pass over
 * @returns {Map<string, string>} texts by address
 */
export function pagefindPages(site, scratch, { root, exclude } = {}) {
  const program = path.join(import.meta.dirname, "node_modules/pagefind/lib/runner/bin.cjs");
  const options = ["--site", site, "--output-path", scratch, "--silent"];
  if (root) options.push("--root-selector", root);
  if (exclude) options.push("--exclude-selectors", exclude);
  execFileSync(process.execPath, [program, ...options], { stdio: ["ignore", "ignore", "inherit"] });
  const folder = path.join(scratch, "fragment");
  const fragments = fs.readdirSync(folder).map((name) => {
    const text = gunzipSync(fs.readFileSync(path.join(folder, name))).toString("utf8");
    if (!text.startsWith(FRAGMENT_MARK)) throw new Error(`\`${name}\` is no fragment of Pagefind: it opens with \`${text.slice(0, 12)}\``);
    return JSON.parse(text.slice(FRAGMENT_MARK.length));
  });
  return new Map(fragments.map(({ url, content }) => [key(url), content]));
}

/**
 * Reads our texts from the chunks that a build indexes, and has a build say how many pages it takes.
 * @param {string} anchorite the program
 * @param {string} site the built site
 * @param {string} scratch an empty folder
 * @returns {{ pages: Map<string, OurPage>, leftOut: Record<string, number>, isMarked: boolean }}
 *
 * @typedef {object} OurPage
 * @property {string} text its headings and its text
 * @property {string} besides words that are indexed with it, but need not stand in it: its title, a heading that is told again
 */
export function ourPages(anchorite, site, scratch) {
  const run = (args) => execFileSync(anchorite, args, { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  const chunks = path.join(scratch, "chunks.arrow");
  run(["chunk", "--site", site, "--out", chunks]);
  const models = ["--no-generator", "--no-reader", "--no-calibration", "--no-cache"];
  const built = JSON.parse(run(["build", "--site", site, "--out", path.join(scratch, "bundle"), ...models, "--json"]));
  const bySource = new Map();
  for (const row of tableFromIPC(fs.readFileSync(chunks))) {
    if (!bySource.has(row.source)) bySource.set(row.source, []);
    bySource.get(row.source).push(row);
  }
  const isMarked = [...bySource.values()].some(([first]) => first.is_marked);
  const keys = new Set([...bySource.values()].filter(([first]) => !first.copy_of).map(([first]) => first.key));
  // As the last step of a build chooses: where one page is marked only such count, and a copy gives way to its original.
  const counts = ([first]) => (first.is_marked || !isMarked) && !(first.copy_of && keys.has(first.copy_of));
  const pages = new Map([...bySource].filter(([, rows]) => counts(rows)).map(([source, rows]) => [key(source), ourPage(rows)]));
  if (pages.size !== built.documents) throw new Error(`chunks of ${pages.size} pages, but a bundle of ${built.documents}`);
  return { pages, leftOut: built.left_out, isMarked };
}

/** Puts a page together from the rows of its chunks: each heading once, where its section begins. */
function ourPage(rows) {
  const besides = [];
  const text = [];
  let path = [];
  let anchor;
  for (const row of rows.toSorted((a, b) => a.ordinal - b.ordinal)) {
    const headings = [...row.headings];
    const firstNew = headings.findIndex((heading, at) => heading !== path[at]);
    if (firstNew >= 0) text.push(...headings.slice(firstNew));
    // A term that is an anchor goes on under the headings of its list; two sections may also have the same heading.
    else if (row.anchor !== anchor) besides.push(headings.at(-1) ?? "");
    [path, anchor] = [headings, row.anchor];
    // A heading above nothing is the text of its section, too.
    if (row.text !== headings.at(-1)) text.push(withoutMarks(row.text));
  }
  if (!rows.some(({ headings }) => [...headings].includes(rows[0].title))) besides.push(rows[0].title);
  return { text: text.join("\n"), besides: besides.join("\n") };
}

/** Drops what we write beside a page's words: the languages of code, and the numbers of lists. */
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
