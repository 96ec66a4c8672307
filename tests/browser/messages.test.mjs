// Checks the interface in other languages: complete catalogues, chosen by the page's language, with a site's own words in their place.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { doubleSite, visit } from "./harness.mjs";
import { serve } from "./server.mjs";
import { load } from "./source.mjs";

const folder = fileURLToPath(new URL("../../www/src/elements/messages/", import.meta.url));

/** Every catalogue by its language. */
async function catalogues() {
  const languages = fs.readdirSync(folder).map((file) => path.basename(file, ".ts"));
  const found = languages.map(async (language) => [language, (await load(`elements/messages/${language}.ts`)).messages]);
  return Object.fromEntries(await Promise.all(found));
}

const forms = (message) => (typeof message === "string" ? { other: message } : message);
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("every language has every sentence, with its values and plural forms", async () => {
  const { en, ...others } = await catalogues();
  assert.ok(Object.keys(others).length >= 11, "twelve languages");
  for (const [language, messages] of Object.entries(others)) {
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(en).sort(), language);
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, message] of Object.entries(messages)) {
      const expected = placeholders(forms(en[key]).other);
      for (const [category, text] of Object.entries(forms(message))) {
        assert.ok(text.trim() === text && text.length > 0, `${language} ${key}`);
        // A form for one or two things may say the number as a word.
        const isWord = category !== "other" && placeholders(text).length === 0;
        if (!isWord) assert.deepEqual(placeholders(text), expected, `${language} ${key} ${category}`);
        assert.ok(category === "other" || pluralCategories.includes(category), `${language} ${key}: there is no ${category}`);
      }
      // A word instead of a number is only right where the form is for that number alone.
      if (forms(message).one && placeholders(forms(message).one).length === 0) assert.equal(language, "ar", `${language} ${key}`);
    }
  }
});

const page = (attributes, inside = "") => `<!doctype html><html ${attributes}><head><meta charset="utf-8"><title>Eine Seite</title><link rel="icon" href="../icon.svg">
<meta name="viewport" content="width=device-width, initial-scale=1"><script type="module" src="../anchorite.js"></script></head>
<body><main><h1>Eine Seite</h1><div id="outer"><anchorite-search bundle="../pages/anchorite/"></anchorite-search></div></main>
<anchorite-chat bundle="../pages/anchorite/"${inside}></anchorite-chat></body></html>`;

