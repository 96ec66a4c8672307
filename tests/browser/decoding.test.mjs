// That the engine in Chromium decodes what is known: run.c's story on WebGPU (SwiftShader) and the CPU, and every quantised
// type on the CPU's SIMD128 kernels as natively.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { engineState, knownSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

/** `backend` is what is asked for, `runs` what then runs: the GPU has no layout for some types, and steps down. */
const cases = [
  { name: "stories260K", tokens: 200, backend: "webgpu", runs: "webgpu" },
  { name: "stories260K", tokens: 200, backend: "cpu", runs: "cpu" },
  { name: "mixed", tokens: 24, backend: "cpu", runs: "cpu" },
  { name: "mixed", tokens: 24, backend: "webgpu", runs: "cpu" },
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

    for (const { backend, runs, tokens } of cases.filter((one) => one.name === name)) {
      test(`golden: writes the known text when asked for ${backend}`, async () => {
        const { page, context } = await visit(browser, host.url, { query: `?backend=${backend}` });
        await settle(page);
        const state = await engineState(page);
        assert.equal(state.backend?.kind, runs, state.backend?.reason);
        if (runs !== backend) assert.match(state.backend.reason, /type that is not supported/);
        const { text, timing } = await page.evaluate(async ({ question, max_tokens }) => {
          const engine = await document.querySelector("anchorite-chat").engine;
          let text = "";
          const onEvent = (event) => {
            if (event.kind === "text") text += event.text;
          };
          const { timing } = await engine.ask(question, { max_tokens, onEvent });
          return { text, timing };
        }, { question: site.answerable, max_tokens: tokens });
        assert.equal(timing.prompt_tokens, 1, "the template renders nothing: only the start token");
        assert.equal(timing.generated_tokens, tokens);
        assert.equal(text, site.text);
        await context.close();
      });
    }
  });
}
