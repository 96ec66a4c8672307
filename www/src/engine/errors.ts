// Turns anything thrown, here or in wasm, into one error with a stable code, a message and a hint.
import type { PlainError } from "./protocol.js";

/** The only error class of this package; cancelling gives a `DOMException` named `AbortError` instead, as `fetch` does. */
export class AnchoriteError extends Error {
  override readonly name = "AnchoriteError";
  /** Stable, for programs. */
  readonly code: string;
  /** Advice on what to do next, for people; may be empty. */
  readonly hint: string;

  constructor(error: PlainError) {
    super(error.message);
    this.code = error.code;
    this.hint = error.hint;
  }

  /** The form that crosses the worker boundary. */
  plain(): PlainError {
    return { code: this.code, message: this.message, hint: this.hint };
  }
}

/** Recognises the plain objects that wasm throws. */
function isPlain(value: unknown): value is PlainError {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "message" in value &&
    typeof value.message === "string"
  );
}

/** Whatever was thrown, as an error object; `code` names the place when the thrown value has no code of its own. */
export function toPlain(thrown: unknown, code: string): PlainError {
  if (thrown instanceof AnchoriteError) return thrown.plain();
  if (isPlain(thrown)) {
    const hint = "hint" in thrown && typeof thrown.hint === "string" ? thrown.hint : "";
    return { code: thrown.code, message: thrown.message, hint };
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code, message, hint: "reload the page; if it happens again, report it with this message" };
}

/** The error of a cancelled call, as `fetch` would give it. */
export function abortError(signal?: AbortSignal): unknown {
  return signal?.reason ?? new DOMException("the question was stopped", "AbortError");
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "AbortError";
}
