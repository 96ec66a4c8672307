// The methods that the engines of both modules share, so that one host can serve either.
import type { Engine } from "#pkg-search";

/** The engine of the search module without what only that module has: it borrows its embedder from another one. */
export type SearchEngine = Omit<Engine, "checkPart" | "setEmbedder">;
