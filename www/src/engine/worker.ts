// Turns requests from the page into calls of the wasm engine; the only importer of the package that Rust builds.
import init, { AbortFlag, Engine } from "#pkg";
import { AnchoriteError, toPlain } from "./errors.js";
import { choose, probe } from "./ladder.js";
import type { Answer, BackendRequest, FileEntry, Hit, Manifest, Reply, Request, Rung } from "./protocol.js";
import { Store } from "./store.js";

/** The part of a dedicated worker's scope that is used here; the DOM library of TypeScript knows only windows. */
interface Scope {
  readonly navigator: unknown;
  postMessage(reply: Reply): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}
const scope = globalThis as unknown as Scope;
const post = (reply: Reply): void => scope.postMessage(reply);

/** The file of the module that this worker's glue belongs to; written in by `build.mjs`. */
declare const MODULE: string;

/** Progress is for eyes: more often than this is only work. */
const PROGRESS_MS = 60;

interface Session {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly store: Store;
}

/** Settles when the index is loaded; everything else waits for it. */
let session: Promise<Session> | null = null;
/** Loading is one chain, so that a rung never competes with the one below it for the connection. */
let loading: Promise<void> = Promise.resolve();
/** What changes the engine, or holds it from token to token, goes one after the other. */
let exclusive: Promise<unknown> = Promise.resolve();
const aborts = new Map<number, AbortFlag>();
const bytes = { network: 0, cache: 0 };
/** Whether the generator's parts were handed to the engine already. */
let started = false;

scope.addEventListener("message", ({ data: request }) => {
  switch (request.kind) {
    case "open":
      session = open(request.bundle);
      loading = session.then(loadMeaning).catch((thrown: unknown) => {
        post({ kind: "failed", id: null, error: toPlain(thrown, "open_failed") });
      });
      return;
    case "prepare":
      loading = loading
        .then(() => opened())
        .then((ready) => loadGenerator(ready, request.backend))
        .catch(() => undefined) // Already reported, on its rung or by `open`.
        .then(() => post({ kind: "prepared" }));
      return;
    case "search":
      void reply(request.id, async () => {
        post({ kind: "hits", id: request.id, hits: await search(request.query, request.limit) });
      });
      return;
    case "ask": {
      const abort = opened().then(() => {
        const flag = new AbortFlag();
        aborts.set(request.id, flag);
        return flag;
      });
      void reply(request.id, async () => {
        const flag = await abort;
        try {
          const answer = await alone(() => ask(request, flag));
          post({ kind: "answer", id: request.id, answer });
        } finally {
          aborts.delete(request.id);
        }
      });
      return;
    }
    case "abort":
      aborts.get(request.id)?.abort();
      return;
  }
});

/** Runs one call, and sends its failure under its id. */
async function reply(id: number, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (thrown) {
    post({ kind: "failed", id, error: toPlain(thrown, "engine_failed") });
  }
}

function opened(): Promise<Session> {
  return session ?? Promise.reject(new Error("`open` comes first"));
}

/** Runs `work` when everything before it that needs the engine for itself has ended. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const mine = exclusive.then(work);
  exclusive = mine.catch(() => undefined);
  return mine;
}

async function search(query: string, limit: number): Promise<readonly Hit[]> {
  const { engine } = await opened();
  for (;;) {
    const before = exclusive;
    try {
      return engine.search(query, limit);
    } catch (thrown) {
      // An answer being written holds the engine; the search goes right after it.
      if (toPlain(thrown, "").code !== "busy") throw thrown;
      await before;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

async function ask(request: Extract<Request, { kind: "ask" }>, flag: AbortFlag): Promise<Answer> {
  const ready = await opened();
  const { id, question, options } = request;
  const answer = (): Promise<Answer> =>
    ready.engine.ask(question, options, flag, (event) => post({ kind: "event", id, event }));
  try {
    return await answer();
  } catch (thrown) {
    if (toPlain(thrown, "").code !== "device_lost") throw thrown;
    // Losing the device is normal (sleep, another tab, a driver): step down, and answer from the beginning.
    await startGenerator(ready, { kind: "cpu", reason: "the GPU was lost" });
    return await answer();
  }
}

/** Rung 1: manifest and index. What fails here ends the visit, for nothing works without it. */
async function open(bundle: string): Promise<Session> {
  const [store] = await Promise.all([
    Store.open(bundle),
    init({ module_or_path: new URL(MODULE, import.meta.url) }),
  ]);
  const { bytes: manifestBytes, offline } = await store.manifest();
  const engine = new Engine(manifestBytes);
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

/** Rung 2: the sentence embedder. Without it, search goes on by keywords. */
async function loadMeaning(ready: Session): Promise<void> {
  const files = ready.manifest.files.filter(({ role }) => role === "embedder");
  await climb("meaning", files.length === 0, async () => {
    await fetchFiles(ready, "meaning", files);
    post({ kind: "rung", rung: "meaning", state: { kind: "starting" } });
    await alone(async () => ready.engine.load_embedder());
  });
  const paths = ready.manifest.files.flatMap(({ parts }) => parts.map(({ path }) => path));
  await ready.store.prune(new Set(paths));
}

/** Rung 4: the generator, on the backend that the ladder chooses before a byte of it is fetched. */
async function loadGenerator(ready: Session, request: BackendRequest): Promise<void> {
  const choice = choose(request, await probe(scope));
  if (choice.kind === "none") {
    post({ kind: "rung", rung: "answer", state: { kind: "skipped", reason: choice.reason } });
    return;
  }
  const absent = !ready.manifest.files.some(({ role }) => role === "generator");
  await climb("answer", absent, async () => {
    await fetchFiles(ready, "answer", generatorFiles(ready));
    post({ kind: "rung", rung: "answer", state: { kind: "starting" } });
    await alone(async () => {
      try {
        await startGenerator(ready, choice);
      } catch (thrown) {
        if (choice.kind === "cpu") throw thrown;
        const reason = `WebGPU failed: ${toPlain(thrown, "gpu_failed").message}`;
        await startGenerator(ready, { kind: "cpu", reason });
      }
    });
  });
}

function generatorFiles({ manifest }: Session): readonly FileEntry[] {
  return manifest.files.filter(({ role }) => role === "generator" || role === "adapter");
}

/** Loads the generator. An attempt before this one may have consumed its parts, so they are put back where missing. */
async function startGenerator(
  ready: Session,
  choice: { readonly kind: "webgpu" | "cpu"; readonly reason: string },
): Promise<void> {
  const files = generatorFiles(ready);
  if (started) await fetchFiles(ready, null, files);
  started = true;
  const adapter = files.some(({ role }) => role === "adapter");
  post({ kind: "backend", backend: await ready.engine.load_generator(choice.kind, choice.reason, adapter) });
}

/** Reports how a rung that others do not depend on ended; never throws. */
async function climb(rung: Rung, absent: boolean, load: () => Promise<void>): Promise<void> {
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

/** Brings every part of `files` into the engine, one after the other, so that a broken download resumes by part; tells `rung`. */
async function fetchFiles(
  { engine, store }: Session,
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
