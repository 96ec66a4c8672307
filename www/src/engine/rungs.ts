// Turns a bundle's address into an engine that searches, rung by rung; what the workers of both modules do alike.
import type { Engine as SearchEngine } from "#pkg-search";
import { AnchoriteError, toPlain } from "./errors.js";
import type { FileEntry, Manifest, Reply, Request, Rung } from "./protocol.js";
import { Store } from "./store.js";

/** The part of a dedicated worker's scope that is used here; the DOM library of TypeScript knows only windows. */
interface Scope {
  readonly navigator: unknown;
  postMessage(reply: Reply): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}
export const scope = globalThis as unknown as Scope;
export const post = (reply: Reply): void => scope.postMessage(reply);

/** Hears the page, which sends a worker only what its module can do. */
export function listen<Heard extends Request>(hear: (request: Heard) => void): void {
  scope.addEventListener("message", ({ data }) => hear(data as Heard));
}

/** The file of the module that this worker's glue belongs to; written in by `build.mjs`. */
declare const MODULE: string;

/** Progress is for eyes: more often than this is only work. */
const PROGRESS_MS = 60;

/** An engine with its index loaded. */
export interface Session<Engine extends SearchEngine> {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly store: Store;
}

/** What a package of glue offers: its module to be started, and the engine in it. */
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

/** Says that nothing works, for the bundle could not be opened. */
export function failed(thrown: unknown): void {
  post({ kind: "failed", id: null, error: toPlain(thrown, "open_failed") });
}

/** Rung 1: manifest and index. What fails here ends the visit, for nothing works without it. */
export async function open<Engine extends SearchEngine>(bundle: string, glue: Glue<Engine>): Promise<Session<Engine>> {
  const [store] = await Promise.all([
    Store.open(bundle),
    glue.init({ module_or_path: new URL(MODULE, import.meta.url) }),
  ]);
  const { bytes: manifestBytes, offline } = await store.manifest();
  const engine = new glue.Engine(manifestBytes);
  const manifest = engine.manifest();
  await store.keepManifest(manifestBytes);
  const files = manifest.files.filter(({ role }) => role === "documents" || role === "lexical" || role === "vectors");
  const ready = { engine, manifest, store };
  await fetchFiles(ready, "keyword", files);
  engine.load_index();
  post({ kind: "rung", rung: "keyword", state: { kind: "ready" } });
  post({ kind: "opened", manifest, offline });
  return ready;
}

/**
 * Rung 2: the sentence embedder. Without it, search goes on by keywords. `alone` runs its work when nothing else holds
 * the engine.
 */
export async function loadMeaning(
  ready: Session<SearchEngine>,
  alone: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const files = ready.manifest.files.filter(({ role }) => role === "embedder");
  await climb("meaning", files.length === 0, async () => {
    await fetchFiles(ready, "meaning", files);
    post({ kind: "rung", rung: "meaning", state: { kind: "starting" } });
    await alone(async () => ready.engine.load_embedder());
  });
  const paths = ready.manifest.files.flatMap(({ parts }) => parts.map(({ path }) => path));
  await ready.store.prune(new Set(paths));
}

/** Reports how a rung that others do not depend on ended; never throws. */
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

/** Brings every part of `files` into the engine, once there is room for them, one after the other, so that a broken download resumes by part; tells `rung`. */
export async function fetchFiles(
  { engine, store }: Session<SearchEngine>,
  rung: Rung | null,
  files: readonly FileEntry[],
): Promise<void> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  let told = 0;
  const tell = (): void => {
    told = performance.now();
    if (rung) post({ kind: "rung", rung, state: { kind: "loading", loaded, total } });
    post({ kind: "bytes", fetched: bytes.network, cached: bytes.cache });
  };
  tell();
  engine.reserve(total);
  for (const file of files) {
    for (const part of file.parts) {
      await store.part(
        part,
        (path, content) => engine.add_part(path, content),
        (arrived, from) => {
          loaded += arrived;
          bytes[from] += arrived;
          if (performance.now() - told > PROGRESS_MS) tell();
        },
      );
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
