// Turns one source of an answer into a numbered link with a card that shows where it leads.
import { css, html, type PropertyDeclarations, type TemplateResult } from "lit";
import { SiteElement } from "./site-element.js";
import { tokens } from "./styles.js";

/**
 * A numbered citation.
 *
 * @csspart link - the number, a link to the cited heading
 * @csspart card - shown on hover and focus
 */
export class AnchoriteCitation extends SiteElement {
  static override properties: PropertyDeclarations = {
    ...SiteElement.properties,
    number: { type: Number },
    href: {},
    path: { attribute: false },
    excerpt: {},
  };
  static override styles = [
    tokens,
    css`
      :host {
        display: inline;
        font-size: inherit !important;
      }
      a {
        display: inline-block;
        min-inline-size: 1.55em;
        padding: 0 0.35em;
        border-radius: 0.5em;
        background: color-mix(in srgb, var(--_accent) 13%, transparent);
        font: 600 0.72em/1.55 var(--_sans);
        font-variant-numeric: tabular-nums;
        text-align: center;
        text-decoration: none;
        vertical-align: 0.25em;
        transition: background 120ms;
      }
      a:hover {
        background: var(--_accent);
        color: var(--_on-accent);
      }
      [popover] {
        position: fixed;
        inset: auto;
        margin: 0;
        inline-size: min(22rem, calc(100vw - 1rem));
        padding: 0.7rem 0.9rem;
        border: 1px solid var(--_line);
        border-radius: calc(var(--_radius) * 0.8);
        background: var(--_paper);
        color: var(--_ink);
        box-shadow: 0 8px 28px rgb(0 0 0 / 0.14);
        font: 400 0.85rem/1.5 var(--_sans);
        pointer-events: none;
      }
      strong {
        display: block;
        font-weight: 600;
      }
      span {
        display: -webkit-box;
        margin-block-start: 0.25rem;
        overflow: hidden;
        color: var(--_muted);
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 4;
      }
    `,
  ];

  declare number: number;
  declare href: string;
  /** Title and headings of the source. */
  declare path: readonly string[];
  /** The beginning of the passage. */
  declare excerpt: string;

  constructor() {
    super();
    this.number = 0;
    this.href = "";
    this.path = [];
    this.excerpt = "";
  }

  override render(): TemplateResult {
    const where = this.path.join(" › ");
    return html`<a
        part="link"
        href=${this.href}
        aria-label=${this.say("source", { number: this.number, place: where })}
        @mouseenter=${this.#show}
        @mouseleave=${this.#hide}
        @focus=${this.#show}
        @blur=${this.#hide}
        >${this.number}</a
      >
      <div part="card" popover="manual" aria-hidden="true">
        <strong>${where}</strong>
        <span>${this.excerpt}</span>
      </div>`;
  }

  /** The card lives in the top layer, so no scrolling container can clip it; its position is computed once, when it opens. */
  #show(event: Event): void {
    const card = this.renderRoot.querySelector<HTMLElement>("[popover]");
    const link = event.currentTarget as HTMLElement;
    if (!card || typeof card.showPopover !== "function" || matchMedia("(hover: none)").matches) return;
    card.showPopover();
    const at = link.getBoundingClientRect();
    const gap = 8;
    const left = at.left + at.width / 2 - card.offsetWidth / 2;
    const above = at.top - card.offsetHeight - gap;
    card.style.left = `${Math.max(gap, Math.min(left, innerWidth - card.offsetWidth - gap))}px`;
    card.style.top = `${above >= gap ? above : at.bottom + gap}px`;
  }

  #hide(): void {
    const card = this.renderRoot.querySelector<HTMLElement>("[popover]");
    if (card && typeof card.hidePopover === "function") card.hidePopover();
  }
}

customElements.define("anchorite-citation", AnchoriteCitation);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-citation": AnchoriteCitation;
  }
}
