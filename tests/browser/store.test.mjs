// Checks how a bundle's files are fetched, kept, healed, refused and pruned, on a shelf in memory and a host made of functions.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { load } from "./source.mjs";

const { Store } = await load("engine/store.ts");
const { openShelf } = await load("engine/shelf.ts");

const BUNDLE = "https://host.test/docs/bundle/";
const MANIFEST = `${BUNDLE}manifest.json`;
const GOOD = Uint8Array.of(1, 2, 3, 4, 5);
const BAD = Uint8Array.of(1, 2, 3, 4, 6);
const PART = { path: "files/part.bin", bytes: GOOD.length };
const URL_OF_PART = BUNDLE + PART.path;

/** A shelf in memory; `kept` shows what is on it. */
function memoryShelf(entries = {}) {
  const kept = new Map(Object.entries(entries));
  return {
    kept,
    match: async (url) => kept.get(url) ?? null,
    put: async (url, bytes) => void kept.set(url, bytes),
    delete: async (url) => void kept.delete(url),
    keys: async () => [...kept.keys()],
  };
}

/** Takes only the right bytes, as the engine does; `calls` shows all that it was given. */
function acceptor() {
  const calls = [];
  const accept = (bytes) => {
    calls.push([...bytes]);
    if (Buffer.compare(bytes, GOOD) !== 0) throw { code: "hash", message: "wrong SHA-256", hint: "" };
  };
  return { calls, accept };
}

/** Adds up what arrived. */
function counter() {
  const bytes = { network: 0, cache: 0 };
  return { bytes, count: (arrived, from) => (bytes[from] += arrived) };
}

/** A body that comes in these pieces, and then ends or breaks. */
const body = (pieces, error = null) =>
  new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (error) controller.error(error);
      else controller.close();
    },
  });

let requests;
/** Has the host answer the n-th request as the n-th function says. */
function answers(...given) {
  requests = [];
  globalThis.fetch = async (url, { cache }) => {
    requests.push(`${cache} ${url}`);
    const answer = given[requests.length - 1];
    assert.ok(answer, `request ${requests.length} was not expected: ${url}`);
    return answer();
  };
}
const gives = (bytes) => () => new Response(body([bytes.subarray(0, 2), bytes.subarray(2)]));
const drops = (...pieces) => () => new Response(body(pieces, new TypeError("connection reset")));
const isUnreachable = () => {
  throw new TypeError("fetch failed");
};

