// Turns what lies behind an element into the colour scheme that suits it, because sites switch to dark in ways of their own.
import { outside } from "./outside.js";

/** A background more transparent than this shows what is behind it. */
const MIN_ALPHA = 0.5;
/** Below this luminance (WCAG 2, section 1.4.3) white text has more contrast on a colour than black text. */
const MAX_DARK = 0.179;
/** Longer than the transition of most themes. */
const TRANSITION_MS = 500;

type Scheme = "light" | "dark";

/**
 * Relative luminance (WCAG 2) and alpha of a computed colour, 0 to 1 each. Computed colours have few forms: `rgb()`, `color()`, and the
 * spaces whose first number is a lightness.
 */
function measure(color: string): { readonly luminance: number; readonly alpha: number } {
  const [, name = "", inside = ""] = /^([a-z]+)\((.*)\)$/.exec(color) ?? [];
  const [values = "", last] = inside.split("/");
  const numbers = (values.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  const alpha = Number(last ?? (name === "rgba" ? numbers[3] : 1));
  const [first = 0] = numbers;
  switch (name) {
    case "lab":
    case "lch":
      return { luminance: ((first + 16) / 116) ** 3, alpha };
    case "oklab":
    case "oklch":
      return { luminance: first ** 3, alpha };
    default: {
      // The name of a colour space, such as `display-p3`, may hold a digit.
      const channels = name === "color" ? numbers.slice(-3) : numbers.slice(0, 3).map((value) => value / 255);
      const [red = 1, green = 1, blue = 1] = channels.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return { luminance: 0.2126 * red + 0.7152 * green + 0.0722 * blue, alpha: color === "" ? 0 : alpha };
    }
  }
}

/** The scheme of the nearest background behind an element; without any, the one in which the browser paints the page. */
function schemeBehind(element: HTMLElement): Scheme {
  for (let at = outside(element); at; at = outside(at)) {
    const { luminance, alpha } = measure(getComputedStyle(at).backgroundColor);
    if (alpha >= MIN_ALPHA) return luminance < MAX_DARK ? "dark" : "light";
  }
  // A `<meta name="color-scheme">` shows in no computed style but in the colours that depend on it, see `tokens`.
  delete element.dataset["scheme"];
  return measure(getComputedStyle(element).columnRuleColor).luminance > MAX_DARK ? "dark" : "light";
}

const followers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;
let frame = 0;
let observer: MutationObserver | null = null;

function followAll(): void {
  for (const each of followers) each();
}

/** Looks again before the next frame, however much has changed, and once more when transitions are over. */
function changed(): void {
  if (followers.size === 0) return;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(followAll);
  clearTimeout(timer);
  timer = setTimeout(followAll, TRANSITION_MS);
}

/** Watches everything around an element that may change its background, and the style sheets. */
function watch(element: Element): void {
  if (!observer) {
    observer = new MutationObserver(changed);
    observer.observe(document.head, { childList: true, subtree: true, attributes: true });
    // A body may be replaced as a whole.
    observer.observe(document.documentElement, { childList: true, attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
    // The `load` of a style sheet does not bubble.
    addEventListener("load", changed, { capture: true });
  }
  for (let at = outside(element); at && at !== document.documentElement; at = outside(at)) observer.observe(at, { attributes: true });
}

/**
 * Keeps `data-scheme` on an element as the page looks behind it, until the returned function is called. Elements inside of
 * another one inherit that one's scheme.
 */
export function followScheme(element: HTMLElement): () => void {
  const root = element.getRootNode();
  if (root instanceof ShadowRoot && root.host.localName.startsWith("anchorite-")) return () => undefined;
  const follow = (): void => {
    watch(element);
    const scheme = schemeBehind(element);
    if (element.dataset["scheme"] !== scheme) element.dataset["scheme"] = scheme;
  };
  followers.add(follow);
  follow();
  return () => void followers.delete(follow);
}
