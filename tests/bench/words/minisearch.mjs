// Turns calls of the benchmark into calls of MiniSearch, whose whole index is one file of JSON.
const OPTIONS = { fields: ["title", "text"], storeFields: ["title", "url"] };
let MiniSearch;
let index;

export default {
  async init({ modules }) {
    MiniSearch = (await import(`${modules}/minisearch/dist/es/index.js`)).default;
  },
  async build(docs) {
    index = new MiniSearch(OPTIONS);
    index.addAll(docs);
    return JSON.stringify(index);
  },
  async restore(text) {
    index = MiniSearch.loadJSON(text, OPTIONS);
  },
  async query(q, k) {
    return index.search(q).slice(0, k).map(({ id }) => String(id));
  },
};
