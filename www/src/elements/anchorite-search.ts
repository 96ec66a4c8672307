// Turns typing into ranked links: results as soon as the index is loaded, better ones once the embedder is.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { EngineState } from "../engine/client.js";
import { isAbort, toPlain } from "../engine/errors.js";
import type { Filters, Hit, PlainError, Sort } from "../engine/protocol.js";
import { BundleElement } from "./base.js";
import { searchLine, strings } from "./strings.js";
import { tokens } from "./styles.js";
import { breadcrumb, errorBox, highlight } from "./text.js";

/** Long enough to skip intermediate keystrokes, short enough to go unnoticed. */
const DEBOUNCE_MS = 80;
/** Searches to wait for before Enter opens a hit. */
const MAX_TRIES = 4;

/**
 * Search as you type.
 *
 * The CSS variable `--anchorite-panel-size` makes the list of results wider than a narrow field.
 *
 * @fires anchorite-error - `detail` is `{ code, message, hint }`
 * @csspart input - the text field
 * @csspart panel - the list of results
 * @csspart hit - one result; `active` too when the arrow keys are on it
 * @csspart title, headings, details, snippet, image, mark - inside a result
 * @csspart status - what is still loading
 */
export class AnchoriteSearch extends BundleElement {
  static override properties: PropertyDeclarations = {
    ...BundleElement.properties,
    limit: { type: Number },
    shortcut: {},
    placeholder: {},
    filters: { attribute: false },
    sort: { attribute: false },
    details: {},
    images: { type: Boolean },
    query: { state: true },
    hits: { state: true },
    active: { state: true },
    expanded: { state: true },
    failure: { state: true },
  };
  static override styles = [
    tokens,
    css`
      :host {
        position: relative;
      }
      .box {
        display: flex;
        align-items: center;
        gap: 0.65em;
        min-block-size: 3rem;
        padding-inline: 0.95em;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_paper);
        transition: border-color 120ms;
      }
      .box:focus-within {
        border-color: var(--_accent);
        box-shadow: 0 0 0 1px var(--_accent);
      }
      svg {
        flex: none;
        inline-size: 1.1em;
        block-size: 1.1em;
        color: var(--_muted);
      }
      input {
        flex: 1;
        min-inline-size: 0;
        border: 0;
        padding: 0.6em 0;
        background: none;
        color: inherit;
        /* Smaller than 16px makes phones zoom in. */
        font: inherit;
        font-size: max(1em, 16px);
        outline: none;
      }
      input::placeholder {
        color: var(--_muted);
        opacity: 1;
      }
      input::-webkit-search-cancel-button {
        display: none;
      }
      kbd {
        padding: 0.05em 0.5em;
        border: 1px solid var(--_line);
        border-radius: 5px;
        color: var(--_muted);
        font: 0.8em var(--_mono);
      }
      @media (hover: none) {
        kbd {
          display: none;
        }
      }
      .panel {
        position: absolute;
        inset-inline: auto 0;
        inline-size: var(--anchorite-panel-size, 100%);
        z-index: 30;
        margin-block-start: 0.4rem;
        max-block-size: min(34rem, 70vh);
        overflow-y: auto;
        overscroll-behavior: contain;
        padding: 0.4rem;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_paper);
        box-shadow: 0 14px 40px rgb(0 0 0 / 0.14);
      }
      .hit {
        display: block;
        padding: 0.6rem 0.75rem;
        border-radius: calc(var(--_radius) * 0.7);
        color: inherit;
        text-decoration: none;
      }
      .hit[aria-selected="true"] {
        background: var(--_surface);
      }
      .image {
        float: inline-end;
        inline-size: 4.5rem;
        block-size: 3.4rem;
        margin-inline-start: 0.75rem;
        border-radius: calc(var(--_radius) * 0.5);
        background: var(--_surface);
        object-fit: cover;
      }
      .details {
        display: block;
        color: var(--_muted);
        font-size: 0.8em;
        line-height: 1.5;
        overflow-wrap: anywhere;
      }
      .crumb {
        display: block;
        font-weight: 600;
        line-height: 1.4;
      }
      .crumb i {
        padding-inline: 0.3em;
        color: var(--_muted);
        font-style: normal;
        font-weight: 400;
      }
      .snippet {
        display: -webkit-box;
        overflow: hidden;
        margin-block-start: 0.1rem;
        color: var(--_muted);
        font-size: 0.9em;
        line-height: 1.5;
        overflow-wrap: anywhere;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }
      mark {
        border-radius: 2px;
        background: var(--_mark);
        color: var(--_ink);
      }
      .note {
        margin: 0;
        padding: 0.5rem 0.75rem;
        color: var(--_muted);
        font-size: 0.85em;
      }
    `,
  ];

