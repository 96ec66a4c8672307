// Turns the public `--anchorite-*` variables into the private ones that every element uses, in light and dark.
import { css } from "lit";

/**
 * Public variables: ink, muted, paper, surface, line, accent, on-accent, mark, warn, serif, sans, mono, radius, size.
 * Each has a default for both schemes; `theme="light"` or `theme="dark"` on an element overrides what the page looks like.
 */
export const tokens = css`
  :host {
    --_ink: var(--anchorite-ink, light-dark(#23211d, #e8e3d8));
    --_muted: var(--anchorite-muted, light-dark(#6a655b, #a49d8f));
    --_paper: var(--anchorite-paper, light-dark(#fffefb, #1d1c19));
    --_surface: var(--anchorite-surface, light-dark(#f6f3ec, #272521));
    --_line: var(--anchorite-line, light-dark(#ded8cb, #3b3831));
    --_accent: var(--anchorite-accent, light-dark(#17594f, #83cabd));
    --_on-accent: var(--anchorite-on-accent, light-dark(#ffffff, #10211e));
    --_mark: var(--anchorite-mark, light-dark(#f8e7ae, #57491b));
    --_warn: var(--anchorite-warn, light-dark(#98361c, #f0a387));
    --_serif: var(
      --anchorite-serif,
      "Iowan Old Style",
      Charter,
      "Source Serif 4",
      Cambria,
      Georgia,
      "Liberation Serif",
      serif
    );
    --_sans: var(--anchorite-sans, -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", Cantarell, "Liberation Sans", system-ui, sans-serif);
    --_mono: var(--anchorite-mono, ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace);
    --_radius: var(--anchorite-radius, 10px);
    --_size: var(--anchorite-size, 1rem);
    display: block;
    box-sizing: border-box;
    /* Without the marks, a rule of the site for all elements would reach in here. */
    color: var(--_ink) !important;
    font: 400 var(--_size) / 1.55 var(--_sans) !important;
    /* Never drawn: tells which scheme the browser would give the element. */
    column-rule-color: light-dark(black, white);
    text-align: start !important;
    text-indent: 0 !important;
    text-shadow: none !important;
    text-transform: none !important;
    letter-spacing: normal !important;
    word-spacing: normal !important;
    white-space: normal !important;
    overflow-wrap: normal !important;
    word-break: normal !important;
    hyphens: manual !important;
    writing-mode: horizontal-tb !important;
  }
  :host([data-scheme="light"]) {
    color-scheme: light;
  }
  :host([data-scheme="dark"]) {
    color-scheme: dark;
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  @media print {
    :host {
      color-scheme: light !important;
    }
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  a {
    color: var(--_accent);
    text-underline-offset: 0.18em;
    text-decoration-thickness: 1px;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  input:focus-visible,
  textarea:focus-visible {
    /* The frame around the field shows the focus. */
    outline: none;
  }
  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  .hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .error {
    margin: 0;
    padding: 0.7em 0.9em;
    border: 1px solid color-mix(in srgb, var(--_warn) 45%, transparent);
    border-radius: calc(var(--_radius) * 0.7);
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }
  .error strong {
    color: var(--_warn);
    font-weight: 600;
  }
  .error code {
    font: 0.9em var(--_mono);
    color: var(--_muted);
  }
  .error span {
    display: block;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;
