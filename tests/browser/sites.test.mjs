// Walks through what the guide promises: a folder of notes becomes a site, and a site that is already there gets search and
// a chat by one line. Every hit is clicked, and leads to its place.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { PATIENCE_MS, built } from "./harness.mjs";
import { serve } from "./server.mjs";

const require = createRequire(new URL("../../www/package.json", import.meta.url));
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = built("anchorite");
const isBuilt = program && fs.existsSync(path.join(root, "www/dist/anchorite_answers_bg.wasm"));
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-sites-"));
process.on("exit", () => fs.rmSync(scratch, { recursive: true, force: true }));

const NOTES = {
  "README.md": "# Allotment\n\nFirst the [tools](tools.md#spade), then the [log](log.txt).\n\n![A spade](img/spade.svg)\n",
  "tools.md": `---\ntitle: Tools and their care\n---\nKeep every tool dry.\n\n${"Tools need care all year.\n\n".repeat(40)}## Spade\n\nOil the handle of the spade twice a year with linseed oil.\n`,
  "garden/compost.md": "# Compost\n\nTurn the heap every three weeks.\n\n## Never add\n\nMeat and cooked food attract rats.\n",
  "my stuff/seeds & dates.md": "# Seeds: dates\n\nBroad beans are sown in November, and courgettes in May.\n",
  "log.txt": "Log of the year\n===============\n\nThe pump broke in April; a new washer cost 2.40 euro.\n",
  "old.html": "<!doctype html><html lang=\"en\"><head><title>Water butt</title></head><body><main><h1>Water butt</h1><p>It holds 210 litres.</p></main></body></html>",
  "img/spade.svg": "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><rect width='40' height='20'/></svg>",
};
/** A search for each kind of page, and a text that is in view behind its hit. */
const SEARCHES = [
  { query: "linseed oil", page: "tools.html#spade", text: "Oil the handle of the spade" },
  { query: "rats", page: "garden/compost.html#never-add", text: "Meat and cooked food" },
  { query: "courgettes", page: "my%20stuff/seeds%20&%20dates.html#seeds-dates", text: "Broad beans are sown" },
  { query: "washer", page: "log.html", text: "The pump broke in April" },
  { query: "210 litres", page: "old.html", text: "It holds 210 litres" },
];

function write(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const build = (...args) =>
  execFileSync(program, ["build", ...args, "--no-cache", "--no-calibration"], { cwd: scratch, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** A page that collects everything that a faultless one would not log, ask for or miss. */
async function open(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems = [];
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/favicon/.test(message.location().url)) problems.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !response.url().endsWith("favicon.ico")) problems.push(`${response.status()} ${response.url()}`);
  });
  context.on("request", (request) => {
    if (!request.url().startsWith(new URL(address).origin)) problems.push(`third party: ${request.url()}`);
  });
  await page.goto(address);
  return { page, context, problems };
}

const inView = (page, text) => page.getByText(text).first().evaluate((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
});

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

