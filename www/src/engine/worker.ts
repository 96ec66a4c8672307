// Turns requests from the page into calls of the wasm engine that answers; `search-worker.ts` is its small sibling.
import init, { AbortFlag, browser_has_subgroups, Engine } from "#pkg";
import { AnchoriteError, toPlain } from "./errors.js";
import { choose, probe } from "./ladder.js";
import type { Answer, AskEvent, AskOptions, BackendRequest, Choice, FileEntry, Request } from "./protocol.js";
import {
  answerSearch,
  bytesOf,
  climb,
  failed,
  fetchFiles,
  keepRest,
  listen,
  loadMeaning,
  type Meaning,
  ofRoles,
  open,
  post,
  reply,
  scope,
  type Session as Ready,
  fetchNeeded,
} from "./rungs.js";
import { requestSubgroups } from "./subgroups.js";

type Session = Ready<Engine>;

/** Settles when the index is loaded; everything else waits for it. */
let session: Promise<Session> | null = null;
/** Loading is one chain, so that a rung never competes with the one below it for the connection. */
let loading: Promise<void> = Promise.resolve();
/** Settles when the reader is loaded or can't be: a question asked earlier waits for it. */
let reading: Promise<void> = Promise.resolve();
/** Settles when the last task that changes the engine, or holds it between tokens, has ended: such tasks never overlap. */
let exclusive: Promise<unknown> = Promise.resolve();
const aborts = new Map<number, AbortFlag>();
/** Names of the adapters that the generator can use; null until there is a generator. */
let voices: Set<string> | null = null;

requestSubgroups();

