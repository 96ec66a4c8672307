// Checks which module a page loads: the small one if it only searches, the whole one once if it asks, and the switch between.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { doubleSite, partOf, realSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const page = (body) =>
  Buffer.from(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>
<link rel="icon" href="icon.svg"><script type="module" src="anchorite.js"></script></head><body>${body}</body></html>`);
const SEARCH = '<anchorite-search bundle="pages/anchorite/"></anchorite-search>';
const CHAT = '<anchorite-chat bundle="pages/anchorite/"></anchorite-chat>';

for (const make of [doubleSite, realSite]) {
  const site = make();
  describe(`the modules of the ${site?.name ?? "real"} site`, { skip: site ? false : "the real package is not built" }, () => {
    let browser;
    let host;
    before(async () => {
      browser = await launch();
      host = await serve(site.roots);
    });
    after(async () => {
      await browser?.close();
      await host?.close();
    });

    /** Visits a page that contains only `body`. */
    async function visitBody(body, options) {
      host.rules = (name) => (name === "index.html" ? { replace: page(body) } : null);
      host.log.length = 0;
      return visit(browser, host.url, options);
    }
    const files = () => host.log.map(({ url }) => url.slice(1));
    /** Workers and modules that were fetched, without the parts of their names that tell only the build. */
    const modules = () => [
      ...new Set(files().filter((url) => /^anchorite.*(worker|embedder|wasm)/.test(url)).map((url) => url.replace(/[-_]relaxed/, "").replace("_bg", ""))),
    ];
    const isReal = site?.name === "real";
    const small = ["anchorite-search-worker.js", ...(isReal ? ["anchorite_search.wasm"] : [])];
    const embedder = ["anchorite-embedder.js", ...(isReal ? ["anchorite_embedder.wasm"] : [])];
    const whole = ["anchorite-worker.js", ...(isReal ? ["anchorite_answers.wasm"] : [])];
    const ready = (page) => page.waitForSelector("anchorite-search[data-state=ready]");
    const state = (page) =>
      page.evaluate(async () => {
        const { module, rungs, bytes, manifest } = (await document.querySelector("anchorite-search").engine).state;
        return { module, rungs: Object.fromEntries(Object.entries(rungs).map(([rung, { kind }]) => [rung, kind])), bytes, files: manifest?.files ?? [] };
      });
    const search = (page, query) =>
      page.evaluate(async (query) => (await document.querySelector("anchorite-search").engine).search(query), query);

    for (const relaxed of [true, false]) {
      test(`a page that only searches loads the small one${relaxed ? "" : ", without relaxed SIMD too"}`, async () => {
        const { page, context, problems } = await visitBody(SEARCH, { relaxed });
        await page.fill("anchorite-search input", site.query.text);
        const first = page.locator("anchorite-search [role=option]").first();
        await first.waitFor();
        await ready(page);
        const { module, rungs } = await state(page);
        assert.equal(module, "search");
        assert.deepEqual(rungs, { keyword: "ready", meaning: "ready", reading: "waiting", answer: "waiting" });
        assert.deepEqual(modules(), [...small, ...embedder]);
        assert.equal(files().some((url) => /relaxed/.test(url)), relaxed, "instructions as the browser takes them");
        assert.ok(!files().includes(partOf(site, "generator")), "no generator is fetched");
        const links = await page.locator("anchorite-search [role=option]").evaluateAll((all) => all.map((one) => one.href));
        assert.ok(links.some((link) => new URL(link).pathname.endsWith(site.query.page)), `${site.query.page} in ${links}`);
        assert.deepEqual(problems, []);
        await context.close();
      });
    }

    test("search by words waits for no embedder, and stays where its code is missing", async () => {
      let release;
      const hold = new Promise((resolve) => (release = resolve));
      const isCode = (name) => /^anchorite-embedder/.test(name);
      host.rules = (name) => (name === "index.html" ? { replace: page(SEARCH) } : isCode(name) ? { hold, status: 404 } : null);
      const { page: tab, context } = await visit(browser, host.url);
      await tab.focus("anchorite-search input");
      const before = await search(tab, site.query.text);
      assert.ok(before.length > 0, "hits by words");
      assert.equal((await state(tab)).rungs.meaning, "waiting");
      release();
      await ready(tab);
      const { rungs } = await state(tab);
      assert.deepEqual(rungs, { keyword: "ready", meaning: "failed", reading: "waiting", answer: "waiting" });
      assert.deepEqual(await search(tab, site.query.text), before);
      await context.close();
    });

    test("both find the same, by words and by meaning", async () => {
      let release;
      const hold = new Promise((resolve) => (release = resolve));
      const embedder = partOf(site, "embedder");
      host.rules = (name) => (name === "index.html" ? { replace: page(SEARCH) } : name === embedder ? { hold } : null);
      const { page: tab, context } = await visit(browser, host.url);
      await tab.focus("anchorite-search input");
      // No page has these words, or words that compound into them; some pages have their meaning.
      const foreign = "sluggish telephone";
      assert.deepEqual(await search(tab, foreign), [], "by words");
      release();
      await ready(tab);
      const queries = [site.query.text, site.answerable, foreign];
      const found = [];
      for (const query of queries) found.push(await search(tab, query));
      if (site.name === "real") assert.ok(found[2].length > 0, "by meaning");
      const expected = await tab.evaluate(async (queries) => {
        const { Anchorite } = await import("./anchorite.js");
        const engine = await Anchorite.open("pages/anchorite/", { backend: "cpu" });
        await engine.prepare();
        const found = [];
        for (const query of queries) found.push(await engine.search(query));
        const { module } = engine.state;
        engine.close();
        return { module, found };
      }, queries);
      assert.deepEqual(expected, { module: "answers", found });
      await context.close();
    });

    test("a question changes to the whole one, and no weights are fetched twice", async () => {
      const { page, context, problems } = await visitBody(SEARCH);
      await page.focus("anchorite-search input");
      await ready(page);
      const before = await state(page);
      const seen = await page.evaluate(
        async ({ question, query }) => {
          const engine = await document.querySelector("anchorite-search").engine;
          // A search in progress when the worker is replaced is not lost.
          const search = engine.search(query);
          const answer = await engine.ask(question);
          return { outcome: answer.outcome, quoted: answer.quote !== null, backend: answer.backend, hits: (await search).length };
        },
        { question: site.answerable, query: site.query.text },
      );
      assert.equal(seen.outcome, "answered");
      assert.equal(seen.quoted, true);
      assert.equal(seen.backend, null, "nothing asked for the generator");
      assert.ok(seen.hits > 0, "hits found");
      await ready(page);
      const now = await state(page);
      assert.equal(now.module, "answers");
      const reader = now.files.find(({ role }) => role === "reader")?.bytes ?? 0;
      assert.equal(now.bytes.fetched, before.bytes.fetched + reader, "bytes of the bundle fetched: the reader's, which only answers need");
      assert.equal(now.bytes.cached, before.bytes.cached + before.bytes.fetched, "bytes of the bundle from this device");
      assert.deepEqual(modules(), [...small, ...embedder, ...whole]);
      const parts = files().filter((url) => url.startsWith("pages/anchorite/files/"));
      assert.equal(new Set(parts).size, parts.length, `each part once: ${parts}`);
      assert.equal(page.workers().length, 1, "the small worker has ended");
      const loaded = host.log.length;
      await search(page, site.query.text);
      assert.deepEqual(host.log.slice(loaded), [], "requests after that");
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("a closed chat costs a reader who searches nothing, and opening it changes the module", async () => {
      const { page, context, problems } = await visitBody(SEARCH + CHAT);
      await page.focus("anchorite-search input");
      await ready(page);
      assert.equal((await state(page)).module, "search");
      assert.deepEqual(modules(), [...small, ...embedder]);
      await page.locator("anchorite-chat .launcher").click();
      await page.waitForSelector("anchorite-chat[data-state=ready]", { state: "attached" });
      await ready(page);
      assert.deepEqual(await state(page).then(({ module, rungs }) => ({ module, rungs })), {
        module: "answers",
        rungs: { keyword: "ready", meaning: "ready", reading: "ready", answer: "ready" },
      });
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("a page that asks at once loads the whole one only", async () => {
      host.rules = () => null;
      host.log.length = 0;
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      assert.equal((await state(page)).module, "answers");
      // The double fetches no wasm, but the page's service worker keeps it.
      assert.deepEqual(modules(), ["anchorite-worker.js", "anchorite_answers.wasm"]);
      await context.close();
    });
  });
}
