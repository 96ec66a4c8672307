// Turns typing into ranked links: results as soon as the index is loaded, better ones once the embedder is.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { EngineState } from "../engine/client.js";
import { isAbort, toPlain } from "../engine/errors.js";
import type { FilterCounts, Filters, Hit, PlainError, Sort } from "../engine/protocol.js";
import { BundleElement } from "./base.js";
import { languageName, languageOf, primary } from "./messages.js";
import { forgetSearches, keepSearch, recentSearches } from "./recent.js";
import { searchLine } from "./state-lines.js";
import { tokens } from "./styles.js";
import { breadcrumb, errorBox, highlight } from "./text.js";

/** Long enough to skip intermediate keystrokes, short enough to go unnoticed. */
const DEBOUNCE_MS = 80;
/** A pause in which nobody goes on with the word that an input method composes. */
const COMPOSING_MS = 700;
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
 * @csspart page - the results of one page
 * @csspart hit - one result; `active` too when the arrow keys are on it, `more` if its page has one before it
 * @csspart title, headings, language, details, snippet, image, mark - inside a result; `language` where it is another than the page's
 * @csspart recent, controls, control - earlier searches, and the choices of `facets` and `sorts`
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
    facets: {},
    sorts: {},
    labels: { type: Object },
    forgetful: { type: Boolean },
    counts: { state: true },
    recent: { state: true },
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
      .page + .page {
        border-block-start: 1px solid color-mix(in srgb, var(--_line) 60%, transparent);
      }
      .more {
        margin-inline-start: 1rem;
        padding-block: 0.35rem;
        border-inline-start: 2px solid var(--_line);
        border-start-start-radius: 0;
        border-end-start-radius: 0;
      }
      .more .crumb {
        font-weight: 400;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 0.9rem;
        padding: 0.4rem 0.75rem;
        font-size: 0.85em;
      }
      select {
        max-inline-size: 14rem;
        min-block-size: 1.8rem;
        border: 1px solid var(--_line);
        border-radius: calc(var(--_radius) * 0.5);
        background: var(--_paper);
        color: inherit;
        font: inherit;
      }
      .recent {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.4rem;
        margin: 0;
        padding: 0.5rem 0.75rem;
        color: var(--_muted);
        font-size: 0.9em;
      }
      .recent button {
        min-block-size: 1.8rem;
        max-inline-size: 100%;
        padding: 0.1em 0.7em;
        border: 1px solid var(--_line);
        border-radius: 1em;
        background: none;
        overflow-wrap: anywhere;
        text-align: start;
      }
      .recent .forget {
        border-color: transparent;
        text-decoration: underline;
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
      @media (forced-colors: active) {
        .hit[aria-selected="true"] {
          outline: 2px solid Highlight;
          outline-offset: -2px;
        }
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
      .language {
        margin-inline-start: 0.6em;
        padding: 0.05em 0.5em;
        border: 1px solid var(--_line);
        border-radius: 1em;
        color: var(--_muted);
        font-size: 0.8em;
        font-weight: 400;
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
  /** The text of the empty field; by default "Search" in the page's language. */
  declare placeholder: string;
  /** Filters on the results, by the names and values of `Anchorite.filters()`; a property, not an attribute. */
  declare filters: Filters;
  /** The document value to sort by, one of `Anchorite.sortKeys()`; null for best first. A property, not an attribute. */
  declare sort: Sort | null;
  /** Names of the document metadata to show with each result, such as `author date`. */
  declare details: string;
  /** True to show the image of each result's document. Images on other hosts are never shown: the host would learn the results. */
  declare images: boolean;
  /** Names of the filters that visitors may choose from, such as `kind language`. */
  declare facets: string;
  /** Values that visitors may sort by, each with a direction, such as `date:desc title`. */
  declare sorts: string;
  /** Names for people of the filters and values in `facets` and `sorts`; the attribute holds them as JSON. */
  declare labels: Readonly<Record<string, string>>;
  /** True to offer no earlier searches, and to keep none. */
  declare forgetful: boolean;
  /** The values of the filters; null until they are wanted. */
  declare private counts: FilterCounts | null;
  /** Earlier searches, newest first. */
  declare private recent: readonly string[];
  declare private query: string;
  declare private hits: readonly Hit[] | null;
  declare private active: number;
  declare private expanded: boolean;
  declare private failure: PlainError | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  /** The query that the hits shown are for. */
  #shown = "";
  /** True while an input method may be about to change what was typed. */
  #isComposing = false;
  #composing: ReturnType<typeof setTimeout> | undefined;
  /** True if the hits shown were found by meaning too. */
  #withMeaning = false;

  constructor() {
    super();
    this.limit = 8;
    this.shortcut = "";
    this.placeholder = "";
    this.filters = {};
    this.sort = null;
    this.details = "";
    this.images = false;
    this.facets = "";
    this.sorts = "";
    this.labels = {};
    this.forgetful = false;
    this.counts = null;
    this.recent = [];
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
    this.addEventListener("focusout", this.#onLeave);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onShortcut);
    document.removeEventListener("pointerdown", this.#onOutside);
    this.removeEventListener("focusout", this.#onLeave);
    clearTimeout(this.#timer);
    clearTimeout(this.#composing);
    this.#running?.abort();
  }

  /** True if the list is seen, with hits, notes or earlier searches. */
  get #isOpen(): boolean {
    return this.expanded && (this.query.trim() !== "" || this.recent.length > 0);
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
    if ((changed.has("filters") || changed.has("sort")) && this.query.trim() !== "") {
      // The arrow keys were on a hit of another list.
      this.active = -1;
      void this.#search();
    }
    if (!changed.has("state") || !this.query.trim()) return;
    // The same query finds more once the next rung is ready.
    const meaning = this.state?.rungs.meaning.kind === "ready";
    if (meaning && !this.#withMeaning && this.hits) void this.#search();
  }

  override render(): TemplateResult {
    const isAsked = this.query.trim() !== "";
    const open = this.#isOpen;
    const { active } = this;
    const hits = isAsked ? this.hits : null;
    return html`<div class="box" part="box" lang=${this.language}>
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
          aria-label=${this.say("searchLabel")}
          aria-autocomplete="list"
          aria-controls="hits"
          aria-expanded=${open && hits?.length ? "true" : "false"}
          aria-activedescendant=${active >= 0 ? `hit-${active}` : nothing}
          placeholder=${this.placeholder || this.say("searchPlaceholder")}
          .value=${this.query}
          @input=${this.#onInput}
          @compositionend=${this.#onInput}
          @keydown=${this.#onKey}
          @focus=${this.#onFocus}
        />
        ${this.shortcut ? html`<kbd aria-hidden="true">${this.shortcut}</kbd>` : nothing}
      </div>
      <div class="panel" part="panel" lang=${this.language} ?hidden=${!open} @keydown=${this.#onPanelKey}>
        ${isAsked ? this.#controls() : this.#earlier()}
        <div role="listbox" id="hits" aria-label=${this.say("searchResults")}>${hits ? this.#pages(hits) : nothing}</div>
        ${isAsked ? this.#notes() : nothing}
      </div>
      <div class="hidden" aria-live="polite">
        ${open && hits ? this.say("searchCount", { count: hits.length }) : ""}
      </div>`;
  }

  /** The hits, which lie in the order of their pages, each page's together. */
  #pages(hits: readonly Hit[]): TemplateResult[] {
    const starts = hits.flatMap((hit, idx) => (idx === 0 || page(hit) !== page(hits[idx - 1]) ? [idx] : []));
    return starts.map((start, at) => {
      const ofPage = hits.slice(start, starts[at + 1]);
      return html`<div class="page" part="page" role="group" aria-label=${ofPage[0]?.title ?? ""}>
        ${ofPage.map((hit, idx) => this.#hit(hit, start + idx, idx > 0))}
      </div>`;
    });
  }

  #hit(hit: Hit, idx: number, isMore: boolean): TemplateResult {
    const path = breadcrumb(hit.title, hit.headings);
    const [title, ...headings] = path.slice(isMore && hit.title && path.length > 1 ? 1 : 0);
    const selected = idx === this.active;
    const image = this.images && !isMore ? this.#image(hit) : null;
    const details = isMore ? [] : names(this.details).flatMap((name) => hit.meta[name] ?? []);
    return html`<a
      class=${isMore ? "hit more" : "hit"}
      part=${["hit", ...(isMore ? ["more"] : []), ...(selected ? ["active"] : [])].join(" ")}
      role="option"
      id=${`hit-${idx}`}
      tabindex="-1"
      href=${this.link(hit.url)}
      aria-selected=${selected ? "true" : "false"}
      @pointermove=${() => {
        this.active = idx;
      }}
      @click=${this.#onHit}
    >
      ${image ? html`<img class="image" part="image" src=${image} alt="" loading="lazy" />` : nothing}
      <span class="crumb" dir="auto" lang=${hit.language ?? ""}
        ><span part="title">${highlight(title ?? "", this.query, hit.terms)}</span>${headings.map(
          (heading) => html`<i>›</i><span part="headings">${highlight(heading, this.query, hit.terms)}</span>`,
        )}${this.#otherLanguage(hit)}</span
      >
      ${details.length > 0 ? html`<span class="details" part="details">${details.join(" · ")}</span>` : nothing}
      <span class="snippet" part="snippet" dir="auto" lang=${hit.language ?? ""}>${highlight(hit.snippet, this.query, hit.terms)}</span>
    </a>`;
  }

  /** The language of a hit, if visitors may not expect it on this page. */
  #otherLanguage({ language }: Hit): TemplateResult | typeof nothing {
    if (!language || primary(language) === primary(languageOf(this))) return nothing;
    return html`<span class="language" part="language" lang=${this.language}>${languageName(language, this.language)}</span>`;
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

  /** The choices of filters and of an order. */
  #controls(): TemplateResult | typeof nothing {
    const facets = names(this.facets).filter((name) => Object.keys(this.counts?.[name] ?? {}).length > 1);
    const sorts = names(this.sorts);
    if (facets.length === 0 && sorts.length === 0) return nothing;
    const order = this.sort ? `${this.sort.by}:${this.sort.order}` : "";
    return html`<div class="controls" part="controls">
      ${facets.map((name) => {
        const chosen = this.filters[name]?.[0] ?? "";
        const all = Object.entries(this.counts?.[name] ?? {});
        return html`<label part="control"
          >${this.labels[name] ?? name}
          <select @change=${(event: Event) => this.#filter(name, (event.target as HTMLSelectElement).value)}>
            <option value="" .selected=${live(!chosen)}>${this.say("searchAll")}</option>
            ${all.map(([value, count]) => html`<option value=${value} .selected=${live(value === chosen)}>${this.#valueName(name, value)} (${count})</option>`)}
          </select></label
        >`;
      })}
      ${sorts.length > 0
        ? html`<label part="control"
            >${this.say("searchSort")}
            <select @change=${(event: Event) => this.#order((event.target as HTMLSelectElement).value)}>
              <option value="" .selected=${live(!order)}>${this.say("searchBest")}</option>
              ${sorts.map((sort) => html`<option value=${sort} .selected=${live(sort === order || `${sort}:asc` === order)}>${this.#sortName(sort)}</option>`)}
            </select></label
          >`
        : nothing}
    </div>`;
  }

  /** The value of a filter for people: the filter that a site in several languages has holds their tags. */
  #valueName(name: string, value: string): string {
    return name === "language" ? languageName(value, this.language) : value;
  }

  /** An order for people: `date:desc` is the newest first. */
  #sortName(sort: string): string {
    const [by = "", way] = sort.split(":");
    const arrow = { asc: " ↑", desc: " ↓" }[way ?? ""] ?? "";
    return `${this.labels[by] ?? by}${arrow}`;
  }

  #filter(name: string, value: string): void {
    const { [name]: _, ...others } = this.filters;
    this.filters = value ? { ...others, [name]: [value] } : others;
  }

  #order(value: string): void {
    const [by, order] = value.split(":");
    this.sort = by ? { by, order: order === "desc" ? "desc" : "asc" } : null;
  }

  /** Earlier searches, for an empty field. */
  #earlier(): TemplateResult | typeof nothing {
    if (this.recent.length === 0) return nothing;
    const again = (query: string): void => {
      const input = this.renderRoot.querySelector("input");
      if (!input) return;
      input.value = query;
      input.dispatchEvent(new Event("input"));
      input.focus();
    };
    return html`<p class="recent" part="recent">
      ${this.say("searchRecent")}
      ${this.recent.map((query) => html`<button type="button" @click=${() => again(query)}>${query}</button>`)}
      <button
        class="forget"
        type="button"
        @click=${() => {
          forgetSearches(this.bundle);
          this.recent = [];
          this.focus();
        }}
      >
        ${this.say("searchForget")}
      </button>
    </p>`;
  }

  #notes(): TemplateResult | typeof nothing {
    if (this.failure) return errorBox(this.failure);
    const { state } = this;
    if (!state) return nothing;
    const line = searchLine(state, this.say);
    if (!this.hits) {
      return html`<p class="note" part="status">${line.text} ${line.detail}</p>`;
    }
    const none = this.hits.length === 0;
    return html`${none ? html`<p class="note">${this.say("searchNone", { query: this.query.trim().slice(0, 80) })}</p>` : nothing}
    ${line.kind === "busy" ? html`<p class="note" part="status">${this.say("searchKeywordsOnly")} ${line.detail}</p>` : nothing}`;
  }

  #onInput(event: Event): void {
    // Chromium fires the last `input` before `compositionend`, Safari after it; both end with the same text.
    this.#isComposing = event instanceof InputEvent && event.isComposing;
    clearTimeout(this.#composing);
    if (this.#isComposing) {
      // Phones compose words of any language, letter by letter: whoever stops typing has finished.
      this.#composing = setTimeout(() => {
        this.#isComposing = false;
        void this.#search();
      }, COMPOSING_MS);
    }
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
      const { limit, filters, sort } = this;
      const onPartial = (partial: readonly Hit[]): void => {
        // Showing fewer hits than before would only flicker: the rest arrives in a moment.
        if (running.signal.aborted || this.#isUnfinished(partial) || partial.length < (this.hits?.length ?? 0)) return;
        this.hits = byPage(partial);
        this.#shown = query;
      };
      const hits = await engine.search(query, { limit, filters, sort, onPartial, signal: running.signal });
      if (running.signal.aborted || this.#isUnfinished(hits)) return;
      this.#withMeaning = withMeaning;
      this.failure = null;
      this.hits = byPage(hits);
      this.#shown = query;
      this.active = Math.min(this.active, this.hits.length - 1);
    } catch (thrown) {
      if (running.signal.aborted || isAbort(thrown)) return;
      this.hits = null;
      this.failure = toPlain(thrown, "search_failed");
      this.dispatchEvent(
        new CustomEvent("anchorite-error", { detail: this.failure, bubbles: true, composed: true }),
      );
    }
  }

  /**
   * True if nothing was found for text that an input method is still changing, such as the Latin letters of a word that will
   * be Chinese. The results before it stay, and nobody reads that there are none.
   */
  #isUnfinished(hits: readonly Hit[]): boolean {
    return this.#isComposing && hits.length === 0;
  }

  #onFocus(): void {
    this.start();
    this.recent = this.forgetful ? [] : recentSearches(this.bundle);
    this.expanded = true;
    if (this.facets && !this.counts) void this.#count();
  }

  async #count(): Promise<void> {
    this.counts = {};
    try {
      this.counts = await (await this.engine).filters();
    } catch {
      // The search itself tells what is wrong.
      this.counts = null;
    }
  }

  /** A search that led somewhere is one to offer again. */
  readonly #onHit = (): void => {
    this.expanded = false;
    if (!this.forgetful) this.recent = keepSearch(this.bundle, this.#shown);
  };

  #onKey(event: KeyboardEvent): void {
    if (isOfInputMethod(event)) return;
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
        if (!this.query && !this.#isOpen) return;
        event.preventDefault();
        if (this.#isOpen) {
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

  /** Escape in a control of the list closes it, and goes back to the field. */
  #onPanelKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.focus();
    this.expanded = false;
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

  /** The list is over when the focus goes elsewhere. It goes nowhere where a browser gives no focus to a link that is clicked. */
  readonly #onLeave = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget instanceof Node && !this.contains(relatedTarget)) this.expanded = false;
  };

  readonly #onShortcut = (event: KeyboardEvent): void => {
    if (!this.shortcut || event.key !== this.shortcut || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    event.preventDefault();
    this.focus();
  };
}

/** The address of a hit's page. */
function page(hit: Hit | undefined): string {
  return hit?.url.split("#", 1)[0] ?? "";
}

/** The hits of each page together, in the order of the pages' best ones. The engine finds no more than three of one. */
function byPage(hits: readonly Hit[]): Hit[] {
  return [...Map.groupBy(hits, page).values()].flat();
}

/** The names in an attribute. */
function names(attribute: string): string[] {
  return attribute.split(/\s+/).filter((name) => name !== "");
}

/** The key code of a key that an input method has taken. Safari ends the composition before the key that ended it. */
const TAKEN_BY_INPUT_METHOD = 229;

/** True for a key that chooses or confirms a word of an input method. */
export function isOfInputMethod(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN_BY_INPUT_METHOD;
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
