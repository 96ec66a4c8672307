// Checks the list of results on the double: grouped by page, closed by Tab, narrowed and sorted, and what a device remembers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { doubleSite, settle, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

/** Hits as an engine would find them: `page` and what is left of its address, best first. */
const HITS = [
  ["pump.html", "frost"],
  ["valve.html", "close"],
  ["pump.html", "start"],
  ["pump.html", ""],
  ["pump.html", "stop"],
  ["tank.html", "fill"],
  ["valve.html", "open"],
].map(([page, anchor], idx) => ({
  id: `${idx}`,
  url: anchor ? `${page}#${anchor}` : page,
  title: page,
  headings: anchor ? [anchor] : [],
  snippet: `Text ${idx} on water.`,
  score: 1 - idx / 10,
  meta: {},
}));

describe("the list of results", () => {
  const site = doubleSite();
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

  /** The demo with `hits` for every search; `asked` in the page collects the searches' options. */
  async function open(hits = HITS, filters = {}) {
    const opened = await visit(browser, host.url);
    await settle(opened.page);
    await opened.page.evaluate(
      async ([hits, filters]) => {
        const element = document.querySelector("anchorite-search");
        const engine = await element.engine;
        globalThis.asked = [];
        engine.filters = async () => filters;
        engine.search = async (query, { limit, filters, sort }) => {
          globalThis.asked.push({ query, limit, filters, sort });
          return query.includes("nothing") ? [] : hits.slice(0, limit);
        };
      },
      [hits, filters],
    );
    return opened;
  }
  const input = (page) => page.locator("anchorite-search input");
  const options = (page) => page.locator("anchorite-search [role=option]");
  const panel = (page) => page.locator("anchorite-search [part=panel]");

  test("hits of one page lie together, in the place of its best one", async () => {
    const { page, context, problems } = await open();
    await input(page).fill("water");
    await options(page).first().waitFor();
    const found = await page.locator("anchorite-search [part=page]").evaluateAll((all) =>
      all.map((one) => [one.getAttribute("aria-label"), ...[...one.querySelectorAll("[role=option]")].map((hit) => hit.querySelector(".crumb").textContent)]),
    );
    assert.deepEqual(found, [
      ["pump.html", "pump.html›frost", "start", "pump.html", "stop"],
      ["valve.html", "valve.html›close", "open"],
      ["tank.html", "tank.html›fill"],
    ]);
    // The arrow keys go down the list as it is seen.
    for (let step = 0; step < 5; step += 1) await page.keyboard.press("ArrowDown");
    assert.match(await page.locator("anchorite-search [aria-selected=true]").getAttribute("href"), /valve\.html#close$/);
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("a hit in another language than the page's says so, and is spoken as what it is", async () => {
    const tags = ["de-AT", "en", null, "x"];
    const { page, context } = await open(tags.map((language, idx) => ({ ...HITS[0], url: `${idx}.html`, language })));
    await input(page).fill("water");
    await options(page).first().waitFor();
    assert.deepEqual(await page.locator("anchorite-search [part=language]").allInnerTexts(), ["Austrian German", "x"]);
    assert.deepEqual(await page.locator("anchorite-search .snippet").evaluateAll((all) => all.map((one) => one.getAttribute("lang"))), tags.map((tag) => tag ?? ""));
    await context.close();
  });

  test("a limit is one on what is shown", async () => {
    const { page, context } = await open();
    await page.evaluate(() => (document.querySelector("anchorite-search").limit = 2));
    await input(page).fill("water");
    await options(page).first().waitFor();
    assert.equal(await options(page).count(), 2);
    await context.close();
  });

  test("a heading that repeats the title leaves the title", async () => {
    const same = HITS.slice(0, 2).map((hit, idx) => ({ ...hit, url: `pump.html#${idx}`, title: "Pump", headings: [idx === 0 ? "Frost" : "Pump"] }));
    const { page, context } = await open(same);
    await input(page).fill("water");
    await options(page).first().waitFor();
    assert.deepEqual(await page.locator("anchorite-search .crumb").allInnerTexts(), ["Pump›Frost", "Pump"]);
    await context.close();
  });

  for (const sorts of ["", "date:desc"]) {
    test(`Tab closes the list ${sorts ? "behind its controls" : "at once"}, Escape closes it anywhere, and focus brings it back`, async () => {
      const { page, context } = await open();
      await page.evaluate((sorts) => (document.querySelector("anchorite-search").sorts = sorts), sorts);
      await input(page).fill("water");
      await options(page).first().waitFor();
      await page.keyboard.press("Tab");
      if (sorts) {
        assert.equal(await panel(page).isVisible(), true, "the focus is on the control");
        await page.keyboard.press("Escape");
        assert.equal(await panel(page).isVisible(), false);
        assert.equal(await input(page).evaluate((one) => one.getRootNode().activeElement === one), true);
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
      }
      assert.equal(await panel(page).isVisible(), false);
      await input(page).focus();
      assert.equal(await panel(page).isVisible(), true);
      await page.keyboard.press("Shift+Tab");
      assert.equal(await panel(page).isVisible(), false);
      await context.close();
    });
  }

  test("filters and orders have controls that the keyboard reaches", async () => {
    const { page, context, problems } = await open(HITS, { kind: { guide: 3, api: 1 }, language: { de: 2, en: 2 }, single: { only: 4 } });
    await page.evaluate(() => {
      const element = document.querySelector("anchorite-search");
      element.setAttribute("facets", "kind language single missing");
      element.setAttribute("sorts", "date:desc title");
      element.setAttribute("labels", '{ "kind": "Kind of page", "title": "Title" }');
    });
    await input(page).fill("water");
    const controls = page.locator("anchorite-search [part=control]");
    await controls.nth(2).waitFor();
    assert.deepEqual(
      await controls.locator("select").evaluateAll((all) => all.map((one) => [...one.options].map(({ text }) => text))),
      [["All", "guide (3)", "api (1)"], ["All", "German (2)", "English (2)"], ["Best first", "date ↓", "Title"]],
      "a filter with one value is no choice",
    );
    assert.match(await controls.nth(0).innerText(), /^Kind of page/);
    await page.keyboard.press("Tab");
    assert.equal(await panel(page).isVisible(), true, "Tab leads into the list's controls");
    await controls.nth(0).locator("select").selectOption("api");
    await controls.nth(2).locator("select").selectOption("date:desc");
    await page.waitForFunction(() => globalThis.asked.at(-1).sort);
    const { filters, sort } = await page.evaluate(() => globalThis.asked.at(-1));
    assert.deepEqual(filters, { kind: ["api"] });
    assert.deepEqual(sort, { by: "date", order: "desc" });
    await controls.nth(0).locator("select").selectOption("");
    await page.waitForFunction(() => Object.keys(globalThis.asked.at(-1).filters).length === 0);
    await page.evaluate(() => (document.querySelector("anchorite-search").filters = { kind: ["guide"] }));
    await page.waitForFunction(() => globalThis.asked.at(-1).filters.kind);
    assert.equal(await controls.nth(0).locator("select").inputValue(), "guide", "a choice by script is seen");
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("an order that is chosen while a search runs holds", async () => {
    const { page, context } = await open();
    await page.evaluate(async () => {
      const element = document.querySelector("anchorite-search");
      const engine = await element.engine;
      const { search } = engine;
      engine.search = async (...given) => {
        const found = await search(...given);
        await new Promise((resolve) => setTimeout(resolve, 300));
        return found;
      };
    });
    await input(page).fill("water");
    await page.waitForFunction(() => globalThis.asked.length === 1);
    await page.evaluate(() => (document.querySelector("anchorite-search").sort = { by: "date", order: "desc" }));
    await options(page).first().waitFor();
    assert.deepEqual((await page.evaluate(() => globalThis.asked.at(-1))).sort, { by: "date", order: "desc" });
    await context.close();
  });

  test("a device offers the searches that led somewhere, and forgets them when told", async () => {
    const { page, context } = await open();
    const recent = page.locator("anchorite-search [part=recent] button");
    for (const query of ["water", "valve <b>"]) {
      await input(page).fill(query);
      await options(page).first().waitFor();
      await page.evaluate(() => document.querySelector("anchorite-search").shadowRoot.addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true }));
      await options(page).first().click();
      await input(page).fill("");
    }
    await input(page).fill("nothing of this");
    await input(page).fill("");
    await input(page).focus();
    assert.deepEqual((await recent.allInnerTexts()).slice(0, -1), ["valve <b>", "water"], "a search without a click is not one");
    await page.keyboard.press("Escape");
    assert.equal(await panel(page).isVisible(), false, "Escape closes it in an empty field too");
    await input(page).blur();
    await input(page).focus();
    await recent.nth(1).click();
    await options(page).first().waitFor();
    assert.equal(await input(page).inputValue(), "water");
    await input(page).fill("");
    await recent.last().click();
    assert.equal(await recent.count(), 0);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("searches"))), []);
    await context.close();
  });

  test("a forgetful search box keeps none", async () => {
    const { page, context } = await open();
    await page.evaluate(() => {
      const element = document.querySelector("anchorite-search");
      element.forgetful = true;
      element.shadowRoot.addEventListener("click", (event) => event.preventDefault(), { capture: true });
    });
    await input(page).fill("water");
    await options(page).first().click();
    await input(page).fill("");
    await input(page).focus();
    assert.equal(await page.locator("anchorite-search [part=recent]").count(), 0);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("searches"))), []);
    await context.close();
  });

  test("storage that holds something else harms nothing", async () => {
    const { page, context, problems } = await open();
    for (const kept of ['{"a":1}', "[1,null,\"\"]", "not JSON"]) {
      await page.evaluate((kept) => localStorage.setItem(`anchorite:searches:${new URL("pages/anchorite/", location.href).href}`, kept), kept);
      await input(page).blur();
      await input(page).focus();
      assert.equal(await page.locator("anchorite-search [part=recent]").count(), 0, kept);
    }
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("an input method's unfinished words neither empty the list nor open a hit", async () => {
    const { page, context } = await open();
    await input(page).fill("water");
    await options(page).first().waitFor();
    await input(page).focus();
    const session = await context.newCDPSession(page);
    await session.send("Input.imeSetComposition", { text: "nothing", selectionStart: 7, selectionEnd: 7 });
    await page.waitForFunction(() => globalThis.asked.at(-1).query.includes("nothing"));
    await page.waitForTimeout(100);
    assert.ok((await options(page).count()) > 0, "the list before stays");
    const before = page.url();
    await input(page).evaluate((one) => one.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, composed: true })));
    assert.equal(page.url(), before, "Enter chooses a word");
    // Phones compose every word: a pause ends it too.
    await page.locator("anchorite-search [part=panel] .note").waitFor();
    await session.send("Input.imeSetComposition", { text: "nothing", selectionStart: 7, selectionEnd: 7 });
    await session.send("Input.insertText", { text: "nothing" });
    await page.locator("anchorite-search [part=panel] .note").waitFor();
    assert.match(await panel(page).innerText(), /Nothing found for “waternothing”/);
    await context.close();
  });
});
