// Turns the shared variables into the look of the chat, in the page and in its panel.
import { css } from "lit";

export const chatStyles = css`
  form {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-end;
    gap: 0.5rem;
    padding: 0.45rem;
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) + 4px);
    background: var(--_paper);
    transition: border-color 120ms;
  }
  form:focus-within {
    border-color: var(--_accent);
    box-shadow: 0 0 0 1px var(--_accent);
  }
  textarea {
    flex: 1;
    min-inline-size: 8rem;
    min-block-size: 2.75rem;
    max-block-size: 12rem;
    padding: 0.6rem 0.65rem;
    border: 0;
    outline: none;
    background: none;
    color: inherit;
    font: inherit;
    /* Smaller than 16px makes phones zoom in. */
    font-size: max(1em, 16px);
    line-height: 1.5;
    resize: none;
    field-sizing: content;
  }
  textarea::placeholder {
    color: var(--_muted);
    opacity: 1;
  }
  form button {
    min-block-size: 2.75rem;
    min-inline-size: 4.6rem;
    padding-inline: 1.1rem;
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
  }
  form button.stop {
    border-color: var(--_line);
    background: var(--_surface);
    color: var(--_ink);
  }
  .complaint {
    flex-basis: 100%;
    margin: 0;
    padding: 0 0.65rem 0.3rem;
    color: var(--_warn);
    font-size: 0.88em;
  }
  .status {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0.25rem 0.55rem;
    margin: 0.6rem 0.2rem 0;
    color: var(--_muted);
    font-size: 0.82em;
    line-height: 1.45;
  }
  .status b {
    color: var(--_ink);
    font-weight: 600;
  }
  .what {
    flex: 1 1 14rem;
    min-inline-size: 0;
    font-variant-numeric: tabular-nums;
    overflow-wrap: anywhere;
  }
  .dot {
    inline-size: 0.5rem;
    block-size: 0.5rem;
    border-radius: 50%;
    background: var(--_accent);
    transform: translateY(-0.06em);
  }
  [data-kind="busy"] .dot {
    background: var(--_muted);
    animation: pulse 1.4s ease-in-out infinite;
  }
  [data-kind="failed"] .dot {
    background: var(--_warn);
  }
  progress {
    order: 9;
    flex-basis: 100%;
    block-size: 3px;
    border: 0;
    border-radius: 2px;
    overflow: hidden;
    background: var(--_line);
    appearance: none;
  }
  progress::-webkit-progress-bar {
    background: var(--_line);
  }
  progress::-webkit-progress-value {
    background: var(--_accent);
    transition: inline-size 120ms linear;
  }
  progress::-moz-progress-bar {
    background: var(--_accent);
  }
  .error {
    margin-block-start: 0.6rem;
  }
  .suggestions {
    margin-block-start: 1.4rem;
  }
  .suggestions p {
    margin: 0 0 0.45rem 0.2rem;
    color: var(--_muted);
    font-size: 0.82em;
  }
  .suggestions ul {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .suggestions button {
    min-block-size: 2.4rem;
    padding: 0.35rem 0.95rem;
    border: 1px solid var(--_line);
    border-radius: 1.3rem;
    background: none;
    font-size: 0.92em;
    text-align: start;
    transition:
      border-color 120ms,
      background 120ms;
  }
  .suggestions button:hover {
    border-color: var(--_accent);
    background: var(--_surface);
  }
  .voices {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    margin: 0.6rem 0.2rem 0;
    color: var(--_muted);
    font-size: 0.82em;
  }
  .voices select {
    min-block-size: 1.9rem;
    padding: 0.15rem 0.5rem;
    border: 1px solid var(--_line);
    border-radius: 0.5rem;
    background: var(--_surface);
    color: var(--_ink);
    font: inherit;
  }
  anchorite-answer {
    --anchorite-size: 1em;
    font-size: 1em;
  }
  .page anchorite-answer {
    margin-block-start: 1.9rem;
    padding-block-start: 1.7rem;
    border-block-start: 1px solid var(--_line);
  }
  .launcher {
    position: fixed;
    inset-block-end: max(1.25rem, env(safe-area-inset-bottom));
    inset-inline-end: 1.25rem;
    /* Above the sticky headers of sites. */
    z-index: 2147483000;
    min-block-size: 2.9rem;
    padding-inline: 1.25rem;
    border: 0;
    border-radius: 1.5rem;
    background: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
    box-shadow: 0 6px 22px rgb(0 0 0 / 0.2);
  }
  .launcher kbd {
    margin-inline-start: 0.35em;
    font: 0.78em var(--_mono);
    opacity: 0.8;
  }
  dialog {
    position: fixed;
    inset-block: 0;
    inset-inline: auto 0;
    /* Above the sticky headers of sites. */
    z-index: 2147483000;
    display: none;
    flex-direction: column;
    gap: 0.4rem;
    inline-size: min(27rem, 100vw);
    max-inline-size: none;
    block-size: 100dvh;
    max-block-size: none;
    margin: 0;
    padding: 0.9rem 1rem max(0.9rem, env(safe-area-inset-bottom));
    border: 0;
    border-inline-start: 1px solid var(--_line);
    background: var(--_paper);
    color: var(--_ink);
    box-shadow: 0 0 50px rgb(0 0 0 / 0.14);
  }
  dialog[open] {
    display: flex;
    animation: slide 180ms ease-out;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 0.3);
  }
  @media (max-width: 40rem) {
    dialog {
      inline-size: 100vw;
      border: 0;
    }
    .launcher kbd {
      display: none;
    }
  }
  header {
    display: flex;
    align-items: center;
    gap: 0.3rem;
  }
  h2 {
    flex: 1;
    margin: 0;
    font: 600 1.15em/1.4 var(--_serif);
  }
  .quiet {
    min-inline-size: 2.75rem;
    min-block-size: 2.75rem;
    padding-inline: 0.7rem;
    border: 0;
    border-radius: var(--_radius);
    background: none;
    color: var(--_muted);
    font-size: 0.88em;
  }
  .quiet:hover {
    background: var(--_surface);
    color: var(--_ink);
  }
  .page > .quiet {
    margin: 1.2rem 0 0 -0.7rem;
  }
  dialog .transcript {
    flex: 1;
    min-block-size: 0;
    margin-inline: -1rem;
    padding-inline: 1rem;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  dialog anchorite-answer {
    padding-block: 1rem 1.4rem;
  }
  dialog anchorite-answer + anchorite-answer {
    border-block-start: 1px solid var(--_line);
  }
  dialog .suggestions {
    margin-block: 0 0.8rem;
  }
  @keyframes pulse {
    50% {
      opacity: 0.3;
    }
  }
  @keyframes slide {
    from {
      opacity: 0;
      transform: translateX(12px);
    }
  }
`;
