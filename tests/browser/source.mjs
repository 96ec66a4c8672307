// Turns a file of `www/src` into a module that runs here, for tests that need no browser.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const www = fileURLToPath(new URL("../../www/", import.meta.url));
export const esbuild = createRequire(path.join(www, "package.json"))("esbuild");

/** The exports of `www/src/` + `file`; `options` are esbuild's. */
export async function load(file, options = {}) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(www, "src", file)],
    bundle: true,
    format: "esm",
    write: false,
    ...options,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
