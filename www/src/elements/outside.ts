// Turns an element into the one around it, as if there were no shadow roots.

/** The element around another one, which may be the host of the shadow root that it lies in. */
export function outside(element: Element): Element | null {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}
