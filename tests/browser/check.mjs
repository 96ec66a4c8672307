// Turns a served demo and a file of questions into measured lines: opens the page headless, searches, asks, checks every
// anchor, and counts what the page requested after it had loaded. `cargo xtask demo --check` runs this.
//
//   node tests/browser/check.mjs --url http://127.0.0.1:8080/ --questions FILE [--backend auto|webgpu|cpu]
//     [--mode retrieve|ask] [--limit N] [--base pages/] [--json]
//
// All questions are searched; in `ask` mode the first N are asked too, and half as many of the unanswerable ones.
// Exit code 1: a request after load, a missing anchor, a backend other than the one asked for, or a share of hits below the
// `minimum` that the file of questions names.
import fs from "node:fs";
import { parseArgs } from "node:util";
import { launch } from "./browser.mjs";
import { anchorExists, settle, visit } from "./harness.mjs";
import { countingProxy } from "./server.mjs";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    questions: { type: "string" },
    backend: { type: "string", default: "auto" },
    mode: { type: "string", default: "retrieve" },
    limit: { type: "string", default: "1000" },
    base: { type: "string", default: "pages/" },
    json: { type: "boolean", default: false },
  },
});
if (!values.url || !values.questions) {
  console.error("error: `--url` and `--questions` are needed");
  process.exit(2);
}

/** The page that a link leads to, as question files name it: relative to the documents, without extension. */
function pageOf(link, site) {
  const path = decodeURIComponent(new URL(link).pathname).slice(new URL(site).pathname.length);
  const inside = path.startsWith(values.base) ? path.slice(values.base.length) : path;
  return inside.replace(/\.html?$/, "");
}
/** A folder's README is served as its index. */
const served = (page) => page.replace(/(^|\/)README$/i, "$1index");

/** Nearest-rank quantile. */
function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] : null;
}
const round = (number) => (number === null ? null : Math.round(number * 100) / 100);

const file = JSON.parse(fs.readFileSync(values.questions, "utf8"));
const limit = values.mode === "ask" ? Number(values.limit) : 0;
const questions = [
  ...file.questions.map((one, idx) => ({ ...one, asked: idx < limit })),
  ...(file.unanswerable ?? []).slice(0, Math.ceil(limit / 2)).map(({ question }) => ({ question, pages: [], asked: true })),
];

