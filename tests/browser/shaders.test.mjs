// Compiles every shader that can be put together with Chromium's own compiler, which checks more than naga does: uniform control
// flow at barriers and in subgroups above all.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { launch } from "./browser.mjs";
import { built } from "./harness.mjs";
import { serve } from "./server.mjs";

const writer = built("examples/write_wgsl");

/** The shaders by name, with the directive that wgpu's own compiler refuses and browsers need. */
function shaders() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-wgsl-"));
  execFileSync(writer, [folder]);
  const files = fs.readdirSync(folder).map((name) => {
    const code = fs.readFileSync(path.join(folder, name), "utf8");
    return { name, code: code.includes("@builtin(subgroup_size)") ? `enable subgroups;\n${code}` : code };
  });
  fs.rmSync(folder, { recursive: true });
  return files;
}

test("Chromium compiles every shader", { skip: writer ? false : "run `cargo test --no-run` first" }, async () => {
  const browser = await launch({ gpu: true });
  const host = await serve([]);
  const page = await browser.newPage();
  await page.goto(`${host.url}nothing`);
  const all = shaders();
  const { features, wrong, skipped } = await page.evaluate(async (files) => {
    const adapter = await navigator.gpu.requestAdapter();
    const features = ["shader-f16", "subgroups"].filter((name) => adapter.features.has(name));
    const device = await adapter.requestDevice({ requiredFeatures: features });
    const wrong = [];
    const skipped = [];
    for (const { name, code } of files) {
      const needs = [code.includes("enable f16;") && "shader-f16", code.includes("enable subgroups;") && "subgroups"];
      if (needs.some((feature) => feature && !features.includes(feature))) {
        skipped.push(name);
        continue;
      }
      device.pushErrorScope("validation");
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      await device.popErrorScope();
      for (const { type, message, lineNum } of messages) {
        if (type !== "info") wrong.push(`${name}:${lineNum}: ${type}: ${message}`);
      }
    }
    return { features, wrong, skipped };
  }, all);
  console.log(`${all.length} shaders, ${skipped.length} left out; the adapter has ${features.join(", ") || "neither f16 nor subgroups"}`);
  assert.ok(all.length > 200, `${all.length} shaders`);
  assert.ok(skipped.length < all.length / 2, "most are compiled");
  assert.deepEqual(wrong, []);
  await browser.close();
  await host.close();
});
