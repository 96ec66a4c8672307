// Turns the calls and events between page and worker into one discriminated union each, keyed by `kind`.
// Nothing else crosses the boundary, and everything here survives structured cloning.

/** The backend that the owner or the reader asks for; `auto` lets the ladder decide. */
export type BackendRequest = "auto" | "webgpu" | "cpu";

/** The backend that the generator runs on, and why. Always shown, never guessed. */
export interface Backend {
  readonly kind: string;
  readonly device: string;
  readonly reason: string;
}

/** Where the generator is to run, decided before any of it is downloaded, and why; `none` leaves it out. */
export interface Choice {
  readonly kind: "webgpu" | "cpu" | "none";
  readonly reason: string;
}

/** One content-addressed piece of a file; never larger than a static host allows (20 MiB). */
export interface PartEntry {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface FileEntry {
  readonly role: "index" | "vectors" | "embedder" | "reader" | "generator" | "adapter";
  readonly name: string;
  /** The label by which readers choose an adapter with a voice. */
  readonly label?: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly parts: readonly PartEntry[];
}

export interface Manifest {
  readonly format: number;
  readonly anchorite: string;
  /** SHA-256 over the hashes of all files: names this bundle exactly. */
  readonly id: string;
  readonly documents: number;
  readonly chunks: number;
  readonly embedding_dimension?: number | null;
  /** Pieces of the index that are fetched when a query reads them. */
  readonly shards: { readonly count: number; readonly bytes: number };
  readonly files: readonly FileEntry[];
}

/** A piece of the index that a query reads; `id` is the engine's name for it. */
export interface Shard {
  readonly id: number;
  readonly path: string;
  readonly bytes: number;
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
export interface Hit {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly headings: readonly string[];
  readonly snippet: string;
  readonly score: number;
  /** The document's metadata apart from its title, such as `image` or `date`; an image's address is relative just as `url` is. */
  readonly meta: Readonly<Record<string, string>>;
  /** Words to mark: the query's topical words, their stems, and corrections. The same for all hits of a search. */
  readonly terms: readonly string[];
}

/** A chunk retrieved for a question; `number` is what citations refer to, from 1. */
export interface Passage {
  readonly number: number;
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly headings: readonly string[];
  readonly text: string;
  readonly score: number;
}

/** A unit copied from a passage, never rewritten: sentences, an item, a row with its header, a definition, or code. */
export interface Quote {
  readonly text: string;
  readonly passage: number;
  /** The likeliest answer inside `text`, as `text.slice(start, end)`; null without a reader. */
  readonly mark: { readonly start: number; readonly end: number } | null;
}

/** One generated sentence, with the passages that the check found to support it. */
export interface Sentence {
  readonly text: string;
  readonly passages: readonly number[];
  /** True for a set phrase too, which needs no passage. */
  readonly supported: boolean;
  /** A set phrase of the voice, which claims nothing. */
  readonly is_phrase: boolean;
}

export interface Timing {
  readonly retrieve_ms: number;
  readonly quote_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  readonly prompt_tokens: number;
  /** The number of leading prompt tokens still cached from the previous question, and so not read again. */
  readonly cached_tokens: number;
  readonly generated_tokens: number;
  /** Model runs that wrote these tokens; there are fewer runs than tokens where guessed tokens were checked together. */
  readonly steps: number;
  readonly tokens_per_second: number;
}

/**
 * How a question ends. `answered`: the quotation answers, with the certainty that the site demands. `closest`: the
 * closest passage is quoted, but may not answer. `absent`: these documents don't say.
 */
export type Outcome = "answered" | "closest" | "absent";

/**
 * The evidence behind the outcome: the cosine of the nearest passage (null without an embedder), the share of the question's
 * words found, and the reader's logits for the quoted unit (null without a reader). `asked` is the share of the numbers and code
 * in the question that the unit's passage contains; `is_named` says that the unit itself contains them all, with code among them.
 */
export interface Evidence {
  readonly similarity: number | null;
  readonly coverage: number;
  readonly reading: {
    readonly margin: number;
    readonly evidence: number;
    readonly answerable: number;
    readonly relevant: number;
    readonly lead: number;
    readonly asked: number;
    readonly is_named: boolean;
  } | null;
}

/**
 * The verdict on the generator's text. Only `shown` text may appear as the answer: supported, whole sentences that agree with the
 * marked part of the quotation. Otherwise the quotation appears alone: nothing was written, the model abstained, a sentence is
 * unsupported or incomplete, or the text differs from the quotation, loops, or only repeats the quotation.
 */
export type Written = "nothing" | "abstained" | "unsupported" | "fragment" | "differs" | "loops" | "repeats" | "shown";

export interface Answer {
  readonly question: string;
  /** The question as put to the documents: a follow-up is completed from earlier turns. */
  readonly asked: string;
  /** The question refers to an earlier turn, but it is unclear which, so it was asked unchanged. */
  readonly is_unclear: boolean;
  readonly outcome: Outcome;
  /** The probability that the quotation answers, 0 to 1; null without a reader. */
  readonly probability: number | null;
  readonly evidence: Evidence;
  readonly quote: Quote | null;
  readonly sentences: readonly Sentence[];
  readonly written: Written;
  /** How many sources the generator read: `left_out` more did not fit. Null when it did not run. */
  readonly window: { readonly sources: number; readonly is_cut: boolean; readonly left_out: number } | null;
  readonly passages: readonly Passage[];
  readonly stopped: boolean;
  readonly bundle: string;
  readonly backend: Backend | null;
  readonly timing: Timing;
}

export interface AskOptions {
  readonly passages?: number;
  readonly max_tokens?: number;
  /** 0 is greedy. */
  readonly temperature?: number;
  /** Samples among this many likeliest tokens; 0 among all. */
  readonly top_k?: number;
  /** Samples among the likeliest tokens that together have this share. */
  readonly top_p?: number;
  /** Leaves out tokens less likely than this share of the likeliest one. */
  readonly min_p?: number;
  /** Makes recently written tokens less likely; 1 has no effect. */
  readonly repetition_penalty?: number;
  readonly seed?: number;
  /** Guesses tokens from the passages and checks them together. The text is the same, and faster where it copies. On by default. */
  readonly lookup?: boolean;
  /** Writes only common words and words of the sources and the question, so none is invented; a loop ends the text. On by default. */
  readonly lock?: boolean;
  /** The sources before the question: the few units that the reader chose (the default), whole passages, or their pages. */
  readonly prompt?: "evidence" | "passages" | "long";
  readonly generate?: boolean;
  readonly adapter?: boolean;
  /** The adapter that speaks, by the name of its file with or without `.gguf`; default: the bundle's first. */
  readonly voice?: string | null;
  /** The turns before this question, oldest first, from which a follow-up is completed. */
  readonly history?: readonly Past[];
}

/** A question that has already been answered. */
export interface Past {
  /** The question as put to the documents: `asked` of its answer. */
  readonly question: string;
  /** The quotation or the text that was shown. */
  readonly answer: string;
  /** Title and headings of the passage that was quoted. */
  readonly headings: readonly string[];
}

/**
 * Events of an answer in progress, in this order; `text` repeats, one piece for each token. If the graphics device fails,
 * `restarted` voids all text so far, once for each place where the generator is loaded next, and `backend` names the one that it
 * was loaded on; then the text starts over. Sources and quotation remain valid.
 */
export type AskEvent =
  | { readonly kind: "sources"; readonly passages: readonly Passage[] }
  | { readonly kind: "quote"; readonly quote: Quote | null; readonly outcome: Outcome }
  | { readonly kind: "text"; readonly text: string }
  | Restarted
  | { readonly kind: "backend"; readonly backend: Backend };

/** A graphics device failed mid-answer, and the text is being rewritten. */
export interface Restarted {
  readonly kind: "restarted";
  /** Where the generator is being loaded: on the graphics device again, or on the CPU. */
  readonly on: "gpu" | "cpu";
  /** `device_lost`; `kernel` if the device refused work or memory; `not_finite`; `gpu` if no device could be opened. */
  readonly code: string;
  /** The fault, in words for people. */
  readonly reason: string;
}

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
  | { readonly kind: "sort_keys"; readonly id: number }
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
  | { readonly kind: "sort_keys"; readonly id: number; readonly keys: readonly string[] }
  | { readonly kind: "kept"; readonly id: number }
  | { readonly kind: "event"; readonly id: number; readonly event: AskEvent }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "failed"; readonly id: number | null; readonly error: PlainError };
