// Turns a served demo into the pictures of the README: `NAME-light.png` and `NAME-dark.png`, of an answer.
// Usage: node www/shots.mjs --url http://127.0.0.1:8080/ [--out docs/images] [--name demo] [--question TEXT]; `cargo xtask shots`
// runs this.
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { launch } from "../tests/browser/browser.mjs";
import { settle, visit } from "../tests/browser/harness.mjs";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:8080/" },
    out: { type: "string", default: "docs/images" },
    name: { type: "string", default: "demo" },
    question: { type: "string", default: "What happens when the GPU device is lost?" },
  },
});
fs.mkdirSync(values.out, { recursive: true });
const browser = await launch();
try {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width: 1000, height: 980 }, deviceScaleFactor: 1.5, colorScheme });
    const { page } = await visit(browser, values.url, { context });
    await settle(page);
    await page.fill("anchorite-chat textarea", values.question);
    await page.press("anchorite-chat textarea", "Enter");
    await page.locator("anchorite-answer [part=details], anchorite-answer [part=error]").first().waitFor();
    await page.waitForSelector("anchorite-chat[data-asking=false]");
    // Otherwise the field keeps its focus frame, and its blinking caret shows in one of the two pictures.
    await page.evaluate(() => document.activeElement?.blur());
    const file = path.join(values.out, `${values.name}-${colorScheme}.png`);
    await page.screenshot({ path: file, animations: "disabled" });
    console.log(JSON.stringify({ file, bytes: fs.statSync(file).size }));
    await context.close();
  }
} finally {
  await browser.close();
}
