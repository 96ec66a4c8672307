// Turns states into the words that visitors see; every visible sentence of the elements is here.
import type { EngineState } from "../engine/client.js";
import type { Outcome, Restarted, RungState, Written } from "../engine/protocol.js";

export const strings = {
  searchLabel: "Search the documents",
  searchPlaceholder: "Search",
  searchResults: "Results",
  searchNone: "Nothing found for",
  searchKeywordsOnly: "By keywords; search by meaning joins when its model is here.",
  widgetLabel: "Search and ask",
  chatTitle: "Ask the documents",
  chatPlaceholder: "Ask a question",
  chatLabel: "Your question",
  ask: "Ask",
  stop: "Stop",
  close: "Close",
  clear: "New conversation",
  suggestions: "For example",
  voice: "Voice",
  voicePlain: "Plain",
  privacy: "Runs on this device. Nothing you type leaves it.",
  looking: "Looking through the documents",
  sources: "Sources",
  nearest: "Nearest sections",
  quoteFrom: "Quoted from",
  quoteClosest: "Closest passage, from",
  askedAs: (question: string): string => `Asked as: ${question}`,
  unclear: "This seems to refer to something said before, but not surely to what. It was asked as it stands.",
  closest: "Perhaps not an answer.",
  closestMore: "This passage comes closest to the question. Read it in its place before you rely on it.",
  silent: "The documents do not say.",
  silentMore: "Nothing in them answers this question well enough to quote. These sections come nearest.",
  written: "Written by a small model, and checked against what it cites",
  writing: "Writing an answer from this",
  stopped: "You stopped this answer.",
  deviceLost: "The graphics device was lost",
  deviceFailed: "The graphics device failed",
  restartingGpu: "opening it again, and answering anew.",
  restartingCpu: "answering again on the processor.",
  restartedGpu: "it was opened again, and the answer written anew.",
  restartedCpu: "the answer was written again on the processor.",
  source: "Source",
  modelLoading: "The model that writes is still loading; this answer is completed when it is here.",
  emptyQuestion: "Type a question first.",
  details: "How this was made",
  detailFound: "Found in",
  detailWritten: "Written on",
  detailNothing: "nothing; quotation only",
  detailReason: "Why there",
  detailText: "Its text",
  detailWindow: "It read",
  window: (held: number, cut: boolean, left: number): string =>
    `${held} ${held === 1 ? "source" : "sources"}${cut ? ", the last one cut to fit" : ""}${left > 0 ? `; ${left} more found no room` : ""}`,
  texts: {
    nothing: "no whole sentence",
    abstained: "left out: the model found no answer",
    unsupported: "left out: the sources do not support it",
    fragment: "left out: not a sentence",
    differs: "left out: it says something else than the quotation",
    loops: "left out: the model turned in circles",
    repeats: "left out: the quotation over again",
    shown: "shown",
  } satisfies Record<Written, string>,
  detailTokens: "Tokens",
  tokens: (read: number, known: number, written: number): string =>
    `${read} read${known > 0 ? ` (${known} known from before)` : ""}, ${written} written`,
  detailSpeed: "Speed",
  speed: (rate: number): string => `${rate.toFixed(1)} tokens per second`,
  detailBundle: "Bundle",
  rungKeyword: "Keywords",
  rungMeaning: "Meaning",
  rungMeaningReady: "sentence embedder, in this tab",
  rungQuote: "Quotations",
  rungQuoteReady: "reads passages and says whether they answer",
  rungAnswer: "Written text",
  indexSize: (documents: number, chunks: number): string => `${documents} documents in ${chunks} passages`,
  waiting: "waiting",
  starting: "starting",
  absent: "not in this bundle",
  loading: (loaded: string, total: string): string => `${loaded} MB of ${total} MB`,
  bytes: (fetched: string, cached: string): string => `${fetched} MB downloaded, ${cached} MB from this device.`,
  offline: "The host is out of reach; this is the copy kept here.",
  bundle: "Bundle",
  announceSources: (count: number): string => `${count} ${count === 1 ? "source" : "sources"} found.`,
  announceDone: "The answer is complete.",
  announceClosest: "No sure answer; the closest passage is quoted.",
} as const;

/** Decimal megabytes, as file managers and network tools count them. */
export function megabytes(bytes: number): string {
  const mb = bytes / 1e6;
  return mb >= 10 || mb === 0 ? mb.toFixed(0) : mb.toFixed(1);
}

/** One line on the state of an engine; `detail` is the longer part, shown dimmer. */
export interface StateLine {
  readonly kind: "idle" | "busy" | "ready" | "failed";
  readonly text: string;
  readonly detail: string;
  /** Share of the download that has arrived, 0 to 1, or null while nothing is being fetched. */
  readonly progress: number | null;
}

function loading(what: string, state: RungState): StateLine {
  if (state.kind !== "loading") return { kind: "busy", text: `Starting ${what}`, detail: "", progress: null };
  const { loaded, total } = state;
  return {
    kind: "busy",
    text: `Loading ${what}`,
    detail: `${megabytes(loaded)} MB of ${megabytes(total)} MB`,
    progress: total > 0 ? loaded / total : 0,
  };
}

/** The line under a search box, which waits for the index, and for the embedder if there is one. */
export function searchLine(state: EngineState): StateLine {
  const { keyword, meaning } = state.rungs;
  if (state.error) return { kind: "failed", text: state.error.message, detail: "", progress: null };
  if (keyword.kind !== "ready") return loading("the index", keyword);
  if (meaning.kind === "failed") return { kind: "failed", text: meaning.error.message, detail: "", progress: null };
  if (meaning.kind === "loading" || meaning.kind === "starting" || meaning.kind === "waiting") {
    return loading("search by meaning", meaning);
  }
  return { kind: "ready", text: "Ready", detail: "", progress: null };
}

/** The line of a chat: what runs, on what, and why. */
export function chatLine(state: EngineState): StateLine {
  const below = searchLine(state);
  const { keyword, answer } = state.rungs;
  if (state.error || keyword.kind !== "ready") return below;
  const done = (text: string, detail: string, kind: StateLine["kind"] = "ready"): StateLine => ({
    kind,
    text,
    detail,
    progress: null,
  });
  switch (answer.kind) {
    case "ready":
      return done(backendName(state.backend?.kind), [state.backend?.device, state.backend?.reason].filter(Boolean).join(" · "));
    case "absent":
      return done("Quotations only", "this bundle carries no generator");
    case "skipped":
      return done("Quotations only", answer.reason);
    case "failed":
      return done("Quotations only", answer.error.message, "failed");
    case "waiting":
      return below.kind === "ready" ? loading("the model", answer) : below;
    case "loading":
    case "starting":
      return loading("the model", answer);
  }
}

/** The reason why an answer is being restarted (`now`) or was restarted. */
export function restartLine({ on, code }: Restarted, now: boolean): string {
  // If no device could be opened again, one had been lost before.
  const what = code === "device_lost" || code === "gpu" ? strings.deviceLost : strings.deviceFailed;
  const then = now
    ? { gpu: strings.restartingGpu, cpu: strings.restartingCpu }
    : { gpu: strings.restartedGpu, cpu: strings.restartedCpu };
  return `${what}; ${then[on]}`;
}

export function backendName(kind: string | undefined): string {
  switch (kind) {
    case "webgpu":
      return "WebGPU";
    case "cpu":
      return "CPU";
    default:
      return kind ?? "";
  }
}

/** The screen reader's announcement when an answer is complete. */
export function announced(outcome: Outcome): string {
  return { answered: strings.announceDone, closest: strings.announceClosest, absent: strings.silent }[outcome];
}
