// The interface that the search worker expects of its wasm package; `build.mjs` resolves `#pkg-search` to that (or to the tests' double).
import type { Embedder } from "./wasm-embedder.js";
import type { FilterCounts, Hit, Manifest, Shard } from "./protocol.js";

/** Instantiates the module; every other name works only afterwards. */
export default function init(options: { module_or_path: URL }): Promise<unknown>;

/** All methods throw plain objects `{ code, message, hint }`. */
export class Engine {
  /** Reads a bundle's manifest; refuses one of a newer format. */
  constructor(manifest: Uint8Array);
  manifest(): Manifest;
  /** Makes room for `bytes` of files, or throws `no_memory`. */
  reserve(bytes: number): void;
  /** Takes one part, after checking its length and SHA-256. */
  add_part(path: string, bytes: Uint8Array): void;
  /** Opens the index; its shards are supplied when calls name them as missing. */
  load_index(): void;
  load_vectors(): void;
  /** Checks the length and SHA-256 of a part that another module holds. */
  check_part(path: string, bytes: Uint8Array): void;
  /** Makes the index searchable by meaning, with a loaded embedder. */
  set_embedder(embedder: Embedder): void;
  /** Takes a shard, after checking its length and SHA-256. Throws `busy` while an answer is being made. */
  insert_shard(id: number, bytes: Uint8Array): void;
  /** Every missing shard whose name is known; call again once they are supplied. */
  missing(): Shard[];
  /** Every shard whose name is known, loaded or not. */
  shards(): Shard[];
  filters(): { missing: Shard[]; filters: FilterCounts };
  /** Names of the values that `search` can sort by. */
  sort_keys(): string[];
  /**
   * `filters` alternates names and values; `sort_by` is empty for best first. Returns the results from the loaded shards,
   * and the shards that would complete them. Throws `busy` while an answer is being made.
   */
  search(query: string, limit: number, filters: string[], sort_by: string, descending: boolean): { results: Omit<Hit, "terms">[]; terms: string[]; missing: Shard[] };
}

/** The methods that the answering module's engine shares; it has its own embedder. */
export type SearchEngine = Omit<Engine, "check_part" | "set_embedder">;
