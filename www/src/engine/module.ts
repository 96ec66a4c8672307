// Turns what this browser compiles into the names of the engine's files: a worker, and the module it loads.

/** The files that a page loads beside its own script. */
export interface ModuleFiles {
  readonly worker: string;
  readonly wasm: string;
}

/** The smallest module with a relaxed instruction: one function that drops a swizzle of two zero vectors. */
const RELAXED = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // one type: nothing to nothing
  ...[0x03, 0x02, 0x01, 0x00], // one function of it
  ...[0x0a, 0x0f, 0x01, 0x0d, 0x00], // its code: 13 bytes, no locals
  ...[0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f], // i32.const 0, i8x16.splat, twice
  ...[0xfd, 0x80, 0x02, 0x1a, 0x0b], // i8x16.relaxed_swizzle, drop, end
]);

/** The fastest module that this browser takes. */
export function moduleFiles(): ModuleFiles {
  return WebAssembly.validate(RELAXED)
    ? { worker: "anchorite-worker-relaxed.js", wasm: "anchorite_web_relaxed_bg.wasm" }
    : { worker: "anchorite-worker.js", wasm: "anchorite_web_bg.wasm" };
}
