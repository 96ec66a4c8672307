// The interface that the worker expects of the wasm package; `build.mjs` resolves `#pkg` to `www/pkg` (or to the tests' double).
import type { Answer, AskEvent, AskOptions, Backend, Shard } from "./protocol.js";
import type { SearchEngine } from "./wasm-search.js";

export { default } from "./wasm-search.js";

/** Stops a running answer, which then ends after the token in progress. */
export class AbortFlag {
  constructor();
  abort(): void;
}

/** Says that every device of this browser has the feature `subgroups`; call it before loading a generator. */
export function browser_has_subgroups(): void;

/** The methods of both engines. */
export interface Engine extends SearchEngine {}

/** The engine of the search module, plus its own embedder and the models that answer. */
export class Engine {
  /** Reads a bundle's manifest; refuses one of a newer format. */
  constructor(manifest: Uint8Array);
  /** Makes the index searchable by meaning, once the embedder's parts have arrived. */
  load_embedder(): void;
  /** Has the reader choose quotations and decide outcomes, once its parts have arrived. */
  load_reader(): void;
  /**
   * Opens the graphics device and compiles the generator's kernels once enough parts have arrived to tell which; returns
   * undefined before that. Await it before `load_generator`, which reports any failure.
   */
  prepare_generator(adapter: boolean): Promise<void> | undefined;
  /**
   * When a graphics device fails mid-answer, `again` is called with the backend to load next. It supplies the generator's
   * parts again, or rejects with the code `gpu` if there is no device to load on.
   */
  load_generator(
    backend: "webgpu" | "cpu",
    reason: string,
    adapter: boolean,
    again: (backend: "webgpu" | "cpu") => Promise<void>,
  ): Promise<Backend>;
  /** Adds the adapter of this name, whose parts have arrived, so that a question's `voice` can name it. The generator comes first. */
  load_voice(name: string): void;
  /** The missing shards that `ask` would read; call again once they are supplied. */
  needs(question: string, options: AskOptions): Shard[];
  /** Yields to the event loop between tokens, so that `AbortFlag.abort` takes effect. */
  ask(
    question: string,
    options: AskOptions,
    abort: AbortFlag,
    on_event: (event: AskEvent) => void,
  ): Promise<Answer>;
}
