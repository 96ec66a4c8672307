// Turns the language and the colours of a page into those of the elements on it.
import { LitElement, type PropertyDeclarations } from "lit";
import { type Catalogue, catalogueFor, inEnglish, languageOf, type Messages, parseMessages, type Say } from "./messages.js";
import { followScheme } from "./scheme.js";

/** The elements on the page, which follow when a site changes its language without loading another page. */
const connected = new Set<() => void>();
let observer: MutationObserver | null = null;

function follow(change: () => void): void {
  connected.add(change);
  observer ??= new MutationObserver(() => {
    for (const each of connected) each();
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
}

/** How long an element waits for its words before it appears in English, in milliseconds. */
const PATIENCE_MS = 1_000;

/** Base of every element. */
export abstract class SiteElement extends LitElement {
  static override properties: PropertyDeclarations = {
    messages: { converter: parseMessages },
    catalogue: { state: true },
  };

  /** The site's own sentences, by key; the attribute holds them as JSON. */
  declare messages: Messages;
  declare private catalogue: Catalogue | null;
  /** Settles when the sentences of the page's language are here. */
  #arriving: Promise<unknown> | null = null;

  /** Looks again which colours suit the page. */
  protected followScheme(): void {
    this.#unfollowScheme();
    this.#unfollowScheme = followScheme(this);
  }

  #unfollowScheme = (): void => undefined;

  constructor() {
    super();
    this.messages = {};
    this.catalogue = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.followScheme();
    this.#choose();
    follow(this.#choose);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollowScheme();
    connected.delete(this.#choose);
  }

  /**
   * An element appears with the words of its page's language, and does not change them before the visitor's eyes; if they don't
   * come soon, it appears in English.
   */
  protected override scheduleUpdate(): void | Promise<unknown> {
    if (this.hasUpdated || !this.#arriving) return super.scheduleUpdate();
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([this.#arriving, patience]).then(() => super.scheduleUpdate());
  }

  /** The sentence of a key in the site's own words or in the page's language. */
  protected readonly say: Say = (key, values) => (this.catalogue ?? inEnglish).say(key, values, this.messages);

  /** The language of what is said. */
  protected get language(): string {
    return (this.catalogue ?? inEnglish).language;
  }

  readonly #choose = (): void => {
    const found = catalogueFor(languageOf(this));
    if (!(found instanceof Promise)) {
      this.#arriving = null;
      this.catalogue = found;
      return;
    }
    const arriving = found.then((catalogue) => {
      if (this.#arriving === arriving) this.catalogue = catalogue;
    });
    this.#arriving = arriving;
  };
}
