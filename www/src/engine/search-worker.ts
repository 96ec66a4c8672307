// Turns requests from a page that only searches into calls of the small wasm engine, which has no generator.
import init, { Engine } from "#pkg-search";
import type { SearchRequest } from "./protocol.js";
import { failed, listen, loadMeaning, open, post, reply, type Session } from "./rungs.js";

/** Settles when the index is loaded; every search waits for it. */
let session: Promise<Session<Engine>> | null = null;

listen((request: SearchRequest) => {
  switch (request.kind) {
    case "open":
      session = open(request.bundle, { init, Engine });
      // No call here outlasts its own turn, so nothing else ever holds the engine.
      session.then((ready) => loadMeaning(ready, (work) => work())).catch(failed);
      return;
    case "search":
      void reply(request.id, async () => {
        const { engine } = await (session ?? Promise.reject(new Error("`open` comes first")));
        post({ kind: "hits", id: request.id, hits: engine.search(request.query, request.limit) });
      });
      return;
  }
});
