// Turns a key into the sentence that visitors see, in the language of their page. The sentences are in `messages/`.
import { messages as english } from "./messages/en.js";
import { outside } from "./outside.js";

/** The name of a sentence. */
export type MessageKey = keyof typeof english;
/** A sentence, or its form for each plural category that the language distinguishes; `other` is the one for all others. */
export type Message = string | ({ readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string });
/** Sentences of one language, or the site's own in their place. */
export type Messages = { readonly [key in MessageKey]?: Message };
/** Every sentence in one language. */
export type Translation = { readonly [key in MessageKey]: Message };
/** The values of a sentence; `count` chooses its plural form. */
export type MessageValues = Readonly<Record<string, string | number>>;
/** Says a sentence with its values. */
export type Say = (key: MessageKey, values?: MessageValues) => string;

/** Languages besides English, each a file of its own that only its pages fetch. */
const others: Readonly<Record<string, () => Promise<{ readonly messages: Messages }>>> = {
  ar: () => import("./messages/ar.js"),
  de: () => import("./messages/de.js"),
  el: () => import("./messages/el.js"),
  es: () => import("./messages/es.js"),
  fr: () => import("./messages/fr.js"),
  hi: () => import("./messages/hi.js"),
  it: () => import("./messages/it.js"),
  ja: () => import("./messages/ja.js"),
  pt: () => import("./messages/pt.js"),
  ru: () => import("./messages/ru.js"),
  th: () => import("./messages/th.js"),
  tr: () => import("./messages/tr.js"),
  vi: () => import("./messages/vi.js"),
  zh: () => import("./messages/zh.js"),
};

/** The sentences of one language. */
export class Catalogue {
  /** The language's BCP 47 tag. */
  readonly language: string;
  readonly #messages: Messages;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;

  constructor(language: string, messages: Messages) {
    this.language = language;
    this.#messages = messages;
    this.#plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(language, { maximumFractionDigits: 1, numberingSystem: "latn" });
  }

  /** The sentence of a key with its values; in the `own` words of a site where it has any, and in English where nobody has. */
  say(key: MessageKey, values: MessageValues = {}, own: Messages = {}): string {
    const message: Message = own[key] ?? this.#messages[key] ?? english[key];
    const { count } = values;
    const form = typeof message === "string" ? message : message[typeof count === "number" ? this.#plural.select(count) : "other"] ?? message.other;
    return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name];
      return typeof value === "number" ? this.#number.format(value) : value ?? whole;
    });
  }
}

/** The catalogue of pages in English, and in languages without a catalogue. */
export const inEnglish = new Catalogue("en", english);
const known = new Map<string, Catalogue | Promise<Catalogue>>();

/**
 * The catalogue for a language tag, by its primary subtag; English for a language that has none. A promise if its file is
 * still on its way, which never rejects: a page whose host has lost the file speaks English.
 */
export function catalogueFor(tag: string): Catalogue | Promise<Catalogue> {
  const language = primary(tag);
  const load = Object.hasOwn(others, language) ? others[language] : undefined;
  if (!load) return inEnglish;
  let found = known.get(language);
  if (!found) {
    found = load().then(
      ({ messages }) => new Catalogue(language, messages),
      () => inEnglish,
    );
    known.set(language, found);
    void found.then((catalogue) => known.set(language, catalogue));
  }
  return found;
}

/** The primary subtag of a language tag. */
export function primary(tag: string): string {
  return tag.toLowerCase().split(/[-_]/, 1)[0] ?? "";
}

/** The name of a language in a language; the tag itself where it is none. */
export function languageName(tag: string, language: string): string {
  try {
    return new Intl.DisplayNames(language, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** The language of an element: the nearest `lang` around it, through the shadow roots that it lies in; English without one. */
export function languageOf(element: Element): string {
  for (let at: Element | null = element; at; at = outside(at)) {
    const found = at.getAttribute("lang");
    if (found !== null) return found || "en";
  }
  return "en";
}

/** A site's own sentences from an attribute, as JSON; a value that is none is told to the owner, and changes nothing. */
export function parseMessages(attribute: string | null): Messages {
  if (!attribute) return {};
  try {
    const value: unknown = JSON.parse(attribute);
    const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
    const wrong = entries?.find(([key, message]) => !Object.hasOwn(english, key) || !isMessage(message));
    if (entries && !wrong) return value as Messages;
    console.error(`anchorite: attribute \`messages\`: ${wrong ? `\`${wrong[0]}\` is no message` : "expected an object of messages by key"}`);
  } catch (thrown) {
    console.error(`anchorite: attribute \`messages\` is not JSON: ${String(thrown)}`);
  }
  return {};
}

function isMessage(value: unknown): value is Message {
  if (typeof value === "string") return true;
  const forms: unknown[] = typeof value === "object" && value !== null && "other" in value ? Object.values(value) : [];
  return forms.length > 0 && forms.every((form) => typeof form === "string");
}
