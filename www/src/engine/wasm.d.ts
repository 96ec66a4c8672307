// The interface that the worker expects of the wasm package; `build.mjs` resolves `#pkg` to `www/pkg` (or to the tests' double).
import type { Answer, AskEvent, AskOptions, Backend, Shard } from "./protocol.js";
import type { SearchEngine } from "./wasm-search.js";

export { default } from "./wasm-search.js";

/** Says "stop" to a running answer, which then ends after the token being made. */
export class AbortFlag {
  constructor();
  abort(): void;
}

/** Says that every device of this browser has the feature `subgroups`; to be called before a generator is loaded. */
export function browser_has_subgroups(): void;

/** The methods of both engines. */
export interface Engine extends SearchEngine {}

/** The engine of the search module with an embedder of its own, and what answers. */
export class Engine {
  /** Reads a bundle's manifest; refuses one of a newer format. */
  constructor(manifest: Uint8Array);
  /** Makes the index searchable by meaning, once the embedder's parts are here. */
  load_embedder(): void;
  /** Makes quotations and decisions those of the reader, once its parts are here. */
  load_reader(): void;
  /**
   * Opens the graphics device and compiles the generator's kernels once the parts that have arrived tell which; nothing
   * before that. To be awaited before `load_generator`, which reports what goes wrong.
   */
  prepare_generator(adapter: boolean): Promise<void> | undefined;
  /**
   * When a graphics device fails in mid-answer, `again` is called with where the generator goes next. It brings the
   * generator's parts once more; it rejects with the code `gpu` where there is no device to load on.
   */
  load_generator(
    backend: "webgpu" | "cpu",
    reason: string,
    adapter: boolean,
    again: (backend: "webgpu" | "cpu") => Promise<void>,
  ): Promise<Backend>;
  /** The shards that `ask` would read and that are not here; ask again once these are supplied. */
  needs(question: string, options: AskOptions): Shard[];
  /** Gives the event loop a turn between tokens, so that `AbortFlag.abort` can be heard. */
  ask(
    question: string,
    options: AskOptions,
    abort: AbortFlag,
    on_event: (event: AskEvent) => void,
  ): Promise<Answer>;
}
