// Turns calls of the benchmark into calls of our client, as a page makes them: worker, module, shards on demand.
let engine;

export default {
  async load({ ours, bundle }) {
    const { Anchorite } = await import(`${ours}/anchorite-search.js`);
    engine = await Anchorite.open(bundle, { backend: "none" });
  },
  async query(q, k) {
    return (await engine.search(q, { limit: k })).map(({ url }) => url.split("#")[0]);
  },
};
