// Checks the elements themselves: keyboard, roles, shortcuts, parts, themes, safety; on the double, because only the page is tested.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { askInChat, doubleSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const require = createRequire(new URL("../../www/package.json", import.meta.url));
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PANEL = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><script type="module" src="anchorite.js"></script></head>
<body><main><h1>A site</h1><p>Text of the site.</p><label>Its own field <input id="own"></label></main>
<anchorite-chat bundle="pages/anchorite/"></anchorite-chat></body></html>`;

describe("the elements", () => {
  const site = doubleSite();
  let browser;
  let host;
  before(async () => {
    browser = await launch();
    host = await serve(site.roots);
    host.rules = (name) => (name === "pages/anchors.html" ? { replace: Buffer.from(PANEL.replaceAll("anchorite.js", "../anchorite.js").replace("pages/anchorite/", "../pages/anchorite/")) } : null);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });
  // The element itself has no box of its own: its button and its panel float.
  const panelReady = (page) => page.waitForSelector("anchorite-chat[data-state=ready]", { state: "attached" });
  const panel = async (options) => visit(browser, `${host.url}pages/anchors.html`, options);

  test("search is a combobox that arrows, Enter and Escape drive", async () => {
    const { page, context } = await visit(browser, host.url);
    await settle(page);
    await page.keyboard.press("/");
    const input = page.locator("anchorite-search input");
    assert.equal(await input.evaluate((one) => one.getRootNode().activeElement === one), true, "`/` moves the focus");
    await input.pressSequentially("tides");
    const options = page.locator("anchorite-search [role=option]");
    await options.first().waitFor();
    assert.equal(await input.getAttribute("role"), "combobox");
    assert.equal(await input.getAttribute("aria-expanded"), "true");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await input.getAttribute("aria-activedescendant"), "hit-1");
    assert.equal(await options.nth(1).getAttribute("aria-selected"), "true");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    assert.equal(await input.getAttribute("aria-activedescendant"), null, "the field itself is one of the places");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("anchorite-search [part=panel]").isVisible(), false);
    assert.equal(await input.inputValue(), "tides");
    await page.keyboard.press("Escape");
    assert.equal(await input.inputValue(), "");
    await input.pressSequentially("spring tides");
    await options.first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/pages\/tides\.html#spring-tides$/);
    await context.close();
  });

  test("only the newest words are answered", async () => {
    const { page, context } = await visit(browser, host.url);
    await settle(page);
    const searched = await page.evaluate(async () => {
      const element = document.querySelector("anchorite-search");
      const engine = await element.engine;
      const asked = [];
      const search = engine.search.bind(engine);
      engine.search = (query, options) => {
        asked.push(query);
        return search(query, options);
      };
      const input = element.shadowRoot.querySelector("input");
      for (const text of ["l", "la", "lam", "lamp"]) {
        input.value = text;
        input.dispatchEvent(new Event("input"));
      }
      await new Promise((resolve) => setTimeout(resolve, 400));
      return asked;
    });
    assert.deepEqual(searched, ["lamp"]);
    await context.close();
  });

  test("documents and questions stay text", async () => {
    const { page, context, problems } = await visit(browser, host.url);
    await settle(page);
    await page.fill("anchorite-search input", "attack script alert");
    const hit = page.locator("anchorite-search [role=option]", { hasText: "script" }).first();
    await hit.waitFor();
    assert.match(await hit.innerText(), /<script>alert\("x"\)<\/script>/);
    await askInChat(page, '<img src=x onerror="document.title=1"> heading attack');
    assert.match(await page.locator("anchorite-answer [role=heading]").innerText(), /<img src=x/);
    assert.equal(await page.locator("anchorite-answer img").count(), 0);
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("the panel opens with mod+I, leaves mod+K and other fields alone, and closes with Escape", async () => {
    const { page, context } = await panel();
    const dialog = page.locator("anchorite-chat dialog");
    assert.equal(await page.getAttribute("anchorite-chat", "data-state"), "idle", "nothing loads before it is wanted");
    const kept = await page.evaluate(
      () =>
        new Promise((resolve) => {
          document.addEventListener("keydown", (event) => event.key === "k" && setTimeout(() => resolve(!event.defaultPrevented)));
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true, cancelable: true }));
        }),
    );
    assert.equal(kept, true, "mod+K is the site's");
    await page.focus("#own");
    await page.keyboard.press("Control+i");
    assert.equal(await dialog.isVisible(), false, "keys in a field belong to the field");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("Control+i");
    await dialog.waitFor();
    await panelReady(page);
    await page.keyboard.type("What causes the tides?");
    await page.keyboard.press("Enter");
    await page.locator("anchorite-answer blockquote").waitFor();
    await page.waitForSelector("anchorite-chat[data-asking=false]", { state: "attached" });
    await page.keyboard.press("Escape");
    assert.equal(await dialog.isVisible(), false);
    await page.waitForFunction(() => document.activeElement?.localName === "anchorite-chat"); // The focus returns.
    await page.locator("anchorite-chat .launcher").click();
    assert.equal(await page.locator("anchorite-answer").count(), 1, "the conversation is kept");
    await context.close();
  });

  test("the panel shows the newest question first, and leaves a reader alone who scrolls back", async () => {
    const { page, context } = await panel({ viewport: { width: 900, height: 500 } });
    await page.locator("anchorite-chat .launcher").click();
    await panelReady(page);
    const transcript = page.locator("anchorite-chat .transcript");
    const ask = async (question) => {
      const n = await page.locator("anchorite-answer").count();
      await page.fill("anchorite-chat textarea", question);
      await page.press("anchorite-chat textarea", "Enter");
      await page.locator("anchorite-answer").nth(n).waitFor({ state: "attached" });
      await page.waitForSelector("anchorite-chat[data-asking=false]", { state: "attached" });
    };
    const isNewestFirst = () =>
      transcript.evaluate(async (one) => {
        const newest = one.querySelector("anchorite-answer:last-of-type");
        await newest.updateComplete;
        await new Promise(requestAnimationFrame);
        const away = newest.getBoundingClientRect().top - one.getBoundingClientRect().top;
        const isAtEnd = one.scrollHeight - one.scrollTop - one.clientHeight < 2;
        return Math.abs(away) <= 2 || (away > 0 && isAtEnd);
      });
    for (const question of ["What causes the tides?", "What causes the tides, please?", "And what causes tides?"]) {
      await ask(question);
      assert.equal(await isNewestFirst(), true, question);
    }
    assert.ok(await transcript.evaluate((one) => one.scrollTop > 0), "the panel is full");
    await page.fill("anchorite-chat textarea", "What are the tides?");
    await page.press("anchorite-chat textarea", "Enter");
    await page.locator("anchorite-answer").nth(3).waitFor({ state: "attached" });
    await transcript.evaluate((one) => (one.scrollTop = 0));
    await page.waitForSelector("anchorite-chat[data-asking=false]", { state: "attached" });
    assert.equal(await transcript.evaluate((one) => one.scrollTop), 0, "the reader's place");
    await context.close();
  });

  test("Escape stops the answer first, then closes", async () => {
    const { page, context } = await panel();
    await page.locator("anchorite-chat .launcher").click();
    await panelReady(page);
    await page.keyboard.type("What causes the tides?");
    await page.keyboard.press("Enter");
    await page.locator("anchorite-answer [part=writing]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("anchorite-answer [part=stopped]").waitFor();
    assert.equal(await page.locator("anchorite-chat dialog").isVisible(), true);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("anchorite-chat dialog").isVisible(), false);
    await context.close();
  });

  test("a phone's panel is modal and fits", async () => {
    const { page, context } = await panel({ viewport: { width: 360, height: 640 } });
    await page.locator("anchorite-chat .launcher").click();
    await panelReady(page);
    assert.equal(await page.locator("anchorite-chat dialog").evaluate((one) => one.matches(":modal")), true);
    await page.keyboard.type("What causes the tides?");
    await page.keyboard.press("Enter");
    await page.locator("anchorite-answer blockquote").waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `the page is ${wide} px wide`);
    await context.close();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing in the ${colorScheme} demo, asked and searched`, async () => {
      const { page, context } = await visit(browser, host.url);
      await page.emulateMedia({ colorScheme });
      await settle(page);
      await askInChat(page, "What causes the tides?");
      await askInChat(page, "Who wrote the Brandenburg concertos?");
      await page.fill("anchorite-search input", "lamp");
      await page.locator("anchorite-search [role=option]").first().waitFor();
      await page.keyboard.press("ArrowDown");
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
      assert.deepEqual(found, []);
      await context.close();
    });
  }

  test("variables and the theme attribute change the look", async () => {
    const { page, context } = await visit(browser, host.url);
    await settle(page);
    const colour = () => page.locator("anchorite-chat form").evaluate((one) => getComputedStyle(one).backgroundColor);
    const light = await colour();
    await page.evaluate(() => document.querySelector("anchorite-chat").setAttribute("theme", "dark"));
    await page.waitForTimeout(200);
    assert.notEqual(await colour(), light);
    await page.evaluate(() => document.querySelector("anchorite-chat").style.setProperty("--anchorite-paper", "rgb(1, 2, 3)"));
    await page.waitForTimeout(200);
    assert.equal(await colour(), "rgb(1, 2, 3)");
    await context.close();
  });

  test("elements with one bundle share one worker", async () => {
    const { page, context } = await visit(browser, host.url);
    await settle(page);
    assert.equal(page.workers().length, 1);
    const same = await page.evaluate(async () => {
      const names = ["anchorite-search", "anchorite-chat", "anchorite-status"];
      const engines = await Promise.all(names.map((name) => document.querySelector(name).engine));
      return engines.every((engine) => engine === engines[0]);
    });
    assert.equal(same, true);
    await context.close();
  });
});