describe("a piece of a bundle", () => {
  let taken;
  let counted;
  beforeEach(() => {
    taken = acceptor();
    counted = counter();
  });
  const bring = (shelf, bundle = BUNDLE) => new Store(bundle, shelf).bring(PART, taken.accept, counted.count);

  test("is fetched once, and kept", async () => {
    const shelf = memoryShelf();
    answers(gives(GOOD));
    await bring(shelf);
    assert.deepEqual(requests, [`default ${URL_OF_PART}`]);
    assert.deepEqual(taken.calls, [[...GOOD]]);
    assert.deepEqual(shelf.kept, new Map([[URL_OF_PART, GOOD]]));
    assert.deepEqual(counted.bytes, { network: 5, cache: 0 });
  });

  test("comes from this device if it was kept", async () => {
    answers();
    await bring(memoryShelf({ [URL_OF_PART]: GOOD }));
    assert.deepEqual(requests, []);
    assert.deepEqual(taken.calls, [[...GOOD]]);
    assert.deepEqual(counted.bytes, { network: 0, cache: 5 });
  });

  test("has an address in the bundle's folder, with or without the slash", async () => {
    answers(gives(GOOD));
    await bring(memoryShelf(), BUNDLE.slice(0, -1));
    assert.deepEqual(requests, [`default ${URL_OF_PART}`]);
  });

  test("replaces a kept copy that is damaged", async () => {
    const shelf = memoryShelf({ [URL_OF_PART]: BAD });
    answers(gives(GOOD));
    await bring(shelf);
    assert.deepEqual(requests, [`default ${URL_OF_PART}`]);
    assert.deepEqual(taken.calls, [[...BAD], [...GOOD]]);
    assert.deepEqual(shelf.kept, new Map([[URL_OF_PART, GOOD]]));
    assert.deepEqual(counted.bytes, { network: 5, cache: 0 });
  });

  test("leaves no damaged copy behind where the host is out of reach", async (t) => {
    atOnce(t);
    const shelf = memoryShelf({ [URL_OF_PART]: BAD });
    answers(isUnreachable, isUnreachable, isUnreachable);
    await assert.rejects(bring(shelf), { code: "host_unreachable" });
    assert.equal(shelf.kept.size, 0);
  });

  test("is requested once more, past every cache, if it is refused", async () => {
    const shelf = memoryShelf();
    answers(gives(BAD), gives(GOOD));
    await bring(shelf);
    assert.deepEqual(requests, [`default ${URL_OF_PART}`, `reload ${URL_OF_PART}`]);
    assert.deepEqual(shelf.kept, new Map([[URL_OF_PART, GOOD]]));
    assert.deepEqual(counted.bytes, { network: 5, cache: 0 });
  });

  test("fails with the engine's error if it is refused twice, and is not kept", async () => {
    const shelf = memoryShelf();
    answers(gives(BAD), gives(BAD));
    await assert.rejects(bring(shelf), { code: "hash" });
    assert.equal(requests.length, 2);
    assert.equal(shelf.kept.size, 0);
  });

  test("goes on without a copy where the shelf is full", async () => {
    answers(gives(GOOD));
    const full = { ...memoryShelf(), put: () => Promise.reject(new DOMException("full", "QuotaExceededError")) };
    await bring(full);
    assert.deepEqual(taken.calls, [[...GOOD]]);
  });

  test("is cut off where the body is too long", async () => {
    let cancelled = false;
    answers(() => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(GOOD.subarray(0, 3)), cancel: () => (cancelled = true) })));
    await assert.rejects(bring(memoryShelf()), (error) => {
      assert.equal(error.code, "part_length");
      assert.match(error.message, /`files\/part\.bin`, expected 5 bytes, found more than 5/);
      return true;
    });
    assert.equal(requests.length, 1, "a longer file is not asked for again");
    assert.equal(cancelled, true, "the rest is not downloaded");
    assert.deepEqual(taken.calls, []);
    assert.deepEqual(counted.bytes, { network: 0, cache: 0 });
  });

  test("goes to the engine as short as it came, which refuses it", async () => {
    answers(gives(GOOD.subarray(0, 3)), gives(GOOD));
    await bring(memoryShelf());
    assert.deepEqual(taken.calls, [[1, 2, 3], [...GOOD]]);
  });

  test("is requested again after a dropped connection, from its start", async (t) => {
    const waits = atOnce(t);
    answers(drops(GOOD.subarray(0, 3)), isUnreachable, gives(GOOD));
    await bring(memoryShelf());
    assert.deepEqual(waits, [250, 500]);
    assert.deepEqual(requests, Array(3).fill(`default ${URL_OF_PART}`));
    assert.deepEqual(taken.calls, [[...GOOD]]);
    assert.deepEqual(counted.bytes, { network: 5, cache: 0 });
  });

  test("fails after three dropped connections", async (t) => {
    atOnce(t);
    answers(drops(GOOD.subarray(0, 3)), drops(), drops(GOOD.subarray(0, 1)));
    await assert.rejects(bring(memoryShelf()), (error) => {
      assert.equal(error.code, "host_unreachable");
      assert.match(error.message, /connection reset/);
      return true;
    });
    assert.deepEqual(counted.bytes, { network: 0, cache: 0 });
  });

  for (const [status, code] of [[404, "file_missing"], [503, "http_status"]]) {
    test(`is not requested again after the status ${status}`, async () => {
      answers(() => new Response("sorry", { status }));
      await assert.rejects(bring(memoryShelf()), { code });
      assert.equal(requests.length, 1);
    });
  }
});