  /** Most results to show. */
  declare limit: number;
  /** A key that moves the focus here, such as `/`; none by default, because the site may use that key. */
  declare shortcut: string;
  declare placeholder: string;
  /** Filters on the results, by the names and values of `Anchorite.filters()`; a property, not an attribute. */
  declare filters: Filters;
  /** The document value to sort by, one of `Anchorite.sortKeys()`; null for best first. A property, not an attribute. */
  declare sort: Sort | null;
  /** Names of the document metadata to show with each result, such as `author date`. */
  declare details: string;
  /** True to show the image of each result's document. Images on other hosts are never shown: the host would learn the results. */
  declare images: boolean;
  declare private query: string;
  declare private hits: readonly Hit[] | null;
  declare private active: number;
  declare private expanded: boolean;
  declare private failure: PlainError | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  /** The query that the hits shown are for. */
  #shown = "";
  /** True if the hits shown were found by meaning too. */
  #withMeaning = false;

  constructor() {
    super();
    this.limit = 8;
    this.shortcut = "";
    this.placeholder = strings.searchPlaceholder;
    this.filters = {};
    this.sort = null;
    this.details = "";
    this.images = false;
    this.query = "";
    this.hits = null;
    this.active = -1;
    this.expanded = false;
    this.failure = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onShortcut);
    document.addEventListener("pointerdown", this.#onOutside);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onShortcut);
    document.removeEventListener("pointerdown", this.#onOutside);
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector("input")?.focus(options);
  }

  protected override settled({ rungs }: EngineState): boolean {
    const { kind } = rungs.meaning;
    return rungs.keyword.kind === "ready" && kind !== "waiting" && kind !== "loading" && kind !== "starting";
  }

  protected override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if ((changed.has("filters") || changed.has("sort")) && this.hits) void this.#search();
    if (!changed.has("state") || !this.query.trim()) return;
    // The same query finds more once the next rung is ready.
    const meaning = this.state?.rungs.meaning.kind === "ready";
    if (meaning && !this.#withMeaning && this.hits) void this.#search();
  }

  override render(): TemplateResult {
    const open = this.expanded && this.query.trim() !== "";
    const { hits, active } = this;
    return html`<div class="box" part="box">
        <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.7" aria-hidden="true">
          <circle cx="8.5" cy="8.5" r="5.5" />
          <path d="m13 13 4.5 4.5" stroke-linecap="round" />
        </svg>
        <input
          part="input"
          type="search"
          role="combobox"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          enterkeyhint="search"
          aria-label=${strings.searchLabel}
          aria-autocomplete="list"
          aria-controls="hits"
          aria-expanded=${open && hits?.length ? "true" : "false"}
          aria-activedescendant=${active >= 0 ? `hit-${active}` : nothing}
          placeholder=${this.placeholder}
          .value=${this.query}
          @input=${this.#onInput}
          @keydown=${this.#onKey}
          @focus=${this.#onFocus}
        />
        ${this.shortcut ? html`<kbd aria-hidden="true">${this.shortcut}</kbd>` : nothing}
      </div>
      <div class="panel" part="panel" ?hidden=${!open}>
        <div role="listbox" id="hits" aria-label=${strings.searchResults}>
          ${hits?.map((hit, idx) => this.#hit(hit, idx)) ?? nothing}
        </div>
        ${this.#notes()}
      </div>
      <div class="hidden" aria-live="polite">
        ${open && hits ? `${hits.length} ${strings.searchResults}` : ""}
      </div>`;
  }

  #hit(hit: Hit, idx: number): TemplateResult {
    const [title, ...headings] = breadcrumb(hit.title, hit.headings);
    const selected = idx === this.active;
    const image = this.images ? this.#image(hit) : null;
    const details = this.details.split(/\s+/).flatMap((name) => hit.meta[name] ?? []);
    return html`<a
      class="hit"
      part=${selected ? "hit active" : "hit"}
      role="option"
      id=${`hit-${idx}`}
      tabindex="-1"
      href=${this.link(hit.url)}
      aria-selected=${selected ? "true" : "false"}
      @pointermove=${() => {
        this.active = idx;
      }}
      @click=${() => {
        this.expanded = false;
      }}
    >
      ${image ? html`<img class="image" part="image" src=${image} alt="" loading="lazy" />` : nothing}
      <span class="crumb"
        ><span part="title">${highlight(title ?? "", this.query, hit.terms)}</span>${headings.map(
          (heading) => html`<i>›</i><span part="headings">${highlight(heading, this.query, hit.terms)}</span>`,
        )}</span
      >
      ${details.length > 0 ? html`<span class="details" part="details">${details.join(" · ")}</span>` : nothing}
      <span class="snippet" part="snippet">${highlight(hit.snippet, this.query, hit.terms)}</span>
    </a>`;
  }

