// Turns the addresses in a page and in a bundle into full ones.

/** A bundle's folder, which is addressed with a slash, so that relative paths resolve inside it. */
export function bundleUrl(bundle: string | URL): URL {
  const url = new URL(bundle, document.baseURI);
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** The address of a page below the folder that holds the bundle. A page named `Note: one` or `javascript:` is a file, never an address of its own scheme. */
export function pageLink(url: string, bundle: URL): string {
  const base = new URL("..", bundle);
  try {
    const address = new URL(url, base);
    if (["http:", "https:", base.protocol].includes(address.protocol)) return address.href;
  } catch {
    // Not an address, so a name.
  }
  return new URL(`./${url}`, base).href;
}
