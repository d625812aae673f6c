// Takes a study of small impairments (BS.1116) in a real browser by keyboard alone, at a desk and on a phone, and has
// it analyzed.
//
//   node take-bs1116.mjs COMMAND
//
// SHOTS=FOLDER keeps screenshots.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, name as browserName, ofDriver, screen } from "./browser.mjs";
import { commandLine, serve, wav } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "take-bs1116-"));
for (let item = 0; item < 3; item += 1) {
  mkdirSync(join(folder, `pages/${item}`), { recursive: true });
  for (const [number, name] of ["reference", "codec"].entries()) {
    writeFileSync(join(folder, `pages/${item}/${name}.wav`), wav(2 * item + number, 2));
  }
}
const study = join(folder, "study");
trompe(["build", "--out", study, "--bs1116", join(folder, "pages"), "--contact", "lab@example.org",
  "--retain-until", "2099-12-31", "--headphones", "off"], { stdio: ["ignore", "ignore", "pipe"] });
const database = join(folder, "answers.sqlite");
const { server, address } = await serve(trompe, study, database);
const browser = await launch();
const problems = [];

const key = JSON.parse(readFileSync(join(study, "key.json"), "utf8"));
const conditionOf = (stimulus) => {
  const item = key.items.find(({ stimuli }) => stimuli.includes(stimulus));
  return item.conditions[item.stimuli.indexOf(stimulus) - 1];
};

/** Grades of the object in the three trials, as steps of 0.1 below 5.0. */
const BELOW = [12, 15, 18];

async function take(settings, turned) {
  const tab = await (await browser.newContext(screen(settings))).newPage();
  tab.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
  await tab.addInitScript(() => {
    window.starts = [];
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (...when) {
      window.starts.push(when);
      return start.apply(this, when);
    };
  });
  await tab.goto(address);
  await tab.waitForSelector("#agree");
  await tab.focus("#agree");
  await tab.keyboard.press(" ");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".code");
  await tab.keyboard.press("Enter"); // from the heading, which has the focus
  let trials = 0;
  for (;;) {
    await tab.waitForFunction(() => window.trompe.participation.end() || window.trompe.participation.step());
    const step = await tab.evaluate(() => window.trompe.participation.step());
    if (!step) break;
    await tab.waitForFunction((wanted) => document.getElementById("main").dataset.step === String(wanted), step.index);
    if (step.kind === "trial") {
      assert.equal(step.stimuli.length, 3);
      const names = await tab.evaluate(() => [...document.querySelectorAll(".mushra-scores .clip")].map((clip) => clip.textContent));
      assert.deepEqual(names, ["A (reference)", "B", "C"]);
      await tab.keyboard.press(" ");
      await tab.waitForFunction(() => document.querySelector(".play.playing"));
      const before = await tab.evaluate(() => window.starts.length);
      for (const [clip, letter] of ["a", "b", "c"].entries()) {
        await tab.keyboard.press(letter);
        await tab.waitForFunction((wanted) => document.querySelectorAll(".mushra-scores .clip")[wanted].matches(".heard[aria-pressed=true]"), clip, { timeout: 20000 });
      }
      assert.equal(await tab.evaluate(() => window.starts.length), before, "switching starts nothing anew");
      assert(await tab.evaluate(() => document.querySelector("main form button[type=submit]").disabled), "no trial without grades");
      for (const [row, stimulus] of step.stimuli.slice(1).entries()) {
        const impaired = (conditionOf(stimulus) === "codec") !== turned;
        const steps = impaired ? BELOW[trials] : 0;
        await tab.focus(`#score-${row + 1}`);
        await tab.keyboard.press("End");
        for (let press = 0; press < steps; press += 1) await tab.keyboard.press("ArrowLeft");
        const wanted = (5 - steps / 10).toFixed(1);
        await tab.waitForFunction(([wanted, at]) => document.querySelectorAll("output.score")[at].textContent === wanted, [wanted, row]);
      }
      trials += 1;
      if (trials === 1) {
        await tab.waitForFunction(() => document.querySelector("main form button[type=submit]").getAnimations().length === 0);
        const found = await tab.evaluate(`${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
        for (const { id, nodes } of found.violations) problems.push(`axe: ${id} at ${nodes[0].target}`);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) problems.push(`${overflow} px too wide at ${settings.width}`);
        if (process.env.SHOTS) {
          mkdirSync(process.env.SHOTS, { recursive: true });
          await tab.screenshot({ path: join(process.env.SHOTS, `bs1116-${settings.width}.png`), fullPage: true });
        }
      }
    }
    await tab.waitForFunction(() => !document.querySelector("main form button[type=submit]").disabled);
    await tab.focus("main h1");
    await tab.keyboard.press("Enter");
  }
  await tab.waitForSelector("#completion", { timeout: 20000 });
  assert.equal(trials, 3);
}

try {
  await take({ width: 1280 }, false);
  await take({ width: 390, phone: browserName !== "firefox" }, true); // grades the reference down
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  trompe(["analyze", study, "--database", database, "--out", join(folder, "results")], { stdio: "pipe" });
  const report = JSON.parse(readFileSync(join(folder, "results/report.json"), "utf8"));
  const [{ screening, conditions }] = report.bs1116;
  assert.deepEqual(screening.map(({ out }) => out).sort(), [false, true], "who does not tell the reference is out");
  assert.equal(conditions.length, 1);
  assert.equal(conditions[0].condition, "codec");
  assert(Math.abs(conditions[0].diff + 1.5) < 1e-9, `${conditions[0].diff}`);
  assert(readFileSync(join(folder, "results/diff-grades-bs1116.svg"), "utf8").includes("<circle"));
  assert.deepEqual(problems, []);
  console.log(`three trials of BS.1116 taken twice by keyboard and analyzed, in ${browserName}: diff-grade ${conditions[0].diff.toFixed(1)}, one of two listeners out`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
