// Turns the worker's calls into answers without wasm: a fast double with the same interface, for tests of the elements alone.
// It is no engine: passages come by counting words, and "generated" text is copied from them. Its bundles are made by
// `../fake-bundle.mjs`; whatever tests the engine uses the real package.

/** @import * as wire from "../../../www/src/engine/wire.js" */

const plain = (code, message, hint = "") => ({ code, message, hint });

export default async function init() {}

export function browserHasSubgroups() {}

export class AbortFlag {
  aborted = false;
  abort() {
    this.aborted = true;
  }
}

/** Part of another module in the real package; there is nothing to embed here. */
export class Embedder {
  #parts = 0;
  #dimension = 0;

  reserve() {}

  addPart() {
    this.#parts += 1;
  }

  load() {
    this.#dimension = this.#parts;
  }

  dimension() {
    return this.#dimension;
  }

  embed() {
    return new Float32Array(this.#dimension);
  }
}

export class Engine {
  /** @type {wire.Manifest} */
  #manifest;
  #parts = new Map();
  #chunks = [];
  #meaning = false;
  /** @type {wire.Backend | null} */
  #backend = null;
  #again;

  constructor(bytes) {
    let manifest;
    try {
      manifest = JSON.parse(new TextDecoder().decode(bytes));
    } catch (thrown) {
      throw plain("manifest_syntax", `manifest cannot be read: \`${thrown.message}\``, "the file may not be a bundle's manifest.json, or was cut short");
    }
    if (manifest.format !== 6) {
      throw plain(
        "unknown_format",
        `bundle format is not supported: expected \`6\`, found \`${manifest.format}\``,
        "rebuild the bundle with this version of anchorite, or update the page's scripts",
      );
    }
    this.#manifest = manifest;
  }

  /** @returns {wire.Manifest} */
  manifest() {
    return this.#manifest;
  }

  reserve() {}

  addPart(path, bytes) {
    const part = this.#manifest.files.flatMap((file) => file.parts).find((one) => one.path === path);
    if (!part) throw plain("unknown_part", `the manifest names no part \`${path}\``);
    const found = sha256(bytes);
    if (found !== part.sha256) {
      throw plain(
        "hash",
        `\`${path}\` has a wrong SHA-256: expected \`${part.sha256}\`, found \`${found}\``,
        "the file was changed or damaged on its way: fetch or upload it again",
      );
    }
    this.#parts.set(path, bytes);
  }

  #file(role) {
    const file = this.#manifest.files.find((one) => one.role === role);
    if (!file) throw plain("missing_file", `bundle has no file of role \`${role}\``, "build the bundle again with this file included");
    const missing = file.parts.find((part) => !this.#parts.has(part.path));
    if (missing) throw plain("missing_part", `part \`${missing.path}\` is missing`, "upload the whole bundle folder, `files/` included");
    return this.#parts.get(file.parts[0].path);
  }

  loadIndex() {
    this.#chunks = JSON.parse(new TextDecoder().decode(this.#file("index")));
  }

  loadVectors() {
    this.#file("vectors");
  }

  // The double's index is whole from the start.
  insertShard() {}

  /** @returns {wire.Shard[]} */
  missing() {
    return [];
  }

  /** @returns {wire.Shard[]} */
  shards() {
    return [];
  }

  /** @returns {wire.Shard[]} */
  needs() {
    return [];
  }

  /** @returns {{ missing: wire.Shard[], filters: Record<string, Record<string, number>> }} */
  filters() {
    return { missing: [], filters: {} };
  }

  /** @returns {string[]} */
  sortKeys() {
    return [];
  }

  loadReader() {}

  loadEmbedder() {
    this.#file("embedder");
    this.#meaning = true;
  }

  checkPart(path, bytes) {
    this.addPart(path, bytes);
  }

  setEmbedder(embedder) {
    if (embedder.dimension() === 0) throw plain("embedder", "the embedder failed: it is not loaded yet");
    this.loadEmbedder();
  }

  prepareGenerator() {
    return pause(0);
  }

  loadVoice() {}

  /** @returns {Promise<wire.Backend>} */
  async loadGenerator(/** @type {"webgpu" | "cpu"} */ kind, reason, adapter, again) {
    this.#file("generator");
    this.#again = again;
    await pause(120);
    this.#backend = { kind, device: kind === "cpu" ? "double" : "double adapter", reason };
    return this.#backend;
  }

  #rank(query, limit) {
    const words = terms(query);
    return this.#chunks
      .map((chunk) => {
        const found = new Set(terms(`${chunk.title} ${chunk.headings.join(" ")} ${chunk.text}`));
        const heading = new Set(terms(`${chunk.title} ${chunk.headings.join(" ")}`));
        const score = words.reduce((sum, word) => sum + (found.has(word) ? 1 : 0) + (heading.has(word) ? 1 : 0), 0);
        return { ...chunk, score: words.length ? score / words.length : 0 };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  /** @returns {wire.Found} */
  search(query, limit) {
    const results = this.#rank(query, limit).map(({ id, url, title, headings, text, score }) => ({
      id,
      url,
      title,
      headings,
      snippet: text.slice(0, 180),
      language: "en",
      score: this.#meaning ? score + 1 : score,
      meta: {},
    }));
    return { results, terms: [], missing: [] };
  }

