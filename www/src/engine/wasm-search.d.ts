// What the search worker expects of its wasm package; `build.mjs` resolves `#pkg-search` to it (or to the tests' double).
import type { Hit, Manifest } from "./protocol.js";

/** Instantiates the module; every other name works only afterwards. */
export default function init(options: { module_or_path: URL }): Promise<unknown>;

/** All methods throw plain objects `{ code, message, hint }`. */
export class Engine {
  /** Reads a bundle's manifest; refuses one of a newer format. */
  constructor(manifest: Uint8Array);
  manifest(): Manifest;
  /** Makes room for so many bytes of files, or throws `no_memory`. */
  reserve(bytes: number): void;
  /** Takes one part, after checking its length and SHA-256. */
  add_part(path: string, bytes: Uint8Array): void;
  load_index(): void;
  load_embedder(): void;
  /** Throws `busy` while an answer is being made. */
  search(query: string, limit: number): Hit[];
}
