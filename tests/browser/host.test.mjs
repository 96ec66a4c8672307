// Checks that a worker can serve two clients: each has its own bundle, counts, searches and answers. On the double, without a browser.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fakeSite } from "./fake-bundle.mjs";
import { esbuild, load } from "./source.mjs";

const double = fileURLToPath(new URL("fake-pkg/anchorite_answers.js", import.meta.url));
/** An embedder that needs no script of its own. */
const EMBEDDER = "data:text/javascript,export const start = async () => ({ reserve() {}, addPart() {}, load() {}, dimension: () => 1 });";
const options = { alias: { "#pkg": double, "#pkg-search": double }, define: { EMBEDDER: JSON.stringify(EMBEDDER) } };
const { AnswerHost } = await load("engine/answer-host.ts", options);
const { SearchHost } = await load("engine/search-host.ts", options);

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "anchorite-host-"));
/** The pages of two sites, which have no word in common. */
const SITES = {
  lamps: "# Lamps\n\nTurn the lamp on with the brass switch. A lamp burns for nine hours.\n",
  tides: "# Tides\n\nThe moon pulls the ocean. Spring tides follow a full moon.\n",
};
for (const [name, text] of Object.entries(SITES)) {
  fs.mkdirSync(path.join(scratch, "docs", name), { recursive: true });
  fs.writeFileSync(path.join(scratch, "docs", name, "page.md"), text);
  // Bundles of different sizes, so that their counts differ too.
  fakeSite(path.join(scratch, "docs", name), path.join(scratch, "sites", name), { embedder: 1000 * name.length, generator: 2000 + name.charCodeAt(0) * 2 });
}
const address = (name) => `https://host.test/${name}/pages/anchorite/`;
const manifest = (name) => JSON.parse(fs.readFileSync(path.join(scratch, "sites", name, "pages/anchorite/manifest.json"), "utf8"));

globalThis.fetch = async (url) => new Response(fs.readFileSync(path.join(scratch, "sites", new URL(url).pathname)));
globalThis.navigator ??= {};

const ports = [];
after(() => {
  for (const port of ports) port.close();
  fs.rmSync(scratch, { recursive: true, force: true });
});

/** A client whose host has opened a bundle. */
async function connect(Host, name) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port2);
  new Host(port1, async () => undefined);
  const replies = [];
  const waiting = new Set();
  port2.addEventListener("message", ({ data }) => {
    replies.push(data);
    for (const look of waiting) look();
  });
  port2.start();
  const client = {
    replies,
    send: (request) => port2.postMessage(request),
    /** The first reply that fits, which may have come already. */
    heard: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = replies.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    search(id, query) {
      client.send({ kind: "search", id, query, limit: 10, filters: {}, sort: null });
      return client.heard((reply) => reply.kind === "hits" && reply.id === id);
    },
  };
  client.send({ kind: "open", bundle: address(name), awaitMeaning: false });
  await client.heard(({ kind, rung, state }) => kind === "rung" && rung === "meaning" && state.kind === "ready");
  return client;
}

for (const Host of [SearchHost, AnswerHost]) {
  test(`${Host.name}: two clients search two bundles under the same ids`, async () => {
    const [lamps, tides] = await Promise.all([connect(Host, "lamps"), connect(Host, "tides")]);
    for (const [client, name, own, foreign] of [[lamps, "lamps", "brass", "moon"], [tides, "tides", "moon", "brass"]]) {
      const { manifest: opened } = client.replies.find(({ kind }) => kind === "opened");
      assert.equal(opened.id, manifest(name).id);
      assert.equal((await client.search(1, own)).hits.length, 1, `${name}: ${own}`);
      assert.equal((await client.search(2, foreign)).hits.length, 0, `${name}: ${foreign}`);
    }
  });

  test(`${Host.name}: each client is told the bytes of its own bundle`, async () => {
    const clients = await Promise.all(Object.keys(SITES).map(async (name) => [name, await connect(Host, name)]));
    for (const [name, client] of clients) {
      const roles = ["index", "vectors", "embedder", ...(Host === AnswerHost ? ["reader"] : [])];
      if (Host === AnswerHost) await client.heard(({ kind, rung, state }) => kind === "rung" && rung === "reading" && state.kind === "ready");
      const expected = manifest(name).files.filter(({ role }) => roles.includes(role)).reduce((sum, { bytes }) => sum + bytes, 0);
      const { fetched, cached } = client.replies.findLast(({ kind }) => kind === "bytes");
      assert.deepEqual({ fetched, cached }, { fetched: expected, cached: 0 }, name);
    }
  });

  test(`${Host.name}: a client cancels its own search only`, async () => {
    const [one, two] = await Promise.all([connect(Host, "lamps"), connect(Host, "lamps")]);
    one.send({ kind: "abort", id: 7 });
    await one.search(8, "brass");
    assert.equal((await two.search(7, "brass")).hits.length, 1);
    one.send({ kind: "search", id: 7, query: "brass", limit: 10, filters: {}, sort: null });
    await one.search(9, "brass");
    assert.deepEqual(one.replies.filter(({ id }) => id === 7), [], "replies to the cancelled search");
  });
}

test("a client stops its own answer only, and no answer waits for another client's", async () => {
  const [one, two] = await Promise.all([connect(AnswerHost, "lamps"), connect(AnswerHost, "lamps")]);
  for (const client of [one, two]) client.send({ kind: "prepare", backend: "cpu" });
  await Promise.all([one, two].map((client) => client.heard(({ kind }) => kind === "prepared")));
  for (const client of [one, two]) client.send({ kind: "ask", id: 1, question: "How many hours does a lamp burn?", options: {} });
  const writes = ({ kind, event }) => kind === "event" && event.kind === "text";
  await Promise.all([one.heard(writes), two.heard(writes)]);
  assert.ok(![...one.replies, ...two.replies].some(({ kind }) => kind === "answer"), "both write at the same time");
  one.send({ kind: "abort", id: 1 });
  const [stopped, whole] = await Promise.all([one, two].map((client) => client.heard(({ kind }) => kind === "answer")));
  assert.equal(stopped.answer.stopped, true);
  assert.equal(whole.answer.stopped, false);
});

test("the search worker's script has nothing of the side that answers", async () => {
  const entryPoints = [fileURLToPath(new URL("../../www/src/engine/search-worker.ts", import.meta.url))];
  const { metafile } = await esbuild.build({ ...options, entryPoints, define: { EMBEDDER: '"./embedder.js"', MODULE: '""' }, external: ["./embedder.js"], bundle: true, format: "esm", write: false, metafile: true });
  const files = Object.keys(metafile.inputs).map((file) => path.basename(file));
  assert.deepEqual(files.sort(), ["anchorite_answers.js", "errors.ts", "host.ts", "search-host.ts", "search-worker.ts", "searches.ts", "session.ts", "shelf.ts", "store.ts"]);
});
