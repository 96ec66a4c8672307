// Turns the state of an engine into the ladder that visitors see: what runs on this device, and why.
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { EngineState } from "../engine/client.js";
import type { RungState } from "../engine/protocol.js";
import { BundleElement } from "./base.js";
import type { MessageKey, Say } from "./messages.js";
import { backendName, megabytes } from "./state-lines.js";
import { tokens } from "./styles.js";
import { errorBox } from "./text.js";

/**
 * The state of the engine, rung by rung.
 *
 * @csspart rung - one row; `data-kind` is its state
 * @csspart summary - bytes and bundle
 */
export class AnchoriteStatus extends BundleElement {
  static override properties: PropertyDeclarations = { ...BundleElement.properties };
  static override styles = [
    tokens,
    css`
      ol {
        display: grid;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: 0.6rem 7.2rem 1fr;
        gap: 0 0.75rem;
        align-items: baseline;
        padding-block: 0.5rem;
        border-block-start: 1px solid var(--_line);
        font-size: 0.92em;
      }
      i {
        inline-size: 0.55rem;
        block-size: 0.55rem;
        border: 1.5px solid var(--_muted);
        border-radius: 50%;
      }
      [data-kind="ready"] i {
        border-color: var(--_accent);
        background: var(--_accent);
      }
      [data-kind="failed"] i {
        border-color: var(--_warn);
        background: var(--_warn);
      }
      b {
        font-weight: 600;
      }
      li span {
        color: var(--_muted);
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      p {
        margin: 0.6rem 0 0;
        color: var(--_muted);
        font-size: 0.82em;
        font-variant-numeric: tabular-nums;
      }
      code {
        font: 0.95em var(--_mono);
      }
      @media (max-width: 30rem) {
        li {
          grid-template-columns: 0.6rem 1fr;
        }
        li span {
          grid-column: 2;
        }
      }
    `,
  ];

  protected override settled({ rungs }: EngineState): boolean {
    return Object.values(rungs).every(({ kind }) => kind !== "waiting" && kind !== "loading" && kind !== "starting");
  }

  override render(): TemplateResult | typeof nothing {
    const { state } = this;
    if (!state) return nothing;
    if (state.error) return errorBox(state.error);
    const { manifest, rungs, backend, bytes } = state;
    const { say } = this;
    const counted = manifest ? [say("documents", { count: manifest.documents }), say("passages", { count: manifest.chunks })] : [];
    const written = backend ? [backendName(backend.kind), backend.device, backend.reason].filter(Boolean).join(" · ") : "";
    return html`<ol>
        ${row("rungKeyword", rungs.keyword, counted.join(" · "), say)} ${row("rungMeaning", rungs.meaning, say("rungMeaningReady"), say)}
        ${row("rungQuote", rungs.reading, say("rungQuoteReady"), say)} ${row("rungAnswer", rungs.answer, written, say)}
      </ol>
      <p part="summary">
        ${say("transferred", { fetched: megabytes(bytes.fetched), cached: megabytes(bytes.cached) })}${state.offline ? ` ${say("offline")}` : nothing}
        ${manifest ? html`<br />${say("detailBundle")} <code>${manifest.id.slice(0, 16)}</code>` : nothing}
      </p>`;
  }
}

function row(name: MessageKey, state: RungState, ready: string, say: Say): TemplateResult {
  return html`<li part="rung" data-kind=${state.kind}><i aria-hidden="true"></i><b>${say(name)}</b><span>${describe(state, ready, say)}</span></li>`;
}

function describe(state: RungState, ready: string, say: Say): string {
  switch (state.kind) {
    case "waiting":
      return say("waiting");
    case "loading":
      return say("loaded", { loaded: megabytes(state.loaded), total: megabytes(state.total) });
    case "starting":
      return say("starting");
    case "ready":
      return ready;
    case "absent":
      return say("absent");
    case "skipped":
      return state.reason;
    case "failed":
      return `${state.error.message} (${state.error.code})`;
  }
}

customElements.define("anchorite-status", AnchoriteStatus);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-status": AnchoriteStatus;
  }
}
