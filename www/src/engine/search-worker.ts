// Turns requests from a page that only searches into calls of the small wasm engine, which has no generator.
import init, { Engine } from "#pkg-search";
import type { SearchRequest } from "./protocol.js";
import { answerSearch, failed, listen, loadMeaning, open, type Session } from "./rungs.js";

/** Settles when the index is opened; every search waits for it. */
let session: Promise<Session<Engine>> | null = null;

listen((request: SearchRequest) => {
  if (request.kind !== "open") {
    answerSearch(request, () => session ?? Promise.reject(new Error("`open` comes first")));
    return;
  }
  // No call here outlasts its own turn, so nothing else ever holds the engine.
  session = open(request.bundle, { init, Engine }, async (call) => call());
  session.then((ready) => loadMeaning(ready, (work) => work())).catch(failed);
});
