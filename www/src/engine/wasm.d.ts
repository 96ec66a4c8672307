// What the worker expects of the wasm package; `build.mjs` resolves `#pkg` to `www/pkg` (or to the tests' double).
import type { Answer, AskEvent, AskOptions, Backend, Hit, Manifest } from "./protocol.js";

/** Instantiates the module; every other name works only afterwards. */
export default function init(options: { module_or_path: URL }): Promise<unknown>;

/** Says "stop" to a running answer, which then ends after the token being made. */
export class AbortFlag {
  constructor();
  abort(): void;
}

/** All methods throw plain objects `{ code, message, hint }`. */
export class Engine {
  /** Reads a bundle's manifest; refuses one of a newer format. */
  constructor(manifest: Uint8Array);
  manifest(): Manifest;
  /** Takes one part, after checking its length and SHA-256. */
  add_part(path: string, bytes: Uint8Array): void;
  load_index(): void;
  load_embedder(): void;
  load_generator(backend: "webgpu" | "cpu", reason: string, adapter: boolean): Promise<Backend>;
  /** Throws `busy` while an answer is being made. */
  search(query: string, limit: number): Hit[];
  /** Gives the event loop a turn between tokens, so that `AbortFlag.abort` can be heard. */
  ask(
    question: string,
    options: AskOptions,
    abort: AbortFlag,
    on_event: (event: AskEvent) => void,
  ): Promise<Answer>;
}
