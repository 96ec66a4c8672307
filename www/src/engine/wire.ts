// Types of everything that crosses between Rust and JavaScript, made from the Rust types by `cargo xtask contract`.

/** The contents of a bundle, as `manifest.json` lists them. */
export type Manifest = {
  /** Version of the format: `OLDEST_FORMAT` to `FORMAT`. */
  readonly format: number;
  /** Version of the program that wrote the bundle. */
  readonly anchorite: string;
  /**
   * SHA-256 over roles, names, lengths and hashes of all files and parts, the calibration and the similarity: equal
   * contents have equal ids.
   */
  readonly id: string;
  /** Number of indexed documents. */
  readonly documents: number;
  /** Number of indexed chunks. */
  readonly chunks: number;
  /** Length of the embeddings, if there are any. */
  readonly embeddingDimension: number | null;
  /** The embedder's cosines of this site's unrelated texts. Absent for an embedder whose file names no scale of its own. */
  readonly similarity?: Similarity;
  /** The shards of the index, which `index` names. */
  readonly shards: ShardTotals;
  /**
   * Probability thresholds for this site's questions. Absent if too few questions could be generated or no reader
   * was available; the thresholds for all sites then apply.
   */
  readonly calibration?: Calibration;
  /** All files other than the manifest. */
  readonly files: readonly FileEntry[];
};

/** Number and size of an index's shards, pages of tables included. */
export type ShardTotals = {
  /** Their number. */
  readonly count: number;
  /** Their total length in bytes. */
  readonly bytes: number;
};

/** How close unrelated texts of a site come. */
export type Similarity = {
  /** Mean of the cosines between queries and unrelated passages, -1 to 1. */
  readonly mean: number;
  /** Their standard deviation, above 0. */
  readonly deviation: number;
  /** The `closeness` that one in twenty queries reaches although no page is about it. */
  readonly near: number;
};

/**
 * Results of a site's answers to questions generated from its own pages.
 *
 * An answer is right if it quotes the question's own section. It is wrong if it quotes another section, or any section
 * at all after the question's page was removed from the index.
 */
export type Calibration = {
  /** Minimum probability, 0 to 1, for a question to count as answered. */
  readonly answered: number;
  /** Minimum probability for the closest passage to be shown; at most `answered`. */
  readonly closest: number;
  /** Number of questions asked: with their page, without it, and from other sites. */
  readonly questions: number;
  /** Number of questions that count as answered. */
  readonly claimed: number;
  /** Number of those answers that are wrong. */
  readonly wrong: number;
  /**
   * Upper bound of the share of wrong answers among those that count as answered, at a confidence of 95 % (Clopper
   * and Pearson, 1934). It holds for questions like the generated ones.
   */
  readonly risk: number;
  /** How often the quotation was right, by probability, ascending. */
  readonly reliability: readonly ReliabilityBin[];
};

/** Questions of similar probability. */
export type ReliabilityBin = {
  /** Mean of their probabilities. */
  readonly probability: number;
  /** Number of questions. */
  readonly questions: number;
  /** Number of questions with a right quotation. */
  readonly right: number;
};

/** One whole file. */
export type FileEntry = {
  /** Its purpose. */
  readonly role: Role;
  /** Display name. */
  readonly name: string;
  /** Label by which visitors choose an adapter with a voice. */
  readonly label?: string;
  /** Its length. */
  readonly bytes: number;
  /** Its SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Its parts in order; together they are the file. */
  readonly parts: readonly PartEntry[];
};

/** The purpose of a bundle's file, by which it is found in the manifest. */
export type Role = "index" | "vectors" | "embedder" | "reader" | "generator" | "adapter";

