// Turns an opened bundle into an engine that has what it needs: fetches parts of files and shards of the index, and keeps them.
import type { SearchEngine } from "./engine.js";
import { AnchoriteError } from "./errors.js";
import type { FileEntry, Manifest, Reply, Rung, Shard } from "./protocol.js";
import type { Accept, Count, Piece, Store } from "./store.js";

/** Minimum time between two progress reports: people watch them, so more would only cost work. */
const PROGRESS_MS = 60;
/** Shards fetched in parallel while nobody waits for them. */
const KEEP_AT_ONCE = 4;
/** A search is complete after a few rounds: a table, words, a table, texts, and more texts for copies. More is a fault in the bundle. */
const MAX_ROUNDS = 20;

/** Runs a call of the engine as soon as nothing else holds it. */
export type Free = <T>(call: () => T) => Promise<T>;

/** A receiver of the parts of files, such as an engine. */
export interface Holder {
  reserve(bytes: number): void;
  addPart(path: string, bytes: Uint8Array): void;
}

/** An engine that has read its manifest, and its surroundings. */
export interface Opened<Engine extends SearchEngine> {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly store: Store;
  /** The bundle has changed since the last visit, so some kept files are obsolete. */
  readonly isUpdate: boolean;
  readonly free: Free;
  readonly post: (reply: Reply) => void;
}

/** One client's bundle: the engine over it, and the parts and shards fetched so far. */
export class Session<Engine extends SearchEngine> {
  readonly engine: Engine;
  readonly manifest: Manifest;
  /** Runs a call when no answer holds the engine. */
  readonly free: Free;
  readonly #store: Store;
  readonly #isUpdate: boolean;
  readonly #post: Opened<Engine>["post"];
  readonly #bytes = { network: 0, cache: 0 };
  /** Shards being fetched, so that two searches that need the same one fetch it once. */
  readonly #underWay = new Map<number, Promise<void>>();

  constructor({ engine, manifest, store, isUpdate, free, post }: Opened<Engine>) {
    this.engine = engine;
    this.manifest = manifest;
    this.free = free;
    this.#store = store;
    this.#isUpdate = isUpdate;
    this.#post = post;
  }

  files(...roles: FileEntry["role"][]): readonly FileEntry[] {
    return this.manifest.files.filter(({ role }) => roles.includes(role));
  }

  /**
   * Reserves room for `files`, then loads their parts `into` the engine one by one, so that a broken download resumes by part.
   * Posts progress for `rung`, and calls `arrived` after each part.
   */
  async fetchFiles(
    rung: Rung | null,
    files: readonly FileEntry[],
    { into = this.engine, arrived }: { readonly into?: Holder; readonly arrived?: () => void } = {},
  ): Promise<void> {
    const total = bytesOf(files);
    let loaded = 0;
    let told = 0;
    const tell = (): void => {
      told = performance.now();
      if (rung) this.#post({ kind: "rung", rung, state: { kind: "loading", loaded, total } });
      this.#postBytes();
    };
    tell();
    into.reserve(total);
    for (const part of files.flatMap(({ parts }) => parts)) {
      await this.#store.bring(
        part,
        (content) => into.addPart(part.path, content),
        (length, from) => {
          loaded += length;
          this.#bytes[from] += length;
          if (performance.now() - told > PROGRESS_MS) tell();
        },
      );
      arrived?.();
    }
    if (loaded !== total) throw inconsistent(`bundle parts do not add up to their files: expected ${total} bytes, found ${loaded}`);
    tell();
  }

  /**
   * Repeats a call of the engine, each time with the shards that it had missed, until it misses none or `goesOn` is false
   * for its result.
   */
  async complete<T extends { readonly missing: readonly Shard[] }>(call: () => T, goesOn: (result: T) => boolean = () => true): Promise<T> {
    for (let round = 0; ; round += 1) {
      const result = await this.free(call);
      if (result.missing.length === 0) return result;
      if (round === MAX_ROUNDS) throw inconsistent("index asks for more and more of its shards");
      if (!goesOn(result)) return result;
      await this.#fetchShards(result.missing);
    }
  }

  /** Fetches the whole index, a few shards at a time, each time after `turn`. */
  async keepIndex(turn = async (): Promise<void> => undefined): Promise<void> {
    for (;;) {
      const missing = await this.free(() => this.engine.missing());
      if (missing.length === 0) return;
      for (let first = 0; first < missing.length; first += KEEP_AT_ONCE) {
        await turn();
        await this.#fetchShards(missing.slice(first, first + KEEP_AT_ONCE));
      }
    }
  }

  /** Removes the files that an earlier version of the bundle left on this device. */
  async prune(): Promise<void> {
    if (!this.#isUpdate) return;
    const parts = this.manifest.files.flatMap(({ parts }) => parts);
    const pieces: readonly Piece[] = [...parts, ...(await this.free(() => this.engine.shards()))];
    await this.#store.prune(new Set(pieces.map(({ path }) => path)));
  }

  async #fetchShards(shards: readonly Shard[]): Promise<void> {
    await Promise.all(shards.map((shard) => this.#underWay.get(shard.id) ?? this.#fetchShard(shard)));
    this.#postBytes();
  }

  #fetchShard(shard: Shard): Promise<void> {
    const accept: Accept = (content) => this.free(() => this.engine.insertShard(shard.id, content));
    const count: Count = (arrived, from) => {
      this.#bytes[from] += arrived;
    };
    const fetching = this.#store.bring(shard, accept, count).finally(() => this.#underWay.delete(shard.id));
    this.#underWay.set(shard.id, fetching);
    return fetching;
  }

  #postBytes(): void {
    this.#post({ kind: "bytes", fetched: this.#bytes.network, cached: this.#bytes.cache });
  }
}

/** The size of a download of `files`, in bytes. */
export function bytesOf(files: readonly FileEntry[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

function inconsistent(message: string): AnchoriteError {
  return new AnchoriteError({ code: "bundle_inconsistent", message, hint: "build the bundle again and upload it completely" });
}
