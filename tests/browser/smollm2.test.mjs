// Checks that a real model in Chromium, on the CPU's kernels, writes what llama.cpp wrote after each recorded prompt, and draws
// what the native CPU draws. Skipped without the pulled model (`anchorite pull SmolLM2-135M-Instruct`).
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { engineState, knownSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const { prompts } = JSON.parse(fs.readFileSync(new URL("../fixtures/golden/smollm2.json", import.meta.url)));
/** `DRAWN` in tests/harness/smollm2.rs: the site's `text` was drawn with these options. */
const drawn = { prompt: 0, temperature: 0.8, topK: 40, topP: 0.95, seed: 26, maxTokens: 32 };

/** As in tests/golden/smollm2.rs: a closer choice may go either way, and at most `MAX_OTHERS` texts may differ from llama.cpp's. */
const CLOSE = 0.5;
const MAX_OTHERS = 3;
/** All prompts take minutes: without `ANCHORITE_GOLDEN=all` only every fourth is asked, if it is below 500 tokens. */
const isAsked = (number) => process.env.ANCHORITE_GOLDEN === "all" || (number % 4 === 0 && prompts[number].n_tokens < 500);

const site = knownSite("smollm2");

describe("smollm2 in Chromium", { skip: site ? false : "skipped: no pulled model, or the real package is not built" }, () => {
  let browser;
  let host;
  let page;
  before(async () => {
    browser = await launch();
    host = await serve(site.roots);
    ({ page } = await visit(browser, host.url, { query: "?backend=cpu" }));
    await settle(page);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  /** The text after the recorded prompt of that number, which the model's template substitutes for the page's question. */
  const write = (number, options) =>
    page.evaluate(async ({ question, options }) => {
      const engine = await document.querySelector("anchorite-chat").engine;
      let text = "";
      const onEvent = (event) => {
        if (event.kind === "text") text += event.text;
      };
      // The text was recorded from the model alone, which may write any word.
      const { timing } = await engine.ask(question, { lock: false, ...options, onEvent });
      return { text, timing };
    }, { question: `${site.answerable} ${number}`, options });

  test("runs on the CPU", async () => {
    const { backend } = await engineState(page);
    assert.equal(backend?.kind, "cpu", backend?.reason);
  });

  test("golden: writes what llama.cpp wrote", async () => {
    const others = [];
    for (const [number, expected] of prompts.entries()) {
      if (!isAsked(number)) continue;
      const { text, timing } = await write(number, { maxTokens: expected.greedy.length });
      assert.equal(timing.promptTokens, expected.n_tokens, `prompt ${number}: the same prompt`);
      if (text === expected.text) continue;
      others.push(`prompt ${number}: expected ${JSON.stringify(expected.text)}, found ${JSON.stringify(text)}`);
      assert.ok(Math.min(...expected.margins) < CLOSE, `${others.at(-1)}; no choice was closer than ${CLOSE}`);
    }
    assert.ok(others.length <= MAX_OTHERS, `at most ${MAX_OTHERS} may differ: ${others.join("\n")}`);
  });

  test("draws what the native CPU draws with the same seed", async () => {
    const { prompt, ...options } = drawn;
    const { text } = await write(prompt, options);
    assert.equal(text, site.text);
    const again = await write(prompt, options);
    assert.equal(again.text, site.text, "and again");
  });
});
