// Turns calls of the benchmark into calls of our module, which opens a bundle's vectors and searches them.
let module;
let index;

export default {
  async init({ ours }) {
    module = await import(`${ours}/anchorite_bench.js`);
    await module.default({ module_or_path: `${ours}/anchorite_bench_bg.wasm` });
  },
  async load({ bundle }) {
    const bytes = async (path) => new Uint8Array(await (await fetch(`${bundle}/${path}`)).arrayBuffer());
    const manifest = await bytes("manifest.json");
    const { files } = JSON.parse(new TextDecoder().decode(manifest));
    const file = async (role) => {
      const { parts } = files.find((one) => one.role === role);
      const fetched = await Promise.all(parts.map(({ path }) => bytes(path)));
      return fetched.length === 1 ? fetched[0] : new Uint8Array(await new Blob(fetched).arrayBuffer());
    };
    const [words, vectors] = await Promise.all([file("index"), file("vectors")]);
    index = module.VectorIndex.open(manifest, words, vectors);
  },
  mode: () => index.mode(),
  query: (vector, k) => index.search(vector, k),
};
