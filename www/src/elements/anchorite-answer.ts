// Turns one question and its results so far into sources, the answer and its quotation.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Answer, Outcome, Passage, PlainError, Quote, Restarted, Sentence, Written } from "../engine/protocol.js";
import "./anchorite-citation.js";
import { SiteElement } from "./site-element.js";
import type { MessageKey } from "./messages.js";
import { backendName, restartLine } from "./state-lines.js";
import { tokens } from "./styles.js";
import { breadcrumb, errorBox, quoteLink } from "./text.js";

/** One question of a conversation. Every change makes a new object, so a render shows one consistent state. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly status: "asking" | "done" | "stopped" | "failed";
  /** Null until the sources are known. */
  readonly passages: readonly Passage[] | null;
  /** Undefined until the quotation is decided; null when there is none. */
  readonly quote: Quote | null | undefined;
  /** Null until it is decided. */
  readonly outcome: Outcome | null;
  /** True once the generator has begun to write. Its text stays hidden until it has been checked. */
  readonly writing: boolean;
  readonly answer: Answer | null;
  readonly error: PlainError | null;
  /** The generator was still loading when the question was asked, and has not written yet. */
  readonly early: boolean;
  /** The latest restart of the answer after a graphics device failed. */
  readonly restarted: Restarted | null;
}

/** Nearest sections shown when the documents do not say. */
const N_NEAREST = 3;

/** The quotation, with the likeliest answer inside it marked. */
function marked({ text, mark }: Quote): TemplateResult {
  if (!mark) return html`${text}`;
  const { start, end } = mark;
  return html`${text.slice(0, start)}<mark part="mark">${text.slice(start, end)}</mark>${text.slice(end)}`;
}

/** The sentence on each verdict. */
const TEXTS: Record<Written, MessageKey> = {
  nothing: "textNothing",
  language: "textLanguage",
  abstained: "textAbstained",
  unsupported: "textUnsupported",
  fragment: "textFragment",
  differs: "textDiffers",
  loops: "textLoops",
  repeats: "textRepeats",
  shown: "textShown",
};

/** Characters of a passage on a citation's card. */
const EXCERPT = 260;

/** True for sentences that each cite one passage, none the same: what several sources say, which readers compare. */
function isSideBySide(sentences: readonly Sentence[]): boolean {
  const cited = sentences.map(({ passages }) => passages.join());
  return sentences.length > 1 && sentences.every(({ passages }) => passages.length === 1) && new Set(cited).size === cited.length;
}

/**
 * One answered question.
 *
 * @csspart question, asked, unclear, waiting, sources, source, not-found, closest
 * @csspart quote, mark, quote-link - the quotation, the likeliest answer in it, and the link to its place on the page
 * @csspart writing, written, sentence, label - the notice that the generator is writing, and its text
 * @csspart language - why nothing is written: the generator doesn't know the quotation's language
 * @csspart restarted, stopped, details, error
 */