  /** The address of a hit's image, if this site's own host has it. */
  #image(hit: Hit): string | null {
    const url = hit.meta["image"];
    if (!url) return null;
    try {
      const full = this.link(url);
      return new URL(full).origin === location.origin ? full : null;
    } catch {
      // The image that a page names may not be a valid address.
      return null;
    }
  }

  #notes(): TemplateResult | typeof nothing {
    if (this.failure) return errorBox(this.failure);
    const { state } = this;
    if (!state) return nothing;
    const line = searchLine(state);
    if (!this.hits) {
      return html`<p class="note" part="status">${line.text} ${line.detail}</p>`;
    }
    const none = this.hits.length === 0;
    return html`${none ? html`<p class="note">${strings.searchNone} “${this.query.trim().slice(0, 80)}”.</p>` : nothing}
    ${line.kind === "busy" ? html`<p class="note" part="status">${strings.searchKeywordsOnly} ${line.detail}</p>` : nothing}`;
  }

  #onInput(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
    this.expanded = true;
    this.active = -1;
    clearTimeout(this.#timer);
    if (!this.query.trim()) {
      this.#running?.abort();
      this.hits = null;
      this.#shown = "";
      this.failure = null;
      return;
    }
    this.start();
    this.#timer = setTimeout(() => void this.#search(), DEBOUNCE_MS);
  }

  async #search(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const query = this.query.trim();
    if (!query) return;
    try {
      const engine = await this.engine;
      if (running.signal.aborted) return;
      const withMeaning = engine.state.rungs.meaning.kind === "ready";
      const onPartial = (partial: readonly Hit[]): void => {
        // Showing fewer hits than before would only flicker: the rest arrives in a moment.
        if (running.signal.aborted || partial.length < (this.hits?.length ?? 0)) return;
        this.hits = partial;
        this.#shown = query;
      };
      const { limit, filters, sort } = this;
      const hits = await engine.search(query, { limit, filters, sort, onPartial, signal: running.signal });
      if (running.signal.aborted) return;
      this.#withMeaning = withMeaning;
      this.failure = null;
      this.hits = hits;
      this.#shown = query;
      this.active = Math.min(this.active, hits.length - 1);
    } catch (thrown) {
      if (running.signal.aborted || isAbort(thrown)) return;
      this.hits = null;
      this.failure = toPlain(thrown, "search_failed");
      this.dispatchEvent(
        new CustomEvent("anchorite-error", { detail: this.failure, bubbles: true, composed: true }),
      );
    }
  }

  #onFocus(): void {
    this.start();
    this.expanded = true;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const count = this.hits?.length ?? 0;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp": {
        if (count === 0) return;
        event.preventDefault();
        this.expanded = true;
        const step = event.key === "ArrowDown" ? 1 : -1;
        // The extra position is the field itself, so that the arrow keys return to it.
        this.active = ((this.active + 1 + step + count + 1) % (count + 1)) - 1;
        void this.updateComplete.then(() => this.#link(this.active)?.scrollIntoView({ block: "nearest" }));
        return;
      }
      case "Enter": {
        if (!this.expanded || !this.query.trim()) return;
        event.preventDefault();
        void this.#openHit();
        return;
      }
      case "Escape":
        // With nothing left to close or clear, the key belongs to the page, such as to a dialog around this field.
        if (!this.query) return;
        event.preventDefault();
        if (this.expanded) {
          this.expanded = false;
          this.active = -1;
        } else {
          this.query = "";
          this.hits = null;
          this.#shown = "";
        }
        return;
    }
  }

  /** Opens the hit that is chosen, or the first one of what is typed: the hits shown may still be those of a shorter query. */
  async #openHit(): Promise<void> {
    const query = this.query.trim();
    if (this.active < 0) {
      clearTimeout(this.#timer);
      // A search that begins anew because the embedder has arrived ends this one.
      for (let tries = 0; this.#shown !== query && !this.failure && tries < MAX_TRIES; tries += 1) await this.#search();
      await this.updateComplete;
      if (this.#shown !== query || this.query.trim() !== query) return;
    }
    this.#link(Math.max(this.active, 0))?.click();
  }

  #link(idx: number): HTMLAnchorElement | null {
    return this.renderRoot.querySelector<HTMLAnchorElement>(`#hit-${idx}`);
  }

  readonly #onOutside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.expanded = false;
  };

  readonly #onShortcut = (event: KeyboardEvent): void => {
    if (!this.shortcut || event.key !== this.shortcut || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    event.preventDefault();
    this.focus();
  };
}

/** True if a key belongs to a field that the reader is typing in. */
export function isTyping(event: Event): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

customElements.define("anchorite-search", AnchoriteSearch);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-search": AnchoriteSearch;
  }
}
