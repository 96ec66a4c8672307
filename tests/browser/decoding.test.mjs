// Checks that the engine in Chromium decodes known texts: run.c's story, and every quantised type as natively, on WebGPU
// (SwiftShader) and on the CPU's kernels with SIMD128 and with relaxed SIMD.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { engineState, knownSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

/** `backend` is the backend requested and then used. `relaxed` says if the page takes the module with relaxed SIMD. */
const cases = [
  { name: "stories260K", tokens: 200, backend: "webgpu" },
  { name: "stories260K", tokens: 200, backend: "cpu" },
  { name: "mixed", tokens: 24, backend: "cpu", relaxed: true },
  { name: "mixed", tokens: 24, backend: "cpu", relaxed: false },
  { name: "mixed", tokens: 24, backend: "webgpu" },
];

for (const name of new Set(cases.map((one) => one.name))) {
  const site = knownSite(name);
  describe(`${name} in Chromium`, { skip: site ? false : "skipped: no public test data, or the real package is not built" }, () => {
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

    for (const { backend, tokens, relaxed } of cases.filter((one) => one.name === name)) {
      const module = relaxed === undefined ? "" : ` on ${relaxed ? "relaxed SIMD" : "SIMD128"}`;
      test(`golden: writes the known text when asked for ${backend}${module}`, async () => {
        const { page, context } = await visit(browser, host.url, { query: `?backend=${backend}`, relaxed });
        await settle(page);
        const state = await engineState(page);
        assert.equal(state.backend?.kind, backend, state.backend?.reason);
        if (relaxed === false) assert.match(state.backend.device, /SIMD128/);
        // "dots" if the processor has an instruction for products of four bytes, else "pairs".
        if (relaxed === true) assert.match(state.backend.device, /relaxed SIMD, (dots|pairs)/);
        const { text, timing } = await page.evaluate(async ({ question, maxTokens }) => {
          const engine = await document.querySelector("anchorite-chat").engine;
          let text = "";
          const onEvent = (event) => {
            if (event.kind === "text") text += event.text;
          };
          // The text was recorded from the model alone, which may write any word.
          const { timing } = await engine.ask(question, { maxTokens, lock: false, onEvent });
          return { text, timing };
        }, { question: site.answerable, maxTokens: tokens });
        assert.equal(timing.promptTokens, 1, "the template renders nothing: only the start token");
        assert.equal(timing.generatedTokens, tokens);
        assert.equal(text, site.text);
        await context.close();
      });
    }
  });
}
