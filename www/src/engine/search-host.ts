// Turns requests from a search-only page into calls of the small wasm engine, which has no model, and of the embedder's module.
import { Engine } from "#pkg-search";
import { type Glue, Host, type Meaning, type Port } from "./host.js";
import type { SearchRequest } from "./protocol.js";
import { bytesOf, type Session } from "./session.js";

/** The embedder's script, next to this one; filled in by `build.mjs`. */
declare const EMBEDDER: string;

/** Serves one client that only searches. */
export class SearchHost extends Host<Engine, SearchRequest> {
  constructor(port: Port, start: Glue<Engine>["start"]) {
    super(port, { start, Engine });
  }

  protected override hear(request: SearchRequest): void {
    if (request.kind !== "open") {
      this.serve(request);
      return;
    }
    this.session = this.open(request.bundle);
    this.session
      .then(async (session) => {
        await this.loadMeaning(session);
        await this.keepRest(session);
      })
      .catch((thrown) => this.fail(thrown));
  }

  /** Every call here ends within its own turn, so nothing else ever holds the engine. */
  protected override async free<T>(call: () => T): Promise<T> {
    return call();
  }

  override alone<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  /** The embedder is a module of its own, so that the first results don't wait for its code. */
  protected override async meaning(session: Session<Engine>): Promise<Meaning> {
    const { engine } = session;
    const { start } = (await import(EMBEDDER)) as typeof import("./embedder.js");
    const embedder = await start();
    const files = session.files("embedder");
    const paths = new Set(files.flatMap(({ parts }) => parts).map(({ path }) => path));
    return {
      reserve: (bytes) => {
        const own = bytesOf(files);
        embedder.reserve(own);
        engine.reserve(bytes - own);
      },
      addPart: (path, content) => {
        if (!paths.has(path)) {
          engine.addPart(path, content);
          return;
        }
        engine.checkPart(path, content);
        embedder.addPart(content);
      },
      load: () => {
        engine.loadVectors();
        embedder.load();
        engine.setEmbedder(embedder);
      },
    };
  }
}
