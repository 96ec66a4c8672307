// Turns calls of the benchmark into calls of Orama's search by vectors, which compares all; its saved form is JSON.
let orama;
let index;

const create = (dimension) => orama.create({ schema: { vector: `vector[${dimension}]` } });

export default {
  async init({ modules }) {
    orama = await import(`${modules}/@orama/orama/dist/browser/index.js`);
  },
  async build(vectors, dimension) {
    index = create(dimension);
    await orama.insertMultiple(index, vectors.map((vector, id) => ({ id: String(id), vector: Array.from(vector) })), 500);
  },
  save: () => JSON.stringify(orama.save(index)),
  async load({ index: url, dimension }) {
    index = create(dimension);
    orama.load(index, await (await fetch(url)).json());
  },
  async query(vector, k) {
    // By default it leaves out hits with a similarity below 0.8.
    const options = { mode: "vector", vector: { value: vector, property: "vector" }, similarity: -1, limit: k };
    return (await orama.search(index, options)).hits.map(({ id }) => id);
  },
};
