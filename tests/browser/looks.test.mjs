// Checks that the elements look as the site around them does, on the double: its light and dark, and nothing of its text styles.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { doubleSite, visit } from "./harness.mjs";
import { serve } from "./server.mjs";

describe("the elements on a site of its own looks", () => {
  const site = doubleSite();
  let browser;
  let host;
  let html;
  let css;
  before(async () => {
    browser = await launch();
    host = await serve(site.roots);
    // The host forbids inline styles, as a careful site does.
    const files = { "pages/anchors.html": () => html, "demo.css": () => css };
    host.rules = (name) => (files[name] ? { replace: Buffer.from(files[name]()) } : null);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  async function open(styles, { head = "", root = "", body = "", colorScheme = "light" } = {}) {
    css = styles;
    html = `<!doctype html><html lang="en" ${root}><head><meta charset="utf-8"><title>A site</title><link rel="icon" href="../icon.svg">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="../demo.css">${head}<script type="module" src="../anchorite.js"></script></head>
<body ${body}><main><h1>A site</h1><header id="bar"></header><anchorite-search bundle="../pages/anchorite/"></anchorite-search></main>
<anchorite-chat bundle="../pages/anchorite/"></anchorite-chat></body></html>`;
    const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, colorScheme });
    const opened = await visit(browser, `${host.url}pages/anchors.html`, { context });
    await opened.page.locator("anchorite-search input").waitFor();
    return opened;
  }
  const isDark = (page, name = "anchorite-search", inside = ".box") =>
    page.locator(`${name} ${inside}`).first().evaluate((one) => {
      const [red] = getComputedStyle(one).backgroundColor.match(/[\d.]+/g).map(Number);
      return red < 128;
    });

  for (const [title, styles, options, expected] of [
    ["a white page on a dark system", "", { colorScheme: "dark" }, false],
    ["a page that follows the system, dark", "", { head: '<meta name="color-scheme" content="light dark">', colorScheme: "dark" }, true],
    ["a page that follows the system, light", "", { head: '<meta name="color-scheme" content="light dark">' }, false],
    ["a page that is always dark", ":root { color-scheme: dark }", {}, true],
    ["a page with a dark background", "body { background: oklch(0.2 0.02 250) }", {}, true],
    ["a dark background in another colour space", "body { background: color(display-p3 0.1 0.1 0.15) }", {}, true],
    ["a light background in lab", "body { background: lab(90 10 10) }", { colorScheme: "dark" }, false],
    ["a dark class", "html.dark { background: #101418 }", { root: 'class="dark"' }, true],
    ["a light attribute on a dark system", "body[data-theme=light] { background: #fdfdfd }", { head: '<meta name="color-scheme" content="light dark">', body: 'data-theme="light"', colorScheme: "dark" }, false],
    ["a background too thin to see", "body { background: rgb(0 0 0 / 0.1) }", {}, false],
  ]) {
    test(title, async () => {
      const { page, context, problems } = await open(styles, options);
      assert.equal(await isDark(page), expected);
      assert.deepEqual(problems, []);
      await context.close();
    });
  }

  test("a switch of the site switches them, also after a transition", async () => {
    const { page, context } = await open("body { background: #fff; transition: background 300ms } html.dark body { background: #111 }");
    assert.equal(await isDark(page), false);
    await page.evaluate(() => document.documentElement.classList.add("dark"));
    await page.waitForFunction(() => document.querySelector("anchorite-search").dataset.scheme === "dark");
    assert.equal(await isDark(page), true);
    await page.evaluate(() => document.documentElement.classList.remove("dark"));
    await page.waitForFunction(() => document.querySelector("anchorite-search").dataset.scheme === "light");
    await context.close();
  });

  for (const [title, styles, change] of [
    ["a new body", "body { background: #fff } body.night { background: #111 }", () => {
      const body = document.createElement("body");
      body.className = "night";
      body.append(...document.body.childNodes);
      document.body.replaceWith(body);
    }],
    ["a class on a wrapper", "main { background: #fff } main.night { background: #111 }", () => document.querySelector("main").classList.add("night")],
    ["a style sheet that is switched off", "body { background: #111 }", () => (document.querySelector("link[rel=stylesheet]").disabled = true)],
  ]) {
    test(`${title} switches them`, async () => {
      const { page, context } = await open(styles);
      const before = await isDark(page);
      await page.evaluate(change);
      await page.waitForFunction((before) => (document.querySelector("anchorite-search").dataset.scheme === "dark") !== before, before);
      await context.close();
    });
  }

  test("a theme that is taken back leaves nothing behind", async () => {
    const { page, context } = await open("");
    for (const theme of ["dark", "auto"]) {
      await page.evaluate((theme) => document.querySelector("anchorite-search").setAttribute("theme", theme), theme);
      await page.evaluate(() => document.documentElement.classList.toggle("x"));
      await page.waitForTimeout(100);
      assert.equal(await isDark(page), theme === "dark", theme);
    }
    await context.close();
  });

  test("paper is white", async () => {
    const { page, context } = await open("body { background: #111 }");
    await page.emulateMedia({ media: "print" });
    assert.equal(await isDark(page), false);
    await context.close();
  });

  test("what lies behind an element decides, not the rest of the page", async () => {
    const { page, context } = await open("#bar { background: #123 }");
    await page.evaluate(() => document.querySelector("#bar").append(document.querySelector("anchorite-search")));
    assert.equal(await isDark(page), true);
    assert.equal(await page.getAttribute("anchorite-chat", "data-scheme"), "light");
    await context.close();
  });

  test("the theme of an element goes before the page's, through all that is inside", async () => {
    const { page, context } = await open("");
    await page.evaluate(() => document.querySelector("anchorite-chat").setAttribute("theme", "dark"));
    await page.locator("anchorite-chat [part=launcher]").click();
    await page.fill("anchorite-chat textarea", site.answerable);
    await page.press("anchorite-chat textarea", "Enter");
    await page.locator("anchorite-answer blockquote").waitFor();
    const lightness = await page.locator("anchorite-answer blockquote").evaluate((one) => Number(getComputedStyle(one).color.match(/[\d.]+/)[0]));
    assert.ok(lightness > 160, `ink on dark paper: ${lightness}`);
    assert.equal(await isDark(page, "anchorite-chat", "[part=panel]"), true);
    await context.close();
  });

  test("a site's text styles stay outside", async () => {
    const look = async (page) => {
      await page.locator("anchorite-chat [part=launcher]").click();
      await page.fill("anchorite-chat textarea", site.answerable);
      await page.press("anchorite-chat textarea", "Enter");
      await page.locator("anchorite-answer blockquote").waitFor();
      await page.fill("anchorite-search input", "tides");
      await page.locator("anchorite-search [role=option]").first().waitFor();
      const names = ["letterSpacing", "wordSpacing", "textTransform", "textIndent", "textShadow", "textAlign", "whiteSpace", "lineHeight", "fontStyle", "fontVariant", "fontWeight", "fontFamily", "fontSize", "wordBreak", "hyphens", "color"];
      const of = (selector) => page.locator(selector).first().evaluate((one, names) => names.map((name) => [name, getComputedStyle(one)[name]]), names);
      return [await of("anchorite-answer blockquote"), await of("anchorite-answer [part=quote-link]"), await of("anchorite-search [role=option] .snippet"), await of("anchorite-chat h2")];
    };
    const plain = await open("");
    const expected = await look(plain.page);
    await plain.context.close();
    const hostile = await open(`body, body * { letter-spacing: 6px; word-spacing: 1em; text-transform: uppercase; text-indent: 3em; text-shadow: 1px 1px red;
      text-align: right; white-space: nowrap; line-height: 4; font: italic small-caps 900 2rem/4 cursive; word-break: break-all; hyphens: auto; color: orange }`);
    assert.deepEqual(await look(hostile.page), expected);
    await hostile.context.close();
  });
});
