// Turns small sites, built here by their generators, into the words of each page that Pagefind indexes and we don't.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ourPages, pagefindPages, run, Wrong } from "./engines.mjs";
import { beyond, contexts, count, part, words } from "./words.mjs";

const HERE = import.meta.dirname;
const USAGE = `usage: node compare.mjs [--anchorite FILE] [--mdbook FILE] [--built] [NAME..]
       node compare.mjs [--anchorite FILE] --folder DIR [--root SELECTOR]`;

/**
 * The sites, by the name of their folder. Each has its output in `dist`.
 *
 * `root` is Pagefind's `--root-selector`: if a generator's pages carry no marks of their own, a default install would index
 * menus outside of `nav`. Our program gets no such option.
 *
 * @type {Record<string, { package?: string, root?: string }>}
 */
const SITES = {
  // Marks its own pages, and leaves side bars and banners out.
  starlight: { package: "@astrojs/starlight" },
  // The whole body would add the bar with the announcement and the link that skips to the content.
  docusaurus: { package: "@docusaurus/core", root: "main" },
  // The whole body would add the link that skips to the content, the switch of colours and the buttons of a menu.
  vitepress: { package: "vitepress", root: "#VPContent" },
  // Marks its posts by hand, as its authors do.
  eleventy: { package: "@11ty/eleventy" },
  // The whole body would add the list of shortcuts and the names of the colour themes to every page.
  mdbook: { root: "main" },
};

/**
 * Elements that Pagefind indexes but we leave out on purpose, because nobody reads them as content, and why. `isOfUnmarked`
 * says that this holds only for sites that mark nothing: on marked pages we read such elements.
 *
 * Pagefind is told to ignore each in turn, so that a reason excuses no more words than its elements contain.
 *
 * @type {{ selector: string, why: string, isOfUnmarked?: boolean }[]}
 */
const REASONS = [
  {
    selector: "sup > a, [role=doc-noteref], [data-footnote-ref], [data-footnote-backref], .footnote-backref",
    why: "marks of footnotes",
  },
  { selector: ".header-anchor, .hash-link, .sl-anchor-link", why: "links that open the heading they stand in" },
  { selector: ".line-numbers-wrapper, .gutter, .lnt, .linenos", why: "numbers of lines" },
  { selector: "figcaption .sr-only", why: "spoken captions of code that shows none" },
  { selector: ".katex-html, annotation", why: "the second and third form of a formula" },
  { selector: "code .boring", why: "lines of code that the page hides" },
  { selector: "button[class*=copy], [data-clipboard-text], .highlight button", why: "buttons that copy" },
  { selector: "textarea:not([readonly])", why: "fields to write into" },
  { selector: "video, audio, canvas, object", why: "stand-ins for films, sounds and drawings" },
  { selector: ".table-of-contents", why: "contents of the page, which repeat its headings", isOfUnmarked: true },
  { selector: "div > button", why: "buttons in no sentence, which do something to the page", isOfUnmarked: true },
  { selector: "select", why: "choices of a field", isOfUnmarked: true },
  { selector: "[hidden], [style*='display:none']", why: "parts that are hidden for good", isOfUnmarked: true },
];