/** One part, fetched separately. */
export type PartEntry = {
  /** Its path in the bundle: `files/`, the first 16 digits of its SHA-256, a dot and an extension. */
  readonly path: string;
  /** Its length, at most `MAX_PART_BYTES`. */
  readonly bytes: number;
  /** Its SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
};

/** The results so far, and the shards missing to complete them. */
export type Found = {
  /** Best first, at most one per section. */
  readonly results: readonly SearchResult[];
  /** Words to mark: the query's content words, and the terms that they matched. */
  readonly terms: readonly string[];
  /** Shards of the index to supply before the search is run again; if empty, the results are complete. */
  readonly missing: readonly Shard[];
};

/** A result in the search box. */
export type SearchResult = {
  /** The chunk's stable id. */
  readonly id: string;
  /** Address of the section, with its anchor. */
  readonly url: string;
  /** The document's title. */
  readonly title: string;
  /** Headings from the outermost to the chunk's own. */
  readonly headings: readonly string[];
  /** The text around the best match. */
  readonly snippet: string;
  /** The language tag of the document; `null` if it names none. */
  readonly language: string | null;
  /** The fused score; comparable within one query only. */
  readonly score: number;
  /** The document's metadata other than its title, such as `image` or `date`, by name. */
  readonly meta: Readonly<Record<string, string>>;
};

/** The filters of an index, once the shard that holds them is loaded. */
export type FilterValues = {
  /** The shard to supply before the filters are asked for again; if empty, they are complete. */
  readonly missing: readonly Shard[];
  /** Number of documents with each value of each filter. */
  readonly filters: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

/** A shard to fetch. */
export type Shard = {
  /** The id to pass to `insert_shard`. */
  readonly id: ShardId;
  /** Its path in the bundle. */
  readonly path: string;
  /** Its length in bytes. */
  readonly bytes: number;
};

/** Names one shard, or one page of a family's table of shards. */
export type ShardId = number;

/** Options for one question; every field has a default. */
export type AskOptions = {
  /** How many passages to show and to offer to the generator; 1 to 20. */
  readonly passages: number;
  /** The most tokens the generator may write; 0 skips it, as `generate: false` does. */
  readonly maxTokens: number;
  /** 0 is greedy; 1 samples from the model's own distribution. */
  readonly temperature: number;
  /** Keeps only this many of the likeliest tokens; 0 keeps all. */
  readonly topK: number;
  /** Keeps the likeliest tokens that together reach this probability; 1 keeps all. */
  readonly topP: number;
  /** Drops tokens less likely than this share of the likeliest one's probability; 0 drops none. */
  readonly minP: number;
  /** Makes recently written tokens less likely: the larger, the less likely; 1 has no effect. */
  readonly repetitionPenalty: number;
  /** Seeds the sampling: the same bundle, question and seed give the same answer. */
  readonly seed: number;
  /**
   * True to guess tokens from the passages and verify them in one batch (prompt lookup decoding): the text stays the
   * same, and comes sooner where it copies.
   */
  readonly promptLookup: boolean;
  /**
   * Restricts the generator to words of the sources, of the question and of a closed list of common ones: numbers,
   * names and code are then copied, never invented. Also ends a text that repeats itself.
   */
  readonly lock: boolean;
  /** The text that the generator reads before the question. */
  readonly prompt: Form;
  /** True if the generator, if one is loaded, writes at all. */
  readonly generate: boolean;
  /** True to apply the adapter, if one is loaded. */
  readonly adapter: boolean;
  /**
   * The adapter that speaks, by the name it was added under (in a page, its file's, with or without `.gguf`); `null` for
   * the first one.
   */
  readonly voice: string | null;
  /** The turns before this question, oldest first, which complete a follow-up; see `follow_up`. */
  readonly history: readonly Turn[];
};

/** The text that the generator reads before the question. */
export type Form = "evidence" | "passages" | "long";

/** An earlier question, answered. */
export type Turn = {
  /** The question as put to the index: the rewritten one, if it was itself a follow-up. */
  readonly question: string;
  /** The quotation or text shown; may be empty. */
  readonly answer: string;
  /** Title and headings of the quoted passage, outermost first; may be empty. */
  readonly headings: readonly string[];
};

/**
 * Events while a question is being answered, in this order. The text starts over only after a device failed: after one
 * `restarted` per backend tried, and `backend`.
 */
export type AskEvent = {
  readonly kind: "sources";
  /** Best first. */
  readonly passages: readonly Passage[];
} | {
  readonly kind: "quote";
  /** `null` when the documents don't say. */
  readonly quote: Quote | null;
  /** How certain the answer is. */
  readonly outcome: Outcome;
} | {
  readonly kind: "text";
  /** Some characters; never part of a code point. */
  readonly text: string;
} | {
  readonly kind: "restarted";
  /** The backend the generator is being loaded on: `gpu` (again) or `cpu`. */
  readonly on: "gpu" | "cpu";
  /** The failure's stable name: `device_lost`, `kernel`, `not_finite`, or `gpu` if no device could be opened. */
  readonly code: string;
  /** Error text, for people to read. */
  readonly reason: string;
} | {
  readonly kind: "backend";
  /** The backend now in use; its reason names the failure. */
  readonly backend: Backend;
};

/** A whole answer. */
export type Answer = {
  /** The question as asked. */
  readonly question: string;
  /** The question as it was put to the documents: a follow-up is completed from earlier turns. */
  readonly asked: string;
  /** True if the question refers to an earlier turn, but not clearly to what: it was asked as it stands. */
  readonly isUnclear: boolean;
  /** Answered, the closest passage, or not in these documents. */
  readonly outcome: Outcome;
  /** The probability that the quotation answers, 0 to 1; `null` without a reader. */
  readonly probability: number | null;
  /** The signs that decided the outcome. */
  readonly evidence: Evidence;
  /** The quotation that leads; `null` when the documents don't say. */
  readonly quote: Quote | null;
  /** The generator's sentences, checked; empty when it did not run. */
  readonly sentences: readonly Sentence[];
  /** The verdict on them: only `shown` may be shown as the answer, above the quotation. */
  readonly written: Written;
  /** How much of the sources the generator read; `null` when it did not run. */
  readonly window: Window | null;
  /** The passages, best first; the nearest sections when the documents don't say. */
  readonly passages: readonly Passage[];
  /** True if the visitor stopped it. */
  readonly stopped: boolean;
  /** The bundle's id, needed to reproduce the answer. */
  readonly bundle: string;
  /** The backend that ran the generator; `null` when none is loaded. */
  readonly backend: Backend | null;
  /** How long it took. */
  readonly timing: Timing;
};

/** A chunk retrieved for a question. */
export type Passage = {
  /** The number that citations use, from 1. */
  readonly number: number;
  /** The chunk's stable id. */
  readonly id: string;
  /** Address of the section, with its anchor. */
  readonly url: string;
  /** The document's title. */
  readonly title: string;
  /** Headings from the outermost to the passage's own; empty above the first heading. */
  readonly headings: readonly string[];
  /** The chunk's text. */
  readonly text: string;
  /** The language tag of the document; `null` if it names none. */
  readonly language: string | null;
  /** The fused retrieval score; higher is better, comparable within one question only. */
  readonly score: number;
};

/**
 * The result of a question. Answered: the quotation answers, as surely as the site demands. Closest: the closest passage
 * is quoted, and may not answer. Absent: these documents don't say.
 */
export type Outcome = "answered" | "closest" | "absent";

/** The signs behind a decision. */
export type Evidence = {
  /** Cosine similarity of the best passage, on the scale of the embedder that ships; `null` without vectors. */
  readonly similarity: number | null;
  /** Share of the question's terms, weighted by rarity, that the best passage contains; 0 to 1. */
  readonly coverage: number;
  /**
   * How much closer the best passage is than unrelated ones of this site come (`near` of the index); `null`
   * where the site's unrelated texts were not measured, or the question has no embedding.
   */
  readonly beyondUnrelated: number | null;
  /** The reader's view of the quoted unit; `null` without a reader. */
  readonly reading: Signs | null;
};

/** The reader's view of the quoted unit. Logits are clamped to ±12. */
export type Signs = {
  /** The span's start and end logits minus those of no answer in its window. */
  readonly margin: number;
  /** Mean over the unit's words of the logit of being in a sentence that answers. */
  readonly evidence: number;
  /** Logit that the window answers the question. */
  readonly answerable: number;
  /** Logit that the window is about the question. */
  readonly relevant: number;
  /** Its score minus that of the best unit in another passage. */
  readonly lead: number;
  /** Share of the question's numbers and code found in the passage or its headings, 0 to 1; 1 if it names none. */
  readonly asked: number;
  /** True if the question names a code, a flag or a version, and the unit or its headings hold all of them. */
  readonly isNamed: boolean;
};

/** A unit of a passage, verbatim: whole sentences, an item, a row with its header, a definition, or code. */
export type Quote = {
  /** The unit as in the passage. Two parts with text between them are separated by a line with `…`. */
  readonly text: string;
  /** The passage's number. */
  readonly passage: number;
  /** The likeliest answer inside `text`; `null` without a reader. */
  readonly mark: Mark | null;
};

/** A range of a text, counted in UTF-16 code units, as in JavaScript. */
export type Mark = {
  /** Code units before its start. */
  readonly start: number;
  /** Code units before its end. */
  readonly end: number;
};

/** A sentence that the generator wrote, with the passages that it cites and that do support it. */
export type Sentence = {
  /** The sentence without its citation markers. */
  readonly text: string;
  /** Numbers of the passages that it cites and that support it. */
  readonly passages: readonly number[];
  /** True if there is such a passage, see `check`, and for a set phrase, which needs none. */
  readonly supported: boolean;
  /** True if it is a set phrase of the voice, which claims nothing. */
  readonly isPhrase: boolean;
};

/**
 * The verdict on the generator's text. Only shown text may appear as the answer: supported, whole sentences that agree with
 * what is marked in the quotation. Otherwise the quotation appears alone: nothing was written, the model abstained, a
 * sentence is unsupported or a fragment, the text differs from the quotation, loops, or only repeats it.
 */
export type Written = "nothing" | "language" | "abstained" | "unsupported" | "fragment" | "differs" | "loops" | "repeats" | "shown";

/** How much of the retrieved sources fitted into the generator's window. */
export type Window = {
  /** Passages or pages that the prompt holds. */
  readonly sources: number;
  /** True if the last of these was cut to fit. */
  readonly isCut: boolean;
  /** How many more there was no room for. */
  readonly leftOut: number;
};

/** How long the steps took, in milliseconds, and how much was read and written. */
export type Timing = {
  /** Embedding the question and searching. */
  readonly retrieveMs: number;
  /** Reading the passages and choosing the quotation. */
  readonly quoteMs: number;
  /** From the prompt to the first token. */
  readonly prefillMs: number;
  /** The remaining tokens. */
  readonly decodeMs: number;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens at the start of the prompt that were still cached from the previous question, and not run again. */
  readonly cachedTokens: number;
  /** Tokens written. */
  readonly generatedTokens: number;
  /** Runs of the model it took: fewer than tokens if some were guessed and verified together. */
  readonly steps: number;
  /** Decoding speed, without the first token; 0 when fewer than two were written. */
  readonly tokensPerSecond: number;
};

/** The backend a model runs on, and why. */
export type Backend = {
  /** `cpu`, `webgpu` or `vulkan`. */
  readonly kind: "cpu" | "webgpu" | "vulkan";
  /** The name the device reports. */
  readonly device: string;
  /** Why it was chosen, as a sentence for people to read. */
  readonly reason: string;
};
