// Turns the state of an engine into the sentences that visitors see of it.
import type { EngineState } from "../engine/client.js";
import type { Outcome, Restarted, RungState } from "../engine/protocol.js";
import type { MessageKey, Say } from "./messages.js";

/** Decimal megabytes, as file managers and network tools count them. */
export function megabytes(bytes: number): number {
  const mb = bytes / 1e6;
  return mb >= 10 ? Math.round(mb) : Math.round(mb * 10) / 10;
}

/** One line on the state of an engine; `detail` is the longer part, shown dimmer. */
export interface StateLine {
  readonly kind: "idle" | "busy" | "ready" | "failed";
  readonly text: string;
  readonly detail: string;
  /** Share of the download that has arrived, 0 to 1, or null while nothing is being fetched. */
  readonly progress: number | null;
}

function loading(what: "Index" | "Meaning" | "Model", state: RungState, say: Say): StateLine {
  if (state.kind !== "loading") return { kind: "busy", text: say(`starting${what}`), detail: "", progress: null };
  const { loaded, total } = state;
  return {
    kind: "busy",
    text: say(`loading${what}`),
    detail: say("loaded", { loaded: megabytes(loaded), total: megabytes(total) }),
    progress: total > 0 ? loaded / total : 0,
  };
}

/** The line under a search box, which waits for the index, and for the embedder if there is one. */
export function searchLine(state: EngineState, say: Say): StateLine {
  const { keyword, meaning } = state.rungs;
  if (state.error) return { kind: "failed", text: state.error.message, detail: "", progress: null };
  if (keyword.kind !== "ready") return loading("Index", keyword, say);
  if (meaning.kind === "failed") return { kind: "failed", text: meaning.error.message, detail: "", progress: null };
  if (meaning.kind === "loading" || meaning.kind === "starting" || meaning.kind === "waiting") {
    return loading("Meaning", meaning, say);
  }
  return { kind: "ready", text: say("searchReady"), detail: "", progress: null };
}

/** The line of a chat: what runs, on what, and why. */
export function chatLine(state: EngineState, say: Say): StateLine {
  const below = searchLine(state, say);
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
      return done(say("quotationsOnly"), say("noGenerator"));
    case "skipped":
      return done(say("quotationsOnly"), answer.reason);
    case "failed":
      return done(say("quotationsOnly"), answer.error.message, "failed");
    case "waiting":
      return below.kind === "ready" ? loading("Model", answer, say) : below;
    case "loading":
    case "starting":
      return loading("Model", answer, say);
  }
}

/** The reason why an answer is being restarted (`now`) or was restarted. */
export function restartLine({ on, code }: Restarted, now: boolean, say: Say): string {
  // If no device could be opened again, one had been lost before.
  const isLost = code === "device_lost" || code === "gpu";
  const then: MessageKey = now ? (on === "gpu" ? "restartingGpu" : "restartingCpu") : on === "gpu" ? "restartedGpu" : "restartedCpu";
  return say(isLost ? then : FAILED[then]);
}

/** The same restarts of a device that failed instead of getting lost. */
const FAILED = {
  restartingGpu: "failedRestartingGpu",
  restartingCpu: "failedRestartingCpu",
  restartedGpu: "failedRestartedGpu",
  restartedCpu: "failedRestartedCpu",
} as const;

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
export function announced(outcome: Outcome, say: Say): string {
  const keys: Record<Outcome, MessageKey> = { answered: "announceDone", closest: "announceClosest", absent: "silent" };
  return say(keys[outcome]);
}
