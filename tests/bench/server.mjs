// Turns folders into a local host that answers ranges, gives pages a fine clock, counts the bytes it sends, and keeps uploads.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
/** Cross-origin isolation: a fine clock, and shared memory for the engines that ask for it. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/**
 * Serves each folder of `folders` under its name: `{ models: "/some/folder" }` gives `/models/FILE`. Files that a page puts are kept
 * in the folder named `writable`, if there is one.
 */
export async function serve(folders, { writable } = {}) {
  const sent = [];
  const server = http.createServer((request, response) => {
    const url = decodeURIComponent(new URL(request.url, "http://host").pathname);
    const [, name, ...rest] = path.normalize(url).split("/");
    const file = folders[name] && path.join(folders[name], ...rest);
    const headers = { ...ISOLATION, "Accept-Ranges": "bytes", "Cache-Control": "no-store" };
    if (request.method === "PUT" && file && name === writable) {
      request.pipe(fs.createWriteStream(file)).on("finish", () => {
        response.writeHead(201, headers);
        response.end();
      });
      return;
    }
    if (!file || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, headers);
      response.end();
      return;
    }
    const size = fs.statSync(file).size;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    headers["Content-Type"] = TYPES[path.extname(file)] ?? "application/octet-stream";
    headers["Content-Length"] = end - start + 1;
    if (range) headers["Content-Range"] = `bytes ${start}-${end}/${size}`;
    response.writeHead(range ? 206 : 200, headers);
    if (request.method === "HEAD" || size === 0) {
      response.end();
      return;
    }
    sent.push({ folder: name, file, n_bytes: end - start + 1 });
    fs.createReadStream(file, { start, end, highWaterMark: 1 << 20 }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    sent,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
