// Turns questions into a conversation: sources first, then the quotation, then an answer in words, all on this device.
import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Anchorite, AnswerEvent, EngineState } from "../engine/client.js";
import { isAbort, toPlain } from "../engine/errors.js";
import type { Answer, BackendRequest, Turn as PastTurn } from "../engine/protocol.js";
import "./anchorite-answer.js";
import type { AnchoriteAnswer, Turn } from "./anchorite-answer.js";
import { isOfInputMethod, isTyping } from "./anchorite-search.js";
import { BundleElement } from "./base.js";
import { chatStyles } from "./chat-styles.js";
import { keep, recall } from "./conversation.js";
import { announced, chatLine, restartLine } from "./state-lines.js";
import { tokens } from "./styles.js";
import { errorBox } from "./text.js";

/** Number of earlier turns that a follow-up can be completed from. */
const MAX_TURNS = 6;
/** Pause between announcements; screen readers drop those that follow each other more quickly. */
const ANNOUNCE_MS = 400;
/** Parts of an answer that the page's style sheet can also reach. */
const ANSWER_PARTS =
  "question, asked, unclear, waiting, sources, source, not-found, closest, writing, written, sentence, label, quote, mark, " +
  "quote-link, language, restarted, stopped, details, error";

/** The turn as later questions may refer to it. */
function past({ asked, quote, passages }: Answer): PastTurn {
  const from = passages.find(({ number }) => number === quote?.passage);
  return { question: asked, answer: quote?.text ?? "", headings: from ? [from.title, ...from.headings] : [] };
}

/**
 * A chat about the documents of one bundle.
 *
 * @fires anchorite-answer - `detail` is the `Answer`; a stopped answer fires it too, with `stopped: true`
 * @fires anchorite-completed - the generator has completed an answer given before it was loaded; `detail` as above
 * @fires anchorite-restarted - a graphics device failed, and the text starts over; `detail` is `{ on, code, reason }`
 * @fires anchorite-closed - the panel was closed
 * @fires anchorite-error - `detail` is `{ code, message, hint }`
 * @csspart launcher - the button that opens the panel
 * @csspart panel, header, transcript, form, input, submit, suggestion, voice, status, privacy
 * @csspart question, ..., error - the parts of an answer, see `AnchoriteAnswer`
 */
export class AnchoriteChat extends BundleElement {
  static override properties: PropertyDeclarations = {
    ...BundleElement.properties,
    backend: {},
    layout: { reflect: true },
    shortcut: {},
    heading: {},
    suggestions: { type: Array },
    seed: { type: Number },
    voice: {},
    opened: { state: true },
    turns: { state: true },
    announcement: { state: true },
    complaint: { state: true },
  };
  static override styles = [tokens, chatStyles];

  /** Where the generator runs; `auto` asks the device. */
  declare backend: BackendRequest;
  /** `panel` (default): a button that opens a side panel. `page`: in the flow of the page, newest answer first. */
  declare layout: "panel" | "page";
  /** The key that, with Ctrl or Cmd, opens the chat; empty for none. */
  declare shortcut: string;
  /** The heading of the panel; by default "Ask the documents" in the page's language. */
  declare heading: string;
  /** Questions to begin with. */
  declare suggestions: readonly string[];
  /** Same bundle, same seed, same question: same answer. */
  declare seed: number;
  /** The adapter that speaks, by its name in the bundle; empty for the first. A bundle with voices lets visitors choose. */
  declare voice: string;
  declare private opened: boolean;
  declare private turns: readonly Turn[];
  declare private announcement: string;
  declare private complaint: string;
  protected override readonly module = "answers";
  #running: AbortController | null = null;
  /** Aborts the completion of an answer that was given before the generator was loaded. */
  #completing: AbortController | null = null;
  #nextTurn = 1;
  /** Where the transcript was scrolled to, in pixels. */
  #followedTo = 0;
  #announced = 0;
  /** The same function in every render, so that old answers are not redrawn with every token. */
  readonly #link = (url: string): string => this.link(url);

