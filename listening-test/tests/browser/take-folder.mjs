// Takes a study without a server, opened from the disk, and hands the answers over.
//
//   node take-folder.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { download, launch, name as browserName, ofDriver, screen } from "./browser.mjs";
import { readCode } from "./read-code.mjs";
import { commandLine, sampleStudy } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "take-folder-"));
const study = sampleStudy(trompe, folder, { seconds: 1.5, more: ["--headphones", "off"] });
const out = join(folder, "static");
trompe(["export", study, "--static", "--out", out]);
for (const file of ["index.html", ...readdirSync(join(out, "page")).map((name) => `page/${name}`)]) {
  const text = readFileSync(join(out, file), "utf8");
  for (const secret of ["fooling", "0.9991", "posterior"]) assert(!text.includes(secret), `${file} tells ${secret}`);
}

const browser = await launch();
const context = await browser.newContext({ ...screen({ width: 1280 }), acceptDownloads: true });
const page = await context.newPage();
const problems = [];
page.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
page.on("console", (message) => message.type() === "error" && !ofDriver(message.text()) && problems.push(message.text()));
page.on("request", (request) => request.url().startsWith("http") && problems.push(request.url()));

/** The text of the code in a screenshot. */
async function scan(picture) {
  if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, "code.png"), picture);
  const eye = await context.newPage();
  const [width, height, grey] = await eye.evaluate(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    return [image.width, image.height, Array.from({ length: data.length / 4 }, (_, n) => data[4 * n])];
  }, `data:image/png;base64,${picture.toString("base64")}`);
  await eye.close();
  return readCode(Uint8ClampedArray.from(grey), width, height);
}

try {
  await page.goto(pathToFileURL(join(out, "index.html")).href + "?language=de");
  await page.check("#agree");
  await page.click("main form .primary");
  let reloaded = false;
  for (;;) {
    await page.waitForFunction(() => window.trompe?.participation && (window.trompe.participation.end() || window.trompe.participation.step()));
    const step = await page.evaluate(() => window.trompe.participation.step());
    if (!step) break;
    await page.waitForFunction((index) => document.getElementById("main").dataset.step === String(index), step.index);
    if (step.index === 6 && !reloaded) { reloaded = true; await page.reload(); continue; }
    if (["practice", "trial"].includes(step.kind)) {
      await page.keyboard.press(" ");
      await page.keyboard.press("1");
    }
    await page.waitForFunction(() => !document.querySelector("main form button[type=submit]").disabled);
    await page.click("main form button[type=submit]");
    if (step.kind === "practice") {
      await page.waitForFunction(() => !document.querySelector("input[type=radio]"));
      await page.click("main form button[type=submit]");
    }
  }
  const file = join(folder, "answers.json");
  await download(page, () => page.click("main button"), file);
  const database = join(folder, "answers.sqlite");
  const take = () => trompe(["import", study, "--database", database, file], { encoding: "utf8" });
  assert.equal(take(), "1 new of 1 participations\n");
  assert.equal(take(), "0 new of 1 participations\n");
  // the same by mail, quoted by a mail program, into another database
  await page.waitForFunction(() => document.getElementById("mail").value);
  const letter = await page.inputValue("#mail");
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, "folder-end.png"), fullPage: true });
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const found = await page.evaluate(`${axe}; axe.run(document, { preload: false })`);
  for (const { id, nodes } of found.violations) problems.push(`axe: ${id} at ${nodes[0].target}`);
  assert.match(await page.getAttribute("#mail-open", "href"), /^mailto:[^?]+@/);
  const mail = join(folder, "mail.txt");
  writeFileSync(mail, `Here they are.\n> ${letter.replaceAll("\n", "\r\n> ")}\n`);
  const other = join(folder, "mailed.sqlite");
  assert.equal(trompe(["import", study, "--database", other, mail], { encoding: "utf8" }), "1 new of 1 participations\n");
  // and by the codes on the screen, as a phone would scan them: the last first, the first twice
  const count = Number((await page.getAttribute(".qr", "aria-label")).match(/\d+$/)[0]);
  const scans = [];
  for (let n = 0; n <= count; n += 1) {
    scans.unshift(await scan(await page.locator(".qr").screenshot()));
    if (count > 1) await page.click("#code-next");
  }
  const scanned = join(folder, "codes.txt");
  writeFileSync(scanned, scans.join("\n"));
  const third = join(folder, "scanned.sqlite");
  assert.equal(trompe(["import", study, "--database", third, scanned], { encoding: "utf8" }), "1 new of 1 participations\n");
  trompe(["export", study, "--database", third, "--out", join(folder, "scanned")]);
  trompe(["export", study, "--database", other, "--out", join(folder, "mailed")]);
  const table = (name) => readFileSync(join(folder, name, "answers.csv"), "utf8");
  trompe(["export", study, "--database", database, "--out", join(folder, "export")]);
  const exported = JSON.parse(readFileSync(join(folder, "export", "answers.json"), "utf8"));
  assert.equal(exported.participants[0].finished, true);
  assert.equal(table("mailed"), table("export"));
  assert.equal(table("scanned"), table("export"));
  assert(reloaded);
  assert.deepEqual(problems, []);
  console.log(`a folder without a server, in ${browserName}: ${exported.answers.length} trials handed over as one file, as ${letter.length} characters of mail and as ${count} codes`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
