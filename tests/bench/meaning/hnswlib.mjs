// Turns calls of the benchmark into calls of hnswlib-wasm, whose files enter and leave through the browser's IndexedDB.
const FILE = "bench.dat";
const DATABASE = "/hnswlib-index";
const STORE = "FILE_DATA";
/** Links, breadth of the build and seed, as the library's documentation gives them. */
const [N_LINKS, EF_CONSTRUCTION, SEED] = [16, 200, 100];
/** Candidates of a search; the default is 10, which is only as many as each query asks for. */
const EF_SEARCH = 64;
const N_AT_ONCE = 1000;
let library;
let index;

const synchronise = (fromDatabase) => new Promise((resolve) => library.EmscriptenFileSystemManager.syncFS(fromDatabase, resolve));

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inStore(mode, use) {
  const database = await settled(indexedDB.open(DATABASE));
  try {
    return await settled(use(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

const open = (dimension) => new library.HierarchicalNSW("ip", dimension, "");

export default {
  async init({ modules }) {
    library = await (await import(`${modules}/hnswlib-wasm/dist/hnswlib.js`)).loadHnswlib();
    await synchronise(true);
  },
  async build(vectors, dimension) {
    index = open(dimension);
    index.initIndex(vectors.length, N_LINKS, EF_CONSTRUCTION, SEED);
    for (let start = 0; start < vectors.length; start += N_AT_ONCE) {
      const some = vectors.slice(start, start + N_AT_ONCE);
      index.addPoints(some, some.map((_, idx) => start + idx), false);
    }
  },
  async save() {
    index.writeIndex(FILE);
    await synchronise(false);
    const { contents } = await inStore("readonly", (store) => store.get(`${DATABASE}/${FILE}`));
    return contents;
  },
  async load({ index: url, n, dimension }) {
    const contents = new Uint8Array(await (await fetch(url)).arrayBuffer());
    // Newer than the library's own copy, so that it takes this one.
    const file = { timestamp: new Date(Date.now() + 1000), mode: 0o100666, contents };
    await inStore("readwrite", (store) => store.put(file, `${DATABASE}/${FILE}`));
    await synchronise(true);
    index = open(dimension);
    await index.readIndex(FILE, n);
    index.setEfSearch(EF_SEARCH);
  },
  query: (vector, k) => index.searchKnn(vector, k, undefined).neighbors,
};