listen((request: Request) => {
  switch (request.kind) {
    case "open":
      session = open(request.bundle, { init, Engine }, free);
      loading = session.then((ready) => loadMeaning(ready, meaning, alone)).catch(failed);
      if (request.awaitMeaning) session = Promise.all([session, loading]).then(([ready]) => ready);
      loading = loading.then(() => opened()).then(loadReader, () => undefined);
      reading = loading;
      // Nothing waits for files that are only kept for later.
      void reading.then(() => opened()).then(keepRest).catch(() => undefined);
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
        await reading;
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

/** Runs `work` once all earlier work that needs the engine to itself has ended. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const mine = exclusive.then(work);
  exclusive = mine.catch(() => undefined);
  return mine;
}

/** Runs a call at once or, if an answer in progress makes it fail as busy, right after that answer. */
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
  const { id, question } = request;
  const options = await inVoice(ready, request.options);
  await fetchNeeded(ready, () => ready.engine.needs(question, options));
  let reloading = false;
  const tell = (event: AskEvent): void => {
    if (event.kind === "restarted") {
      reloading = true;
      post({ kind: "rung", rung: "answer", state: { kind: "starting" } });
    } else if (event.kind === "backend") {
      reloading = false;
      post({ kind: "backend", backend: event.backend });
      post({ kind: "rung", rung: "answer", state: { kind: "ready" } });
    }
    post({ kind: "event", id, event });
  };
  try {
    return await ready.engine.ask(question, options, flag, tell);
  } catch (thrown) {
    if (reloading) {
      // The generator is gone; questions from now on are answered with quotations.
      post({ kind: "backend", backend: null });
      post({ kind: "rung", rung: "answer", state: { kind: "failed", error: toPlain(thrown, "answer_failed") } });
    }
    throw thrown;
  }
}

/** Loads the adapter that a question names; the first one is loaded with the generator, and needs no name. */
async function inVoice(ready: Session, { voice, ...options }: AskOptions): Promise<AskOptions> {
  if (!voice) return options;
  const adapters = ofRoles(ready.manifest, "adapter");
  const file = adapters.find(({ name }) => name === voice || name === `${voice}.gguf`);
  if (!file) {
    const known = adapters.map(({ name }) => name.replace(/\.gguf$/, "")).join(", ");
    throw new AnchoriteError({
      code: "unknown_voice",
      message: `no voice is called \`${voice}\``,
      hint: known ? `the bundle's adapters are: ${known}` : "build the bundle with --adapter",
    });
  }
  if (file === adapters[0] || voices === null) return options;
  if (!voices.has(file.name)) {
    await fetchFiles(ready, null, [file]);
    ready.engine.load_voice(file.name);
    voices.add(file.name);
  }
  return { ...options, voice: file.name };
}

/** This engine has its own embedder. */
async function meaning({ engine }: Session): Promise<Meaning> {
  return {
    reserve: (bytes) => engine.reserve(bytes),
    add_part: (path, content) => engine.add_part(path, content),
    load: () => {
      engine.load_vectors();
      engine.load_embedder();
    },
  };
}

/** Rung 3: the reader, which finds the likeliest answer and decides whether it is one. */
async function loadReader(ready: Session): Promise<void> {
  const files = ofRoles(ready.manifest, "reader");
  await climb("reading", files.length === 0, async () => {
    await fetchFiles(ready, "reading", files);
    post({ kind: "rung", rung: "reading", state: { kind: "starting" } });
    await alone(async () => ready.engine.load_reader());
  });
}

/** Rung 4: the generator, on the backend that the ladder chooses before a byte of it is fetched. */
async function loadGenerator(ready: Session, request: BackendRequest): Promise<void> {
  const files = generatorFiles(ready);
  if (files.length === 0) {
    post({ kind: "rung", rung: "answer", state: { kind: "absent" } });
    return;
  }
  const choice = await decide(ready, request);
  post({ kind: "choice", choice });
  const { kind, reason } = choice;
  if (kind === "none") {
    post({ kind: "rung", rung: "answer", state: { kind: "skipped", reason } });
    return;
  }
  await climb("answer", false, async () => {
    // Kernels compile while the rest is still downloading.
    let prepared: Promise<void> | undefined;
    const arrived = (): void => {
      if (kind === "webgpu") prepared ??= ready.engine.prepare_generator(hasAdapter(ready));
    };
    await fetchFiles(ready, "answer", files, { arrived });
    await prepared;
    post({ kind: "rung", rung: "answer", state: { kind: "starting" } });
    await alone(async () => {
      try {
        await startGenerator(ready, request, kind, reason);
      } catch (thrown) {
        if (kind === "cpu") throw thrown;
        // The attempt may have consumed the parts.
        await fetchFiles(ready, null, files);
        await startGenerator(ready, request, "cpu", `WebGPU failed: ${toPlain(thrown, "gpu_failed").message}`);
      }
    });
  });
}

/** Asks the device again: after a loss it may offer another adapter, or none. */
async function decide(ready: Session, request: BackendRequest): Promise<Choice> {
  const device = await probe(scope);
  const choice = choose(request, device, bytesOf(generatorFiles(ready)));
  if (choice.kind === "webgpu" && device.adapter?.subgroups) browser_has_subgroups();
  return choice;
}

/** The files of the generator and of its first adapter, which speaks unless a question names another; empty if the bundle has no generator. */
function generatorFiles({ manifest }: Session): readonly FileEntry[] {
  const generator = manifest.files.find(({ role }) => role === "generator");
  const adapter = manifest.files.find(({ role }) => role === "adapter");
  return generator === undefined ? [] : adapter === undefined ? [generator] : [generator, adapter];
}

function hasAdapter(ready: Session): boolean {
  return generatorFiles(ready).some(({ role }) => role === "adapter");
}

/** Loads the generator from parts that have arrived, and reports the backend that runs it. */
async function startGenerator(ready: Session, request: BackendRequest, kind: "webgpu" | "cpu", reason: string): Promise<void> {
  const again = (next: "webgpu" | "cpu"): Promise<void> => bringAgain(ready, request, next);
  const backend = await ready.engine.load_generator(kind, reason, hasAdapter(ready), again);
  voices = new Set();
  post({ kind: "backend", backend });
}

/** Loads the generator's parts again, from this device if they were kept; throws if it should go to a GPU that is gone. */
async function bringAgain(ready: Session, request: BackendRequest, next: "webgpu" | "cpu"): Promise<void> {
  if (next === "webgpu") {
    const { kind, reason } = await decide(ready, request);
    if (kind !== "webgpu") throw new AnchoriteError({ code: "gpu", message: reason, hint: "" });
  }
  // The adapter is still in memory.
  await fetchFiles(ready, null, generatorFiles(ready).filter(({ role }) => role === "generator"));
}
