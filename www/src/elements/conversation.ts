// Turns a conversation into text that a tab keeps for its next page, and back.
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
const key = (bundle: string): string => `anchorite:conversation:${new URL(bundle, document.baseURI).href}`;

/** Keeps the finished turns of a conversation in this tab, in place of the one before; nothing is kept of an empty one. */
export function keep(bundle: string, { turns, opened }: Conversation): void {
  const done = turns.filter(({ status }) => status === "done").slice(-MAX_KEPT);
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
    isObject(turn) && Number.isSafeInteger(turn["id"]) && typeof turn["question"] === "string" && turn["status"] === "done" &&
    Array.isArray(turn["passages"]) && isObject(turn["answer"]) && Array.isArray(turn["answer"]["sentences"]);
  return isObject(value) && typeof value["opened"] === "boolean" && Array.isArray(value["turns"]) && value["turns"].every(isTurn);
}
