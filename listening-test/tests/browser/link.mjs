// The page's link to a server that is slow: what still comes is waited for, silence is not.
//
//   node link.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { runInNewContext } from "node:vm";

const HASTE = 20; // the page's seconds are this many times shorter
const PARTS = 20;
const server = createServer((request, response) => {
  if (request.url.endsWith("silent")) return;
  let sent = 0;
  const timer = setInterval(() => {
    response.write("part");
    sent += 1;
    const cut = request.url.endsWith("stuck") && sent === 2;
    if (sent === PARTS || cut) clearInterval(timer);
    if (sent === PARTS) response.end();
  }, 2000 / HASTE);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}/`;

const window = { trompe: {} };
runInNewContext(readFileSync(new URL("../../page/server.js", import.meta.url), "utf8"), {
  window, AbortController, TransformStream, Response, clearTimeout,
  setTimeout: (act, wait) => setTimeout(act, wait / HASTE),
  AbortSignal: { timeout: (wait) => AbortSignal.timeout(wait / HASTE) },
  fetch: (path, options) => fetch(base + path, options),
});
const { link } = window.trompe;

const began = performance.now();
const bytes = await link.stimulus("code", "slow");
const seconds = (HASTE * (performance.now() - began)) / 1000;
assert.equal(bytes.byteLength, 4 * PARTS);
assert(seconds > 30, `it took ${seconds} s`);
for (const name of ["stuck", "silent"]) {
  await assert.rejects(link.stimulus("code", name), { offline: true }, name);
}
console.log(`a stimulus that takes ${seconds.toFixed(0)} s arrives; silence is given up`);
server.closeAllConnections();
server.close();
