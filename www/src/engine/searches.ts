// Turns a page's requests to a search module, except `open`, into replies; a search tells first what the loaded shards give.
import type { SearchEngine } from "./engine.js";
import type { Hit, Reply, SearchRequest } from "./protocol.js";
import type { Session } from "./session.js";

/** Time without a search after which the rest of a small index may take the connection. */
const QUIET_MS = 3000;

/** The host that searches reply through. */
export interface Client {
  /** Settles when the index is opened; every search waits for it. */
  opened(): Promise<Session<SearchEngine>>;
  post(reply: Reply): void;
  /** Runs one call, and sends its failure under its id. */
  reply(id: number, call: () => Promise<void>): Promise<void>;
}

type Search = Extract<SearchRequest, { readonly kind: "search" }>;

/** One client's searches. */
export class Searches {
  readonly #client: Client;
  /** Searches that the page no longer waits for. */
  readonly #cancelled = new Set<number>();
  /** When a search was asked for last. */
  #last = performance.now();

  constructor(client: Client) {
    this.#client = client;
  }

  serve(request: Exclude<SearchRequest, { readonly kind: "open" }>): void {
    const client = this.#client;
    const { id } = request;
    switch (request.kind) {
      case "search":
        this.#last = performance.now();
        void client.reply(id, () => this.#search(request));
        return;
      case "filters":
        void client.reply(id, async () => {
          const session = await client.opened();
          const { filters } = await session.complete(() => session.engine.filters());
          client.post({ kind: "filters", id, filters });
        });
        return;
      case "sortKeys":
        void client.reply(id, async () => {
          const { engine, free } = await client.opened();
          client.post({ kind: "sortKeys", id, keys: await free(() => engine.sortKeys()) });
        });
        return;
      case "keep":
        void client.reply(id, async () => {
          await (await client.opened()).keepIndex();
          client.post({ kind: "kept", id });
        });
        return;
      case "abort":
        this.#cancelled.add(id);
        return;
    }
  }

  /** Settles when nobody has searched for a while. */
  async quiet(): Promise<void> {
    for (;;) {
      const wait = this.#last + QUIET_MS - performance.now();
      if (wait <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #search({ id, query, limit, filters: wanted, sort }: Search): Promise<void> {
    const session = await this.#client.opened();
    const filters = Object.entries(wanted).flatMap(([name, values]) => values.flatMap((value) => [name, value]));
    const found = await session.complete(
      () => session.engine.search(query, limit, filters, sort?.by ?? "", sort?.order === "desc"),
      (soFar) => {
        if (this.#cancelled.has(id)) return false;
        if (soFar.results.length > 0) this.#client.post({ kind: "partial", id, hits: hitsOf(soFar) });
        return true;
      },
    );
    if (!this.#cancelled.delete(id)) this.#client.post({ kind: "hits", id, hits: hitsOf(found) });
  }
}

function hitsOf({ results, terms }: ReturnType<SearchEngine["search"]>): readonly Hit[] {
  return results.map((result) => ({ ...result, terms }));
}
