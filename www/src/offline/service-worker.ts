// Turns the demo into a page that opens without a network: the host first, the copy kept here when it cannot be reached.
// The bundle's parts are not its business; the engine's store keeps those by content.

import { moduleFiles } from "../engine/module.js";

/** The parts of a service worker's scope that are used here; the DOM library of TypeScript knows only windows. */
interface Scope {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: Lifetime) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetch) => void): void;
}
interface Lifetime {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetch extends Lifetime {
  readonly request: globalThis.Request;
  respondWith(response: Promise<Response>): void;
}
/** Files of the page itself, apart from its module; filled in by `build.mjs`. */
declare const SHELL: readonly string[];

const scope = globalThis as unknown as Scope;
const CACHE = "anchorite-page-1";

scope.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // Files that the page has just fetched are taken from the browser's cache, not from the host again.
      const add = (path: string): Promise<void> =>
        cache.add(new Request(new URL(path, scope.registration.scope), { cache: "force-cache" }));
      // One missing file (a site without `demo.json`) must not cost the others.
      const { worker, wasm } = moduleFiles("answers");
      await Promise.all([...SHELL, worker, wasm].map((path) => add(path).catch(() => undefined)));
      await scope.skipWaiting();
    })(),
  );
});

// The first visit's page is not claimed: serving it would make the browser look for a newer service worker a little later,
// and a page that has loaded asks for nothing more.
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(scope.registration.scope) && request.method === "GET";
  // The store handles a manifest or part that cannot be fetched: it knows what it kept.
  if (!ours || /\/(?:manifest\.json|files\/[^/]+)$/.test(url.pathname)) return;
  event.respondWith(fresh(request));
});

async function fresh(request: globalThis.Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok && response.type === "basic") await cache.put(request, response.clone());
    return response;
  } catch (thrown) {
    const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (kept) return kept;
    throw thrown;
  }
}
