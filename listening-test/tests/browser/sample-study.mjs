// A small audio and image study of synthesized material, built by the real command. It says
// everywhere that it is synthetic; it tests the tool, not people.
import { createHash } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** `trompe(["serve", ...])` for a command line such as "target/debug/trompe listen". */
export function commandLine(command) {
  const [program, ...first] = command.split(" ");
  const trompe = (words, options) => execFileSync(program, [...first, ...words], options);
  trompe.start = (words) => spawn(program, [...first, ...words]);
  return trompe;
}

/** Serves a study on any free port. */
export async function serve(trompe, study, database) {
  const server = trompe.start(["serve", study, "--database", database, "--address", "127.0.0.1:0"]);
  const printed = await new Promise((resolve) => server.stdout.once("data", (data) => resolve(String(data))));
  return { server, address: printed.match(/http:\S+\//)[0] };
}

const RATE = 22050;
export const GENRES = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
export const DIGITS = ["zero", "one", "two", "three"];

/** A 16-bit mono WAV of a few tones, a different one for every seed. */
export function wav(seed, seconds) {
  const frames = Math.round(seconds * RATE);
  const data = Buffer.alloc(2 * frames);
  for (let n = 0; n < frames; n += 1) {
    const beat = (n / RATE) % 0.5;
    let value = 0;
    for (let partial = 1; partial <= 3; partial += 1) {
      value += Math.sin((2 * Math.PI * (110 + 17 * seed) * partial * n) / RATE) / partial;
    }
    data.writeInt16LE(Math.round(6000 * value * Math.exp(-4 * beat)), 2 * n);
  }
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(2 * RATE, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** A 28 x 28 grey PNG of rings. */
function png(seed) {
  const rows = [];
  for (let y = 0; y < 28; y += 1) {
    rows.push(0);
    for (let x = 0; x < 28; x += 1) rows.push(127 + 127 * Math.sin(Math.hypot(x - 14, y - 9 - seed) * (0.4 + seed / 9)));
  }
  const chunk = (kind, content) => {
    const body = Buffer.concat([Buffer.from(kind), content]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(content.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body) >>> 0, body.length + 4);
    return out;
  };
  const size = Buffer.from([0, 0, 0, 28, 0, 0, 0, 28, 8, 0, 0, 0, 0]);
  const pixels = deflateSync(Buffer.from(rows));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", size), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

function foolingSet(folder, medium, classes, make, extension) {
  mkdirSync(folder, { recursive: true });
  const exhibits = classes.map((label, index) => {
    const file = `${index}-${label}.${extension}`;
    const bytes = make(index);
    writeFileSync(join(folder, file), bytes);
    const log_odds = classes.map((other) => (other === label ? 7 : -9));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { file, class: index, label, posterior: 0.9991, log_odds, sha256 };
  });
  const origin = { medium, classes, classifier: { kind: "toy", provenance: "synthetic" } };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ origin, exhibits }));
}

function controls(folder, classes, perClass, make, extension) {
  classes.forEach((label, index) => {
    mkdirSync(join(folder, label), { recursive: true });
    for (let number = 0; number < perClass; number += 1) {
      writeFileSync(join(folder, label, `${number}.${extension}`), make(20 + 3 * index + number));
    }
  });
}

/** Builds the study under `folder` and gives its path. */
export function sampleStudy(trompe, folder, { seconds = 4, fooling = 4, real = 3, more = [] } = {}) {
  foolingSet(join(folder, "audio"), "audio", GENRES, (seed) => wav(seed, seconds), "wav");
  foolingSet(join(folder, "image"), "image", DIGITS, png, "png");
  controls(join(folder, "music"), GENRES, 1, (seed) => wav(seed, seconds), "wav");
  controls(join(folder, "digits"), DIGITS, 2, png, "png");
  const study = join(folder, "study");
  trompe([
    "build", "--out", study, "--name", "sample", "--contact", "lab@example.org", "--retain-until", "2030-12-31",
    "--set", join(folder, "audio"), "--set", join(folder, "image"),
    "--real", join(folder, "music"), "--real", join(folder, "digits"),
    "--fooling", String(fooling), "--controls", String(real), "--catch", "1", "--practice", "1", ...more,
  ], { stdio: "inherit" });
  return study;
}
