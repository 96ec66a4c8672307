// The interface that the embedder's script expects of its wasm package; `build.mjs` resolves `#pkg-embedder` to that (or to the tests' double).

/** Instantiates the module; the class works only afterwards. */
export default function init(options: { module_or_path: URL }): Promise<unknown>;

/** A sentence embedder. All methods throw plain objects `{ code, message, hint }`. */
export class Embedder {
  constructor();
  /** Makes room for `bytes` of its file, or throws `no_memory`. */
  reserve(bytes: number): void;
  /** Takes the next part of its file, which the caller has already checked. */
  add_part(bytes: Uint8Array): void;
  /** Builds the model from the parts. */
  load(): void;
  /** Values in an embedding. */
  dimension(): number;
  embed(text: string): Float32Array;
}
