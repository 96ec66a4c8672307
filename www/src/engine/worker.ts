// Turns requests from the page into calls of the wasm engine that answers; `search-worker.ts` is its small sibling.
import init, { AbortFlag, Engine } from "#pkg";
import { toPlain } from "./errors.js";
import { choose, probe } from "./ladder.js";
import type { Answer, BackendRequest, FileEntry, Request } from "./protocol.js";
import {
  answerSearch,
  climb,
  failed,
  fetchFiles,
  listen,
  loadMeaning,
  open,
  post,
  reply,
  scope,
  type Session as Ready,
  supply,
} from "./rungs.js";

type Session = Ready<Engine>;

/** Settles when the index is loaded; everything else waits for it. */
let session: Promise<Session> | null = null;
/** Loading is one chain, so that a rung never competes with the one below it for the connection. */
let loading: Promise<void> = Promise.resolve();
/** What changes the engine, or holds it from token to token, goes one after the other. */
let exclusive: Promise<unknown> = Promise.resolve();
const aborts = new Map<number, AbortFlag>();
/** Whether the generator's parts were handed to the engine already. */
let started = false;

listen((request: Request) => {
  switch (request.kind) {
    case "open":
      session = open(request.bundle, { init, Engine }, free);
      loading = session.then((ready) => loadMeaning(ready, alone)).catch(failed);
      if (request.awaitMeaning) session = Promise.all([session, loading]).then(([ready]) => ready);
      return;
    case "prepare":
      loading = loading
        .then(() => opened())
        .then((ready) => loadGenerator(ready, request.backend))
        .catch(() => undefined) // Already reported, on its rung or by `open`.
        .then(() => post({ kind: "prepared" }));
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
    case "abort": {
      const flag = aborts.get(request.id);
      if (flag) flag.abort();
      else answerSearch(request, opened);
      return;
    }
    default:
      answerSearch(request, opened);
      return;
  }
});

function opened(): Promise<Session> {
  return session ?? Promise.reject(new Error("`open` comes first"));
}

/** Runs `work` when everything before it that needs the engine for itself has ended. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const mine = exclusive.then(work);
  exclusive = mine.catch(() => undefined);
  return mine;
}

/** Runs a call that an answer being written refuses, right after that answer. */
async function free<T>(call: () => T): Promise<T> {
  for (;;) {
    const before = exclusive;
    try {
      return call();
    } catch (thrown) {
      if (toPlain(thrown, "").code !== "busy") throw thrown;
      await before;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

async function ask(request: Extract<Request, { kind: "ask" }>, flag: AbortFlag): Promise<Answer> {
  const ready = await opened();
  const { id, question, options } = request;
  await supply(ready, () => ready.engine.needs(question, options));
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
