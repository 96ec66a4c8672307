// Turns the embedder's module into an object that the search worker hands to its engine; loaded only for bundles with vectors.
import init, { Embedder } from "#pkg-embedder";

/** The file of the module that this script's glue belongs to; filled in by `build.mjs`. */
declare const MODULE: string;

/** Settles when the module runs; all embedders of this worker share it. */
const running = init({ module_or_path: new URL(MODULE, import.meta.url) });

/** An embedder whose file has yet to be loaded. */
export async function start(): Promise<Embedder> {
  await running;
  return new Embedder();
}
