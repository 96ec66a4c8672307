// Checks that the double fails as the engine does: every code that it throws is one of the engine's.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

const read = (file) => fs.readFileSync(new URL(file, import.meta.url), "utf8");

/** Error types whose codes reach a page, by the crate that has them. */
const TYPES = { engine: ["EngineError"], index: ["BundleError"], model: ["LoadError", "RunError"] };

/** The codes that a type's `code` gives. */
function codes(crate, type) {
  const source = read(`../../crate/${crate}/src/error.rs`);
  const implementation = source.slice(source.indexOf(`impl ${type} {`));
  const body = implementation.slice(implementation.indexOf("fn code(&self) -> &'static str {")).split("\n    }")[0];
  const found = [...body.matchAll(/=> "([a-z0-9_]+)"/g)].map(([, code]) => code);
  assert.ok(found.length > 0, `${type} has no codes`);
  return found;
}

test("every code that the double throws is one of the engine's", () => {
  const real = new Set(Object.entries(TYPES).flatMap(([crate, types]) => types.flatMap((type) => codes(crate, type))));
  const double = read("fake-pkg/anchorite_answers.js");
  const thrown = [...double.matchAll(/\bthrow plain\(\s*"([a-z0-9_]+)"/g)].map(([, code]) => code);
  assert.ok(thrown.length > 0, "the double throws nothing");
  assert.equal(thrown.length, double.match(/\bthrow\b/g).length, "each `throw` gives a code");
  assert.deepEqual(thrown.filter((code) => !real.has(code)), []);
});