describe("a manifest", () => {
  test("comes from the host, past the browser's cache, even if one was kept", async () => {
    answers(gives(GOOD));
    const found = await new Store(BUNDLE, memoryShelf({ [MANIFEST]: BAD })).manifest();
    assert.deepEqual(found, { bytes: GOOD, offline: false });
    assert.deepEqual(requests, [`no-cache ${MANIFEST}`]);
  });

  test("comes from this device if the host is out of reach", async () => {
    answers(isUnreachable, isUnreachable);
    assert.deepEqual(await new Store(BUNDLE, memoryShelf({ [MANIFEST]: GOOD })).manifest(), { bytes: GOOD, offline: true });
    await assert.rejects(new Store(BUNDLE, memoryShelf()).manifest(), { code: "host_unreachable" });
  });

  test("is refused by its status, or its size", async () => {
    answers(
      () => new Response("", { status: 404 }),
      () => new Response(new Uint8Array(4 * 1024 * 1024 + 1)),
    );
    const store = new Store(BUNDLE, memoryShelf({ [MANIFEST]: GOOD }));
    await assert.rejects(store.manifest(), { code: "file_missing" });
    await assert.rejects(store.manifest(), { code: "manifest_too_large" });
  });

  test("is an update only if another one was kept", async () => {
    const store = new Store(BUNDLE, memoryShelf());
    assert.equal(await store.isUpdate(GOOD), false, "first visit");
    await store.keepManifest(GOOD);
    assert.equal(await store.isUpdate(GOOD), false, "same");
    assert.equal(await store.isUpdate(BAD), true, "one byte differs");
    assert.equal(await store.isUpdate(GOOD.subarray(0, 4)), true, "shorter");
    assert.equal(await store.isUpdate(Uint8Array.of(...GOOD, 6)), true, "longer");
  });
});

test("pruning forgets this bundle's other pieces, and nothing else", async () => {
  const other = "https://host.test/docs/bundle-2/files/part.bin";
  const kept = [MANIFEST, URL_OF_PART, `${BUNDLE}files/old.bin`, `${BUNDLE}files/older.bin`, other];
  const shelf = memoryShelf(Object.fromEntries(kept.map((url) => [url, GOOD])));
  await new Store(BUNDLE, shelf).prune(new Set([PART.path]));
  assert.deepEqual([...shelf.kept.keys()], [MANIFEST, URL_OF_PART, other]);
});

test("a browser without Cache Storage has a shelf that stays empty", async () => {
  assert.equal(typeof caches, "undefined");
  const shelf = await openShelf();
  await shelf.put(MANIFEST, GOOD);
  await shelf.delete(URL_OF_PART);
  assert.equal(await shelf.match(MANIFEST), null);
  assert.deepEqual(await shelf.keys(), []);
});

test("Cache Storage gives back the bytes that it was given", async (t) => {
  globalThis.caches = fakeCaches();
  t.after(() => delete globalThis.caches);
  const shelf = await openShelf();
  assert.equal(await shelf.match(MANIFEST), null);
  await shelf.put(MANIFEST, GOOD);
  await shelf.put(URL_OF_PART, BAD);
  assert.deepEqual(await shelf.match(MANIFEST), GOOD);
  assert.deepEqual(await shelf.keys(), [MANIFEST, URL_OF_PART]);
  await shelf.delete(MANIFEST);
  assert.deepEqual(await shelf.keys(), [URL_OF_PART]);
  assert.deepEqual(await (await openShelf()).keys(), [URL_OF_PART], "opened again");
});

/** Cache Storage as far as the shelf uses it. */
function fakeCaches() {
  const opened = new Map();
  return {
    async open(name) {
      const kept = opened.get(name) ?? new Map();
      opened.set(name, kept);
      return {
        match: async (url) => kept.get(url)?.clone(),
        put: async (url, response) => void kept.set(url, response),
        delete: async (url) => kept.delete(url),
        keys: async () => [...kept.keys()].map((url) => new Request(url)),
      };
    },
  };
}

/** Has timers run at once; returns the times that were to be waited. */
function atOnce(t) {
  const waits = [];
  t.mock.method(globalThis, "setTimeout", (run, ms) => {
    waits.push(ms);
    queueMicrotask(run);
  });
  return waits;
}
