// Checks that WebGPU is used when asked for, and that a software adapter is never chosen automatically; on SwiftShader.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { askInChat, doubleSite, engineState, partOf, realSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

for (const make of [doubleSite, realSite]) {
  const site = make();
  describe(`WebGPU on the ${site?.name ?? "real"} site`, { skip: site ? false : "the real package is not built" }, () => {
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

    test("generates on WebGPU when asked to", async () => {
      const { page, context, problems } = await visit(browser, host.url, { query: "?backend=webgpu" });
      await settle(page);
      const { backend } = await engineState(page);
      assert.equal(backend.kind, "webgpu", `reason: ${backend.reason}`);
      assert.match(backend.reason, /asked for/);
      const { detail: answer } = await askInChat(page, site.answerable);
      assert.equal(answer.backend.kind, "webgpu");
      assert.ok(answer.timing.generatedTokens > 0, "something was generated");
      assert.deepEqual(problems, []);
      await context.close();
    });

    test("says where it will run, and why, before the model is there", async () => {
      let release;
      const hold = new Promise((resolve) => (release = resolve));
      const generator = partOf(site, "generator");
      host.rules = (name) => (name === generator ? { hold } : null);
      const { page, context } = await visit(browser, host.url, { query: "?backend=webgpu" });
      const before = await page.evaluate(async () => {
        const engine = await document.querySelector("anchorite-chat").engine;
        return new Promise((resolve) => engine.subscribe((state) => state.choice && resolve(state)));
      });
      assert.equal(before.choice.kind, "webgpu");
      assert.match(before.choice.reason, /asked for/);
      assert.equal(before.backend, null, "nothing runs yet");
      assert.equal(before.rungs.answer.loaded ?? 0, 0, "nothing of the generator is there");
      release();
      host.rules = () => null;
      await settle(page);
      assert.equal((await engineState(page)).backend.kind, "webgpu");
      await context.close();
    });

    test("prefers the CPU to a software adapter, and says so", async () => {
      const { page, context } = await visit(browser, host.url);
      await settle(page);
      const { backend } = await engineState(page);
      assert.equal(backend.kind, "cpu");
      assert.match(backend.reason, /software/);
      await context.close();
    });
  });
}

describe("kernels on the real site", { skip: realSite() ? false : "the real package is not built" }, () => {
  test("are compiled while the rest is on its way, and never twice", async () => {
    const site = realSite();
    const browser = await launch({ gpu: true });
    const host = await serve(site.roots);
    const held = {};
    const hold = (name) => new Promise((resolve) => (held[name] = resolve));
    const holds = { [partOf(site, "generator")]: { hold: hold("generator") }, [partOf(site, "adapter")]: { hold: hold("adapter") } };
    host.rules = (name) => holds[name] ?? null;
    const { page, context } = await visit(browser, host.url, { query: "?backend=webgpu" });
    await page.evaluate(async () => {
      const engine = await document.querySelector("anchorite-chat").engine;
      await new Promise((resolve) => engine.subscribe((state) => state.choice && resolve()));
    });
    const worker = page.workers().find((one) => one.url().includes("anchorite-worker"));
    await worker.evaluate(() => {
      const { createComputePipeline } = GPUDevice.prototype;
      globalThis.compiled = [];
      GPUDevice.prototype.createComputePipeline = function (descriptor) {
        globalThis.compiled.push(descriptor.label);
        return createComputePipeline.call(this, descriptor);
      };
    });
    const compiled = () => worker.evaluate(() => globalThis.compiled);
    assert.deepEqual(await compiled(), [], "nothing is known of the generator yet");
    held.generator();
    while ((await compiled()).length < 10) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await engineState(page)).backend, null, "the adapter is still missing");
    held.adapter();
    await settle(page);
    const { detail: answer } = await askInChat(page, site.answerable);
    assert.equal(answer.backend.kind, "webgpu");
    const all = await compiled();
    assert.equal(new Set(all).size, all.length, `each once: ${all.join(", ")}`);
    await context.close();
    await browser.close();
    await host.close();
  });
});

describe("WebGPU against the CPU on the real site", { skip: realSite() ? false : "the real package is not built" }, () => {
  test("writes the same greedy text on both", async () => {
    const site = realSite();
    const browser = await launch({ gpu: true });
    const host = await serve(site.roots);
    const texts = [];
    for (const backend of ["cpu", "webgpu"]) {
      const { page, context } = await visit(browser, host.url, { query: `?backend=${backend}` });
      await settle(page);
      const { text, kind } = await page.evaluate(async (question) => {
        const engine = await document.querySelector("anchorite-chat").engine;
        let text = "";
        const onEvent = (event) => {
          if (event.kind === "text") text += event.text;
        };
        const answer = await engine.ask(question, { onEvent });
        return { text, kind: answer.backend.kind };
      }, site.answerable);
      assert.equal(kind, backend);
      assert.ok(text.length > 0, "something was written");
      texts.push(text);
      await context.close();
    }
    assert.equal(texts[0], texts[1]);
    await browser.close();
    await host.close();
  });
});
