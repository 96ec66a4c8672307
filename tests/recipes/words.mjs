// Turns two texts of one page into the words that one has and the other lacks, each with the words around it.

/** Invisible characters that may be inside a word; texts are compared without them. */
const UNSEEN = /[\u00ad\u200b\u2060\ufeff]/g;
/** Number of words shown on each side of one. */
const CONTEXT = 5;

/**
 * The words of a text: runs of letters and digits, including combining marks, in lower case.
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  return (
    text
      .replace(UNSEEN, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) ?? []
  );
}

/**
 * How often each word occurs.
 * @param {string[]} list
 * @returns {Map<string, number>}
 */
export function count(list) {
  const counts = new Map();
  for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * Splits words that one text runs together: a word that `other` lacks becomes the neighbouring words of `other` that it is
 * made of. A table's cells, or a label and the code below it, are adjacent in one text and separate in the other, without
 * any word being lost.
 * @param {string[]} list
 * @param {string[]} other
 * @returns {string[]}
 */
export function part(list, other) {
  const known = new Set(other);
  const starts = new Map();
  other.forEach((word, at) => starts.set(word[0], [...(starts.get(word[0]) ?? []), at]));
  const parts = (word) => {
    for (const at of starts.get(word[0]) ?? []) {
      for (let n = 2, joined = other[at]; at + n <= other.length && word.startsWith(joined); n++) {
        joined += other[at + n - 1];
        if (joined === word) return other.slice(at, at + n);
      }
    }
    return [word];
  };
  return list.flatMap((word) => (known.has(word) ? [word] : parts(word)));
}

/**
 * The words that `list` has more often than `counts` says, and how much more often.
 * @param {string[]} list
 * @param {Map<string, number>} counts
 * @returns {Map<string, number>}
 */
export function beyond(list, counts) {
  const more = new Map();
  for (const [word, n] of count(list)) if (n > (counts.get(word) ?? 0)) more.set(word, n - (counts.get(word) ?? 0));
  return more;
}

/**
 * Places where `list` has a word that `other` lacks: the `n` of them with the neighbours least known to `other`.
 * @param {string[]} list
 * @param {string[]} other
 * @param {string} word
 * @param {number} n
 * @returns {string[]} each place as a line, the word in brackets
 */
export function contexts(list, other, word, n) {
  const pairs = new Set(other.map((first, at) => `${first} ${other[at + 1]}`));
  const isKnown = (at) => Number(pairs.has(`${list[at]} ${list[at + 1]}`));
  const places = list.flatMap((found, at) => (found === word ? [{ at, known: isKnown(at - 1) + isKnown(at) }] : []));
  const shown = (at) => {
    const before = list.slice(Math.max(0, at - CONTEXT), at);
    return [...before, `[${word}]`, ...list.slice(at + 1, at + 1 + CONTEXT)].join(" ");
  };
  return places
    .toSorted((a, b) => a.known - b.known)
    .slice(0, n)
    .map(({ at }) => shown(at));
}
