// Turns requests from a search-only page into calls of the small wasm engine, which has no model, and of the embedder's module.
import init, { Engine } from "#pkg-search";
import type { SearchRequest } from "./protocol.js";
import { answerSearch, bytesOf, failed, keepRest, listen, loadMeaning, type Meaning, ofRoles, open, type Session } from "./rungs.js";

/** The embedder's script, next to this one; filled in by `build.mjs`. */
declare const EMBEDDER: string;

/** Settles when the index is opened; every search waits for it. */
let session: Promise<Session<Engine>> | null = null;

listen((request: SearchRequest) => {
  if (request.kind !== "open") {
    answerSearch(request, () => session ?? Promise.reject(new Error("`open` comes first")));
    return;
  }
  // Every call here ends within its own turn, so nothing else ever holds the engine.
  session = open(request.bundle, { init, Engine }, async (call) => call());
  session
    .then(async (ready) => {
      await loadMeaning(ready, meaning, (work) => work());
      await keepRest(ready);
    })
    .catch(failed);
});

/** The embedder is a module of its own, so that the first results don't wait for its code. */
async function meaning({ engine, manifest }: Session<Engine>): Promise<Meaning> {
  const { start } = (await import(EMBEDDER)) as typeof import("./embedder.js");
  const embedder = await start();
  const files = ofRoles(manifest, "embedder");
  const paths = new Set(files.flatMap(({ parts }) => parts).map(({ path }) => path));
  return {
    reserve: (bytes) => {
      const own = bytesOf(files);
      embedder.reserve(own);
      engine.reserve(bytes - own);
    },
    add_part: (path, content) => {
      if (!paths.has(path)) {
        engine.add_part(path, content);
        return;
      }
      engine.check_part(path, content);
      embedder.add_part(content);
    },
    load: () => {
      engine.load_vectors();
      embedder.load();
      engine.set_embedder(embedder);
    },
  };
}
