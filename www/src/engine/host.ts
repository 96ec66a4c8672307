// Turns one client's messages into an opened bundle that climbs its rungs; both workers' hosts extend it.
import type { SearchEngine } from "./engine.js";
import { toPlain } from "./errors.js";
import type { Reply, Request, Rung, SearchRequest } from "./protocol.js";
import { type Client, Searches } from "./searches.js";
import { type Holder, Session } from "./session.js";
import { openShelf } from "./shelf.js";
import { Store } from "./store.js";

/** An index of at most this many bytes is kept whole for offline visits, unless the visitor saves data. */
const KEEP_BYTES = 2 * 1024 * 1024;
/** An index of at most this many bytes is fetched whole at once: it is a few files, and no search then waits for more. */
const SMALL_BYTES = 256 * 1024;

/** The client's end: the scope of a dedicated worker, or a `MessagePort`. */
export interface Port {
  postMessage(reply: Reply): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
  /** A `MessagePort` holds messages back until it is called. */
  start?(): void;
}

/** A package of glue: all hosts of one worker share its module. */
export interface Glue<Engine extends SearchEngine> {
  /** Instantiates the module, unless it runs already; the class works only afterwards. */
  readonly start: () => Promise<unknown>;
  readonly Engine: new (manifest: Uint8Array) => Engine;
}

/** A receiver of the parts of vectors and embedder, which makes the index searchable by meaning once all are there. */
export interface Meaning extends Holder {
  load(): void;
}

/** Everything that a worker knows of one client: its port, its bundle, its searches. */
export abstract class Host<Engine extends SearchEngine, Heard extends Request> implements Client {
  readonly #port: Port;
  readonly #glue: Glue<Engine>;
  readonly #searches: Searches = new Searches(this);
  /** Settles when the index is opened; everything else waits for it. */
  protected session: Promise<Session<Engine>> | null = null;

  /** Listens to the client, which sends only requests that this module can serve. */
  constructor(port: Port, glue: Glue<Engine>) {
    this.#port = port;
    this.#glue = glue;
    port.addEventListener("message", ({ data }) => this.hear(data as Heard));
    port.start?.();
  }

  protected abstract hear(request: Heard): void;

  /** The receiver of vectors and embedder. */
  protected abstract meaning(session: Session<Engine>): Promise<Meaning>;

  /** Runs a call of the engine as soon as nothing else holds it. */
  protected abstract free<T>(call: () => T): Promise<T>;

  /** Runs `work` once all earlier work that needs the engine to itself has ended. */
  abstract alone<T>(work: () => Promise<T>): Promise<T>;

  opened(): Promise<Session<Engine>> {
    return this.session ?? Promise.reject(new Error("`open` comes first"));
  }

  post(reply: Reply): void {
    this.#port.postMessage(reply);
  }

  async reply(id: number, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (thrown) {
      this.post({ kind: "failed", id, error: toPlain(thrown, "engine_failed") });
    }
  }

  /** Reports that nothing works, because the bundle could not be opened. */
  protected fail(thrown: unknown): void {
    this.post({ kind: "failed", id: null, error: toPlain(thrown, "open_failed") });
  }

  protected serve(request: Exclude<SearchRequest, { readonly kind: "open" }>): void {
    this.#searches.serve(request);
  }

  /** Rung 1: manifest and index, without its shards. A failure here ends the visit, because nothing works without them. */
  protected async open(bundle: string): Promise<Session<Engine>> {
    const { start, Engine } = this.#glue;
    const [shelf] = await Promise.all([openShelf(), start()]);
    const store = new Store(bundle, shelf);
    const { bytes, offline } = await store.manifest();
    const engine = new Engine(bytes);
    const manifest = engine.manifest();
    const isUpdate = await store.isUpdate(bytes);
    await store.keepManifest(bytes);
    const session = new Session<Engine>({
      engine,
      manifest,
      store,
      isUpdate,
      free: (call) => this.free(call),
      post: (reply) => this.post(reply),
    });
    await session.fetchFiles("keyword", session.files("index"));
    engine.loadIndex();
    this.post({ kind: "rung", rung: "keyword", state: { kind: "ready" } });
    this.post({ kind: "opened", manifest, offline });
    return session;
  }

  /** Rung 2: vectors and the sentence embedder. Without them, search continues by keywords. */
  protected async loadMeaning(session: Session<Engine>): Promise<void> {
    // Shards that can't be kept now are fetched when they are needed.
    if (session.manifest.shards.bytes <= SMALL_BYTES) await session.keepIndex().catch(() => undefined);
    const embedder = session.files("embedder");
    const vectors = session.files("vectors");
    await this.climb("meaning", embedder.length === 0 || vectors.length === 0, async () => {
      const into = await this.meaning(session);
      await session.fetchFiles("meaning", [...vectors, ...embedder], { into });
      this.post({ kind: "rung", rung: "meaning", state: { kind: "starting" } });
      await this.alone(async () => into.load());
    });
  }

  /** Removes files that an earlier version of the bundle left, and fetches the rest of a small index while nobody searches. */
  protected async keepRest(session: Session<Engine>): Promise<void> {
    await session.prune();
    if (session.manifest.shards.bytes > KEEP_BYTES || savesData()) return;
    await session.keepIndex(() => this.#searches.quiet()).catch(() => undefined);
  }

  /** Loads a rung that no other rung depends on, and reports the outcome; never throws. */
  async climb(rung: Rung, absent: boolean, load: () => Promise<void>): Promise<void> {
    if (absent) {
      this.post({ kind: "rung", rung, state: { kind: "absent" } });
      return;
    }
    try {
      await load();
      this.post({ kind: "rung", rung, state: { kind: "ready" } });
    } catch (thrown) {
      this.post({ kind: "rung", rung, state: { kind: "failed", error: toPlain(thrown, `${rung}_failed`) } });
    }
  }
}

/** True if the visitor, or the browser for them, asked for fewer bytes. */
function savesData(): boolean {
  const { connection } = navigator as { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}
