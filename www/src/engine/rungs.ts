// Turns a bundle's address into an engine that searches, rung by rung; the workers of both modules share it.
import type { SearchEngine } from "#pkg-search";
import { AnchoriteError, toPlain } from "./errors.js";
import type { FileEntry, FilterCounts, Filters, Hit, Manifest, Reply, Request, Rung, SearchRequest, Shard, Sort } from "./protocol.js";
import { type Accept, type Count, type Piece, Store } from "./store.js";

/** The part of a dedicated worker's scope that is used here; the DOM library of TypeScript knows only windows. */
interface Scope {
  readonly navigator: unknown;
  postMessage(reply: Reply): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}
export const scope = globalThis as unknown as Scope;
export const post = (reply: Reply): void => scope.postMessage(reply);

/** Listens to the page, which sends a worker only requests that its module can serve. */
export function listen<Heard extends Request>(hear: (request: Heard) => void): void {
  scope.addEventListener("message", ({ data }) => hear(data as Heard));
}

/** The file of the module that this worker's glue belongs to; filled in by `build.mjs`. */
declare const MODULE: string;

/** Minimum time between two progress reports: people watch them, so more would only cost work. */
const PROGRESS_MS = 60;

/** An index of at most this many bytes is kept whole for offline visits, unless the reader saves data. */
const KEEP_BYTES = 2 * 1024 * 1024;
/** An index of at most this many bytes is fetched whole at once: it is a few files, and no search then waits for more. */
const SMALL_BYTES = 256 * 1024;
/** Time without a search after which the rest of a small index may take the connection. */
const QUIET_MS = 3000;
/** Shards fetched in parallel while nobody waits for them. */
const KEEP_AT_ONCE = 4;
/** A search is complete after a few rounds: a table, words, a table, texts, and more texts for copies. More is a fault in the bundle. */
const MAX_ROUNDS = 20;

/** An engine with its index opened. */
export interface Session<Engine extends SearchEngine> {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly store: Store;
  /** Runs a call when no answer holds the engine. */
  readonly free: Free;
  /** The bundle has changed since the last visit, so some kept files are obsolete. */
  readonly isUpdate: boolean;
}

/** Runs a call of the engine as soon as nothing else holds it. */
export type Free = <T>(call: () => T) => Promise<T>;

/** A receiver of the parts of files, such as an engine. */
export interface Holder {
  reserve(bytes: number): void;
  add_part(path: string, bytes: Uint8Array): void;
}

/** A receiver of the parts of vectors and embedder, which makes the index searchable by meaning once all are there. */
export interface Meaning extends Holder {
  load(): void;
}

/** Exports of a package of glue: the function that starts its module, and the engine in it. */
export interface Glue<Engine extends SearchEngine> {
  readonly init: (options: { module_or_path: URL }) => Promise<unknown>;
  readonly Engine: new (manifest: Uint8Array) => Engine;
}

const bytes = { network: 0, cache: 0 };

/** Runs one call, and sends its failure under its id. */
export async function reply(id: number, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (thrown) {
    post({ kind: "failed", id, error: toPlain(thrown, "engine_failed") });
  }
}

/** Reports that nothing works, because the bundle could not be opened. */
export function failed(thrown: unknown): void {
  post({ kind: "failed", id: null, error: toPlain(thrown, "open_failed") });
}

/** Rung 1: manifest and index, without its shards. A failure here ends the visit, because nothing works without them. */
export async function open<Engine extends SearchEngine>(
  bundle: string,
  glue: Glue<Engine>,
  free: Free,
): Promise<Session<Engine>> {
  const [store] = await Promise.all([
    Store.open(bundle),
    glue.init({ module_or_path: new URL(MODULE, import.meta.url) }),
  ]);
  const { bytes: manifestBytes, offline } = await store.manifest();
  const engine = new glue.Engine(manifestBytes);
  const manifest = engine.manifest();
  const isUpdate = await store.isUpdate(manifestBytes);
  await store.keepManifest(manifestBytes);
  const ready = { engine, manifest, store, free, isUpdate };
  await fetchFiles(ready, "keyword", ofRoles(manifest, "index"));
  engine.load_index();
  post({ kind: "rung", rung: "keyword", state: { kind: "ready" } });
  post({ kind: "opened", manifest, offline });
  return ready;
}

