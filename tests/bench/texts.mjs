// Turns a length and a number into a prompt that every engine reads as the same tokens, and into texts to embed.

import fs from "node:fs";

const LICENCE = fs.readFileSync(new URL("../../LICENSE-APACHE", import.meta.url), "utf8").trim();

/** The token of the word ` aa` in the models that `bench_models` writes; ` xy` is `26 x + y` further. */
const FIRST_WORD = 3 + 256 + 26 * 26;
const WORDS =
  "how does a ship that is late find the harbour when no light burns on the shore and what do the pilots say of the tide at night";

/** Random whole numbers below `n`, the same for the same seed: Knuth's multiplier, upper bits. */
function numbers(seed) {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n;
  return (n) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 33n) % n;
  };
}

/** A prompt of `n_tokens`: as ids, and as text for engines that take nothing else. */
export function prompt(n_tokens, seed) {
  const draw = numbers(seed);
  const words = Array.from({ length: n_tokens }, () => draw(26 * 26));
  const letter = (idx) => String.fromCharCode("a".charCodeAt(0) + idx);
  return {
    ids: words.map((word) => FIRST_WORD + word),
    text: words.map((word) => ` ${letter(Math.floor(word / 26))}${letter(word % 26)}`).join(""),
  };
}

/** `n_texts` texts of `n_words` English words. */
export function passages(n_texts, n_words, seed) {
  const words = WORDS.split(" ");
  const draw = numbers(seed);
  return Array.from({ length: n_texts }, () => Array.from({ length: n_words }, () => words[draw(words.length)]).join(" "));
}

/**
 * A prompt in SmolLM2's chat form, as a page writes it: instructions, one passage of `n_words` of this project's licence, and a
 * question. Only as text.
 */
export function grounded(n_words, seed) {
  const words = LICENCE.split(/\s+/);
  const start = numbers(seed)(words.length - n_words);
  const passage = words.slice(start, start + n_words).join(" ");
  const turns = [
    ["system", "Answer the question from the passages only. Cite every sentence with its passage, like [1]."],
    ["user", `[1] Licence\n${passage}\n\nQuestion: What must be done before the work is given to others?`],
  ];
  const text = turns.map(([role, said]) => `<|im_start|>${role}\n${said}<|im_end|>\n`).join("");
  return { text: `${text}<|im_start|>assistant\n` };
}
