// The calls and events between page and worker: one discriminated union each, keyed by `kind`. Nothing else crosses that boundary,
// and everything here survives structured cloning. `wire.ts` has the types that come from Rust.
import type * as wire from "./wire.js";
import type { Answer, AskEvent, Backend, Manifest } from "./wire.js";

export type {
  Answer,
  AskEvent,
  Backend,
  Calibration,
  Evidence,
  FileEntry,
  Form,
  Manifest,
  Mark,
  Outcome,
  PartEntry,
  Passage,
  Quote,
  ReliabilityBin,
  Role,
  SearchResult,
  Sentence,
  Shard,
  ShardTotals,
  Signs,
  Timing,
  Turn,
  Window,
  Written,
} from "./wire.js";

/** The backend that the owner or the visitor asks for; `auto` lets the ladder decide. */
export type BackendRequest = "auto" | "webgpu" | "cpu";

/** Where the generator is to run, decided before any of it is downloaded, and why; `none` leaves it out. */
export interface Choice {
  readonly kind: "webgpu" | "cpu" | "none";
  readonly reason: string;
}

/** Filters on the hits: for each one named here, a hit must have one of the values. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** The order of hits by a value of their documents, instead of the best first. Documents without the value come last. */
export interface Sort {
  /** One of `Anchorite.sortKeys()`. */
  readonly by: string;
  /** Default `asc`. */
  readonly order?: "asc" | "desc";
}

/** How many documents have each value of each filter. */
export type FilterCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A search result. `url` carries the anchor and is relative to the site unless the bundle was built with a base. */
export interface Hit extends wire.SearchResult {
  /** Words to mark: the query's topical words, their stems, and corrections. The same for all hits of a search. */
  readonly terms: readonly string[];
}

/** Options of a question; those left out have defaults. */
export type AskOptions = Partial<wire.AskOptions>;

/** A graphics device failed mid-answer, and the text is being rewritten. */
export type Restarted = Extract<wire.AskEvent, { kind: "restarted" }>;

/** The parts of the ladder, which load one after another; each works without the next. */
export type Rung = "keyword" | "meaning" | "reading" | "answer";

/** The state of a rung. `absent`: not in this bundle. `skipped`: not wanted on this device, see `reason`. */
export type RungState =
  | { readonly kind: "waiting" }
  | { readonly kind: "loading"; readonly loaded: number; readonly total: number }
  | { readonly kind: "starting" }
  | { readonly kind: "ready" }
  | { readonly kind: "absent" }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: PlainError };

/** An error as it crosses the worker: an object, never a sentence to be parsed. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** The module that a worker runs: `search` finds, `answers` quotes and writes too, and is more than twice the download. */
export type Module = "search" | "answers";

/** Page to any worker. */
export type SearchRequest =
  | {
      readonly kind: "open";
      readonly bundle: string;
      /** The previous worker searched by meaning, so calls wait until this one does too. */
      readonly awaitMeaning: boolean;
    }
  | {
      readonly kind: "search";
      readonly id: number;
      readonly query: string;
      readonly limit: number;
      readonly filters: Filters;
      readonly sort: Sort | null;
    }
  | { readonly kind: "filters"; readonly id: number }
  | { readonly kind: "sortKeys"; readonly id: number }
  /** Fetches the whole index, so that search works without the host. */
  | { readonly kind: "keep"; readonly id: number }
  /** Ends an answer after the token in progress, and a search before it fetches more. */
  | { readonly kind: "abort"; readonly id: number };

/** Page to the worker that answers. */
export type Request =
  | SearchRequest
  | { readonly kind: "prepare"; readonly backend: BackendRequest }
  | { readonly kind: "ask"; readonly id: number; readonly question: string; readonly options: AskOptions };

/** Worker to page. */
export type Reply =
  | { readonly kind: "opened"; readonly manifest: Manifest; readonly offline: boolean }
  | { readonly kind: "rung"; readonly rung: Rung; readonly state: RungState }
  | { readonly kind: "bytes"; readonly fetched: number; readonly cached: number }
  | { readonly kind: "choice"; readonly choice: Choice }
  | { readonly kind: "backend"; readonly backend: Backend | null }
  | { readonly kind: "prepared" }
  | { readonly kind: "hits"; readonly id: number; readonly hits: readonly Hit[] }
  /** Hits from the part of the index that is already loaded; `hits` follows. */
  | { readonly kind: "partial"; readonly id: number; readonly hits: readonly Hit[] }
  | { readonly kind: "filters"; readonly id: number; readonly filters: FilterCounts }
  | { readonly kind: "sortKeys"; readonly id: number; readonly keys: readonly string[] }
  | { readonly kind: "kept"; readonly id: number }
  | { readonly kind: "event"; readonly id: number; readonly event: AskEvent }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "failed"; readonly id: number | null; readonly error: PlainError };