export function ofRoles({ files }: Manifest, ...roles: FileEntry["role"][]): readonly FileEntry[] {
  return files.filter(({ role }) => roles.includes(role));
}

/**
 * Rung 2: vectors and the sentence embedder. Without them, search continues by keywords. `start` returns their receiver;
 * `alone` runs its work when nothing else holds the engine.
 */
export async function loadMeaning<Engine extends SearchEngine>(
  ready: Session<Engine>,
  start: (ready: Session<Engine>) => Promise<Meaning>,
  alone: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { manifest } = ready;
  // Shards that can't be kept now are fetched when they are needed.
  if (manifest.shards.bytes <= SMALL_BYTES) await keepIndex(ready).catch(() => undefined);
  const embedder = ofRoles(manifest, "embedder");
  const vectors = ofRoles(manifest, "vectors");
  await climb("meaning", embedder.length === 0 || vectors.length === 0, async () => {
    const into = await start(ready);
    await fetchFiles(ready, "meaning", [...vectors, ...embedder], { into });
    post({ kind: "rung", rung: "meaning", state: { kind: "starting" } });
    await alone(async () => into.load());
  });
}

/** Removes files that an earlier version of the bundle left, and fetches the rest of a small index while nobody searches. */
export async function keepRest<Engine extends SearchEngine>(ready: Session<Engine>): Promise<void> {
  const { engine, manifest, store } = ready;
  if (ready.isUpdate) {
    const pieces: readonly Piece[] = [...manifest.files.flatMap(({ parts }) => parts), ...(await ready.free(() => engine.shards()))];
    await store.prune(new Set(pieces.map(({ path }) => path)));
  }
  if (manifest.shards.bytes <= KEEP_BYTES && !savesData()) await keepIndex(ready, quiet).catch(() => undefined);
}

/** True if the reader, or the browser for them, asked for fewer bytes. */
function savesData(): boolean {
  const { connection } = scope.navigator as { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}

/** The hits for a query: `partial` is called with those from the loaded shards, while missing ones are fetched. */
async function search(
  ready: Session<SearchEngine>,
  query: string,
  limit: number,
  wanted: Filters,
  sort: Sort | null,
  partial: (hits: readonly Hit[]) => void,
  isCancelled: () => boolean,
): Promise<readonly Hit[]> {
  const { engine, free } = ready;
  const filters = Object.entries(wanted).flatMap(([name, values]) => values.flatMap((value) => [name, value]));
  for (let round = 1; ; round += 1) {
    const { results, terms, missing } = await free(() => engine.search(query, limit, filters, sort?.by ?? "", sort?.order === "desc"));
    const hits = results.map((result) => ({ ...result, terms }));
    if (missing.length === 0 || isCancelled()) return hits;
    if (round > MAX_ROUNDS) throw endless();
    if (hits.length > 0) partial(hits);
    await fetchShards(ready, missing);
  }
}

/** Searches that the page no longer waits for. */
const cancelled = new Set<number>();

/** Serves the page's requests to a search module, except `open`. */
export function answerSearch(
  request: Exclude<SearchRequest, { readonly kind: "open" }>,
  opened: () => Promise<Session<SearchEngine>>,
): void {
  const { id } = request;
  switch (request.kind) {
    case "search":
      lastSearch = performance.now();
      void reply(id, async () => {
        const partial = (hits: readonly Hit[]): void => post({ kind: "partial", id, hits });
        const { query, limit, filters, sort } = request;
        const hits = await search(await opened(), query, limit, filters, sort, partial, () => cancelled.has(id));
        if (!cancelled.delete(id)) post({ kind: "hits", id, hits });
      });
      return;
    case "filters":
      void reply(id, async () => post({ kind: "filters", id, filters: await filterCounts(await opened()) }));
      return;
    case "sort_keys":
      void reply(id, async () => {
        const { engine, free } = await opened();
        post({ kind: "sort_keys", id, keys: await free(() => engine.sort_keys()) });
      });
      return;
    case "keep":
      void reply(id, async () => {
        await keepIndex(await opened());
        post({ kind: "kept", id });
      });
      return;
    case "abort":
      cancelled.add(id);
      return;
  }
}

/** How many documents have each value of each filter. */
async function filterCounts(ready: Session<SearchEngine>): Promise<FilterCounts> {
  const { engine, free } = ready;
  for (;;) {
    const { filters, missing } = await free(() => engine.filters());
    if (missing.length === 0) return filters;
    await fetchShards(ready, missing);
  }
}

/** Supplies whatever `needs` names until it names nothing more. */
export async function fetchNeeded(ready: Session<SearchEngine>, needs: () => readonly Shard[]): Promise<void> {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const missing = await ready.free(needs);
    if (missing.length === 0) return;
    await fetchShards(ready, missing);
  }
  throw endless();
}

