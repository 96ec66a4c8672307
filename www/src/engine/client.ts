// Turns a bundle's address into an object that searches and answers; everything heavy happens in its worker.
import { bundleUrl, pageLink } from "./address.js";
import { abortError, AnchoriteError } from "./errors.js";
import { moduleFiles } from "./module.js";
import type {
  Answer,
  AskEvent,
  AskOptions,
  Backend,
  BackendRequest,
  Choice,
  FilterCounts,
  Filters,
  Hit,
  Manifest,
  Module,
  PlainError,
  Reply,
  Request,
  Rung,
  RungState,
  Sort,
} from "./protocol.js";

/** Everything that can be shown about an engine; a new object for each change. */
export interface EngineState {
  /** The module that runs: a page that only searches has the small one, until something on it asks. */
  readonly module: Module;
  readonly manifest: Manifest | null;
  /** The host was out of reach, so the copy on this device is used. */
  readonly offline: boolean;
  readonly rungs: Readonly<Record<Rung, RungState>>;
  /** Where the generator is to run, and why: known before it is downloaded. Null until the device was asked. */
  readonly choice: Choice | null;
  /** The generator's backend, once loaded. If the chosen one failed, this is another one, whose reason says so. */
  readonly backend: Backend | null;
  /** Bytes of the bundle that came over the network, and from this device, in this visit. */
  readonly bytes: { readonly fetched: number; readonly cached: number };
  /** Why nothing works; null while something does. */
  readonly error: AnchoriteError | null;
}

/** An adapter with a voice. */
export interface VoiceEntry {
  /** Its name in the bundle. */
  readonly name: string;
  /** The name that visitors see. */
  readonly label: string;
}

export interface OpenOptions {
  /** Default `auto`. Give `none` for search and quotations without the generator. */
  readonly backend?: BackendRequest | "none";
  readonly signal?: AbortSignal;
}

export interface SearchOptions {
  /** Most hits to return; default 10. */
  readonly limit?: number;
  /** Filters on the hits: for each one named here, a hit must have one of the values. `filters()` lists them. */
  readonly filters?: Filters;
  /**
   * Sorts by a document value, with one hit per document, among the documents that contain every query word that occurs in any
   * of them. Without it, the best come first.
   */
  readonly sort?: Sort | null;
  /** Called with the hits from the loaded part of the index, while the rest that the query reads is being fetched. */
  readonly onPartial?: (hits: readonly Hit[]) => void;
  readonly signal?: AbortSignal;
}

/** Events while `ask` runs. `stopped` comes last, and only after the signal was aborted. */
export type AnswerEvent = AskEvent | { readonly kind: "stopped"; readonly answer: Answer };

export interface AskCall extends AskOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AnswerEvent) => void;
}

interface Pending {
  readonly message: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  readonly onEvent?: ((event: AskEvent) => void) | undefined;
  readonly onPartial?: ((hits: readonly Hit[]) => void) | undefined;
}

const WAITING: RungState = { kind: "waiting" };

const RUNGS: EngineState["rungs"] = { keyword: WAITING, meaning: WAITING, reading: WAITING, answer: WAITING };

/** Engines by bundle address, so that the elements of one page share one worker. */
const shared = new Map<string, Anchorite>();
/** Bundles, by address, that something on this page is about to ask. */
const asked = new Set<string>();

/** Search and answers over one bundle, in one worker. */
export class Anchorite {
  #worker: Worker;
  readonly #bundle: URL;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(state: EngineState) => void>();
  #nextId = 1;
  #closed = false;
  #prepared: Promise<Backend | null> | null = null;
  #settlePrepared: () => void = () => undefined;
  #settleOpened: { resolve: (engine: Anchorite) => void; reject: (error: AnchoriteError) => void };
  /** Bytes that arrived for the previous worker. */
  #bytes: EngineState["bytes"] = { fetched: 0, cached: 0 };
  #state: EngineState;

  /** Settles as soon as the index is loaded and search works; rejects with an `AnchoriteError`. */
  readonly opened: Promise<Anchorite>;

  private constructor(bundle: URL, module: Module) {
    this.#bundle = bundle;
    const { promise, resolve, reject } = withResolvers<Anchorite>();
    this.opened = promise;
    this.#settleOpened = { resolve, reject };
    // Each caller handles its own rejection; this one only keeps the console quiet when nobody listens yet.
    promise.catch(() => undefined);
    this.#state = { module, manifest: null, offline: false, rungs: RUNGS, choice: null, backend: null, bytes: this.#bytes, error: null };
    this.#worker = this.#start(module);
  }

