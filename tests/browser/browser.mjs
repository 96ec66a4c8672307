// Turns whatever Chromium this machine has into a Playwright browser, with or without a software WebGPU adapter.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(new URL("../../www/package.json", import.meta.url));

/** The browser to test with: `ANCHORITE_CHROMIUM`, or the first of the usual names in `PATH`. */
export function chromium() {
  const named = process.env.ANCHORITE_CHROMIUM;
  if (named) return named;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const found = folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find((file) => fs.existsSync(file));
  if (found) return found;
  throw new Error("no Chromium was found in `PATH`\nhint: apt-get install chromium, or set `ANCHORITE_CHROMIUM` to its path");
}

/**
 * Starts Chromium. `gpu` asks for WebGPU on SwiftShader; `ANCHORITE_GPU_ARGS` replaces that adapter's flag on a machine
 * with a real one. Only this machine's own name resolves, so that a third-party request cannot succeed unnoticed.
 */
export async function launch({ gpu = false, args = [] } = {}) {
  const { chromium: playwright } = require("playwright-core");
  const adapter = process.env.ANCHORITE_GPU_ARGS ?? "--use-webgpu-adapter=swiftshader";
  return playwright.launch({
    executablePath: chromium(),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-extensions",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...(gpu ? ["--enable-unsafe-webgpu", "--enable-features=Vulkan", ...adapter.split(" ").filter(Boolean)] : []),
      ...args,
    ],
  });
}