  /**
   * @param {string} question
   * @param {Partial<wire.AskOptions>} options
   * @param {AbortFlag} abort
   * @param {(event: wire.AskEvent) => void} onEvent
   * @returns {Promise<wire.Answer>}
   */
  async ask(question, options, abort, onEvent) {
    if (!/[^\p{Z}\p{C}]/u.test(question)) throw plain("question_empty", "question is empty", "type a question");
    if (question.length > 2000) throw plain("question_too_long", `question is too long: ${question.length} characters`, "ask one question at a time");
    const started = performance.now();
    const passages = this.#rank(question, options.passages ?? 4).map((chunk, idx) => ({ ...chunk, language: "en", number: idx + 1 }));
    const answerable = (passages[0]?.score ?? 0) >= 0.6;
    onEvent({ kind: "sources", passages });
    await pause(60);
    const best = passages[0];
    const words = terms(question);
    const said = best ? sentences(best.text) : [];
    const overlap = (text) => terms(text).filter((word) => words.includes(word)).length;
    const text = [...said].sort((a, b) => overlap(b) - overlap(a))[0] ?? "";
    const outcome = answerable ? "answered" : "absent";
    const start = text.search(/\S+\s*$/);
    const quote = answerable ? { text, passage: 1, mark: { start, end: text.length } } : null;
    onEvent({ kind: "quote", quote, outcome });
    const retrieveMs = performance.now() - started;
    const out = [];
    let tokens = 0;
    const decode = performance.now();
    if (answerable && question.includes("unplugged") && this.#backend?.kind === "webgpu") {
      onEvent({ kind: "text", text: "This is void." });
      /** @type {readonly ["gpu" | "cpu", "webgpu" | "cpu", string][]} */
      const places = [["gpu", "webgpu", "device_lost"], ["cpu", "cpu", "gpu"]];
      for (const [on, backend, code] of places) {
        const reason = "graphics device `double` was lost: unplugged";
        onEvent({ kind: "restarted", on, code, reason });
        await pause(100);
        if (backend === "webgpu") continue;
        await this.#again(backend);
        const loaded = await this.loadGenerator(backend, reason, false, this.#again);
        onEvent({ kind: "backend", backend: loaded });
      }
    }
    if (answerable && this.#backend) {
      const draft = said.slice(0, 2).map((one) => [one, [1], true]);
      if (question.includes("toaster")) draft.push(["It is also said to run on a toaster.", [], false]);
      for (const [sentence, cited, supported] of draft) {
        let made = "";
        for (const token of sentence.match(/\s*\S+/g)) {
          if (abort.aborted) break;
          tokens += 1;
          made += token;
          onEvent({ kind: "text", text: made === token && out.length ? ` ${token}` : token });
          await pause(25);
        }
        if (made) out.push({ text: made, passages: cited, supported, isPhrase: false });
        if (abort.aborted) break;
      }
    }
    const decodeMs = performance.now() - decode;
    return {
      question,
      asked: question,
      isUnclear: false,
      outcome,
      probability: answerable ? 0.9 : 0.1,
      evidence: { similarity: null, coverage: answerable ? 1 : 0, beyondUnrelated: null, reading: null },
      quote,
      sentences: out,
      written: !out.length ? "nothing" : out.every(({ supported }) => supported) ? "shown" : "unsupported",
      window: tokens ? { sources: 2, isCut: true, leftOut: 1 } : null,
      passages,
      stopped: abort.aborted,
      bundle: this.#manifest.id,
      backend: tokens ? this.#backend : null,
      timing: {
        retrieveMs,
        quoteMs: 0,
        prefillMs: 0,
        decodeMs,
        promptTokens: words.length,
        cachedTokens: 0,
        generatedTokens: tokens,
        steps: tokens,
        tokensPerSecond: tokens ? (tokens * 1000) / decodeMs : 0,
      },
    };
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const STOP = new Set("the a an of to in is are it and or how do does i what for with on can my you".split(" "));
const terms = (text) =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .filter((word) => !STOP.has(word))
    .map((word) => (word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, "") : word));
const sentences = (text) => text.match(/[^.!?\n]+[.!?]+(?=\s|$)/g)?.map((one) => one.trim()) ?? [text];

/** SHA-256 (FIPS 180-4), for a worker's own digest cannot be awaited in a call that returns nothing. */
function sha256(bytes) {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
  const part = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
  const k = primes.map((p) => part(Math.cbrt(p)));
  const h = primes.slice(0, 8).map((p) => part(Math.sqrt(p)));
  const padded = new Uint8Array(((bytes.length + 8) >> 6 << 6) + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const w = new Int32Array(64);
  const rotate = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const a = w[i - 15];
      const b = w[i - 2];
      w[i] =
        (w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, last] = h;
    for (let i = 0; i < 64; i += 1) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const t1 = (last + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [last, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, last].forEach((x, i) => {
      h[i] = (h[i] + x) | 0;
    });
  }
  return h.map((x) => (x >>> 0).toString(16).padStart(8, "0")).join("");
}
