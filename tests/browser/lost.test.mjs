// Checks that an answer survives its graphics device: lost mid-answer, lost twice, lost for good, or refusing. On SwiftShader.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { askInChat, doubleSite, engineState, realSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

/**
 * Code served in front of the worker's own script. It remembers the devices that the worker opens, and what their adapter
 * offered, and breaks each after the first piece of text that it wrote, as often as `plan` says; later pieces may come from the
 * device's queue. The page is unaware of it.
 */
const prelude = (plan) => `{
  const plan = ${JSON.stringify(plan)};
  const opened = (globalThis.opened = []);
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    opened.push({ device, offered: this.features.has("subgroups") });
    return device;
  };
  let broken = 0;
  const post = globalThis.postMessage.bind(globalThis);
  globalThis.postMessage = (reply) => {
    post(reply);
    if (reply.kind !== "event" || reply.event.kind !== "text" || plan.times === 0 || opened.length === broken) return;
    broken = opened.length;
    plan.times -= 1;
    const { device } = opened.at(-1);
    if (plan.refuse) {
      // An allocation too large for any device, made on the engine's device, so that the engine gets the error as its own.
      device.createBuffer({ size: device.limits.maxBufferSize, usage: 0x80 });
      device.createBuffer({ size: 4, usage: 0x80 | 0x1 | 0x2 });
      return;
    }
    device.destroy();
    if (plan.gone) navigator.gpu.requestAdapter = async () => null;
  };
}
`;

const site = realSite();
describe("a graphics device that fails in mid-answer", { skip: site ? false : "the real package is not built" }, () => {
  let browser;
  let host;
  let context;
  let reference;
  before(async () => {
    browser = await launch({ gpu: true });
    host = await serve(site.roots);
  });
  afterEach(async () => context?.close());
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  /** Visits with a device that fails as planned, and asks twice. Returns all events, and what the page shows. */
  async function ask(plan) {
    host.rules = (name) =>
      /^anchorite-worker.*\.js$/.test(name)
        ? { replace: Buffer.concat([Buffer.from(prelude(plan)), fs.readFileSync(path.join(site.roots[0], name))]) }
        : null;
    const visited = await visit(browser, host.url, { query: "?backend=webgpu" });
    context = visited.context;
    const { page } = visited;
    await settle(page);
    const first = await engineState(page);
    assert.equal(first.backend.kind, "webgpu", first.backend.reason);
    await page.evaluate(async () => {
      globalThis.told = [];
      for (const type of ["anchorite-restarted", "anchorite-error"]) {
        document.addEventListener(type, ({ detail }) => globalThis.told.push({ type, ...detail }));
      }
      // The lines shown under an answer while it was being rewritten.
      globalThis.lines = new Set();
      const chat = document.querySelector("anchorite-chat");
      document.addEventListener("anchorite-restarted", async () => {
        await chat.updateComplete;
        const answers = chat.renderRoot.querySelectorAll("anchorite-answer");
        for (const answer of answers) {
          await answer.updateComplete;
          const line = answer.renderRoot.querySelector("[part=restarted]");
          if (line) globalThis.lines.add(line.textContent);
        }
      });
    });
    const { type, detail: answer } = await askInChat(page, site.answerable);
    assert.equal(type, "anchorite-answer", JSON.stringify(answer));
    const seen = await page.evaluate(() => ({ told: globalThis.told, lines: [...globalThis.lines] }));
    const { backend, rungs } = await engineState(page);
    assert.equal(rungs.answer.kind, "ready");
    assert.deepEqual(answer.backend, backend, "the answer names what wrote it");
    const texts = await page.locator("anchorite-answer [part=question]").allInnerTexts();
    assert.deepEqual(texts, [site.answerable], "the conversation stays");
    const note = await page.locator("anchorite-answer [part=restarted]").allInnerTexts();
    const status = await page.locator("anchorite-chat [part=status]").innerText();
    const devices = await page.workers()[0].evaluate(() =>
      globalThis.opened.map(({ device, offered }) => ({ offered, has: device.features.has("subgroups") })),
    );
    return { page, answer, backend, ...seen, note, status, devices };
  }
  const text = ({ sentences }) => sentences.map((sentence) => sentence.text).join(" ");

  test("without a failure nothing is told, and every device has subgroups where its adapter offers them", async () => {
    const { answer, told, note, devices } = await ask({ times: 0 });
    assert.ok(answer.timing.generatedTokens > 3, "long enough to be broken in the middle");
    assert.deepEqual(told, []);
    assert.deepEqual(note, []);
    assert.equal(devices.length, 1);
    assert.equal(devices[0].has, devices[0].offered);
    reference = text(answer);
  });

  test("lost once: it is opened again, and the answer is the same", async () => {
    const { answer, backend, told, lines, note, status, devices } = await ask({ times: 1 });
    assert.deepEqual(told.map(({ type, on, code }) => [type, on, code]), [["anchorite-restarted", "gpu", "device_lost"]]);
    assert.equal(backend.kind, "webgpu");
    assert.match(backend.reason, /graphics device .* was lost/);
    assert.equal(text(answer), reference);
    assert.match(lines.join(), /The graphics device was lost; opening it again/);
    assert.match(note.join(), /The graphics device was lost; it was opened again/);
    assert.match(status, /WebGPU.*was lost/s);
    assert.equal(devices.length, 2);
  });

  test("lost again: the processor takes over, and the next question is answered there", async () => {
    const { page, answer, backend, told, lines, note, status } = await ask({ times: 2 });
    assert.deepEqual(told.map(({ on, code }) => [on, code]), [["gpu", "device_lost"], ["cpu", "device_lost"]]);
    assert.equal(backend.kind, "cpu");
    assert.match(backend.reason, /was lost.*; then .*was lost/);
    assert.equal(text(answer), reference);
    assert.match(lines.join(), /The graphics device was lost; answering again on the processor\./);
    assert.match(note.join(), /The graphics device was lost; the answer was written again on the processor\./);
    assert.match(status, /CPU.*was lost/s);
    const { type, detail: next } = await askInChat(page, "What is a bundle?");
    assert.equal(type, "anchorite-answer");
    assert.equal(next.backend.kind, "cpu");
    assert.equal(await page.locator("anchorite-answer [part=question]").count(), 2, "both questions stand");
  });

  test("lost, and no device is there any more: the processor takes over", async () => {
    const { answer, backend, told } = await ask({ times: 1, gone: true });
    assert.deepEqual(told.map(({ on, code }) => [on, code]), [["gpu", "device_lost"], ["cpu", "gpu"]]);
    assert.equal(backend.kind, "cpu");
    assert.match(backend.reason, /was lost.*; then .*no GPU adapter/);
    assert.equal(text(answer), reference);
  });

  test("a device that refuses is not asked again: the processor takes over, and the page says so", async () => {
    const { answer, backend, told, note } = await ask({ times: 1, refuse: true });
    assert.deepEqual(told.map(({ on, code }) => [on, code]), [["cpu", "kernel"]]);
    assert.equal(backend.kind, "cpu");
    assert.match(backend.reason, /graphics device .* (refused|out of memory)/);
    assert.match(note.join(), /The graphics device failed; the answer was written again on the processor\./);
    assert.equal(text(answer), reference);
  });
});

