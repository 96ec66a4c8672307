// Checks that marks for Pagefind work on a site: results are narrowed and sorted, and show what pages say about themselves.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { deployedSite, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

const PIXEL = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";

function post(title, date, author, image) {
  return `<!doctype html><html lang="en"><head><title>${title}</title></head><body><main><h1>${title}</h1>
<p data-date="${date}" data-author="${author}" data-pagefind-sort="date[data-date]" data-pagefind-filter="author[data-author]"
data-pagefind-meta="date[data-date], author[data-author]">The lighthouse keeper writes about ${title}.</p><img src="${image}" alt=""></main></body></html>`;
}

const site = deployedSite({
  "posts/fog.html": post("fog", "2024-11-02", "Ann", "../icon.svg"),
  "posts/storms.html": post("storms", "2026-01-15", "Bob", "https://elsewhere.example/storms.png"),
  "posts/gulls.html": post("gulls", "2025-06-30", "Ann", PIXEL),
  "about.html": "<!doctype html><html lang=en><title>About</title><main><h1>About</h1><p>The lighthouse keeper, and his lamp.</main>",
});
const HOST = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A site</title><link rel="icon" href="icon.svg">
<script type="module" src="anchorite-search.js"></script></head>
<body><anchorite-search bundle="bundle/" details="date author" images></anchorite-search></body></html>`;

describe("a site that is marked for Pagefind", { skip: site ? false : "the real package is not built" }, () => {
  let browser;
  let host;
  before(async () => {
    browser = await launch();
    host = await serve(site.roots);
    host.rules = (name) => (name === "index.html" ? { replace: Buffer.from(HOST) } : null);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });
  /** Sets properties of the element, and returns the titles of the results once they have changed to `expected`. */
  async function shows(page, properties, expected) {
    await page.evaluate((properties) => Object.assign(document.querySelector("anchorite-search"), properties), properties);
    const titles = () => page.locator("anchorite-search [part=title]").allInnerTexts();
    let found = [];
    for (let round = 0; round < 100 && String(found) !== String(expected); round += 1) {
      await page.waitForTimeout(50);
      found = await titles();
    }
    assert.deepEqual(found, expected);
  }

  test("narrows, sorts, and shows what pages say of themselves", async () => {
    const { page, context, problems } = await visit(browser, host.url);
    await page.fill("anchorite-search input", "lighthouse keeper");
    await page.locator("anchorite-search [role=option]").nth(3).waitFor();
    await shows(page, { sort: { by: "date", order: "desc" } }, ["storms", "gulls", "fog", "About"]);
    const details = page.locator("anchorite-search [part=details]");
    assert.deepEqual(await details.allInnerTexts(), ["2026-01-15 \u00b7 Bob", "2025-06-30 \u00b7 Ann", "2024-11-02 \u00b7 Ann"]);
    const images = page.locator("anchorite-search [part=image]");
    const sources = await images.evaluateAll((all) => all.map((one) => new URL(one.src).pathname));
    assert.deepEqual(sources, ["/icon.svg"], "none from another host, and none that is written into its page");
    await shows(page, { sort: { by: "date" } }, ["fog", "gulls", "storms", "About"]);
    await shows(page, { filters: { author: ["Ann"] } }, ["fog", "gulls"]);
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("tells what can be asked for, and what cannot", async () => {
    const { page, context } = await visit(browser, host.url);
    const told = await page.evaluate(async () => {
      const engine = await document.querySelector("anchorite-search").engine;
      const error = await engine.search("keeper", { sort: { by: "size" } }).catch((thrown) => thrown);
      const [hit] = await engine.search("fog");
      return { keys: await engine.sortKeys(), filters: await engine.filters(), error: { ...error, message: error.message }, meta: hit.meta };
    });
    assert.deepEqual(told.keys, ["date"]);
    assert.deepEqual(told.filters, { author: { Ann: 2, Bob: 1 } });
    assert.equal(told.error.code, "sort_key");
    assert.match(told.error.message, /expected one of `date`/);
    assert.deepEqual(told.meta, { author: "Ann", date: "2024-11-02", image: "icon.svg" });
    await context.close();
  });
});
