// Turns searches that led somewhere into a short list that this device keeps, and no other learns of.
import { bundleUrl } from "../engine/address.js";

/** Most searches that are kept, and most characters of one. */
const MAX_KEPT = 5;
const MAX_LENGTH = 80;

/** One list for each bundle. */
const key = (bundle: string): string => `anchorite:searches:${bundleUrl(bundle).href}`;

/** The lists of this page, where storage is forbidden. */
const unstored = new Map<string, readonly string[]>();

/** The searches that are kept, newest first; none where storage holds something else. */
export function recentSearches(bundle: string): readonly string[] {
  const here = unstored.get(key(bundle));
  if (here) return here;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(bundle)) ?? "[]");
    return Array.isArray(kept) ? kept.filter((query) => typeof query === "string" && query !== "").map((query: string) => query.slice(0, MAX_LENGTH)).slice(0, MAX_KEPT) : [];
  } catch {
    return [];
  }
}

/** Keeps a search in front of the others; returns all of them. */
export function keepSearch(bundle: string, query: string): readonly string[] {
  const before = recentSearches(bundle);
  if (query === "" || query.length > MAX_LENGTH) return before;
  const kept = [query, ...before.filter((other) => other !== query)].slice(0, MAX_KEPT);
  try {
    localStorage.setItem(key(bundle), JSON.stringify(kept));
  } catch {
    // Storage may be full or forbidden; the list then lasts as long as the page.
    unstored.set(key(bundle), kept);
  }
  return kept;
}

/** Forgets all searches. */
export function forgetSearches(bundle: string): void {
  unstored.delete(key(bundle));
  try {
    localStorage.removeItem(key(bundle));
  } catch {
    // Nothing could be kept either.
  }
}