describe("the elements on a page in another language", () => {
  const site = doubleSite();
  let browser;
  let host;
  let html;
  let missing = false;
  before(async () => {
    browser = await launch();
    host = await serve(site.roots);
    host.rules = (name) => {
      if (name === "pages/anchors.html") return { replace: Buffer.from(html) };
      return missing && name.startsWith("messages/") ? { status: 404 } : null;
    };
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });
  async function open(attributes, inside) {
    html = page(attributes, inside);
    host.log.length = 0;
    const opened = await visit(browser, `${host.url}pages/anchors.html`);
    await opened.page.locator("anchorite-search input").waitFor();
    return opened;
  }
  const placeholder = ({ page }) => page.locator("anchorite-search input").getAttribute("placeholder");
  const launcher = ({ page }) => page.locator("anchorite-chat [part=launcher]").innerText();

  test("they speak it from the first paint on", async () => {
    for (const [attributes, search, ask] of [
      ['lang="de-AT"', "Suchen", "Fragen"],
      ['lang="el"', "Αναζήτηση", "Ερώτηση"],
      ['lang="ar" dir="rtl"', "بحث", "اسأل"],
      ['lang="zh-Hant-TW"', "搜索", "提问"],
    ]) {
      const opened = await open(attributes);
      assert.equal(await placeholder(opened), search);
      assert.match(await launcher(opened), new RegExp(`^${ask}`));
      assert.deepEqual(opened.problems, []);
      await opened.context.close();
    }
  });

  test("a whole answer has no English in it but the documents' and the engine's", async () => {
    const opened = await open('lang="de"');
    await opened.page.locator("anchorite-chat [part=launcher]").click();
    await opened.page.fill("anchorite-chat textarea", site.unanswerable);
    await opened.page.press("anchorite-chat textarea", "Enter");
    await opened.page.locator("anchorite-answer [part=not-found]").waitFor();
    assert.match(await opened.page.locator("anchorite-answer [part=not-found]").innerText(), /Davon steht nichts in den Dokumenten/);
    const { en, de } = await catalogues();
    const text = await opened.page.locator("anchorite-chat dialog").innerText();
    const english = Object.keys(en).filter((key) => typeof en[key] === "string" && en[key].length > 12 && en[key] !== de[key] && text.includes(en[key]));
    assert.deepEqual(english, [], text);
    assert.deepEqual(opened.problems, []);
    await opened.context.close();
  });

  test("languages without a catalogue, and English, load none", async () => {
    for (const attributes of ['lang="en-GB"', 'lang="tlh"', 'lang="constructor"', ""]) {
      const opened = await open(attributes);
      assert.equal(await placeholder(opened), "Search", attributes);
      assert.deepEqual(host.log.map(({ url }) => url).filter((url) => url.includes("/messages/")), []);
      await opened.context.close();
    }
  });

  test("a host that lost the file has the elements in English", async () => {
    missing = true;
    const opened = await open('lang="fr"');
    missing = false;
    assert.equal(await placeholder(opened), "Search");
    await opened.context.close();
  });

  test("a file that never comes holds up nobody for long", async () => {
    let release;
    const hold = new Promise((resolve) => (release = resolve));
    const { rules } = host;
    host.rules = (name) => (name.startsWith("messages/") ? { hold } : rules(name));
    const opened = await open('lang="es"');
    assert.equal(await placeholder(opened), "Search");
    release();
    await opened.page.waitForFunction(() => document.querySelector("anchorite-search").shadowRoot.querySelector("input").placeholder === "Buscar");
    host.rules = rules;
    await opened.context.close();
  });

  test("they follow a page that changes its language, and the nearest `lang` around them", async () => {
    const opened = await open('lang="en"');
    await opened.page.evaluate(() => (document.documentElement.lang = "it"));
    await opened.page.waitForFunction(() => document.querySelector("anchorite-search").shadowRoot.querySelector("input").placeholder === "Cerca");
    await opened.page.evaluate(() => {
      const outer = document.querySelector("#outer");
      outer.lang = "ja";
      outer.append(document.querySelector("anchorite-search"));
    });
    await opened.page.waitForFunction(() => document.querySelector("anchorite-search").shadowRoot.querySelector("input").placeholder === "検索");
    assert.match(await launcher(opened), /^Chiedi/);
    await opened.context.close();
  });

  test("a site's own words replace any of them, and wrong ones are told to the owner", async () => {
    const own = JSON.stringify({ ask: "Frag <b>den</b> Hausmeister", announceSources: { one: "eine Stelle", other: "{count} Stellen" } });
    const opened = await open('lang="de"', ` messages='${own}'`);
    assert.match(await launcher(opened), /^Frag <b>den<\/b> Hausmeister/, "and stay text");
    await opened.page.locator("anchorite-chat [part=launcher]").click();
    assert.equal(await opened.page.locator("anchorite-chat [part=header] [aria-label]").getAttribute("aria-label"), "Schließen", "the others stay");
    assert.deepEqual(opened.problems, []);
    await opened.context.close();
    for (const [wrong, told] of [["{", /not JSON/], ['{"aks":"x"}', /`aks`/], ['{"ask":7}', /`ask`/], ["[]", /object/]]) {
      const broken = await open('lang="de"', ` messages='${wrong}'`);
      assert.match(await launcher(broken), /^Fragen/);
      assert.match(broken.problems.join(), told, wrong);
      await broken.context.close();
    }
  });
});
