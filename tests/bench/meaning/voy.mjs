// Turns calls of the benchmark into calls of voy, a k-d tree whose saved form is JSON.
let voy;
let index;

export default {
  /** Loads the module, which the package leaves to a bundler. */
  async init({ modules }) {
    voy = await import(`${modules}/voy-search/voy_search_bg.js`);
    const response = fetch(`${modules}/voy-search/voy_search_bg.wasm`);
    const { instance } = await WebAssembly.instantiateStreaming(response, { "./voy_search_bg.js": voy });
    voy.__wbg_set_wasm(instance.exports);
  },
  async build(vectors) {
    // Titles and addresses would only make its file larger.
    const embeddings = vectors.map((vector, id) => ({ id: String(id), title: "", url: "", embeddings: Array.from(vector) }));
    index = new voy.Voy({ embeddings });
  },
  save: () => index.serialize(),
  async load({ index: url }) {
    index = voy.Voy.deserialize(await (await fetch(url)).text());
  },
  query: (vector, k) => index.search(vector, k).neighbors.map(({ id }) => id),
};
