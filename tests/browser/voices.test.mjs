// Checks that readers choose who answers: a voice is fetched when it is first chosen, speaks from then on, and nothing else changes.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { askInChat, settle, visit, voicesSite } from "./harness.mjs";
import { serve } from "./server.mjs";

const site = voicesSite();
const skip = site ? false : "the real package is not built: run `cargo xtask wasm` and `cargo build --bin anchorite`";

describe("voices", { skip }, () => {
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

  /** The chosen voice's whole text: without the lock, for the model knows only its own words. */
  const write = (page) =>
    page.evaluate(async (question) => {
      const chat = document.querySelector("anchorite-chat");
      const engine = await chat.engine;
      let text = "";
      const onEvent = (event) => {
        if (event.kind === "text") text += event.text;
      };
      const { outcome, quote } = await engine.ask(question, { voice: chat.voice, lock: false, onEvent });
      return { text, outcome, quote: quote.text };
    }, site.answerable);

  test("the picker swaps the adapter between two questions, and fetches it once", async () => {
    const { page, context, problems } = await visit(browser, host.url);
    await settle(page);
    const picker = page.locator("anchorite-chat [part=voice] select");
    assert.deepEqual(await picker.locator("option").allInnerTexts(), ["Calm", "Brisk"]);
    await askInChat(page, site.answerable);
    const calm = await write(page);
    assert.match(calm.text, /mod\+I/, "the first adapter speaks");
    const before = host.log.length;
    await picker.selectOption({ label: "Brisk" });
    assert.equal(host.log.length, before, "nothing is fetched for a choice");
    await askInChat(page, site.answerable);
    assert.equal(host.log.length, before + 1, "the file was fetched for the chat's question");
    const brisk = await write(page);
    assert.match(brisk.text, /Hold Ctrl or Cmd/, "the chosen one speaks");
    assert.deepEqual({ ...brisk, text: "" }, { ...calm, text: "" }, "the quotation is the same");
    await picker.selectOption({ label: "Calm" });
    assert.deepEqual(await write(page), calm);
    await picker.selectOption({ label: "Brisk" });
    assert.deepEqual(await write(page), brisk);
    assert.equal(host.log.length, before + 1, "and kept");
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("the attribute and the engine name a voice, and an unknown one is an error", async () => {
    const { page, context } = await visit(browser, host.url);
    await settle(page);
    await page.evaluate(() => document.querySelector("anchorite-chat").setAttribute("voice", "brisk"));
    assert.match((await write(page)).text, /Hold Ctrl or Cmd/);
    assert.equal(await page.locator("anchorite-chat [part=voice] select").inputValue(), "brisk.gguf");
    const told = await page.evaluate(async (question) => {
      const engine = await document.querySelector("anchorite-chat").engine;
      const failed = await engine.ask(question, { voice: "loud" }).catch(({ code, hint }) => ({ code, hint }));
      return { voices: engine.voices, failed };
    }, site.answerable);
    assert.deepEqual(told.voices, [
      { name: "calm", label: "Calm" },
      { name: "brisk", label: "Brisk" },
    ]);
    assert.deepEqual(told.failed, { code: "unknown_voice", hint: "the bundle's adapters are: calm, brisk" });
    await context.close();
  });
});
