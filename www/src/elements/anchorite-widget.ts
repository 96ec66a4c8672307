// Turns a corner of any page into search and a chat: two buttons, a dialog to search in, and the chat's panel.
import { css, html, type PropertyDeclarations, type TemplateResult } from "lit";
import { AnchoriteChat } from "./anchorite-chat.js";
import { AnchoriteSearch } from "./anchorite-search.js";
import { SiteElement } from "./site-element.js";
import { tokens } from "./styles.js";

/**
 * Search and a chat for a page that has no place for them. The script `anchorite-widget.js` adds one to the page that loads it.
 *
 * @csspart bar - both buttons
 * @csspart search-button, chat-button
 * @csspart dialog - what search opens in
 */
export class AnchoriteWidget extends SiteElement {
  static override properties: PropertyDeclarations = { ...SiteElement.properties, bundle: {}, theme: { reflect: true } };
  static override styles = [
    tokens,
    css`
      .bar {
        position: fixed;
        inset-block-end: max(1.25rem, env(safe-area-inset-bottom));
        inset-inline-end: 1.25rem;
        /* Above the sticky headers of sites. */
        z-index: 2147482000;
        display: flex;
        border: 1px solid var(--_line);
        border-radius: 1.6rem;
        overflow: hidden;
        background: var(--_paper);
        box-shadow: 0 6px 22px rgb(0 0 0 / 0.2);
      }
      .bar button {
        display: flex;
        align-items: center;
        gap: 0.5em;
        min-block-size: 2.9rem;
        padding-inline: 1.15rem;
        border: 0;
        background: none;
        font-weight: 600;
      }
      .bar button + button {
        background: var(--_accent);
        color: var(--_on-accent);
      }
      .bar button:focus-visible {
        outline-offset: -4px;
        border-radius: 1.5rem;
      }
      .bar button + button:focus-visible {
        outline-color: var(--_on-accent);
      }
      svg {
        inline-size: 1.05em;
        block-size: 1.05em;
      }
      anchorite-chat::part(launcher) {
        display: none;
      }
      anchorite-chat[data-opened="true"] ~ .bar {
        /* The chat's panel lies above it. */
        display: none;
      }
      dialog {
        inline-size: min(42rem, 100vw - 2rem);
        max-inline-size: none;
        max-block-size: none;
        margin: min(12vh, 6rem) auto auto;
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        /* The list of results hangs below the field. */
        overflow: visible;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.35);
      }
      @media print {
        :host {
          display: none;
        }
      }
    `,
  ];

  /** Folder that `anchorite build` made; by default the one that this script lies in. */
  declare bundle: string;
  declare theme: "light" | "dark" | "auto";

  constructor() {
    super();
    this.bundle = new URL("./", import.meta.url).href;
    this.theme = "auto";
  }

  override render(): TemplateResult {
    return html`<anchorite-chat .bundle=${this.bundle} .messages=${this.messages} theme=${this.theme} @anchorite-closed=${this.#onClosed}></anchorite-chat>
      <div class="bar" part="bar" role="region" lang=${this.language} aria-label=${this.say("widgetLabel")}>
        <button part="search-button" type="button" aria-haspopup="dialog" @click=${this.openSearch}>
          <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.7" aria-hidden="true">
            <circle cx="8.5" cy="8.5" r="5.5" />
            <path d="m13 13 4.5 4.5" stroke-linecap="round" />
          </svg>
          ${this.say("searchPlaceholder")}
        </button>
        <button part="chat-button" type="button" aria-haspopup="dialog" @click=${this.openChat}>${this.say("ask")}</button>
      </div>
      <dialog part="dialog" aria-label=${this.say("searchLabel")} @click=${this.#onClick}>
        <anchorite-search .bundle=${this.bundle} .messages=${this.messages} theme=${this.theme}></anchorite-search>
      </dialog>`;
  }

  /** Opens the dialog to search in, and moves the focus into it. */
  async openSearch(): Promise<void> {
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
    const search = this.renderRoot.querySelector("anchorite-search");
    if (search instanceof AnchoriteSearch) search.focus();
  }

  /** Opens the chat, and moves the focus into it. */
  async openChat(): Promise<void> {
    await this.updateComplete;
    const chat = this.renderRoot.querySelector("anchorite-chat");
    if (chat instanceof AnchoriteChat) chat.open();
  }

  /** The chat's own button is hidden, so the focus returns to this one. */
  #onClosed(): void {
    this.renderRoot.querySelector<HTMLElement>("[part=chat-button]")?.focus();
  }

  /** A click beside the dialog closes it, and so does one on a result: it may lead to another place on the same page. */
  #onClick(event: Event): void {
    const dialog = this.renderRoot.querySelector("dialog");
    const isResult = event.composedPath().some((target) => target instanceof HTMLAnchorElement);
    if (event.target === dialog || isResult) dialog?.close();
  }
}

customElements.define("anchorite-widget", AnchoriteWidget);

declare global {
  interface HTMLElementTagNameMap {
    "anchorite-widget": AnchoriteWidget;
  }
}