  constructor() {
    super();
    this.backend = "auto";
    this.layout = "panel";
    this.shortcut = "i";
    this.heading = "";
    this.suggestions = [];
    this.seed = 0;
    this.voice = "";
    this.opened = false;
    this.turns = [];
    this.announcement = "";
    this.complaint = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onShortcut);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onShortcut);
    this.#running?.abort();
    this.#completing?.abort();
  }

  /** Shows the chat and moves the focus into it. */
  open(): void {
    this.#show(true);
  }

  /** Takes up the conversation of the page before: a click on a source must not end it. */
  #resume(): void {
    const kept = this.layout === "panel" ? recall(this.bundle) : null;
    if (!kept) return;
    this.turns = kept.turns;
    this.#nextTurn = Math.max(...kept.turns.map(({ id }) => id)) + 1;
    // On a phone the panel would cover the place that the visitor has gone to.
    if (kept.opened && !isPhone()) this.#show(false);
  }

  #show(focus: boolean): void {
    this.start();
    this.opened = true;
    void this.updateComplete.then(() => {
      const dialog = this.renderRoot.querySelector("dialog");
      if (dialog && !dialog.open) {
        // On a phone the panel covers the page, so the page behind it must not take the focus.
        if (isPhone()) dialog.showModal();
        else dialog.show();
      }
      if (focus) this.renderRoot.querySelector("textarea")?.focus({ preventScroll: this.layout === "panel" });
      if (dialog) void this.#follow(true);
    });
  }

  /** Hides the panel; the conversation is kept. */
  close(): void {
    this.opened = false;
    this.renderRoot.querySelector("dialog")?.close();
    // The button is hidden while the panel is open.
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>(".launcher")?.focus();
      this.#emit("anchorite-closed", null);
    });
  }

  /** Ends the running answer after the token in progress. */
  stop(): void {
    this.#running?.abort();
  }

  /** Asks as if the visitor had typed it. Resolves when the answer is complete, stopped or failed. */
  async ask(question: string): Promise<void> {
    const trimmed = question.trim();
    if (trimmed === "") {
      this.complaint = this.say("emptyQuestion");
      return;
    }
    if (this.#running) return;
    this.#completing?.abort();
    const running = new AbortController();
    this.#running = running;
    this.complaint = "";
    const id = this.#nextTurn++;
    const { state } = this;
    const early = !(state && this.settled(state));
    const turn: Turn = {
      id,
      question: trimmed,
      status: "asking",
      passages: null,
      quote: undefined,
      outcome: null,
      writing: false,
      answer: null,
      error: null,
      early,
      restarted: null,
    };
    const history = this.#before(id);
    this.turns = [...this.turns, turn];
    try {
      const engine = await this.engine;
      const answer = await engine.ask(trimmed, {
        seed: this.seed,
        voice: this.voice,
        history,
        signal: running.signal,
        onEvent: (event) => this.#onEvent(id, event),
      });
      this.#change(id, { status: "done", answer, quote: answer.quote, outcome: answer.outcome, early: early && !answer.backend });
      this.#announce(announced(answer.outcome, this.say));
      this.#emit("anchorite-answer", answer);
    } catch (thrown) {
      if (isAbort(thrown)) {
        this.#change(id, { status: "stopped" });
        this.#announce(this.say("stopped"));
      } else {
        const error = toPlain(thrown, "ask_failed");
        this.#change(id, { status: "failed", error });
        this.#emit("anchorite-error", error);
      }
    } finally {
      this.#running = null;
      this.requestUpdate();
    }
  }

  /** The turns before this one, as a follow-up refers to them. */
  #before(id: number): PastTurn[] {
    const answers = this.turns.filter((turn) => turn.id < id).flatMap(({ answer }) => answer ?? []);
    return answers.map(past).slice(-MAX_TURNS);
  }

  /** Once the generator is loaded, has it complete the newest answer given without it. A new question takes precedence. */
  async #complete(): Promise<void> {
    const turn = this.turns.findLast(({ early, status, outcome }) => early && status === "done" && outcome === "answered");
    if (!turn || !this.isConnected || this.#running || this.#completing) return;
    const completing = new AbortController();
    this.#completing = completing;
    const { id, question } = turn;
    try {
      const engine = await this.engine;
      const answer = await engine.ask(question, {
        seed: this.seed,
        voice: this.voice,
        history: this.#before(id),
        signal: completing.signal,
        onEvent: (event) => {
          if (event.kind === "restarted") this.#onEvent(id, event);
        },
      });
      this.#change(id, { early: false, answer });
      if (answer.written === "shown") this.#announce(this.say("announceDone"));
      this.#emit("anchorite-completed", answer);
    } catch (thrown) {
      // The quotation remains; only another question is a reason to try again.
      if (!isAbort(thrown)) this.#change(id, { early: false });
    } finally {
      this.#completing = null;
      this.requestUpdate();
    }
  }

  protected override started(engine: Anchorite): void {
    void engine.prepare(this.backend);
    engine.opened.catch((thrown: unknown) => this.#emit("anchorite-error", toPlain(thrown, "open_failed")));
  }

  protected override settled({ rungs }: EngineState): boolean {
    const { kind } = rungs.answer;
    return kind === "ready" || kind === "absent" || kind === "skipped" || kind === "failed";
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("bundle") && this.turns.length === 0) this.#resume();
  }

  protected override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    this.dataset["asking"] = this.#running ? "true" : "false";
    this.dataset["opened"] = this.opened ? "true" : "false";
    if (this.state?.rungs.answer.kind === "ready") void this.#complete();
    else if (this.state && this.settled(this.state) && this.turns.some(({ early }) => early)) {
      // No model is going to complete these answers.
      this.turns = this.turns.map((turn) => ({ ...turn, early: false }));
    }
    if (this.layout !== "panel") return;
    const before = changed.get("turns") as readonly Turn[] | undefined;
    const isBegun = this.turns.length > 0 || (before?.length ?? 0) > 0;
    if (isBegun && (changed.has("turns") || changed.has("opened"))) keep(this.bundle, { turns: this.turns, opened: this.opened });
    if (changed.has("turns")) void this.#follow(this.turns.length > (before?.length ?? 0));
  }

  /** Keeps the newest question at the top of the panel while its answer grows, unless the visitor has scrolled since. */
  async #follow(isNew: boolean): Promise<void> {
    const transcript = this.renderRoot.querySelector<HTMLElement>(".transcript");
    const newest = transcript?.querySelector<AnchoriteAnswer>("anchorite-answer:last-of-type");
    if (!transcript || !newest) return;
    await newest.updateComplete;
    if (!isNew && Math.abs(transcript.scrollTop - this.#followedTo) > 2) return;
    transcript.scrollTop = newest.offsetTop - transcript.offsetTop;
    this.#followedTo = transcript.scrollTop;
  }

  override render(): TemplateResult {
    const live = html`<div class="hidden" role="status" aria-live="polite">${this.announcement}</div>`;
    if (this.layout === "page") {
      return html`<section class="page" part="panel" lang=${this.language} aria-label=${this.heading || this.say("chatTitle")}>
        ${this.#form()} ${this.#voices()} ${this.#statusLine()} ${this.#suggestions()} ${this.#transcript([...this.turns].reverse())}
        ${this.turns.length > 1 ? this.#clearButton() : nothing} ${live}
      </section>`;
    }
    return html`<button class="launcher" part="launcher" lang=${this.language} aria-haspopup="dialog" ?hidden=${this.opened} @click=${this.open}>
        ${this.say("ask")}${this.shortcut ? html` <kbd>${shortcutLabel(this.shortcut)}</kbd>` : nothing}
      </button>
      <dialog part="panel" lang=${this.language} aria-label=${this.heading || this.say("chatTitle")} @cancel=${this.#onCancel} @keydown=${this.#onKey} @click=${this.#onClick}>
        <header part="header">
          <h2>${this.heading || this.say("chatTitle")}</h2>
          ${this.turns.length > 0 ? this.#clearButton() : nothing}
          <button class="quiet" aria-label=${this.say("close")} @click=${this.close}>✕</button>
        </header>
        ${this.#transcript(this.turns)} ${this.turns.length === 0 ? this.#suggestions() : nothing} ${this.#form()}
        ${this.#voices()} ${this.#statusLine()} ${live}
      </dialog>`;
  }

  #transcript(turns: readonly Turn[]): TemplateResult {
    return html`<div class="transcript" part="transcript">
      ${repeat(
        turns,
        ({ id }) => id,
        (turn) => html`<anchorite-answer .turn=${turn} .messages=${this.messages} .link=${this.#link} .level=${this.layout === "page" ? 2 : 3} exportparts=${ANSWER_PARTS}></anchorite-answer>`,
      )}
    </div>`;
  }

  #clearButton(): TemplateResult {
    return html`<button class="quiet" type="button" @click=${this.#clear}>${this.say("clear")}</button>`;
  }

  #form(): TemplateResult {
    const asking = this.#running !== null;
    return html`<form part="form" @submit=${this.#onSubmit}>
      <textarea
        part="input"
        rows="1"
        aria-label=${this.say("chatLabel")}
        placeholder=${this.say("chatPlaceholder")}
        enterkeyhint="send"
        aria-describedby="complaint"
        @keydown=${this.#onKey}
        @focus=${() => void this.start()}
        @input=${() => {
          this.complaint = "";
        }}
      ></textarea>
      <button part="submit" class=${asking ? "stop" : "ask"} type=${asking ? "button" : "submit"} @click=${asking ? this.stop : nothing}>
        ${asking ? this.say("stop") : this.say("ask")}
      </button>
      <p class="complaint" id="complaint" role="alert" ?hidden=${!this.complaint}>${this.complaint}</p>
    </form>`;
  }

  /** The choice of a voice, where the bundle has several and a model is going to speak. */
  #voices(): TemplateResult | typeof nothing {
    const adapters = this.state?.manifest?.files.filter(({ role }) => role === "adapter") ?? [];
    const kind = this.state?.rungs.answer.kind;
    if (adapters.length < 2 || kind === "absent" || kind === "skipped" || kind === "failed") return nothing;
    const chosen = (name: string, idx: number): boolean => name === this.voice || `${this.voice}.gguf` === name || (!this.voice && idx === 0);
    return html`<label class="voices" part="voice"
      >${this.say("voice")}
      <select
        @change=${({ target }: Event) => {
          if (target instanceof HTMLSelectElement) this.voice = target.value;
        }}
      >
        ${adapters.map(({ name, label }, idx) =>
          label || idx === 0
            ? html`<option value=${name} ?selected=${chosen(name, idx)}>${label ?? this.say("voicePlain")}</option>`
            : nothing,
        )}
      </select></label
    >`;
  }

  #suggestions(): TemplateResult | typeof nothing {
    if (this.suggestions.length === 0 || (this.layout === "page" && this.turns.length > 0)) return nothing;
    return html`<div class="suggestions">
      <p>${this.say("suggestions")}</p>
      <ul>
        ${this.suggestions.map(
          (question) => html`<li><button part="suggestion" type="button" dir="auto" lang="" @click=${() => void this.ask(question)}>${question}</button></li>`,
        )}
      </ul>
    </div>`;
  }

  #statusLine(): TemplateResult | typeof nothing {
    const { state } = this;
    if (!state) return html`<p class="status" part="status"><span class="privacy" part="privacy">${this.say("privacy")}</span></p>`;
    if (state.error) return errorBox(state.error);
    const line = chatLine(state, this.say);
    const failed = [state.rungs.meaning, state.rungs.answer].find((rung) => rung.kind === "failed");
    return html`<div class="status" part="status" data-kind=${line.kind}>
        <span class="dot" aria-hidden="true"></span>
        <span class="what"><b>${line.text}</b>${line.detail ? html` <span>${line.detail}</span>` : nothing}</span>
        ${line.progress === null ? nothing : html`<progress max="1" .value=${line.progress} aria-label=${line.text}></progress>`}
        <span class="privacy" part="privacy">${this.say("privacy")}</span>
      </div>
      ${failed?.kind === "failed" ? errorBox(failed.error) : nothing}`;
  }

  #onEvent(id: number, event: AnswerEvent): void {
    switch (event.kind) {
      case "sources":
        this.#change(id, { passages: event.passages });
        this.#announce(this.say("announceSources", { count: event.passages.length }));
        return;
      case "quote":
        this.#change(id, { quote: event.quote, outcome: event.outcome });
        if (event.quote) this.#announce(event.quote.text);
        return;
      case "text":
        if (!this.turns.find((one) => one.id === id)?.writing) this.#change(id, { writing: true });
        return;
      case "restarted":
        this.#change(id, { restarted: event });
        this.#announce(restartLine(event, true, this.say));
        this.#emit("anchorite-restarted", event);
        return;
      case "backend":
        // The chat's status line follows the engine's state instead.
        return;
      case "stopped":
        this.#change(id, { answer: event.answer });
        this.#emit("anchorite-answer", event.answer);
        return;
    }
  }

  #change(id: number, part: Partial<Turn>): void {
    this.turns = this.turns.map((turn) => (turn.id === id ? { ...turn, ...part } : turn));
  }

  /** Announces texts one at a time: if a polite live region changes too fast, only its last text is spoken. */
  #announce(text: string): void {
    const now = performance.now();
    this.#announced = Math.max(now, this.#announced + ANNOUNCE_MS);
    setTimeout(() => {
      this.announcement = text;
    }, this.#announced - now);
  }

  #emit(type: "anchorite-answer" | "anchorite-closed" | "anchorite-completed" | "anchorite-error" | "anchorite-restarted", detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #onSubmit(event: Event): void {
    event.preventDefault();
    const field = this.renderRoot.querySelector("textarea");
    if (!field || this.#running) return;
    const question = field.value;
    if (question.trim()) field.value = "";
    void this.ask(question);
  }

  #onKey(event: KeyboardEvent): void {
    if (isOfInputMethod(event)) return;
    if (event.key === "Enter" && !event.shiftKey && event.target instanceof HTMLTextAreaElement) {
      event.preventDefault();
      event.target.form?.requestSubmit();
    } else if (event.key === "Escape") {
      this.#escape(event);
    }
  }

  /** A modal dialog would close itself on Escape; a running answer has to end first. */
  #onCancel(event: Event): void {
    event.preventDefault();
    this.#escape(event);
  }

  /** A source is on the page behind the panel, which covers it on a phone. */
  #onClick(event: Event): void {
    if (isPhone() && event.composedPath().some((target) => target instanceof HTMLAnchorElement)) this.close();
  }

  #escape(event: Event): void {
    event.preventDefault();
    event.stopPropagation();
    if (this.#running) this.stop();
    else if (this.layout === "panel") this.close();
  }

  #clear(): void {
    this.stop();
    this.#completing?.abort();
    this.turns = [];
    this.renderRoot.querySelector("textarea")?.focus();
  }

  readonly #onShortcut = (event: KeyboardEvent): void => {
    const wanted = this.shortcut && event.key.toLowerCase() === this.shortcut.toLowerCase();
    if (!wanted || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.defaultPrevented) return;
    // In any other text field, keys belong to that field.
    if (isTyping(event) && !event.composedPath().includes(this)) return;
    event.preventDefault();
    this.open();
  };
}

/** True where the panel covers the page. */
function isPhone(): boolean {
  return matchMedia("(max-width: 40rem)").matches;
}

/** The shortcut as this platform writes it. */
function shortcutLabel(key: string): string {
  const apple = /mac|iphone|ipad/i.test(navigator.userAgent);
  return `${apple ? "⌘" : "Ctrl "}${key.toUpperCase()}`;
}

customElements.define("anchorite-chat", AnchoriteChat);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-chat": AnchoriteChat;
  }
}
