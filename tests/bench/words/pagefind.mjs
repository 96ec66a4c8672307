// Turns calls of the benchmark into calls of Pagefind, which builds in Node and fetches chunks and fragments on demand.
let pagefind;

export default {
  async buildInNode(docs, folder) {
    const { createIndex, close } = await import("pagefind");
    const { index } = await createIndex({});
    for (const { id, title, text } of docs) {
      const { errors } = await index.addCustomRecord({ url: `/d/${id}`, content: text, language: "en", meta: { title } });
      if (errors.length > 0) throw new Error(errors[0]);
    }
    await index.writeFiles({ outputPath: folder });
    await close();
  },
  async load({ folder }) {
    pagefind = await import(`${folder}/pagefind.js`);
    await pagefind.options({ baseUrl: "/" });
    await pagefind.init();
  },
  /** The ranking, with the texts that a page shows for its first `k`. */
  async query(q, k) {
    const { results } = await pagefind.search(q);
    const shown = await Promise.all(results.slice(0, k).map((result) => result.data()));
    return shown.map(({ raw_url, url }) => (raw_url ?? url).split("/").pop());
  },
};
