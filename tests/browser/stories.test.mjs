// That the engine in Chromium decodes exactly what run.c of llama2.c does, on WebGPU (SwiftShader) and on the CPU.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { engineState, settle, storySite, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const site = storySite();
describe("stories260K in Chromium", { skip: site ? false : "skipped: no public test data, or the real package is not built" }, () => {
  let browser;
  let host;
  before(async () => {
    browser = await launch({ gpu: true });
    host = await serve(site.roots);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  for (const backend of ["webgpu", "cpu"]) {
    test(`golden: tells the reference story on ${backend}`, async () => {
      const { page, context } = await visit(browser, host.url, { query: `?backend=${backend}` });
      await settle(page);
      assert.equal((await engineState(page)).backend?.kind, backend);
      const { text, timing } = await page.evaluate(async (question) => {
        const engine = await document.querySelector("anchorite-chat").engine;
        let text = "";
        const onEvent = (event) => {
          if (event.kind === "text") text += event.text;
        };
        const { timing } = await engine.ask(question, { max_tokens: 200, onEvent });
        return { text, timing };
      }, site.answerable);
      assert.equal(timing.prompt_tokens, 1, "the template renders nothing: only the start token");
      assert.equal(timing.generated_tokens, 200);
      assert.equal(text, site.story);
      await context.close();
    });
  }
});