/** When a search was asked for last. */
let lastSearch = performance.now();

/** Settles when nobody has searched for a while. */
async function quiet(): Promise<void> {
  for (;;) {
    const wait = lastSearch + QUIET_MS - performance.now();
    if (wait <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Fetches the whole index, a few shards at a time, each after `turn`. */
async function keepIndex(ready: Session<SearchEngine>, turn = async (): Promise<void> => undefined): Promise<void> {
  for (;;) {
    const missing = await ready.free(() => ready.engine.missing());
    if (missing.length === 0) return;
    for (let first = 0; first < missing.length; first += KEEP_AT_ONCE) {
      await turn();
      await fetchShards(ready, missing.slice(first, first + KEEP_AT_ONCE));
    }
  }
}

/** Shards being fetched, so that two searches that need the same one fetch it once. */
const underWay = new Map<number, Promise<void>>();

async function fetchShards({ engine, store, free }: Session<SearchEngine>, shards: readonly Shard[]): Promise<void> {
  const count: Count = (arrived, from) => {
    bytes[from] += arrived;
  };
  const fetched = shards.map((shard) => {
    const known = underWay.get(shard.id);
    if (known) return known;
    const accept: Accept = (content) => free(() => engine.insert_shard(shard.id, content));
    const fetching = store.bring(shard, accept, count).finally(() => underWay.delete(shard.id));
    underWay.set(shard.id, fetching);
    return fetching;
  });
  await Promise.all(fetched);
  post({ kind: "bytes", fetched: bytes.network, cached: bytes.cache });
}

function endless(): AnchoriteError {
  return new AnchoriteError({
    code: "bundle_inconsistent",
    message: "index asks for more and more of its shards",
    hint: "build the bundle again and upload it completely",
  });
}

/** Loads a rung that no other rung depends on, and reports the outcome; never throws. */
export async function climb(rung: Rung, absent: boolean, load: () => Promise<void>): Promise<void> {
  if (absent) {
    post({ kind: "rung", rung, state: { kind: "absent" } });
    return;
  }
  try {
    await load();
    post({ kind: "rung", rung, state: { kind: "ready" } });
  } catch (thrown) {
    post({ kind: "rung", rung, state: { kind: "failed", error: toPlain(thrown, `${rung}_failed`) } });
  }
}

/** The size of a download of `files`, in bytes. */
export function bytesOf(files: readonly FileEntry[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
}

/**
 * Reserves room for `files`, then loads their parts `into` the engine one by one, so that a broken download resumes by part.
 * Posts progress for `rung`, and calls `arrived` after each part.
 */
export async function fetchFiles(
  { engine, store }: Session<SearchEngine>,
  rung: Rung | null,
  files: readonly FileEntry[],
  { into = engine, arrived }: { readonly into?: Holder; readonly arrived?: () => void } = {},
): Promise<void> {
  const total = bytesOf(files);
  let loaded = 0;
  let told = 0;
  const tell = (): void => {
    told = performance.now();
    if (rung) post({ kind: "rung", rung, state: { kind: "loading", loaded, total } });
    post({ kind: "bytes", fetched: bytes.network, cached: bytes.cache });
  };
  tell();
  into.reserve(total);
  for (const file of files) {
    for (const part of file.parts) {
      await store.bring(
        part,
        (content) => into.add_part(part.path, content),
        (length, from) => {
          loaded += length;
          bytes[from] += length;
          if (performance.now() - told > PROGRESS_MS) tell();
        },
      );
      arrived?.();
    }
  }
  if (loaded !== total) {
    throw new AnchoriteError({
      code: "bundle_inconsistent",
      message: `bundle parts do not add up to their files: expected ${total} bytes, found ${loaded}`,
      hint: "build the bundle again and upload it completely",
    });
  }
  tell();
}
