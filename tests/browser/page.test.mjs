// Checks a visit, on the double and on the real engine: search, cite, stop, step down, work offline, ask for nothing more.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { anchorExists, askInChat, doubleSite, engineState, partOf, realSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const sites = [doubleSite, realSite];

for (const make of sites) {
  const site = make();
  const skip = site ? false : "the real package is not built: run `cargo xtask wasm` and `cargo build --bin anchorite`";
  describe(`a visit to the ${site?.name ?? "real"} site`, { skip }, () => {
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

    test("finds pages while the reader types", async () => {
      const { page, context, problems } = await visit(browser, host.url);
      await page.locator("anchorite-search input").pressSequentially(site.query.text, { delay: 15 });
      const first = page.locator("anchorite-search [role=option]").first();
      await first.waitFor();
      const links = await page.locator("anchorite-search [role=option]").evaluateAll((all) => all.map((one) => one.href));
      assert.ok(links.some((link) => new URL(link).pathname.endsWith(site.query.page)), `${site.query.page} in ${links}`);
      for (const link of links) assert.ok(await anchorExists(link), `anchor of ${link}`);
      const marked = await page.locator("anchorite-search mark").allInnerTexts();
      assert.ok(marked.length > 0, "matches are marked");
      assert.ok(!marked.some((word) => word.toLowerCase() === "the"), `words without a topic are not: ${marked}`);
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("answers with sources, a quotation and cited text whose anchors exist", async () => {
      const { page, context, problems } = await visit(browser, host.url);
      await settle(page);
      const { type, detail: answer } = await askInChat(page, site.answerable);
      assert.equal(type, "anchorite-answer");
      assert.equal(answer.outcome, "answered", "the documents answer this");
      // A row stands under its table's head, which may lie in another passage of the section; an ellipsis marks what is between.
      const parts = answer.quote.text.split("\n\u2026\n");
      const { text, url } = answer.passages.find(({ number }) => number === answer.quote.passage);
      assert.ok(text.includes(parts.at(-1)), "the quotation is word for word");
      const source = parts.length > 1 ? fs.readFileSync(path.join("docs", url.replace(/^.*\//, "").replace(/\.html.*$/, ".md")), "utf8") : "";
      for (const cell of parts.slice(0, -1).flatMap((part) => part.split(" | "))) assert.ok(source.includes(cell), `${cell} in ${url}`);
      assert.ok(answer.timing.generatedTokens > 0, "something was generated");
      const shown = page.locator("anchorite-answer").first();
      const plain = (text) => text.replace(/\s+/g, " ").trim();
      assert.equal(plain(await shown.locator("blockquote").innerText()), plain(answer.quote.text));
      const written = shown.locator("[part=written]");
      assert.equal(await written.count(), answer.written === "shown" ? 1 : 0, "only what agrees with the quotation is shown");
      if (site.name === "double") {
        assert.equal(answer.written, "shown");
        const texts = await written.locator("[part=sentence]").evaluateAll((all) => all.map((one) => one.firstChild.nextSibling.textContent.trim()));
        assert.deepEqual(texts, answer.sentences.map(({ text }) => text.trim()));
      }
      const links = await shown.locator("a").evaluateAll((all) => all.map((one) => one.href));
      assert.ok(links.length > answer.passages.length, "sources and the quotation are links");
      for (const link of links) assert.ok(await anchorExists(link), `anchor of ${link}`);
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("leaves out a text that the sources do not support, and keeps the quotation", { skip: site.name === "double" ? false : "only the double's text is known" }, async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const { detail: answer } = await askInChat(page, `${site.answerable} On a toaster?`);
      assert.equal(answer.written, "unsupported");
      const shown = page.locator("anchorite-answer").first();
      assert.equal(await shown.locator("[part=written]").count(), 0);
      assert.ok(await shown.locator("blockquote").isVisible(), "the quotation stands alone");
      await shown.locator("summary").click();
      assert.match(await shown.locator("dl").innerText(), /left out: the sources do not support it/);
      await context.close();
    });

    test("completes an answer that was given before the generator was here", async () => {
      let release;
      const hold = new Promise((resolve) => (release = resolve));
      const generator = partOf(site, "generator");
      host.rules = (name) => (name === generator ? { hold } : null);
      const { page, context, problems } = await visit(browser, host.url);
      await page.waitForFunction(async () => {
        const engine = await document.querySelector("anchorite-chat").engine;
        return ["ready", "absent"].includes(engine.state.rungs.reading.kind) && engine.state.rungs.answer.kind !== "ready";
      });
      const { detail: early } = await askInChat(page, site.answerable);
      assert.equal(early.timing.generatedTokens, 0, "there is no generator yet");
      assert.match(await page.locator("anchorite-answer article").innerText(), /completed when it is here/);
      await page.evaluate(() => {
        globalThis.completed = new Promise((resolve) => {
          document.addEventListener("anchorite-completed", ({ detail }) => resolve(detail), { once: true });
        });
      });
      release();
      host.rules = () => null;
      const late = await page.evaluate(() => globalThis.completed);
      assert.ok(late.timing.generatedTokens > 0, "it has written");
      assert.deepEqual(late.quote, early.quote, "the quotation stands");
      const article = page.locator("anchorite-answer article");
      assert.equal(await article.locator("[part=written]").count(), late.written === "shown" ? 1 : 0);
      assert.doesNotMatch(await article.innerText(), /completed when it is here/);
      assert.equal(await page.locator("anchorite-answer").count(), 1, "in its place, not as a second answer");
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("does not wait for a generator that fails to come", { skip: site.name === "double" ? false : "the page is the same" }, async () => {
      let release;
      const hold = new Promise((resolve) => (release = resolve));
      const generator = partOf(site, "generator");
      host.rules = (name) => (name === generator ? { hold, status: 404 } : null);
      const { page, context } = await visit(browser, host.url);
      await page.waitForFunction(async () => {
        const engine = await document.querySelector("anchorite-chat").engine;
        return engine.state.rungs.reading.kind === "ready" && engine.state.rungs.answer.kind !== "ready";
      });
      await askInChat(page, site.answerable);
      const article = page.locator("anchorite-answer article");
      assert.match(await article.innerText(), /completed when it is here/);
      release();
      await page.waitForFunction(() => {
        const answer = document.querySelector("anchorite-chat").renderRoot.querySelector("anchorite-answer");
        return !/completed when it is here/.test(answer.renderRoot.textContent);
      });
      assert.ok(await article.locator("blockquote").isVisible(), "the quotation stands");
      host.rules = () => null;
      await context.close();
    });

    test("says when the documents do not, and shows the nearest sections", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const { detail: answer } = await askInChat(page, site.unanswerable);
      assert.equal(answer.outcome, "absent");
      const shown = page.locator("anchorite-answer").first();
      assert.match(await shown.locator("article").innerText(), /The documents do not say\./);
      assert.equal(await shown.locator("blockquote").count(), 0, "nothing is quoted");
      assert.equal(await shown.locator("[part=written]").count(), 0, "nothing is made up");
      await context.close();
    });

    test("makes no request after it has loaded", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const loaded = host.log.length;
      await page.fill("anchorite-search input", site.query.text);
      await page.locator("anchorite-search [role=option]").first().waitFor();
      await page.keyboard.press("Escape");
      await askInChat(page, site.answerable);
      await askInChat(page, site.unanswerable);
      assert.deepEqual(host.log.slice(loaded), []);
      await context.close();
    });

    test("tells no text after an abort, and keeps what there is", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const seen = await page.evaluate(async (question) => {
        const engine = await document.querySelector("anchorite-chat").engine;
        const controller = new AbortController();
        const seen = { before: 0, after: 0, stopped: null, error: null };
        try {
          await engine.ask(question, {
            signal: controller.signal,
            onEvent: (event) => {
              if (event.kind === "stopped") seen.stopped = event.answer.stopped;
              if (event.kind !== "text") return;
              if (controller.signal.aborted) seen.after += 1;
              else seen.before += 1;
              if (seen.before === 2) controller.abort();
            },
          });
        } catch (error) {
          seen.error = error.name;
        }
        return seen;
      }, site.answerable);
      assert.equal(seen.error, "AbortError");
      assert.equal(seen.stopped, true);
      assert.equal(seen.after, 0, "text events after the abort");
      await context.close();
    });

    test("shows a Stop button that ends the answer", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      await page.evaluate(() => {
        globalThis.heard = new Promise((resolve) => {
          document.addEventListener("anchorite-answer", (event) => resolve(event.detail), { once: true });
        });
        // A short answer would end before a click from outside the page arrives.
        const root = document.querySelector("anchorite-chat").shadowRoot;
        const button = () => root.querySelector("button.stop");
        const watch = new MutationObserver(() => {
          if (!button()) return;
          watch.disconnect();
          button().click();
        });
        watch.observe(root, { childList: true, subtree: true });
      });
      await page.fill("anchorite-chat textarea", site.answerable);
      await page.press("anchorite-chat textarea", "Enter");
      const answer = await page.evaluate(() => globalThis.heard);
      assert.equal(answer.stopped, true);
      assert.match(await page.locator("anchorite-answer article").innerText(), /You stopped this answer\./);
      assert.equal(await page.locator("anchorite-chat button.ask").count(), 1, "asking is possible again");
      await context.close();
    });

    test("honours a signal that was aborted before, and one that ends the opening", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const names = await page.evaluate(async (question) => {
        const { Anchorite } = await import("./anchorite.js");
        const name = (promise) => promise.then(() => "resolved", (error) => error.name);
        const engine = await document.querySelector("anchorite-chat").engine;
        return [
          await name(engine.ask(question, { signal: AbortSignal.abort() })),
          await name(engine.search(question, { signal: AbortSignal.abort() })),
          await name(Anchorite.open("pages/anchorite/", { signal: AbortSignal.abort() })),
        ];
      }, site.answerable);
      assert.deepEqual(names, ["AbortError", "AbortError", "AbortError"]);
      await context.close();
    });

    test("runs on the CPU and says why when there is no WebGPU", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const { backend } = await engineState(page);
      assert.equal(backend.kind, "cpu");
      assert.match(backend.reason, /no GPU adapter|no WebGPU/);
      assert.match(await page.locator("anchorite-chat [part=status]").innerText(), /CPU.*no (GPU adapter|WebGPU)/s);
      await context.close();
    });

    test("steps down from a WebGPU that was asked for and is not there, and says so", async () => {
      const { page, context } = await visit(browser, host.url, { query: "?backend=webgpu" });
      await settle(page);
      const { backend } = await engineState(page);
      assert.equal(backend.kind, "cpu");
      assert.match(backend.reason, /WebGPU was asked for, but/);
      await context.close();
    });

    test("refuses an empty question and one of 10,000 words, and goes on", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      await page.fill("anchorite-chat textarea", "   ");
      await page.press("anchorite-chat textarea", "Enter");
      assert.match(await page.locator("anchorite-chat [role=alert]").innerText(), /Type a question first/);
      assert.equal(await page.locator("anchorite-answer").count(), 0);
      const codes = await page.evaluate(async () => {
        const engine = await document.querySelector("anchorite-chat").engine;
        const code = (promise) => promise.then(() => "answered", (error) => `${error.name} ${error.code}`);
        return [await code(engine.ask("")), await code(engine.ask(" \u200b "))];
      });
      assert.deepEqual(codes, ["AnchoriteError question_empty", "AnchoriteError question_empty"]);
      const { type, detail } = await askInChat(page, "word ".repeat(10_000));
      assert.equal(type, "anchorite-error");
      assert.equal(detail.code, "question_too_long");
      assert.match(await page.locator("anchorite-answer [part=error]").innerText(), /question_too_long/);
      const height = await page.locator("anchorite-answer .question").evaluate((one) => one.offsetHeight);
      assert.ok(height < 200, `the long question takes ${height} px`);
      const { type: again } = await askInChat(page, site.answerable);
      assert.equal(again, "anchorite-answer");
      await context.close();
    });

    test("works on a sub-path", async () => {
      const below = await serve(site.roots, { base: "/some/where/" });
      const { page, context, problems } = await visit(browser, below.url);
      await settle(page);
      const { detail: answer } = await askInChat(page, site.answerable);
      assert.equal(answer.outcome, "answered");
      const links = await page.locator("anchorite-answer a").evaluateAll((all) => all.map((one) => one.href));
      for (const link of links) assert.ok(await anchorExists(link), `anchor of ${link}`);
      assert.ok(below.log.every(({ url, status }) => url.startsWith("/some/where/") && status === 200), "nothing outside");
      assert.deepEqual(problems, []);
      await context.close();
      await below.close();
    });

    test("works without a network after the first visit", async () => {
      const once = await serve(site.roots);
      const { page, context } = await visit(browser, once.url);
      await settle(page);
      const before = await engineState(page);
      await once.close();
      await page.reload();
      await settle(page);
      const now = await engineState(page);
      assert.equal(now.offline, true);
      assert.equal(now.bytes.fetched, 0);
      assert.equal(now.bytes.cached, before.bytes.fetched);
      const { detail: answer } = await askInChat(page, site.answerable);
      assert.ok(answer.outcome === "answered" && answer.timing.generatedTokens > 0, "a whole answer, offline");
      await context.close();
    });

    test("searches go on while an answer is written", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const count = await page.evaluate(
        async ({ question, query }) => {
          const engine = await document.querySelector("anchorite-chat").engine;
          let search = null;
          await engine.ask(question, {
            onEvent: (event) => {
              if (event.kind === "text") search ??= engine.search(query);
            },
          });
          return (await search).length;
        },
        { question: site.answerable, query: site.query.text },
      );
      assert.ok(count > 0, "hits found");
      await context.close();
    });
  });
}
