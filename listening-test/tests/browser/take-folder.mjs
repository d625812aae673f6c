// Takes a study without a server, opened from the disk, and hands the answers over.
//
//   node take-folder.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
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

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ acceptDownloads: true });
const page = await context.newPage();
const problems = [];
page.on("pageerror", (error) => problems.push(error.message));
page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
page.on("request", (request) => request.url().startsWith("http") && problems.push(request.url()));
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
  const waiting = page.waitForEvent("download");
  await page.click("main button");
  const file = join(folder, "answers.json");
  await (await waiting).saveAs(file);
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
  trompe(["export", study, "--database", other, "--out", join(folder, "mailed")]);
  const table = (name) => readFileSync(join(folder, name, "answers.csv"), "utf8");
  trompe(["export", study, "--database", database, "--out", join(folder, "export")]);
  const exported = JSON.parse(readFileSync(join(folder, "export", "answers.json"), "utf8"));
  assert.equal(exported.participants[0].finished, true);
  assert.equal(table("mailed"), table("export"));
  assert(reloaded);
  assert.deepEqual(problems, []);
  console.log(`a folder without a server: ${exported.answers.length} trials handed over as one file, and as ${letter.length} characters of mail`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
