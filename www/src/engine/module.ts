// Turns what this browser compiles, and what a page wants, into the names of the engine's files: a worker, and its module.
import type { Module } from "./protocol.js";

/** The files that a page loads in addition to its own script. */
export interface ModuleFiles {
  readonly worker: string;
  readonly wasm: string;
}

/** The smallest module with a relaxed instruction: one function that drops a swizzle of two zero vectors. */
const RELAXED = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // one type: nothing to nothing
  ...[0x03, 0x02, 0x01, 0x00], // one function of it
  ...[0x0a, 0x10, 0x01, 0x0e, 0x00], // its code: 14 bytes, no locals
  ...[0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f], // i32.const 0, i8x16.splat, twice
  ...[0xfd, 0x80, 0x02, 0x1a, 0x0b], // i8x16.relaxed_swizzle, drop, end
]);

/** The files of a module, in the fastest build that this browser runs. */
export function moduleFiles(module: Module): ModuleFiles {
  const relaxed = WebAssembly.validate(RELAXED);
  const worker = module === "search" ? "anchorite-search-worker" : "anchorite-worker";
  const wasm = module === "search" ? "anchorite_search" : "anchorite_answers";
  return { worker: `${worker}${relaxed ? "-relaxed" : ""}.js`, wasm: `${wasm}${relaxed ? "_relaxed" : ""}_bg.wasm` };
}
