// Turns a bundle's generator and adapters into a loaded model: on the backend that the ladder chooses, and again if that is lost.
import { browserHasSubgroups, type Engine } from "#pkg";
import { AnchoriteError, toPlain } from "./errors.js";
import { choose, probe } from "./ladder.js";
import type { AskOptions, BackendRequest, Choice, FileEntry, Reply, Rung } from "./protocol.js";
import { bytesOf, type Session } from "./session.js";

/** The host that a generator is loaded for. */
export interface Stage {
  post(reply: Reply): void;
  climb(rung: Rung, absent: boolean, load: () => Promise<void>): Promise<void>;
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** One client's generator. */
export class Generator {
  readonly #stage: Stage;
  /** Names of the adapters that it can use; null until it is loaded. */
  #voices: Set<string> | null = null;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Rung 4: the generator, on the backend that the ladder chooses before a byte of it is fetched. */
  async load(session: Session<Engine>, request: BackendRequest): Promise<void> {
    const files = generatorFiles(session);
    if (files.length === 0) {
      this.#stage.post({ kind: "rung", rung: "answer", state: { kind: "absent" } });
      return;
    }
    const choice = await decide(session, request);
    this.#stage.post({ kind: "choice", choice });
    const { kind, reason } = choice;
    if (kind === "none") {
      this.#stage.post({ kind: "rung", rung: "answer", state: { kind: "skipped", reason } });
      return;
    }
    await this.#stage.climb("answer", false, async () => {
      // Kernels compile while the rest is still downloading.
      let prepared: Promise<void> | undefined;
      const arrived = (): void => {
        if (kind === "webgpu") prepared ??= session.engine.prepareGenerator(hasAdapter(session));
      };
      await session.fetchFiles("answer", files, { arrived });
      await prepared;
      this.#stage.post({ kind: "rung", rung: "answer", state: { kind: "starting" } });
      await this.#stage.alone(() => this.#startOrFallBack(session, request, kind, reason));
    });
  }

  /** Loads the adapter that a question names; the first one is loaded with the generator, and needs no name. */
  async inVoice(session: Session<Engine>, { voice, ...options }: AskOptions): Promise<AskOptions> {
    if (!voice) return options;
    const adapters = session.files("adapter");
    const file = adapters.find(({ name }) => name === voice || name === `${voice}.gguf`);
    if (!file) {
      const known = adapters.map(({ name }) => name.replace(/\.gguf$/, "")).join(", ");
      throw new AnchoriteError({
        code: "unknown_voice",
        message: `no voice is called \`${voice}\``,
        hint: known ? `the bundle's adapters are: ${known}` : "build the bundle with --adapter",
      });
    }
    if (file === adapters[0] || this.#voices === null) return options;
    if (!this.#voices.has(file.name)) {
      await session.fetchFiles(null, [file]);
      session.engine.loadVoice(file.name);
      this.#voices.add(file.name);
    }
    return { ...options, voice: file.name };
  }

  /** Starts the generator on the chosen backend, or on the CPU if that fails. */
  async #startOrFallBack(session: Session<Engine>, request: BackendRequest, kind: "webgpu" | "cpu", reason: string): Promise<void> {
    try {
      await this.#start(session, request, kind, reason);
    } catch (thrown) {
      if (kind === "cpu") throw thrown;
      // The attempt may have consumed the parts.
      await session.fetchFiles(null, generatorFiles(session));
      await this.#start(session, request, "cpu", `WebGPU failed: ${toPlain(thrown, "gpu_failed").message}`);
    }
  }

  /** Loads the generator from parts that have arrived, and reports the backend that runs it. */
  async #start(session: Session<Engine>, request: BackendRequest, kind: "webgpu" | "cpu", reason: string): Promise<void> {
    const again = (next: "webgpu" | "cpu"): Promise<void> => bringAgain(session, request, next);
    const backend = await session.engine.loadGenerator(kind, reason, hasAdapter(session), again);
    this.#voices = new Set();
    this.#stage.post({ kind: "backend", backend });
  }
}

/** Asks the device again: after a loss it may offer another adapter, or none. */
async function decide(session: Session<Engine>, request: BackendRequest): Promise<Choice> {
  const device = await probe(globalThis);
  const choice = choose(request, device, bytesOf(generatorFiles(session)));
  if (choice.kind === "webgpu" && device.adapter?.subgroups) browserHasSubgroups();
  return choice;
}

/** The files of the generator and of its first adapter, which speaks unless a question names another; empty if the bundle has no generator. */
function generatorFiles(session: Session<Engine>): readonly FileEntry[] {
  const [generator] = session.files("generator");
  return generator === undefined ? [] : [generator, ...session.files("adapter").slice(0, 1)];
}

function hasAdapter(session: Session<Engine>): boolean {
  return generatorFiles(session).some(({ role }) => role === "adapter");
}

/** Loads the generator's parts again, from this device if they were kept; throws if it should go to a GPU that is gone. */
async function bringAgain(session: Session<Engine>, request: BackendRequest, next: "webgpu" | "cpu"): Promise<void> {
  if (next === "webgpu") {
    const { kind, reason } = await decide(session, request);
    if (kind !== "webgpu") throw new AnchoriteError({ code: "gpu", message: reason, hint: "" });
  }
  // The adapter is still in memory.
  await session.fetchFiles(null, generatorFiles(session).filter(({ role }) => role === "generator"));
}
