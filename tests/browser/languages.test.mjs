// A site in German and Arabic, as a build makes it with the embedder of many languages: found by meaning, and honest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { PATIENCE_MS, built } from "./harness.mjs";
import { serve } from "./server.mjs";

const MODEL = "multilingual-e5-small";
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = built("anchorite");
const isBuilt = program && fs.existsSync(path.join(root, "www/dist/anchorite_embedder_bg.wasm"));
const isPulled = isBuilt && JSON.parse(execFileSync(program, ["models", "--json"], { encoding: "utf8" })).filter(({ name, here }) => name.startsWith(MODEL) && here === "yes").length === 2;
const skip = isPulled ? false : isBuilt ? `${MODEL} was not pulled` : "the real package is not built";
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-languages-"));
process.on("exit", () => fs.rmSync(scratch, { recursive: true, force: true }));

const NOTES = {
  "README.md": "---\nlang: de\n---\n# Kleingarten\n\nHier steht, was alle Mitglieder wissen müssen, vom [Wasser](wasser.md) bis zum [Tor](tor.md).\n",
  "wasser.md": "# Wasser\n\nDie Regentonne fasst zweihundert Liter.\n\n## Frost\n\nVor dem ersten Frost wird die Tonne geleert, sonst platzt sie.\n",
  "tor.md": "# Schlüssel\n\nDer Schlüssel zum Tor liegt bei Frau Petersen. Wer ihn verliert, zahlt zwanzig Euro für einen neuen.\n",
  "tomaten.md": "# Tomaten\n\nTomaten werden im Februar auf der Fensterbank vorgezogen und nach den Eisheiligen ausgepflanzt.\n",
  "feste.md": "# Feste\n\nDas Sommerfest ist am ersten Samstag im Juli. Jede Familie bringt einen Salat oder einen Kuchen mit.\n",
  "ar/pump.md": "# المضخة\n\nأغلق الصمام قبل إيقاف المضخة، ثم املأ الخزان بالماء النظيف حتى تصل الإبرة إلى الرقم سبعة وانتظر حتى تتوقف المضخة.\n",
};

describe("a site in two languages", { skip }, () => {
  let browser;
  let host;
  before(async () => {
    for (const [name, text] of Object.entries(NOTES)) {
      fs.mkdirSync(path.dirname(path.join(scratch, "notes", name)), { recursive: true });
      fs.writeFileSync(path.join(scratch, "notes", name), text);
    }
    execFileSync(program, ["build", "notes", "--out", "site", "--no-cache"], { cwd: scratch, stdio: ["ignore", "pipe", "pipe"] });
    browser = await launch();
    host = await serve([path.join(scratch, "site")]);
  });
  after(async () => {
    await browser?.close();
    await host?.close();
  });

  async function open(address) {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !/favicon/.test(message.location().url)) problems.push(message.text());
    });
    await page.goto(address);
    return { page, problems };
  }

  test("pages say which language they are in", async () => {
    for (const [address, language] of [["tomaten.html", "de"], ["ar/pump.html", "ar"]]) {
      const { page } = await open(host.url + address);
      assert.equal(await page.locator("html").getAttribute("lang"), language);
      await page.close();
    }
  });

  test("finds what is said in other words, and in another language", async () => {
    const { page, problems } = await open(host.url);
    for (const [query, expected] of [
      ["Muss das Fass im Winter ausgeleert werden?", /wasser\.html/],
      ["tomato plants in February", /tomaten\.html/],
      ["الخزان والصمام", /ar\/pump\.html/],
    ]) {
      await page.locator("anchorite-search input").fill(query);
      // The embedder comes after the first hits by words.
      await page.locator(`anchorite-search [role=option] >> nth=0`).waitFor();
      await page.waitForFunction(
        (expected) => {
          const first = document.querySelector("anchorite-search").shadowRoot.querySelector("[role=option] a, a[role=option]");
          return first && new RegExp(expected).test(first.href);
        },
        expected.source,
      );
    }
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("reads in the language of its pages, and refuses in it", async () => {
    const { page, problems } = await open(host.url);
    await page.locator("anchorite-chat [part=launcher]").click();
    const ask = async (question) => {
      await page.locator("anchorite-chat textarea").fill(question);
      await page.locator("anchorite-chat textarea").press("Enter");
    };
    await ask("Bei wem liegt der Schlüssel zum Tor?");
    const quote = page.locator("anchorite-answer blockquote");
    await quote.first().waitFor();
    assert.match(await quote.first().innerText(), /Frau Petersen/);
    const outcome = () => page.locator("anchorite-answer").first().evaluate((one) => one.turn.outcome);
    assert.equal(await outcome(), "answered");
    assert.match(await page.locator("anchorite-answer mark").first().innerText(), /Petersen/);
    await ask("Wer schrieb die Neunte Sinfonie?");
    await page.getByText("Davon steht nichts in den Dokumenten").first().waitFor();
    assert.equal(await page.locator("anchorite-answer").nth(1).locator("blockquote").count(), 0);
    assert.deepEqual(problems, []);
    await page.close();
  });
});
