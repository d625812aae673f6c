// Codes of every version, drawn by the page's encoder, read by another's decoder; and how many
// codes the answers of a study need.
//
//   node codes.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { readCode } from "./read-code.mjs";

const page = (name) => readFileSync(new URL(`../../page/${name}`, import.meta.url), "utf8");
const window = { trompe: { el() {}, t() {} } };
for (const name of ["qr.js", "codes.js"]) runInNewContext(page(name), { window, TextEncoder });
const { trompe } = window;

/** Reads a code from its modules, as pixels with a quiet zone. */
function read(grid) {
  const scale = 4;
  const quiet = 4;
  const size = scale * (grid.length + 2 * quiet);
  const grey = new Uint8ClampedArray(size * size).fill(255);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (grid[Math.floor(y / scale) - quiet]?.[Math.floor(x / scale) - quiet]) grey[y * size + x] = 0;
    }
  }
  return readCode(grey, size, size);
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
let state = 7;
const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
const text = (length) => Array.from({ length }, () => digits[Math.floor(64 * random())]).join("");

let tried = 0;
for (let version = 1; version <= 40; version += 1) {
  // as full as it gets, and as empty: one byte more than the version before holds
  for (const length of [trompe.qrRoom(version), version > 1 ? trompe.qrRoom(version - 1) + 1 : 1]) {
    const wanted = text(length);
    const grid = trompe.qr(wanted);
    assert.equal(grid.length, 17 + 4 * version, `${length} bytes`);
    assert.equal(read(grid), wanted, `version ${version}, ${length} bytes`);
    tried += 1;
  }
}
assert.equal(trompe.qr(text(2954)), null, "no version holds more than 2953 bytes");
assert.equal(read(trompe.qr("é漢🎵 =1+1")), "é漢🎵 =1+1");

/** The answers of a folder's participant to `trials` trials and what goes with them. */
function record(trials) {
  const genres = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
  const between = (low, high) => Math.floor(low + (high - low) * random());
  const answers = [{ response_ms: 41234, heard_ms: 0, plays: 0, stalls: 0, answers: { age: "30-44", training: "1-2",
    listening: "daily", genres: "3", hearing: "yes", device: "over-ear", room: "quiet" } }];
  for (let n = 0; n < trials; n += 1) {
    answers.push({ response_ms: between(2500, 30000), heard_ms: between(3000, 30000), plays: between(1, 3), stalls: 0,
      choice: genres[between(0, 10)], ...(n % 2 ? { rating: between(1, 6) } : {}) });
  }
  answers.forEach((given, step) => Object.assign(given, { step, key: `step-${String(step).padStart(4, "0")}` }));
  return { study: "genres", participant: `f-17-${Buffer.from(text(9)).toString("hex").slice(0, 24)}`,
    consent_version: "0123456789abcdef", language: "en", answers };
}

const needed = {};
for (const trials of [16, 45, 60, 120]) {
  const packed = gzipSync(JSON.stringify(record(trials)));
  const texts = trompe.codeTexts({ digits: packed.toString("base64url"), sum: packed.subarray(-8, -4).toString("hex") });
  for (const [n, code] of texts.entries()) {
    assert.match(code, new RegExp(`^TROMPE ANSWERS ${n + 1}/${texts.length} [0-9a-f]{8} [\\w-]+\\.$`));
    const grid = trompe.qr(code);
    assert(grid.length <= 77, `${grid.length} modules`);
    assert.equal(read(grid), code);
  }
  needed[trials] = `${texts.length} (${packed.length} bytes)`;
}
assert(Number.parseInt(needed[45], 10) <= 3);
console.log(`${tried} codes of 40 versions read back; codes for so many trials: ${JSON.stringify(needed)}`);