export class AnchoriteAnswer extends SiteElement {
  static override properties: PropertyDeclarations = {
    ...SiteElement.properties,
    turn: { attribute: false },
    link: { attribute: false },
    level: { type: Number },
  };
  static override styles = [
    tokens,
    css`
      .question {
        display: -webkit-box;
        overflow: hidden;
        margin: 0 0 0.9rem;
        font: 600 1.28em/1.35 var(--_serif);
        letter-spacing: -0.005em;
        overflow-wrap: anywhere;
        text-wrap: balance;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 4;
      }
      .eyebrow {
        margin: 0 0 0.3rem;
        color: var(--_muted);
        font-size: 0.8em;
      }
      .sources {
        margin: 0;
        padding: 0;
        list-style: none;
        font-size: 0.9em;
      }
      .sources li + li {
        border-block-start: 1px solid color-mix(in srgb, var(--_line) 60%, transparent);
      }
      .sources a {
        display: flex;
        gap: 0.7em;
        padding: 0.38rem 0;
        color: inherit;
        text-decoration: none;
      }
      .sources a:hover .where {
        text-decoration: underline;
        text-decoration-color: var(--_accent);
      }
      .sources b {
        flex: none;
        inline-size: 1.2em;
        color: var(--_accent);
        font-weight: 600;
        font-variant-numeric: tabular-nums;
        text-align: end;
      }
      .where {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .where em {
        color: var(--_muted);
        font-style: normal;
      }
      figure {
        margin: 1.3rem 0 0;
        padding-inline-start: 1.1rem;
        border-inline-start: 3px solid var(--_accent);
        animation: appear 240ms ease-out;
      }
      blockquote {
        margin: 0;
        font: 400 1.18em/1.55 var(--_serif);
        overflow-wrap: anywhere;
        text-wrap: pretty;
        white-space: pre-line;
      }
      mark {
        background: color-mix(in srgb, var(--_accent) 18%, transparent);
        color: inherit;
      }
      figcaption {
        margin-block-start: 0.45rem;
        color: var(--_muted);
        font-size: 0.88em;
      }
      .silent {
        margin-block-end: 0.9rem;
      }
      .silent strong {
        display: block;
        font: 600 1.18em/1.5 var(--_serif);
      }
      .silent span {
        color: var(--_muted);
        font-size: 0.92em;
      }
      .written {
        margin-block-start: 1.3rem;
        animation: appear 240ms ease-out;
      }
      .written p {
        margin: 0;
        font: 400 1.18em/1.55 var(--_serif);
        overflow-wrap: anywhere;
        text-wrap: pretty;
      }
      .sides {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr));
        gap: 0.9rem;
        margin: 0;
        padding: 0;
        list-style: none;
        font: 400 1.1em/1.5 var(--_serif);
        overflow-wrap: anywhere;
      }
      .sides li {
        padding-inline-start: 0.9rem;
        border-inline-start: 2px solid var(--_line);
      }
      .written .label {
        margin-block-start: 0.45rem;
        color: var(--_muted);
        font: inherit;
        font-size: 0.88em;
      }
      .written + figure blockquote {
        font-size: 1.02em;
      }
      .caret {
        display: inline-block;
        inline-size: 0.5em;
        block-size: 1em;
        margin-inline-start: 0.1em;
        border-radius: 1px;
        background: var(--_accent);
        vertical-align: -0.12em;
        animation: breathe 1.1s ease-in-out infinite;
      }
      .note {
        margin: 0.9rem 0 0;
        color: var(--_muted);
        font-size: 0.88em;
      }
      details {
        margin-block-start: 0.9rem;
        color: var(--_muted);
        font-size: 0.8em;
      }
      summary {
        inline-size: fit-content;
        cursor: pointer;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 0.15rem 1rem;
        margin: 0.5rem 0 0;
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
      @keyframes appear {
        from {
          opacity: 0;
          transform: translateY(4px);
        }
      }
      @keyframes breathe {
        50% {
          opacity: 0.25;
        }
      }
    `,
  ];

  declare turn: Turn | undefined;
  /** Resolves the address of a passage, as the engine does. */
  declare link: (url: string) => string;
  /** Level of the question among the page's headings. */
  declare level: number;

  constructor() {
    super();
    this.link = (url) => url;
    this.level = 3;
  }

  override render(): TemplateResult | typeof nothing {
    const { turn } = this;
    if (!turn) return nothing;
    const silent = turn.outcome === "absent";
    const closest = turn.outcome === "closest";
    const waiting = turn.status === "asking" && !turn.passages;
    return html`<article lang=${this.language} aria-busy=${turn.status === "asking" ? "true" : "false"}>
      <div class="question" part="question" role="heading" dir="auto" lang="" aria-level=${this.level}>${turn.question}</div>
      ${this.#asked(turn)} ${waiting ? html`<p class="note" part="waiting">${this.say("looking")}<span class="caret"></span></p>` : nothing}
      ${silent
        ? html`<p class="silent" part="not-found"><strong>${this.say("silent")}</strong><span>${this.say("silentMore")}</span></p>`
        : nothing}
      ${turn.passages ? this.#sources(silent ? turn.passages.slice(0, N_NEAREST) : turn.passages, silent) : nothing}
      ${closest
        ? html`<p class="silent" part="closest"><strong>${this.say("closest")}</strong><span>${this.say("closestMore")}</span></p>`
        : nothing}
      ${silent ? nothing : this.#written(turn)} ${turn.quote ? this.#quote(turn.quote, closest) : nothing}
      ${turn.answer?.written === "language" ? html`<p class="note" part="language">${this.say("otherLanguage")}</p>` : nothing}
      ${turn.writing && !turn.answer ? html`<p class="note" part="writing">${this.say("writing")}<span class="caret"></span></p>` : nothing}
      ${turn.restarted ? html`<p class="note" part="restarted">${restartLine(turn.restarted, turn.status === "asking", this.say)}</p>` : nothing}
      ${turn.early && turn.status === "done" && turn.outcome === "answered" ? html`<p class="note">${this.say("modelLoading")}</p>` : nothing}
      ${turn.status === "stopped" ? html`<p class="note" part="stopped">${this.say("stopped")}</p>` : nothing}
      ${turn.error ? html`<div class="note">${errorBox(turn.error)}</div>` : nothing}
      ${turn.answer ? this.#details(turn.answer) : nothing}
    </article>`;
  }

