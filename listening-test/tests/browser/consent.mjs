// The consent page states purpose, institution and sharing in every language of the page, in the study's words or else in
// English; a study that states none of them shows nothing of them. The copy of one's answers has them, too.
//
//   node consent.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { download, launch, screen } from "./browser.mjs";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const LANGUAGES = ["en", "de", "fr", "es", "ar"];
const STATED = {
  purpose: { en: "To learn how people hear.", de: "Um zu lernen, wie Menschen hören.", ar: "لنعرف كيف يسمع الناس." },
  institution: { en: "Example University", fr: "Université d’exemple" },
  sharing: { en: "An open archive" },
};
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const trompe = commandLine(process.argv[2] ?? "../../../target/debug/trompe-listen");
const folder = mkdtempSync(join(tmpdir(), "consent-"));
const browser = await launch();
let server;
try {
  const study = sampleStudy(trompe, folder, { seconds: 1 });
  const design = join(study, "study.toml");
  const before = readFileSync(design, "utf8");
  const tables = Object.entries(STATED).map(([key, texts]) =>
    `[consent.${key}]\n${Object.entries(texts).map(([language, text]) => `${language} = ${JSON.stringify(text)}\n`).join("")}`);

  const visit = async (check) => {
    const started = await serve(trompe, study, join(folder, `${Math.random()}.sqlite`));
    server = started.server;
    for (const language of LANGUAGES) {
      const context = await browser.newContext(screen({ width: 390, phone: true, dark: language === "ar" }));
      const page = await context.newPage();
      await page.goto(`${started.address}?language=${language}`);
      await page.waitForSelector("#agree");
      await check(page, language);
      await context.close();
    }
    server.kill();
  };
  await visit(async (page) => assert.equal(await page.locator("[id^=consent-]").count(), 0));

  writeFileSync(design, before.replace("[trial]", `${tables.join("")}\n[trial]`));
  trompe(["reseal", study], { stdio: "pipe" });
  await visit(async (page, language) => {
    const words = JSON.parse(readFileSync(new URL(`../../page/languages/${language}.json`, import.meta.url), "utf8"));
    for (const [key, texts] of Object.entries(STATED)) {
      const shown = await page.locator(`#consent-${key}`).innerText();
      assert.equal(shown, `${words[`consent.${key}`]} ${texts[language] ?? texts.en}`, `${key} in ${language}`);
    }
    const found = await page.evaluate(`${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })`);
    assert.deepEqual(found.violations.map((violation) => violation.id), [], language);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `${language}: ${overflow} px too wide`);
    if (language !== "de") return;
    await page.locator("#agree").check();
    await page.locator("main form button[type=submit]").first().click();
    await page.waitForSelector(".code");
    const file = join(folder, "mine.json");
    await page.evaluate(() => window.trompe.participationDialog());
    await download(page, () => page.locator("dialog button").first().click(), file);
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")).consent.purpose, STATED.purpose);
  });
  console.log(`consent: purpose, institution and sharing in ${LANGUAGES.length} languages`);
} finally {
  server?.kill();
  await browser.close();
  rmSync(folder, { recursive: true });
}
