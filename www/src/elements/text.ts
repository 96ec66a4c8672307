// Turns untrusted text into safe pieces of template: text nodes, marks and links, never markup.
import { html, type TemplateResult } from "lit";
import type { PlainError } from "../engine/protocol.js";

/** Endings that should not prevent a match. Matching can be generous, because it only highlights. */
const ENDING = /(?:ing|ed|es|s)$/;
/** Longer queries are pasted questions; marking each of their words would mark nearly everything. */
const MAX_TERMS = 12;
/** Larger than `MAX_TERMS`, because an engine also lists the words that it took each term for. */
const MAX_MARKED = 60;

/** Scripts without spaces between words, in which a word may begin anywhere. */
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff]/u;

/** `text` with a mark on every word that begins with one of `marked` or, if there are none, with a word of `query`. */
export function highlight(text: string, query: string, marked: readonly string[] = []): (string | TemplateResult)[] {
  const words = marked.length > 0 ? [] : (query.toLowerCase().match(/[\p{L}\p{M}\p{N}_]{2,}/gu) ?? []);
  const stems = words.map((word) => (word.length > 5 ? word.replace(ENDING, "") : word));
  const others = marked.filter((term) => /^[\p{L}\p{M}\p{N}_]{2,}$/u.test(term));
  const terms = [...new Set([...stems.slice(0, MAX_TERMS), ...others.slice(0, MAX_MARKED)])];
  if (terms.length === 0) return [text];
  // Terms hold letters, marks, digits and underscores only, so they need no escaping. Longer ones come first, because they mark more.
  const longest = terms.sort((a, b) => b.length - a.length);
  const spaced = longest.filter((term) => !UNSPACED.test(term));
  const unspaced = longest.filter((term) => UNSPACED.test(term));
  const patterns = [
    ...(spaced.length > 0 ? [`(?<![\\p{L}\\p{N}])(?:${spaced.join("|")})[\\p{L}\\p{N}]*`] : []),
    ...(unspaced.length > 0 ? [`(?:${unspaced.join("|")})`] : []),
  ];
  const pattern = new RegExp(patterns.join("|"), "giu");
  const pieces: (string | TemplateResult)[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    pieces.push(html`<mark part="mark">${match[0]}</mark>`);
    end = match.index + match[0].length;
  }
  pieces.push(text.slice(end));
  return pieces;
}

/** The path to a passage: title, then headings, without a first heading that repeats the title. */
export function breadcrumb(title: string, headings: readonly string[]): string[] {
  const path = headings[0]?.trim() === title.trim() ? headings.slice(1) : headings;
  return [title, ...path].filter((step) => step !== "");
}

/**
 * The address of a passage with a text fragment, so that the browser scrolls to the quoted words and marks them. A browser
 * that does not find them, or does not know fragments, goes to the anchor.
 */
export function quoteLink(url: string, quote: string): string {
  const words = quote.trim().split(/\s+/);
  if (words.length === 0 || words[0] === "") return url;
  const encode = (part: readonly string[]): string => encodeURIComponent(part.join(" ")).replaceAll("-", "%2D");
  const text = words.length <= 10 ? encode(words) : `${encode(words.slice(0, 5))},${encode(words.slice(-5))}`;
  return `${url}${url.includes("#") ? "" : "#"}:~:text=${text}`;
}

/** An error as visitors see it: what happened, what to do, and the code to report. */
export function errorBox(error: PlainError): TemplateResult {
  return html`<p class="error" part="error" role="alert" data-code=${error.code}>
    <strong>${error.message}</strong>
    ${error.hint ? html`<span>${error.hint}</span>` : ""} <code>${error.code}</code>
  </p>`;
}