/** @returns {{ names: string[], folder?: string, root?: string, anchorite: string, mdbook: string, built: boolean }} */
function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        /** Our program. */
        anchorite: { type: "string", default: "anchorite" },
        /** The program that builds books. */
        mdbook: { type: "string", default: "mdbook" },
        /** Reuse sites that were built before. */
        built: { type: "boolean", default: false },
        /** A folder of HTML pages instead of the sites. */
        folder: { type: "string" },
        root: { type: "string" },
      },
    });
  } catch (error) {
    throw new Wrong(`${error.message}\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !Object.hasOwn(SITES, name));
  if (unknown)
    throw new Wrong(`no site is called \`${unknown}\`: there are ${Object.keys(SITES).join(", ")}\n${USAGE}`);
  if (values.folder && positionals.length > 0)
    throw new Wrong(`a folder and names of sites don't go together\n${USAGE}`);
  if (values.root && !values.folder)
    throw new Wrong(`\`--root\` goes with \`--folder\`, for sites have their own\n${USAGE}`);
  if (values.folder && !fs.statSync(values.folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Wrong(`\`${values.folder}\` is no folder`);
  }
  return { ...values, names: positionals.length > 0 ? positionals : Object.keys(SITES) };
}

/** Builds a site into its `dist`, and returns that folder. */
function build(name, { mdbook, built }) {
  const folder = path.join(HERE, name);
  const output = path.join(folder, "dist");
  if (built && fs.existsSync(output)) return output;
  fs.rmSync(output, { recursive: true, force: true });
  const [program, ...args] = SITES[name].package ? ["npm", "run", "build", "--silent"] : [mdbook, "build"];
  if (SITES[name].package && !fs.existsSync(path.join(folder, "node_modules"))) {
    throw new Wrong(`the packages of \`${name}\` are missing: run \`npm ci\` in \`tests/recipes/${name}\``);
  }
  const quiet = { ASTRO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", NO_UPDATE_NOTIFIER: "1" };
  say(`building ${name}`);
  try {
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", 2, 2], env: { ...process.env, ...quiet } });
  } catch (error) {
    throw new Wrong(
      error.code === "ENOENT" ? `\`${program}\` is missing; \`cargo xtask recipes\` says how to get it` : error.message,
    );
  }
  return output;
}

/** The version of a site's generator. */
function version(name, { mdbook }) {
  const { package: generator } = SITES[name];
  if (!generator) return run(mdbook, ["--version"]).stdout.trim().replace(/^\D*/, "");
  const file = path.join(HERE, name, "node_modules", generator, "package.json");
  return JSON.parse(fs.readFileSync(file, "utf8")).version;
}

/**
 * Compares both engines on one site.
 *
 * @param {string} site
 * @param {{ root?: string, anchorite: string }} how
 * @returns {Comparison} the differences between the pages and words of both
 *
 * @typedef {object} Comparison
 * @property {string[]} shared the pages that both have
 * @property {string[]} onlyPagefind
 * @property {string[]} onlyOurs
 * @property {Record<string, number>} leftOut how many pages we leave out, by reason
 * @property {number} words how many words Pagefind has on the shared pages
 * @property {Difference[]} missing words that we lack
 * @property {Difference[]} excused words that we lack for one of {@link REASONS}
 * @property {Difference[]} more words that Pagefind lacks
 *
 * @typedef {{ page: string, word: string, n: number, places: string[], why?: string }} Difference
 */
function compare(site, { root, anchorite }) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-recipes-"));
  const empty = (name) => fs.mkdtempSync(path.join(scratch, name));
  try {
    const theirs = pagefindPages(site, empty("pagefind"), { root });
    const { pages: ours, leftOut, isMarked } = ourPages(anchorite, site, empty("ours"));
    const reasons = REASONS.filter(({ isOfUnmarked }) => !(isOfUnmarked && isMarked));
    const without = reasons.map(({ selector }) => pagefindPages(site, empty("reason"), { root, exclude: selector }));
    const shared = [...theirs.keys()].filter((page) => ours.has(page)).toSorted();
    const found = { words: 0, missing: [], excused: [], more: [] };
    for (const page of shared) {
      const lesser = reasons.map(({ why }, at) => ({ why, text: without[at].get(page) ?? "" }));
      comparePage(page, theirs.get(page), lesser, ours.get(page), found);
    }
    const onlyPagefind = [...theirs.keys()].filter((page) => !ours.has(page)).toSorted();
    const onlyOurs = [...ours.keys()].filter((page) => !theirs.has(page)).toSorted();
    return { shared, onlyPagefind, onlyOurs, leftOut, ...found };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Adds to `found` the words by which a page differs; `lesser` has Pagefind's texts without the elements of each reason. */
function comparePage(page, theirText, lesser, ourPage, found) {
  const ours = words(ourPage.text);
  const known = [...ours, ...words(ourPage.besides)];
  const theirs = part(words(theirText), known);
  found.words += theirs.length;
  const excuses = lesser.map(({ why, text }) => ({ why, words: beyond(theirs, count(part(words(text), known))) }));
  for (const [word, n] of beyond(theirs, count(known))) {
    let left = n;
    for (const excuse of excuses) {
      const taken = Math.min(left, excuse.words.get(word) ?? 0);
      if (taken > 0) found.excused.push({ page, word, n: taken, places: [], why: excuse.why });
      left -= taken;
    }
    if (left > 0) found.missing.push({ page, word, n: left, places: contexts(theirs, known, word, left) });
  }
  for (const [word, n] of beyond(ours, count(theirs))) {
    found.more.push({ page, word, n, places: contexts(ours, theirs, word, n) });
  }
}

/**
 * Splits loose pages into a site of those with marks and one of those without, because a single marked page would exclude
 * all others.
 *
 * @param {string} folder
 * @param {string} scratch
 * @returns {[string, string][]} a title and a folder, for each of the two that has pages
 */
function asSites(folder, scratch) {
  const names = fs.readdirSync(folder, { recursive: true }).filter((name) => /\.html?$/.test(name));
  if (names.length === 0) throw new Wrong(`\`${folder}\` has no HTML pages`);
  const sites = new Map();
  for (const name of names) {
    const isMarked = fs.readFileSync(path.join(folder, name)).includes("data-pagefind-body");
    const title = isMarked ? "pages with marks" : "pages without";
    // Pagefind ignores files that end in `.htm`.
    const copy = path.join(scratch, title, name.replace(/\.htm$/, ".html"));
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(path.join(folder, name), copy);
    sites.set(title, path.join(scratch, title));
  }
  return [...sites];
}

/** The number of pages that we lack and that none of our reasons for leaving pages out explains. */
function nLost({ onlyPagefind, leftOut }) {
  const { unmarked: _, ...others } = leftOut;
  const n = Object.values(others).reduce((sum, n) => sum + n, 0);
  return Math.max(0, onlyPagefind.length - n);
}

/** Prints how one site fared. */
function print(title, found) {
  const { shared, onlyPagefind, onlyOurs, leftOut, missing, excused, more } = found;
  console.log(`\n## ${title}\n`);
  const reasons = Object.entries(leftOut).map(([why, n]) => `${n} ${why}`);
  console.log(`pages of both: ${shared.length}`);
  console.log(`only Pagefind's: ${list(onlyPagefind)}; we left out: ${list(reasons)}`);
  console.log(`only ours: ${list(onlyOurs)}`);
  console.log(`words that Pagefind has: ${found.words}, of them missing here: ${sum(missing)}`);
  printWords(missing);
  console.log(`left out on purpose: ${sum(excused)}`);
  for (const why of new Set(excused.map((one) => one.why))) {
    const words = excused.filter((one) => one.why === why).map(({ word, n }) => (n > 1 ? `${word} (${n})` : word));
    console.log(`  ${why}: ${[...new Set(words)].join(" ")}`);
  }
  console.log(`words beyond Pagefind's: ${sum(more)}`);
  printWords(more);
}

function printWords(differences) {
  for (const { page, word, n, places } of differences) {
    console.log(`  /${page}: \`${word}\`${n > 1 ? ` ${n} times` : ""}`);
    for (const place of places) console.log(`      ${place}`);
  }
}

/** The table that the guide shows. */
function printTable(rows) {
  console.log("\n| site | version | pages | words that Pagefind has | of them missing | left out on purpose |");
  console.log("| --- | --- | ---: | ---: | ---: | ---: |");
  for (const { name, version, found } of rows) {
    const cells = [name, version, found.shared.length, found.words, sum(found.missing), sum(found.excused)];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

const list = (items) => (items.length > 0 ? items.join(", ") : "none");
const sum = (differences) => differences.reduce((sum, { n }) => sum + n, 0);
const say = (text) => process.stderr.write(`${text}\n`);

function main() {
  const options = readArguments();
  const rows = [];
  if (options.folder) {
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-pages-"));
    try {
      for (const [title, site] of asSites(options.folder, scratch)) {
        const found = compare(site, options);
        print(title, found);
        rows.push({ name: title, version: "-", found });
      }
    } finally {
      fs.rmSync(scratch, { recursive: true, force: true });
    }
  } else {
    for (const name of options.names) {
      const site = build(name, options);
      const found = compare(site, { ...options, root: SITES[name].root });
      print(name, found);
      rows.push({ name, version: version(name, options), found });
    }
  }
  printTable(rows);
  const nMissing = rows.reduce((n, { found }) => n + sum(found.missing) + nLost(found), 0);
  if (nMissing > 0) {
    say(`${nMissing} word(s) or page(s) that Pagefind has are missing here, for no reason that is stated`);
    process.exitCode = 1;
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = 2;
}
