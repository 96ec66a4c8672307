// Turns calls of the benchmark into calls of Orama's full-text search, whose saved form holds the documents too.
const SCHEMA = { title: "string", text: "string", url: "enum" };
let orama;
let index;

export default {
  async init({ modules }) {
    orama = await import(`${modules}/@orama/orama/dist/browser/index.js`);
  },
  async build(docs) {
    index = orama.create({ schema: SCHEMA });
    await orama.insertMultiple(index, docs.map((doc) => ({ ...doc, id: String(doc.id) })), 500);
    return JSON.stringify(orama.save(index));
  },
  async restore(text) {
    index = orama.create({ schema: SCHEMA });
    orama.load(index, JSON.parse(text));
  },
  async query(q, k) {
    const { hits } = await orama.search(index, { term: q, limit: k, properties: ["title", "text"] });
    return hits.map(({ id }) => id);
  },
};
