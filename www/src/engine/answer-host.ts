// Turns requests from a page that asks into calls of the wasm engine that answers; `search-host.ts` is its small sibling.
import { AbortFlag, Engine } from "#pkg";
import { toPlain } from "./errors.js";
import { Generator, type Stage } from "./generator.js";
import { type Glue, Host, type Meaning, type Port } from "./host.js";
import type { Answer, AskEvent, Request } from "./protocol.js";
import type { Session } from "./session.js";

type Ask = Extract<Request, { readonly kind: "ask" }>;

/** Serves one client that asks. */
export class AnswerHost extends Host<Engine, Request> implements Stage {
  readonly #generator: Generator = new Generator(this);
  readonly #aborts = new Map<number, AbortFlag>();
  /** Loading is one chain, so that a rung never competes with the one below it for the connection. */
  #loading: Promise<void> = Promise.resolve();
  /** Settles when the reader is loaded or can't be: a question asked earlier waits for it. */
  #reading: Promise<void> = Promise.resolve();
  /** Settles when the last task that changes the engine, or holds it between tokens, has ended: such tasks never overlap. */
  #exclusive: Promise<unknown> = Promise.resolve();

  constructor(port: Port, start: Glue<Engine>["start"]) {
    super(port, { start, Engine });
  }

  protected override hear(request: Request): void {
    switch (request.kind) {
      case "open":
        this.#load(request.bundle, request.awaitMeaning);
        return;
      case "prepare":
        this.#loading = this.#loading
          .then(() => this.opened())
          .then((session) => this.#generator.load(session, request.backend))
          .catch(() => undefined) // Already reported, on its rung or by `open`.
          .then(() => this.post({ kind: "prepared" }));
        return;
      case "ask":
        this.#ask(request);
        return;
      case "abort": {
        const flag = this.#aborts.get(request.id);
        if (flag) flag.abort();
        else this.serve(request);
        return;
      }
      default:
        this.serve(request);
        return;
    }
  }

  override alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#exclusive.then(work);
    this.#exclusive = mine.catch(() => undefined);
    return mine;
  }

  /** Runs a call at once or, if an answer in progress makes it fail as busy, right after that answer. */
  protected override async free<T>(call: () => T): Promise<T> {
    for (;;) {
      const before = this.#exclusive;
      try {
        return call();
      } catch (thrown) {
        if (toPlain(thrown, "").code !== "busy") throw thrown;
        await before;
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
  }

  /** This engine has its own embedder. */
  protected override async meaning({ engine }: Session<Engine>): Promise<Meaning> {
    return {
      reserve: (bytes) => engine.reserve(bytes),
      addPart: (path, content) => engine.addPart(path, content),
      load: () => {
        engine.loadVectors();
        engine.loadEmbedder();
      },
    };
  }

  /** Opens a bundle, and starts the chain of loading. */
  #load(bundle: string, awaitMeaning: boolean): void {
    const session = this.open(bundle);
    const meaning = session.then((ready) => this.loadMeaning(ready)).catch((thrown) => this.fail(thrown));
    this.session = awaitMeaning ? Promise.all([session, meaning]).then(([ready]) => ready) : session;
    this.#reading = meaning.then(() => this.opened()).then((ready) => this.#loadReader(ready), () => undefined);
    this.#loading = this.#reading;
    // Nothing waits for files that are only kept for later.
    void this.#reading.then(() => this.opened()).then((ready) => this.keepRest(ready)).catch(() => undefined);
  }

  /** Rung 3: the reader, which finds the likeliest answer and decides whether it is one. */
  async #loadReader(session: Session<Engine>): Promise<void> {
    const files = session.files("reader");
    await this.climb("reading", files.length === 0, async () => {
      await session.fetchFiles("reading", files);
      this.post({ kind: "rung", rung: "reading", state: { kind: "starting" } });
      await this.alone(async () => session.engine.loadReader());
    });
  }

  #ask(request: Ask): void {
    const { id } = request;
    const abort = this.opened().then(() => {
      const flag = new AbortFlag();
      this.#aborts.set(id, flag);
      return flag;
    });
    void this.reply(id, async () => {
      const flag = await abort;
      await this.#reading;
      try {
        const answer = await this.alone(() => this.#answer(request, flag));
        this.post({ kind: "answer", id, answer });
      } finally {
        this.#aborts.delete(id);
      }
    });
  }

  async #answer({ id, question, options: asked }: Ask, flag: AbortFlag): Promise<Answer> {
    const session = await this.opened();
    const { engine } = session;
    const options = await this.#generator.inVoice(session, asked);
    await session.complete(() => ({ missing: engine.needs(question, options) }));
    let reloading = false;
    const tell = (event: AskEvent): void => {
      if (event.kind === "restarted") {
        reloading = true;
        this.post({ kind: "rung", rung: "answer", state: { kind: "starting" } });
      } else if (event.kind === "backend") {
        reloading = false;
        this.post({ kind: "backend", backend: event.backend });
        this.post({ kind: "rung", rung: "answer", state: { kind: "ready" } });
      }
      this.post({ kind: "event", id, event });
    };
    try {
      return await engine.ask(question, options, flag, tell);
    } catch (thrown) {
      if (reloading) {
        // The generator is gone; questions from now on are answered with quotations.
        this.post({ kind: "backend", backend: null });
        this.post({ kind: "rung", rung: "answer", state: { kind: "failed", error: toPlain(thrown, "answer_failed") } });
      }
      throw thrown;
    }
  }
}
