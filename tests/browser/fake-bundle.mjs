// Turns a folder of Markdown into a bundle and pages that the double in `fake-pkg/` can read; for tests of the elements alone.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");
const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N} -]/gu, "").trim().replace(/ /g, "-");
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** Splits at headings; good enough for a double. */
function sections(markdown) {
  const found = [];
  let current = { heading: "", text: [] };
  for (const line of markdown.replace(/```[\s\S]*?```/g, "").split("\n")) {
    const heading = /^#{1,4}\s+(.*)/.exec(line);
    if (heading) {
      found.push(current);
      current = { heading: heading[1].trim(), text: [] };
    } else current.text.push(line);
  }
  found.push(current);
  return found
    .map(({ heading, text }) => ({ heading, text: text.join(" ").replace(/[`*|]/g, "").replace(/\s+/g, " ").trim() }))
    .filter(({ text }) => text !== "");
}

/** Writes the pages and, in a folder beside them, their bundle below `out/pages`. Weights are noise of the given sizes, because nothing reads them. */
export function fakeSite(docs, out, { embedder = 300_000, generator = 900_000 } = {}) {
  const chunks = [];
  let documents = 0;
  for (const name of fs.readdirSync(docs, { recursive: true }).sort()) {
    if (!name.endsWith(".md")) continue;
    documents += 1;
    const page = name.replace(/\.md$/, ".html");
    const parts = sections(fs.readFileSync(path.join(docs, name), "utf8"));
    const title = parts[0]?.heading || page;
    for (const { heading, text } of parts) {
      const anchor = slug(heading);
      const url = anchor ? `${page}#${anchor}` : page;
      const id = sha256(`${url}${chunks.length}`).slice(0, 16);
      chunks.push({ id, url, title, headings: heading ? [heading] : [], text });
    }
    const file = path.join(out, "pages", page);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const body = parts.map(({ heading, text }) => `<h2 id="${slug(heading)}">${escape(heading)}</h2><p>${escape(text)}</p>`);
    fs.writeFileSync(file, `<!doctype html><meta charset="utf-8"><title>${escape(title)}</title>${body.join("\n")}`);
  }
  const noise = (bytes, seed) => {
    const hash = crypto.createHash("shake256", { outputLength: bytes });
    return hash.update(seed).digest();
  };
  const content = [
    ["index", "index.json", [Buffer.from(JSON.stringify(chunks))]],
    ["vectors", "vectors.bin", [noise(4_000, "vectors")]],
    ["embedder", "embedder.gguf", [noise(embedder, "embedder")]],
    ["reader", "reader.gguf", [noise(200_000, "reader")]],
    ["generator", "generator.gguf", [noise(generator / 2, "one"), noise(generator / 2, "two")]],
  ];
  const bundle = path.join(out, "pages/anchorite");
  fs.mkdirSync(path.join(bundle, "files"), { recursive: true });
  const files = content.map(([role, name, parts]) => ({
    role,
    name,
    bytes: parts.reduce((sum, part) => sum + part.length, 0),
    sha256: sha256(Buffer.concat(parts)),
    parts: parts.map((part) => {
      const hash = sha256(part);
      const file = `files/${hash.slice(0, 16)}${path.extname(name)}`;
      fs.writeFileSync(path.join(bundle, file), part);
      return { path: file, bytes: part.length, sha256: hash };
    }),
  }));
  const id = sha256(files.map((file) => file.sha256).join());
  const counts = { documents, chunks: chunks.length, embeddingDimension: 384, shards: { count: 0, bytes: 0 } };
  const manifest = { format: 6, anchorite: "0.1.0", id, ...counts, files };
  fs.writeFileSync(path.join(bundle, "manifest.json"), JSON.stringify(manifest));
}