  /** Opens a bundle and resolves when search works; the embedder and the generator continue loading in the background. */
  static async open(bundle: string | URL, options: OpenOptions = {}): Promise<Anchorite> {
    const { backend = "auto", signal } = options;
    const engine = new Anchorite(bundleUrl(bundle), backend === "none" ? "search" : "answers");
    const stop = (): void => engine.close();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (signal?.aborted) stop();
      if (backend !== "none") void engine.prepare(backend);
      await engine.opened;
      return engine;
    } catch (thrown) {
      engine.close();
      throw signal?.aborted ? abortError(signal) : thrown;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * The engine that all elements with this bundle share. It exists at once; await `opened` before calling it. It opens
   * with the requested module, or with the answering one if `expectQuestions` announced questions.
   */
  static shared(bundle: string | URL, module: Module = "search"): Anchorite {
    const url = bundleUrl(bundle);
    const known = shared.get(url.href);
    if (known && !known.state.error) return known;
    const engine = new Anchorite(url, asked.has(url.href) ? "answers" : module);
    shared.set(url.href, engine);
    return engine;
  }

  /** Says that this page will ask the bundle as soon as it is open, so that the small module is not loaded first. */
  static expectQuestions(bundle: string | URL): void {
    asked.add(bundleUrl(bundle).href);
  }

  get state(): EngineState {
    return this.#state;
  }

  /** The backend that the generator runs on, and why; null while no generator is loaded. */
  get backend(): Backend | null {
    return this.#state.backend;
  }

  /** The adapters that visitors can choose by a label, by the name that `ask` takes as `voice`; none before the bundle is open. */
  get voices(): readonly VoiceEntry[] {
    const files = this.#state.manifest?.files ?? [];
    return files.flatMap(({ role, name, label }) => (role === "adapter" && label ? { name: name.replace(/\.gguf$/, ""), label } : []));
  }

  /** Calls `listener` on every change, and once now. Returns a function that unsubscribes it. */
  subscribe(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Loads the generator, if the bundle has one and this device should run it. Resolves with its backend,
   * or null when there is none: `state.rungs.answer` says why. The first call decides the backend.
   */
  prepare(backend: BackendRequest = "auto"): Promise<Backend | null> {
    this.#becomeAnswering();
    if (!this.#prepared) {
      const { promise, resolve } = withResolvers<void>();
      this.#settlePrepared = resolve;
      this.#prepared = promise.then(() => this.#state.backend);
      this.#post({ kind: "prepare", backend });
    }
    return this.#prepared;
  }

  /** The passages that match best. Works from `opened` on, and by meaning too once that rung is ready. */
  async search(query: string, options: SearchOptions = {}): Promise<readonly Hit[]> {
    const { limit = 10, filters = {}, sort = null, onPartial, signal } = options;
    const request = (id: number): Request => ({ kind: "search", id, query, limit, filters, sort });
    const reply = await this.#call(request, signal, undefined, onPartial);
    return reply.kind === "hits" ? reply.hits : [];
  }

  /** The filters of the documents, by name: how many documents have each value. */
  async filters(): Promise<FilterCounts> {
    const reply = await this.#call((id) => ({ kind: "filters", id }), undefined);
    return reply.kind === "filters" ? reply.filters : {};
  }

  /** Names of the values that hits can be sorted by: those that pages are marked with, such as `date`. */
  async sortKeys(): Promise<readonly string[]> {
    const reply = await this.#call((id) => ({ kind: "sortKeys", id }), undefined);
    return reply.kind === "sortKeys" ? reply.keys : [];
  }

  /** Fetches the whole index, so that search works without the host. A small one is kept without asking. */
  async keep(): Promise<void> {
    await this.#call((id) => ({ kind: "keep", id }), undefined);
  }

  /**
   * Answers a question: sources, then the quotation, then generated text, each reported through `onEvent`.
   * Rejects with an `AbortError` once `signal` is aborted; the answer so far comes as the event `stopped`.
   */
  async ask(question: string, call: AskCall = {}): Promise<Answer> {
    const { signal, onEvent, ...options } = call;
    if (!signal?.aborted) this.#becomeAnswering();
    // Events that the worker sent before it saw the abort come too late, even an answer that was just complete.
    const tell = (event: AskEvent): void => {
      if (!signal?.aborted) onEvent?.(event);
    };
    const reply = await this.#call((id) => ({ kind: "ask", id, question, options }), signal, tell);
    if (reply.kind !== "answer") throw new Error(`unexpected reply: ${reply.kind}`);
    if (signal?.aborted) {
      onEvent?.({ kind: "stopped", answer: { ...reply.answer, stopped: true } });
      throw abortError(signal);
    }
    return reply.answer;
  }

  /** The full address of a hit or passage: relative ones start at the folder that holds the bundle. */
  link(url: string): string {
    return pageLink(url, this.#bundle);
  }

  /** Ends the worker; whatever still runs rejects with an `AbortError`. */
  close(): void {
    this.#closed = true;
    this.#worker.terminate();
    if (shared.get(this.#bundle.href) === this) shared.delete(this.#bundle.href);
    const closed = new DOMException("the engine was closed", "AbortError");
    for (const { reject } of this.#pending.values()) reject(closed);
    this.#pending.clear();
    this.#settlePrepared();
    this.#settleOpened.reject(
      new AnchoriteError({ code: "closed", message: "engine was closed", hint: "open the bundle again" }),
    );
    this.#listeners.clear();
  }

  async #call(
    request: (id: number) => Request,
    signal: AbortSignal | undefined,
    onEvent?: (event: AskEvent) => void,
    onPartial?: (hits: readonly Hit[]) => void,
  ): Promise<Reply> {
    if (signal?.aborted) throw abortError(signal);
    if (this.#state.error) throw this.#state.error;
    const id = this.#nextId++;
    const { promise, resolve, reject } = withResolvers<Reply>();
    const message = request(id);
    this.#pending.set(id, { message, resolve, reject, onEvent, onPartial });
    const stop = (): void => {
      this.#post({ kind: "abort", id });
      // The worker ends an answer after the token in progress, and then replies.
      if (message.kind === "ask") return;
      this.#pending.delete(id);
      reject(abortError(signal));
    };
    signal?.addEventListener("abort", stop, { once: true });
    this.#post(message);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Starts the worker of a module, which opens the bundle. */
  #start(module: Module): Worker {
    const file = moduleFiles(module).worker;
    const worker = new Worker(new URL(file, import.meta.url), { type: "module", name: "anchorite" });
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      // Messages that a worker sent before it was ended may still arrive.
      if (worker === this.#worker) this.#receive(data);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker !== this.#worker) return;
      if (this.#state.manifest) {
        // Whatever stopped the worker (memory, a trap in the module), its state can no longer be trusted.
        worker.terminate();
        this.#fail({
          code: "worker_stopped",
          message: `worker has stopped: ${event.message || "no reason given"}`,
          hint: "ask again, which starts it anew; if it happens again, choose the CPU or a smaller model, and report it with this message",
        });
        return;
      }
      this.#fail({
        code: "worker_failed",
        message: `worker did not start: ${event.message || `\`${file}\` could not be loaded`}`,
        hint: `serve \`${file}\` next to the page's script, and allow it in the content security policy (worker-src 'self')`,
      });
    });
    const awaitMeaning = this.#state.rungs.meaning.kind === "ready";
    worker.postMessage({ kind: "open", bundle: this.#bundle.href, awaitMeaning } satisfies Request);
    return worker;
  }

  /**
   * Replaces the search-only worker with the answering one, which reopens the bundle: parts that had arrived come from
   * this device, and a download in progress starts over. Pending searches go to the new worker.
   */
  #becomeAnswering(): void {
    if (this.#state.module === "answers" || this.#state.error || this.#closed) return;
    this.#worker.terminate();
    this.#bytes = this.#state.bytes;
    this.#worker = this.#start("answers");
    this.#change({ module: "answers", rungs: RUNGS });
    for (const { message } of this.#pending.values()) this.#post(message);
  }

  #receive(reply: Reply): void {
    switch (reply.kind) {
      case "opened":
        this.#change({ manifest: reply.manifest, offline: reply.offline });
        this.#settleOpened.resolve(this);
        return;
      case "rung":
        this.#change({ rungs: { ...this.#state.rungs, [reply.rung]: reply.state } });
        return;
      case "bytes":
        this.#change({
          bytes: { fetched: this.#bytes.fetched + reply.fetched, cached: this.#bytes.cached + reply.cached },
        });
        return;
      case "choice":
        this.#change({ choice: reply.choice });
        return;
      case "backend":
        this.#change({ backend: reply.backend });
        return;
      case "prepared":
        this.#settlePrepared();
        return;
      case "event":
        this.#pending.get(reply.id)?.onEvent?.(reply.event);
        return;
      case "partial":
        this.#pending.get(reply.id)?.onPartial?.(reply.hits);
        return;
      case "hits":
      case "filters":
      case "sortKeys":
      case "kept":
      case "answer":
        this.#pending.get(reply.id)?.resolve(reply);
        this.#pending.delete(reply.id);
        return;
      case "failed":
        if (reply.id === null) {
          this.#fail(reply.error);
        } else {
          this.#pending.get(reply.id)?.reject(new AnchoriteError(reply.error));
          this.#pending.delete(reply.id);
        }
        return;
    }
  }

  #fail(plain: PlainError): void {
    const error = new AnchoriteError(plain);
    this.#settleOpened.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#change({ error });
    this.#settlePrepared();
  }

  #change(part: Partial<EngineState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener(this.#state);
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }
}

/** `Promise.withResolvers`, which some browsers lack that can run the rest. */
function withResolvers<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