test("what the page does with an answer that begins anew, on the double", async () => {
  const double = doubleSite();
  const browser = await launch({ gpu: true });
  const host = await serve(double.roots);
  try {
    const { page } = await visit(browser, host.url, { query: "?backend=webgpu" });
    await settle(page);
    assert.equal((await engineState(page)).backend.kind, "webgpu");
    // The double loses its device at this word.
    const { type, detail: answer } = await askInChat(page, `${double.answerable} (unplugged)`);
    assert.equal(type, "anchorite-answer");
    assert.ok(answer.quote, "the whole answer");
    const shown = page.locator("anchorite-answer");
    assert.ok(!(await shown.innerText()).includes("This is void."), "text of the first attempt is gone");
    assert.match(await shown.locator("[part=restarted]").innerText(), /lost; the answer was written again on the processor/);
    const { backend } = await engineState(page);
    assert.equal(backend.kind, "cpu");
    assert.match(await page.locator("anchorite-chat [part=status]").innerText(), /was lost/);
  } finally {
    await browser.close();
    await host.close();
  }
});

test("a worker that stops says so, and the next question starts it anew", async () => {
  const double = doubleSite();
  const browser = await launch();
  const host = await serve(double.roots);
  try {
    const { page } = await visit(browser, host.url);
    await settle(page);
    await askInChat(page, double.answerable);
    // Thrown where nothing catches it, as a trap in the module would be.
    await page.workers()[0].evaluate(() => void setTimeout(() => { throw new RangeError("out of memory"); }));
    await page.waitForSelector("anchorite-chat[data-state=error]");
    await page.locator("anchorite-chat").getByText(/worker has stopped: .*out of memory/).waitFor();
    const { type, detail: answer } = await askInChat(page, double.answerable);
    assert.equal(type, "anchorite-answer");
    assert.ok(answer.quote, "an answer");
    assert.equal(await page.locator("anchorite-answer [part=question]").count(), 2, "the conversation stays");
  } finally {
    await browser.close();
    await host.close();
  }
});
