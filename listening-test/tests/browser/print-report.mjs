// A report as a PDF, by the line that the documentation gives: it is of vectors with its fonts in it, whole figures and
// the width of tables fit a page of A4 and of US Letter, and nothing that is folded on screen is missing.
//
//   node print-report.mjs COMMAND
//
// COMMAND is the command line of the study tools, such as "target/debug/trompe-listen". SHOTS=FOLDER keeps the PDF.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch, name } from "./browser.mjs";
import { commandLine, sampleStudy, wav } from "./sample-study.mjs";

/** What the margins of the page's style sheet leave of the narrower and of the shorter paper, in CSS pixels. */
const MILLIMETRE = 96 / 25.4;
const WIDTH = Math.floor((210 - 2 * 14) * MILLIMETRE);
const HEIGHT = Math.floor((279.4 - 2 * 16) * MILLIMETRE);

const trompe = commandLine(process.argv[2] ?? "../../../target/debug/trompe-listen");
const folder = mkdtempSync(join(tmpdir(), "print-"));
try {
  // blocks of choices and a block of MUSHRA: every kind of figure
  for (const page of ["one", "two"]) {
    mkdirSync(join(folder, "pages", page), { recursive: true });
    for (const [number, file] of ["reference", "new", "old"].entries()) {
      writeFileSync(join(folder, "pages", page, `${file}.wav`), wav(40 + 5 * number + page.length, 2));
    }
  }
  const more = ["--mushra", join(folder, "pages"), "--headphones", "off"];
  const study = sampleStudy(trompe, folder, { seconds: 1, more });
  // numbers do not matter here, and simulations take most of the time
  const design = join(study, "study.toml");
  writeFileSync(design, readFileSync(design, "utf8").replace("simulations = 999", "simulations = 39").replace("resamples = 4000", "resamples = 100"));
  trompe(["reseal", study], { stdio: "pipe" });
  const [database, out] = [join(folder, "answers.sqlite"), join(folder, "results")];
  trompe(["simulate", study, "--database", database, "--listeners", "8"], { stdio: "pipe" });
  trompe(["analyze", study, "--database", database, "--simulated", "--out", out], { stdio: "pipe" });
  const report = pathToFileURL(join(out, "report.html")).href;

  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  await page.goto(report);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const seen = await page.evaluate(([width, height]) => {
    const wrong = [];
    const label = (element) => element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40);
    const figures = [...document.querySelectorAll("svg")];
    for (const svg of figures) {
      const box = svg.getBoundingClientRect();
      if (box.left < 0 || box.right > width + 1) wrong.push(`${label(svg)}: from ${box.left} to ${box.right} px of ${width}`);
      if (box.height > height) wrong.push(`${label(svg)}: ${box.height} px of ${height}`);
      if (getComputedStyle(svg).breakInside !== "avoid") wrong.push(`${label(svg)}: may be cut between pages`);
      for (const text of svg.querySelectorAll("text")) {
        const part = text.getBoundingClientRect();
        const cut = part.left < box.left - 1 || part.right > box.right + 1 || part.top < box.top - 1 || part.bottom > box.bottom + 1;
        if (cut) wrong.push(`${label(svg)}: ${JSON.stringify(text.textContent)} is cut`);
      }
    }
    for (const figure of document.querySelectorAll("figure")) {
      if (getComputedStyle(figure).breakInside !== "avoid") wrong.push(`${label(figure)}: may be cut between pages`);
    }
    for (const part of document.querySelectorAll(".scroll")) {
      if (part.scrollWidth > width + 1) wrong.push(`${label(part)}: ${part.scrollWidth} px of ${width}`);
    }
    const folded = [...document.querySelectorAll("details > :not(summary)")];
    for (const part of folded) {
      if (!part.checkVisibility({ contentVisibilityAuto: true }) || part.getBoundingClientRect().height === 0) wrong.push(`${label(part)}: folded`);
    }
    return { wrong, figures: figures.length, folded: folded.length };
  }, [WIDTH, HEIGHT]);
  assert.deepEqual(seen.wrong, []);
  assert(seen.figures >= 5 && seen.folded > 0, `${seen.figures} figures, ${seen.folded} folded parts`);
  await browser.close();

  if (name === "chromium") {
    const pdf = join(folder, "report.pdf");
    // the line of the documentation; without a sandbox, because tests may run as root
    execFileSync(process.env.CHROMIUM ?? "chromium", ["--headless", "--no-sandbox", "--no-pdf-header-footer", `--print-to-pdf=${pdf}`, report], { stdio: "pipe" });
    const text = readFileSync(pdf, "latin1");
    const count = (pattern) => (text.match(pattern) ?? []).length;
    const pages = count(/\/Type\s*\/Page\b/g);
    const [described, embedded] = [count(/\/Type\s*\/FontDescriptor\b/g), count(/\/FontFile[23]?\b/g)];
    assert(text.startsWith("%PDF-") && pages > 1, `${pages} pages`);
    assert(described > 0 && embedded === described, `${embedded} of ${described} fonts are in the file`);
    assert.equal(count(/\/Subtype\s*\/Image\b/g), 0, "a figure became a picture of pixels");
    if (process.env.SHOTS) {
      mkdirSync(process.env.SHOTS, { recursive: true });
      copyFileSync(pdf, join(process.env.SHOTS, "report.pdf"));
    }
    console.log(`a report as PDF: ${pages} pages, ${seen.figures} figures of vectors, none cut, ${embedded} fonts in the file, ${text.length} bytes`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
