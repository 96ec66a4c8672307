// Turns folders into a static host that can misbehave on purpose: flip a bit, drop a file, hold a response, count requests.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** The policy that the documentation promises, on every response, so that it binds workers too. */
export const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; worker-src 'self'; img-src 'self'";

/**
 * Serves `roots` (the first folder that has the file wins) under `base`. The returned object's `rules` decide for each
 * path, relative to `base`, what goes wrong: a function `(path) => null | { status } | { flip: byteIdx } | { replace: bytes } |
 * { hold: promise } | { destroy: true }`.
 */
export async function serve(roots, { base = "/", policy = POLICY, port = 0 } = {}) {
  const host = { log: [], rules: () => null };
  const server = http.createServer(async (request, response) => {
    const url = decodeURIComponent(new URL(request.url, "http://host").pathname);
    const entry = { url, status: 0, bytes: 0 };
    host.log.push(entry);
    const end = (status, head, body = "") => {
      Object.assign(entry, { status, bytes: body.length });
      response.writeHead(status, { "Content-Security-Policy": policy, "Cache-Control": "no-cache", ...head });
      response.end(request.method === "HEAD" ? "" : body);
    };
    if (!url.startsWith(base)) return end(404, {}, "outside the base");
    const name = url.slice(base.length) + (url.endsWith("/") ? "index.html" : "");
    const rule = host.rules(name) ?? {};
    if (rule.hold) await rule.hold;
    if (rule.destroy) return void response.destroy();
    if (rule.status) return end(rule.status, {}, "by rule");
    const file = roots.map((root) => path.join(root, path.normalize(`/${name}`))).find((one) => fs.existsSync(one) && fs.statSync(one).isFile());
    if (!file) return end(404, {}, "not found");
    let body = rule.replace ?? fs.readFileSync(file);
    if (rule.flip !== undefined) {
      body = Buffer.from(body);
      body[rule.flip % body.length] ^= 1;
    }
    return end(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream" }, body);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  host.origin = `http://127.0.0.1:${server.address().port}`;
  host.url = `${host.origin}${base}`;
  host.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    });
  return host;
}

/** Passes every request on to `upstream` and counts it: what a page really asks for, workers and service workers included. */
export async function countingProxy(upstream) {
  const target = new URL(upstream);
  const log = [];
  const server = http.createServer((request, response) => {
    const entry = { url: request.url, status: 0, bytes: 0 };
    log.push(entry);
    const headers = { ...request.headers, host: target.host };
    const onward = http.request(
      { host: target.hostname, port: target.port, path: request.url, method: request.method, headers },
      (answer) => {
        entry.status = answer.statusCode;
        response.writeHead(answer.statusCode, answer.headers);
        answer.on("data", (piece) => {
          entry.bytes += piece.length;
        });
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    log,
    url: `http://127.0.0.1:${server.address().port}${target.pathname}${target.search}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}