describe("a site made from a folder of notes", { skip: isBuilt ? false : "the real package is not built" }, () => {
  const site = path.join(scratch, "site");
  let browser;
  let host;
  before(async () => {
    build(write(path.join(scratch, "notes"), NOTES), "--out", site);
    browser = await launch();
    // Many sites lie below a folder of their host.
    host = await serve([site], { base: "/docs/" });
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  test("leads from every hit to its place, from the first page and from deep ones", async () => {
    const { page, context, problems } = await open(browser, host.url);
    for (const { query, page: expected, text } of SEARCHES) {
      // The page before may be somebody's own, with the widget in its corner.
      const button = page.locator("anchorite-widget [part=search-button]");
      if (await button.count()) await button.click();
      await page.locator("anchorite-search input").fill(query);
      const hit = page.locator("anchorite-search [role=option]").first();
      await hit.waitFor();
      await hit.click();
      await page.waitForURL(`${host.url}${expected}`);
      assert.ok(await inView(page, text), `${text} is in view on ${page.url()}`);
    }
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("answers on a deep page, with a source that opens", async () => {
    const { page, context, problems } = await open(browser, `${host.url}garden/compost.html`);
    await page.locator("anchorite-chat [part=launcher]").click();
    await page.locator("anchorite-chat textarea").fill("How often is the handle of the spade oiled?");
    await page.locator("anchorite-chat textarea").press("Enter");
    const quote = page.locator("anchorite-answer blockquote");
    await quote.waitFor();
    assert.match(await quote.innerText(), /twice a year/);
    await page.locator("anchorite-answer [part=quote-link]").click();
    await page.waitForURL(/tools\.html/);
    assert.ok(await inView(page, "Oil the handle of the spade"));
    // The conversation has come along, and its source leads to the same place from here.
    await page.locator("anchorite-chat dialog[open]").waitFor();
    assert.match(await page.locator("anchorite-answer blockquote").innerText(), /twice a year/);
    const source = await page.locator("anchorite-answer [part=quote-link]").evaluate((link) => link.href);
    assert.equal(new URL(source).pathname, "/docs/tools.html");
    await page.locator("anchorite-chat textarea").fill("What is it oiled with?");
    await page.locator("anchorite-chat textarea").press("Enter");
    const second = page.locator("anchorite-answer").nth(1).locator("blockquote");
    await second.waitFor();
    assert.match(await second.innerText(), /linseed/);
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.reload();
    assert.equal(await page.locator("anchorite-answer").count(), 0, "nothing is kept of what was cleared");
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("takes a closed conversation along, and opens its sources from any folder, on a phone too", async () => {
    for (const viewport of [{ width: 1100, height: 800 }, { width: 390, height: 800 }]) {
      const { page, context } = await open(browser, host.url, { viewport });
      await page.locator("anchorite-chat [part=launcher]").click();
      await page.locator("anchorite-chat textarea").fill("How often is the handle of the spade oiled?");
      await page.locator("anchorite-chat textarea").press("Enter");
      await page.locator("anchorite-chat[data-asking=false] anchorite-answer blockquote").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      await page.goto(`${host.url}garden/compost.html`);
      assert.equal(await page.locator("anchorite-chat dialog[open]").count(), 0, "closed as it was");
      await page.locator("anchorite-chat [part=launcher]").click();
      const source = await page.locator("anchorite-answer [part=quote-link]").evaluate((link) => link.href);
      assert.equal(new URL(source).pathname, "/docs/tools.html");
      await context.close();
    }
  });

  test("keeps nothing that an older script or another program left in its place", async () => {
    for (const left of ["{", "[]", '{"opened":true,"turns":[]}', '{"opened":true,"turns":[{"id":1,"question":"?","status":"done","passages":[],"answer":{}}]}']) {
      const { page, context, problems } = await open(browser, host.url);
      await page.evaluate((left) => sessionStorage.setItem(`anchorite:conversation:${new URL("anchorite/", location.href).href}`, left), left);
      await page.reload();
      await page.locator("anchorite-chat [part=launcher]").click();
      assert.equal(await page.locator("anchorite-answer").count(), 0, left);
      assert.deepEqual(problems, []);
      await context.close();
    }
  });

  test("opens the hit of what is typed, however quickly Enter follows", async () => {
    const { page, context } = await open(browser, host.url);
    const field = page.locator("anchorite-search input");
    await field.fill("rats");
    await page.locator("anchorite-search [role=option]").first().waitFor();
    await field.fill("courgettes");
    await field.press("Enter");
    await page.waitForURL(/seeds%20/);
    // The same words again, after the field was cleared.
    await page.locator("anchorite-search input").fill("linseed");
    await page.locator("anchorite-search [role=option]").first().waitFor();
    await page.locator("anchorite-search input").fill("");
    await page.locator("anchorite-search input").fill("linseed");
    await page.locator("anchorite-search input").press("Enter");
    await page.waitForURL(/tools\.html/);
    await context.close();
  });

  test("every link of every page leads to a page that exists", async () => {
    const seen = new Set();
    const ahead = [host.url];
    while (ahead.length > 0) {
      const address = ahead.pop();
      if (seen.has(address)) continue;
      seen.add(address);
      const response = await fetch(address);
      assert.equal(response.status, 200, address);
      if (!response.headers.get("content-type").startsWith("text/html")) continue;
      for (const [, href] of (await response.text()).matchAll(/\s(?:href|src)="([^"]+)"/g)) {
        const next = new URL(href.replaceAll("&amp;", "&"), address);
        next.hash = "";
        if (next.origin === host.origin) ahead.push(next.href);
      }
    }
    const pages = [...seen].filter((address) => address.endsWith(".html"));
    assert.equal(pages.length, 6, `${pages}`);
    assert.ok(seen.has(`${host.url}img/spade.svg`), "images are there too");
  });

  test("is read by everybody, on a phone too", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, context } = await open(browser, `${host.url}tools.html`, { colorScheme, viewport: { width: 390, height: 800 } });
      assert.deepEqual(await violations(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is cut off");
      await page.locator(".menu").click();
      await page.getByRole("link", { name: "Compost", exact: true }).click();
      await page.waitForURL(/compost\.html/);
      await context.close();
    }
  });
});

describe("a site that is already there", { skip: isBuilt ? false : "the real package is not built" }, () => {
  const page = (title, text) =>
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><main><h1>${title}</h1>${text}</main></body></html>`;
  const site = path.join(scratch, "public");
  let browser;
  let host;
  before(async () => {
    write(site, {
      "index.html": page("Lamps", "<p>We make lamps.</p>"),
      "care/index.html": page("Care", `${"<p>Read this first.</p>".repeat(60)}<h2 id="brass">Brass</h2><p>Polish the brass with lemon juice.</p>`),
    });
    build("--site", site, "--inject");
    browser = await launch();
    host = await serve([site], { base: "/shop/" });
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  test("is searched and asked from the corner of every page", async () => {
    for (const start of ["", "care/"]) {
      const { page, context, problems } = await open(browser, host.url + start);
      await page.locator("anchorite-widget [part=search-button]").click();
      await page.keyboard.type("polish");
      const hit = page.locator("anchorite-search [role=option]").first();
      await hit.waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Enter");
      await page.waitForURL(`${host.url}care/#brass`);
      assert.ok(await inView(page, "Polish the brass"));
      assert.equal(await page.locator("anchorite-widget dialog[open]").count(), 0, "nothing covers the place");
      await page.locator("anchorite-widget [part=chat-button]").click();
      await page.locator("anchorite-chat textarea").fill("What is the brass polished with?");
      await page.keyboard.press("Enter");
      await page.locator("anchorite-answer blockquote").waitFor();
      assert.match(await page.locator("anchorite-answer blockquote").innerText(), /lemon juice/);
      assert.equal(await page.locator("anchorite-widget [part=bar]").isVisible(), false, "nothing to focus below the panel");
      await page.keyboard.press("Escape");
      const button = page.locator("anchorite-widget [part=chat-button]");
      await button.waitFor();
      assert.ok(await button.evaluate((one) => one.getRootNode().activeElement === one), "the focus is back");
      assert.deepEqual(problems, []);
      await context.close();
    }
  });

  test("closes the search by Escape once the field is empty, and by a click beside it", async () => {
    const { page, context } = await open(browser, host.url);
    const dialog = page.locator("anchorite-widget dialog[open]");
    const button = page.locator("anchorite-widget [part=search-button]");
    await button.click();
    await page.keyboard.type("brass");
    const list = page.locator("anchorite-search [part=panel]");
    await list.waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await list.isVisible(), false, "the list first");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("anchorite-search input").inputValue(), "", "then the text");
    assert.equal(await dialog.count(), 1, "and the dialog still stands");
    await page.keyboard.press("Escape");
    assert.equal(await dialog.count(), 0, "until the field is empty");
    assert.ok(await button.evaluate((one) => one.getRootNode().activeElement === one), "the focus is back on the button");
    await button.click();
    await page.mouse.click(5, 700);
    assert.equal(await dialog.count(), 0);
    await context.close();
  });
});
