// Turns the places where a browser keeps files into one interface: bytes under an address.

/** Named after the layout of the cache, not of the bundle: a bundle's version is in its manifest. */
const CACHE = "anchorite-1";

/** Keeps files between visits, or doesn't. Any call may reject where the browser refuses storage. */
export interface Shelf {
  /** The bytes kept under an address; null if there are none. */
  match(url: string): Promise<Uint8Array | null>;
  put(url: string, bytes: Uint8Array): Promise<void>;
  delete(url: string): Promise<void>;
  /** The addresses of everything kept, for other bundles too. */
  keys(): Promise<readonly string[]>;
}

/** Opens this browser's shelf. Without one (insecure origin, full disk) everything works, but only for this visit. */
export async function openShelf(): Promise<Shelf> {
  try {
    return new CacheShelf(await caches.open(CACHE));
  } catch {
    return new EmptyShelf();
  }
}

/** Keeps files in Cache Storage. */
class CacheShelf implements Shelf {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  async match(url: string): Promise<Uint8Array | null> {
    const kept = await this.#cache.match(url);
    return kept ? new Uint8Array(await kept.arrayBuffer()) : null;
  }

  async put(url: string, bytes: Uint8Array): Promise<void> {
    await this.#cache.put(url, new Response(bytes as Uint8Array<ArrayBuffer>));
  }

  async delete(url: string): Promise<void> {
    await this.#cache.delete(url);
  }

  async keys(): Promise<readonly string[]> {
    return (await this.#cache.keys()).map(({ url }) => url);
  }
}

/** Keeps nothing. */
class EmptyShelf implements Shelf {
  async match(): Promise<null> {
    return null;
  }

  async put(): Promise<void> {}

  async delete(): Promise<void> {}

  async keys(): Promise<readonly string[]> {
    return [];
  }
}