const proxy = await countingProxy(values.url);
const browser = await launch({ gpu: values.backend === "webgpu" });
const results = [];
let summary;
try {
  const query = values.backend === "auto" ? "" : `?backend=${values.backend}`;
  const opened = performance.now();
  const { page, problems } = await visit(browser, proxy.url, { query });
  await settle(page);
  const load_ms = performance.now() - opened;
  const state = await page.evaluate(async () => {
    const { rungs, backend, error } = (await document.querySelector("anchorite-chat").engine).state;
    return { rungs, backend, error };
  });
  const loaded = { requests: proxy.log.length, bytes: proxy.log.reduce((sum, { bytes }) => sum + bytes, 0) };

  for (const { question, pages, asked } of questions) {
    console.error(`${results.length + 1}/${questions.length} ${question}`);
    const seen = await page.evaluate(
      async ({ question, asked, searched }) => {
        const engine = await document.querySelector("anchorite-chat").engine;
        const from = performance.now();
        const hits = searched ? await engine.search(question, { limit: 5 }) : [];
        const query_ms = performance.now() - from;
        const start = performance.now();
        const answer = asked ? await engine.ask(question, { seed: 0 }) : null;
        const ms = performance.now() - start;
        const link = ({ url }) => engine.link(url);
        const cited = answer ? [answer.quote?.passage, ...answer.sentences.flatMap(({ passages }) => passages)] : [];
        return {
          found: hits.map(link),
          query_ms,
          answer,
          ms,
          sources: (answer?.passages ?? []).map(link),
          citations: [...new Set((answer?.passages ?? []).filter(({ number }) => cited.includes(number)).map(link))],
        };
      },
      { question, asked, searched: pages.length > 0 },
    );
    const expected = pages.map(served);
    const rank = seen.found.findIndex((link) => expected.includes(pageOf(link, proxy.url))) + 1;
    results.push({ ...seen, question, expected: pages, rank: rank || null });
  }

  // The counter is read before anything below asks the host for pages.
  const requests_after_load = proxy.log.length - loaded.requests;
  const late = proxy.log.slice(loaded.requests).map(({ url }) => url);
  await browser.close();
  const known = new Map();
  const exists = async (link) => {
    if (!known.has(link)) known.set(link, await anchorExists(link));
    return known.get(link);
  };
  for (const one of results) {
    one.missing = [];
    for (const link of [...one.citations, ...one.sources, ...one.found]) if (!(await exists(link))) one.missing.push(link);
  }

  const searched = results.filter(({ expected }) => expected.length > 0);
  const asked = results.filter(({ answer }) => answer);
  const hit = (n) => searched.filter(({ rank }) => rank && rank <= n).length / Math.max(1, searched.length);
  const speeds = asked.map(({ answer }) => answer.timing.tokensPerSecond).filter((speed) => speed > 0);
  const unanswerable = asked.filter(({ expected }) => expected.length === 0);
  summary = {
    kind: "summary",
    mode: values.mode,
    backend: state.backend?.kind ?? null,
    device: state.backend?.device ?? null,
    reason: state.backend?.reason ?? state.rungs.answer.reason ?? state.rungs.answer.error?.message ?? null,
    questions: searched.length,
    hit_at_3: round(hit(3)),
    hit_at_5: round(hit(5)),
    asked: asked.length,
    answers: asked.filter(({ answer, expected }) => answer.outcome === "answered" && expected.length > 0).length,
    unanswerable_asked: unanswerable.length,
    unanswerable_declined: unanswerable.filter(({ answer }) => answer.outcome !== "answered").length,
    written: Object.fromEntries(
      [...new Set(asked.map(({ answer }) => answer.written))].sort().map((kind) => [kind, asked.filter(({ answer }) => answer.written === kind).length]),
    ),
    anchors_ok: results.every(({ missing }) => missing.length === 0),
    anchors_checked: known.size,
    tokens_per_second_median: round(quantile(speeds, 0.5)),
    query_ms_median: round(quantile(searched.map(({ query_ms }) => query_ms), 0.5)),
    query_ms_p95: round(quantile(searched.map(({ query_ms }) => query_ms), 0.95)),
    load_ms: Math.round(load_ms),
    requests_after_load,
    downloaded_bytes: loaded.bytes,
    problems,
  };
  if (late.length) summary.late_requests = late;
} finally {
  await browser.close();
  await proxy.close();
}

/** Links with the site's own address instead of the counting proxy's. */
const own = (link) => link.replace(proxy.url, "");
for (const { question, expected, found, rank, answer, citations, missing, query_ms, ms } of results) {
  const line = { kind: "question", question, expected, found: found.map(own), rank, query_ms: round(query_ms) };
  if (answer) {
    Object.assign(line, {
      outcome: answer.outcome,
      probability: answer.probability,
      quote: answer.quote?.text ?? null,
      written: answer.written,
      text: answer.sentences.map(({ text }) => text).join(" "),
      supported: answer.sentences.map(({ supported }) => supported),
      citations: citations.map(own),
      tokens: answer.timing.generatedTokens,
      tokens_per_second: round(answer.timing.tokensPerSecond),
      ms: Math.round(ms),
    });
  }
  line.anchors_ok = missing.length === 0;
  if (missing.length) line.anchors_missing = missing.map(own);
  if (values.json) console.log(JSON.stringify(line));
  else if (line.rank === null || !line.anchors_ok || answer) {
    console.log(`${line.rank ?? "-"}  ${question}${answer ? `\n   "${line.quote ?? "The documents do not say."}"` : ""}`);
    if (answer?.written === "shown") console.log(`   ${line.text}`);
  }
}
console.log(values.json ? JSON.stringify(summary) : JSON.stringify(summary, null, 2));

const failures = [];
if (summary.requests_after_load > 0) failures.push(`${summary.requests_after_load} requests after load: ${summary.late_requests}`);
if (!summary.anchors_ok) failures.push("an anchor that is linked does not exist");
if (values.backend !== "auto" && summary.backend !== values.backend) {
  failures.push(`backend: expected \`${values.backend}\`, found \`${summary.backend}\`: ${summary.reason}`);
}
if (summary.problems.length) failures.push(`the page complained: ${summary.problems.join("; ")}`);
for (const [name, least] of Object.entries(file.minimum ?? {})) {
  if (!(summary[name] >= least)) failures.push(`${name}: expected ${least} or more, found ${summary[name]}`);
}
for (const failure of failures) console.error(`error: ${failure}`);
process.exit(failures.length ? 1 : 0);
