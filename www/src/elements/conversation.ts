// Turns a conversation into text that a tab keeps for its next page, and back.
import { bundleUrl } from "../engine/address.js";
import type { Turn } from "./anchorite-answer.js";

/** The chat as a visitor left it. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** True if the panel was open. */
  readonly opened: boolean;
}

/** Most turns that are kept: as many as a follow-up can refer to, and little enough for any tab's storage. */
const MAX_KEPT = 6;

/** One conversation for each bundle. */
const key = (bundle: string): string => `anchorite:conversation:${bundleUrl(bundle).href}`;

/**
 * Keeps a conversation in this tab, in place of the one before; nothing is kept of an empty one. An answer that is still being
 * made ends with its page, so it is kept as a stopped one, with its sources.
 */
export function keep(bundle: string, { turns, opened }: Conversation): void {
  const done = turns
    .filter(({ passages, status }) => passages && status !== "failed")
    .map((turn): Turn => (turn.status === "asking" ? { ...turn, status: "stopped", writing: false } : turn))
    .slice(-MAX_KEPT);
  try {
    if (done.length === 0) sessionStorage.removeItem(key(bundle));
    else sessionStorage.setItem(key(bundle), JSON.stringify({ turns: done, opened }));
  } catch {
    // Storage may be full or forbidden; the conversation then ends with its page.
  }
}

/** The conversation that an earlier page of this tab kept; null if there is none, or an older version of this script wrote it. */
export function recall(bundle: string): Conversation | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key(bundle)) ?? "null");
    return isConversation(kept) ? { turns: kept.turns.slice(-MAX_KEPT), opened: kept.opened } : null;
  } catch {
    return null;
  }
}

function isConversation(value: unknown): value is Conversation {
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const isTurn = (turn: unknown): boolean =>
    isObject(turn) && Number.isSafeInteger(turn["id"]) && typeof turn["question"] === "string" && (turn["status"] === "done" || turn["status"] === "stopped") &&
    Array.isArray(turn["passages"]) && (turn["answer"] === null || (isObject(turn["answer"]) && Array.isArray(turn["answer"]["sentences"])));
  return isObject(value) && typeof value["opened"] === "boolean" && Array.isArray(value["turns"]) && value["turns"].length > 0 && value["turns"].every(isTurn);
}