  /** The completed form of a follow-up question, or a note that it could not be completed. */
  #asked({ answer }: Turn): TemplateResult | typeof nothing {
    if (!answer) return nothing;
    if (answer.isUnclear) return html`<p class="note" part="unclear">${this.say("unclear")}</p>`;
    return answer.asked === answer.question ? nothing : html`<p class="note" part="asked">${this.say("askedAs", { question: answer.asked })}</p>`;
  }

  #sources(passages: readonly Passage[], nearest: boolean): TemplateResult | typeof nothing {
    if (passages.length === 0) return nothing;
    const label = nearest ? this.say("nearest") : this.say("sources");
    return html`<section aria-label=${label} part="sources">
      <p class="eyebrow">${label}</p>
      <ol class="sources">
        ${passages.map((passage) => {
          const [title, ...headings] = breadcrumb(passage.title, passage.headings);
          return html`<li>
            <a part="source" href=${this.link(passage.url)}>
              <b>${passage.number}</b>
              <span class="where" dir="auto" lang=${passage.language ?? ""}>${title}${headings.map((heading) => html`<em> › ${heading}</em>`)}</span>
            </a>
          </li>`;
        })}
      </ol>
    </section>`;
  }

  #quote(quote: Quote, closest: boolean): TemplateResult {
    const passage = this.#passage(quote.passage);
    const where = passage ? breadcrumb(passage.title, passage.headings).join(" › ") : "";
    const href = passage ? quoteLink(this.link(passage.url), quote.text) : "";
    return html`<figure part="quote">
      <blockquote cite=${href} dir="auto" lang=${passage?.language ?? ""}>${marked(quote)}</blockquote>
      ${passage
        ? html`<figcaption>
            ${closest ? this.say("quoteClosest") : this.say("quoteFrom")} <a part="quote-link" href=${href}>${where}</a> ${this.#citation(passage)}
          </figcaption>`
        : nothing}
    </figure>`;
  }

  /** The generator's text, shown only if it agrees with the quotation, so that readers never get two answers. */
  #written({ answer }: Turn): TemplateResult | typeof nothing {
    if (answer?.written !== "shown") return nothing;
    return html`<section class="written" part="written" aria-label=${this.say("written")}>
      ${isSideBySide(answer.sentences)
        ? html`<ul class="sides">
            ${answer.sentences.map((sentence) => html`<li>${this.#sentence(sentence)}</li>`)}
          </ul>`
        : html`<p>${answer.sentences.map((sentence) => this.#sentence(sentence))}</p>`}
      <p class="label" part="label">${this.say("written")}</p>
    </section>`;
  }

  #sentence({ text, passages }: Sentence): TemplateResult {
    return html`<span part="sentence"
      >${text}${passages.map((number) => {
        const passage = this.#passage(number);
        return passage ? html` ${this.#citation(passage)}` : nothing;
      })}
    </span>`;
  }

  #citation(passage: Passage): TemplateResult {
    return html`<anchorite-citation
      .messages=${this.messages}
      .number=${passage.number}
      .href=${this.link(passage.url)}
      .path=${breadcrumb(passage.title, passage.headings)}
      .excerpt=${passage.text.slice(0, EXCERPT)}
    ></anchorite-citation>`;
  }

  #details({ timing, backend, bundle, written, window }: Answer): TemplateResult {
    const row = (name: string, value: string): TemplateResult => html`<dt>${name}</dt>
      <dd>${value}</dd>`;
    return html`<details part="details">
      <summary>${this.say("details")}</summary>
      <dl>
        ${row(this.say("detailFound"), `${timing.retrieveMs.toFixed(0)} ms`)}
        ${backend && timing.generatedTokens > 0
          ? html`${row(this.say("detailWritten"), [backendName(backend.kind), backend.device].filter(Boolean).join(" · "))}
            ${row(this.say("detailText"), this.say(TEXTS[written]))}
            ${window ? row(this.say("detailWindow"), this.#window(window)) : nothing} ${row(this.say("detailReason"), backend.reason)}
            ${row(this.say("detailTokens"), this.#tokens(timing))}
            ${row(this.say("detailSpeed"), this.say("speed", { rate: timing.tokensPerSecond }))}`
          : row(this.say("detailWritten"), this.say("detailNothing"))}
        ${row(this.say("detailBundle"), bundle.slice(0, 16))}
      </dl>
    </details>`;
  }

  #window({ sources, isCut, leftOut }: NonNullable<Answer["window"]>): string {
    const cut = isCut ? [this.say("windowCut")] : [];
    const left = leftOut > 0 ? [this.say("windowLeft", { count: leftOut })] : [];
    return [this.say("windowSources", { count: sources }), ...cut, ...left].join(" · ");
  }

  #tokens({ promptTokens, cachedTokens, generatedTokens }: Answer["timing"]): string {
    const known = cachedTokens > 0 ? [this.say("tokensKnown", { count: cachedTokens })] : [];
    return [this.say("tokensRead", { count: promptTokens }), ...known, this.say("tokensWritten", { count: generatedTokens })].join(" · ");
  }

  #passage(number: number): Passage | undefined {
    const passages = this.turn?.answer?.passages ?? this.turn?.passages ?? [];
    return passages.find((passage) => passage.number === number);
  }
}

customElements.define("anchorite-answer", AnchoriteAnswer);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-answer": AnchoriteAnswer;
  }
}
