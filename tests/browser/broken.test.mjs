// Checks what a visit says when the host, the bundle or the storage is broken, and that the rest still works.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { BUNDLE, askInChat, doubleSite, engineState, partOf, realSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

/** Pages of 64 KiB that hold the guide's index, and none of the models. */
const PAGES_WITHOUT_MODELS = 300;

/** The module, limited to `pages` of memory, as in a browser that has no more. */
function withMemoryLimit(module, pages) {
  const number = (at) => {
    let [value, end] = [0, at];
    do value |= (module[end] & 0x7f) << (7 * (end - at));
    while (module[end++] & 0x80);
    return { value, end };
  };
  const leb = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]);
  for (let at = 8; at < module.length; ) {
    const size = number(at + 1);
    if (module[at] === 5) {
      // The section declares one memory without a maximum: count, flags, initial size.
      const first = number(size.end + 2).value;
      const section = [1, 1, ...leb(first), ...leb(Math.max(first, pages))];
      return Buffer.concat([module.subarray(0, at), Buffer.from([5, section.length, ...section]), module.subarray(size.end + size.value)]);
    }
    at = size.end + size.value;
  }
  throw new Error("the module has no memory of its own");
}

for (const make of [doubleSite, realSite]) {
  const site = make();
  describe(`a broken ${site?.name ?? "real"} site`, { skip: site ? false : "the real package is not built" }, () => {
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

    /** Visits while `rules` hold. */
    async function visitWith(rules, options) {
      host.rules = rules;
      host.log.length = 0;
      const seen = await visit(browser, host.url, options);
      await settle(seen.page);
      return seen;
    }
    const only = (path, rule) => (name) => (name === path ? rule : null);
    const said = (page) => page.locator("anchorite-chat [part=error]").first().innerText();
    const rungs = async (page) => {
      const { rungs } = await engineState(page);
      return Object.fromEntries(Object.entries(rungs).map(([rung, { kind }]) => [rung, kind]));
    };

    test("names the file when one bit of the index is wrong", async () => {
      const path = partOf(site, "index");
      const { page, context } = await visitWith(only(path, { flip: 77 }));
      assert.equal(await page.getAttribute("anchorite-chat", "data-state"), "error");
      const text = await said(page);
      assert.match(text, new RegExp(path.replace(BUNDLE, "")));
      assert.match(text, /expected.*found/is);
      assert.match(text, /\bhash\b/);
      await page.fill("anchorite-search input", site.query.text);
      await page.locator("anchorite-search [part=error]").waitFor();
      const asked = host.log.filter(({ url }) => url.endsWith(path)).length;
      assert.equal(asked % 2, 0, "past every cache, once more, before giving up");
      await context.close();
    });

    test("searches by keywords when the embedder is damaged", async () => {
      const path = partOf(site, "embedder");
      const { page, context } = await visitWith(only(path, { flip: 1234 }));
      assert.deepEqual(await rungs(page), { keyword: "ready", meaning: "failed", reading: "ready", answer: "ready" });
      assert.match(await said(page), new RegExp(path.replace(BUNDLE, "")));
      await page.fill("anchorite-search input", site.query.text);
      await page.locator("anchorite-search [role=option]").first().waitFor();
      await context.close();
    });

    test("quotes without generating when the generator is missing", async () => {
      const path = partOf(site, "generator");
      const { page, context } = await visitWith(only(path, { status: 404 }));
      assert.deepEqual(await rungs(page), { keyword: "ready", meaning: "ready", reading: "ready", answer: "failed" });
      const text = await said(page);
      assert.match(text, new RegExp(path));
      assert.match(text, /404/);
      assert.match(text, /file_missing/);
      const { detail: answer } = await askInChat(page, site.answerable);
      assert.ok(answer.quote, "the quotation needs no generator");
      assert.deepEqual(answer.sentences, []);
      await context.close();
    });

    test("quotes without generating when the generator is damaged", async () => {
      const path = partOf(site, "generator");
      const { page, context } = await visitWith(only(path, { flip: 100 }));
      assert.deepEqual(await rungs(page), { keyword: "ready", meaning: "ready", reading: "ready", answer: "failed" });
      assert.match(await said(page), new RegExp(path.replace(BUNDLE, "")));
      await context.close();
    });

    test("refuses a manifest of a newer version, and says what to do", async () => {
      const newer = Buffer.from(JSON.stringify({ format: 99, anchorite: "9.0.0", layout: "unheard of" }));
      const { page, context } = await visitWith(only(`${BUNDLE}manifest.json`, { replace: newer }));
      const text = await said(page);
      assert.match(text, /\bunknown_format\b/);
      assert.match(text, /expected `\d+`, found `99`/);
      assert.match(text, /update|newer|build/i);
      await context.close();
    });

    for (const [what, rule, expected] of [
      ["is missing", { status: 404 }, /manifest.*404/s],
      ["is a web page", { replace: Buffer.from("<!doctype html><title>Welcome</title>") }, /manifest_syntax/],
      ["is empty", { replace: Buffer.alloc(0) }, /manifest_syntax/],
      ["cannot be reached", { destroy: true }, /host_unreachable/],
    ]) {
      test(`says so when the manifest ${what}`, async () => {
        const { page, context } = await visitWith(only(`${BUNDLE}manifest.json`, rule));
        assert.equal(await page.getAttribute("anchorite-chat", "data-state"), "error");
        assert.match(await said(page), expected);
        await context.close();
      });
    }

    test("says so when the worker cannot be loaded", async () => {
      const { page, context } = await visitWith((name) => (/^anchorite-worker/.test(name) ? { status: 404 } : null));
      assert.match(await said(page), /worker_failed/);
      await context.close();
    });

    const noWasm = site?.name === "double" ? "the double has no wasm" : false;
    test("says so when the wasm module is cut short", { skip: noWasm }, async () => {
      const { page, context } = await visitWith((name) => (name.endsWith(".wasm") ? { replace: Buffer.from("\0asm") } : null));
      assert.match(await said(page), /open_failed/);
      await context.close();
    });

    test("searches by words where there is no memory for the models", { skip: noWasm }, async () => {
      const { page, context } = await visitWith((name) => {
        if (!name.endsWith(".wasm")) return null;
        const module = fs.readFileSync(path.join(site.roots[0], name));
        return { replace: withMemoryLimit(module, PAGES_WITHOUT_MODELS) };
      });
      // This site's generator is small enough to fit.
      assert.deepEqual(await rungs(page), { keyword: "ready", meaning: "failed", reading: "failed", answer: "ready" });
      assert.match(await said(page), /no_memory/);
      assert.match(await said(page), /\d+ bytes were asked for/);
      const hits = await page.evaluate(async (query) => {
        const engine = await document.querySelector("anchorite-chat").engine;
        return engine.search(query);
      }, site.query.text);
      assert.ok(hits.length > 0, "words are found");
      const models = [partOf(site, "embedder"), partOf(site, "reader")];
      const fetched = models.filter((part) => host.log.some(({ url }) => url.endsWith(part)));
      assert.deepEqual(fetched, [], "no model was downloaded");
      await context.close();
    });

    test("fetches only what is missing after a broken visit", async () => {
      const path = partOf(site, "generator");
      const { page, context } = await visitWith(only(path, { destroy: true }));
      assert.equal((await rungs(page)).answer, "failed");
      host.rules = () => null;
      host.log.length = 0;
      await page.reload();
      await settle(page);
      assert.equal((await rungs(page)).answer, "ready");
      const files = host.log.map(({ url }) => url.slice(1)).filter((url) => url.startsWith(`${BUNDLE}files/`));
      assert.ok(files.includes(path), `${path} in ${files}`);
      assert.ok(!files.includes(partOf(site, "embedder")), "what had arrived is not fetched again");
      await context.close();
    });

    test("heals a copy that was damaged on the device", async () => {
      const { page, context } = await visitWith(() => null);
      const path = partOf(site, "embedder");
      await page.evaluate(async (url) => {
        for (const name of await caches.keys()) {
          const cache = await caches.open(name);
          if (await cache.match(url)) await cache.put(url, new Response("damaged"));
        }
      }, new URL(path, host.url).href);
      host.log.length = 0;
      await page.reload();
      await settle(page);
      assert.deepEqual(await rungs(page), { keyword: "ready", meaning: "ready", reading: "ready", answer: "ready" });
      const files = host.log.map(({ url }) => url.slice(1)).filter((url) => url.startsWith(`${BUNDLE}files/`));
      assert.deepEqual(files, [path]);
      await context.close();
    });

    test("shows the download in megabytes, and searches by keywords meanwhile", async () => {
      let release = () => undefined;
      const hold = new Promise((resolve) => {
        release = resolve;
      });
      host.rules = only(partOf(site, "embedder"), { hold });
      const { page, context } = await visit(browser, host.url);
      const line = page.locator("anchorite-chat [part=status]");
      await line.getByText(/MB of [\d.]+ MB/).waitFor();
      await page.fill("anchorite-search input", site.query.text);
      await page.locator("anchorite-search [role=option]").first().waitFor();
      assert.equal(await page.getAttribute("anchorite-search", "data-state"), "loading");
      release();
      await settle(page);
      assert.equal(await page.getAttribute("anchorite-search", "data-state"), "ready");
      await context.close();
    });
  });
}
