// Turns a bundle's address into verified bytes: fetched once, kept by content-addressed path, counted while they arrive.
import { AnchoriteError } from "./errors.js";
import type { PartEntry, Shard } from "./protocol.js";
import type { Shelf } from "./shelf.js";

const MANIFEST = "manifest.json";
/** A manifest only lists files, so anything larger is not a manifest. */
const MANIFEST_MAX_BYTES = 4 * 1024 * 1024;
/** Attempts at a download before a dropped connection is reported. */
const ATTEMPTS = 3;

/** Bytes that arrived since the last call, and where from. */
export type Count = (bytes: number, from: "network" | "cache") => void;

/** A file that never changes under its path: a part of a file, or a shard of the index. */
export type Piece = Pick<PartEntry | Shard, "path" | "bytes">;

/** Takes the bytes of one piece, and throws if they are not what the bundle says. */
export type Accept = (bytes: Uint8Array) => void | Promise<void>;

/** The files of one bundle, from its host and from this device. */
export class Store {
  readonly #base: URL;
  readonly #shelf: Shelf;

  constructor(bundle: string, shelf: Shelf) {
    this.#base = new URL(bundle.endsWith("/") ? bundle : `${bundle}/`);
    this.#shelf = shelf;
  }

  /** The manifest, fresh from the host; the last one seen when the host cannot be reached. */
  async manifest(): Promise<{ readonly bytes: Uint8Array; readonly offline: boolean }> {
    const url = new URL(MANIFEST, this.#base).href;
    let response: Response;
    try {
      response = await fetch(url, { cache: "no-cache" });
    } catch (thrown) {
      const kept = await this.#shelf.match(url);
      if (kept) return { bytes: kept, offline: true };
      throw unreachable(url, thrown);
    }
    if (!response.ok) throw refused(url, response.status, "bundle manifest");
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > MANIFEST_MAX_BYTES) {
      throw new AnchoriteError({
        code: "manifest_too_large",
        message: `bundle manifest is too large: \`${url}\`, at most ${MANIFEST_MAX_BYTES} bytes, found ${bytes.length}`,
        hint: "check that the `bundle` attribute names a folder made by `anchorite build`",
      });
    }
    return { bytes, offline: false };
  }

  /** Keeps a manifest for offline visits; called once it has been read without error. */
  async keepManifest(bytes: Uint8Array): Promise<void> {
    await this.#keep(new URL(MANIFEST, this.#base).href, bytes);
  }

  /** True if the manifest kept from an earlier visit differs from this one; false on the first visit, before any is kept. */
  async isUpdate(bytes: Uint8Array): Promise<boolean> {
    const before = await this.#shelf.match(new URL(MANIFEST, this.#base).href);
    return before !== null && (before.length !== bytes.length || before.some((byte, idx) => byte !== bytes[idx]));
  }

  /**
   * Passes one piece to `accept`, from this device if an intact copy is there, else from the host. A piece that `accept`
   * refuses is dropped from this device and requested once more, past every cache, before the error is reported.
   */
  async bring(part: Piece, accept: Accept, count: Count): Promise<void> {
    const url = new URL(part.path, this.#base).href;
    const kept = await this.#shelf.match(url);
    if (kept) {
      try {
        await accept(kept);
        count(kept.length, "cache");
        return;
      } catch {
        await this.#shelf.delete(url);
      }
    }
    const bytes = await this.#download(url, part, "default", count);
    try {
      await accept(bytes);
      await this.#keep(url, bytes);
      return;
    } catch {
      count(-bytes.length, "network");
    }
    // The browser's own HTTP cache may hold a damaged copy; the host decides.
    const again = await this.#download(url, part, "reload", count);
    await accept(again);
    await this.#keep(url, again);
  }

  /** Forgets pieces of this bundle other than `paths`. */
  async prune(paths: ReadonlySet<string>): Promise<void> {
    for (const url of await this.#shelf.keys()) {
      if (!url.startsWith(this.#base.href)) continue;
      const path = url.slice(this.#base.href.length);
      if (path !== MANIFEST && !paths.has(path)) await this.#shelf.delete(url);
    }
  }

  async #download(url: string, part: Piece, cache: RequestCache, count: Count): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      let arrived = 0;
      try {
        const response = await fetch(url, { cache });
        if (!response.ok) throw refused(url, response.status, "bundle file");
        // The length is known from the manifest, so one allocation is enough and a longer body is cut off early.
        const bytes = new Uint8Array(part.bytes);
        const reader = response.body?.getReader();
        if (!reader) return new Uint8Array(await response.arrayBuffer());
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          if (arrived + value.length > bytes.length) {
            await reader.cancel();
            throw wrongLength(part, `more than ${part.bytes}`);
          }
          bytes.set(value, arrived);
          arrived += value.length;
          count(value.length, "network");
        }
        // A short body is left to the hash check, whose error names the path and what was expected and found.
        return arrived === bytes.length ? bytes : bytes.slice(0, arrived);
      } catch (thrown) {
        count(-arrived, "network");
        if (thrown instanceof AnchoriteError) throw thrown;
        if (attempt === ATTEMPTS) throw unreachable(url, thrown);
        await new Promise((resolve) => setTimeout(resolve, 250 * attempt));
      }
    }
  }

  /** Keeping is a convenience: a full disk must not fail a visit that has its bytes. */
  async #keep(url: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#shelf.put(url, bytes);
    } catch {
      // Storage is full or refused; the next visit downloads again.
    }
  }
}

function refused(url: string, status: number, what: string): AnchoriteError {
  return new AnchoriteError({
    code: status === 404 ? "file_missing" : "http_status",
    message: `${what} could not be fetched: \`${url}\`, HTTP status ${status}`,
    hint:
      status === 404
        ? "check the `bundle` attribute, and that the whole folder made by `anchorite build` was uploaded"
        : "try again later; the host answered, but not with the file",
  });
}

function unreachable(url: string, thrown: unknown): AnchoriteError {
  const cause = thrown instanceof Error ? thrown.message : String(thrown);
  return new AnchoriteError({
    code: "host_unreachable",
    message: `host could not be reached: \`${url}\`: ${cause}`,
    hint: "check the connection and reload; parts that already arrived are kept",
  });
}

function wrongLength(part: Piece, found: string): AnchoriteError {
  return new AnchoriteError({
    code: "part_length",
    message: `bundle file has the wrong length: \`${part.path}\`, expected ${part.bytes} bytes, found ${found}`,
    hint: "upload the bundle again, completely; a proxy may have replaced the file",
  });
}
