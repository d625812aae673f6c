// Takes a whole MUSHRA study, imported from an experiment of webMUSHRA with sounds of our own, in a real
// browser by keyboard alone, and has it analyzed.
//
//   node take-mushra.mjs COMMAND
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
const folder = mkdtempSync(join(tmpdir(), "take-mushra-"));
mkdirSync(join(folder, "configs/audio"), { recursive: true });
for (let n = 0; n < 6; n += 1) writeFileSync(join(folder, `configs/audio/${n}.wav`), wav(3 * n, 2));
// the keys that webMUSHRA's default configuration gives such a page
const page = (number) => `
    - type: mushra
      id: trial${number}
      name: Trial ${number}
      content: How good is <b>each</b> sound?
      showWaveform: true
      enableLooping: true
      strict: true
      reference: configs/audio/${3 * number}.wav
      createAnchor35: true
      createAnchor70: true
      randomize: true
      showConditionNames: false
      stimuli:
          C1: configs/audio/${3 * number + 1}.wav
          C2: configs/audio/${3 * number + 2}.wav`;
writeFileSync(join(folder, "configs/mushra.yaml"),
  `testname: Codecs\ntestId: codecs\nlanguage: en\npages:\n    -\n      - random\n${(page(0) + page(1)).replaceAll("\n    ", "\n      ")}\n    - type: finish\n      name: Thanks\n`);
const study = join(folder, "study");
trompe(["build", "--out", study, "--webmushra", join(folder, "configs/mushra.yaml"), "--contact", "lab@example.org",
  "--retain-until", "2099-12-31", "--headphones", "off"], { stdio: ["ignore", "ignore", "pipe"] });
const database = join(folder, "answers.sqlite");
const { server, address } = await serve(trompe, study, database);
const browser = await launch();
const problems = [];

/** Scores of the conditions, by the key that the page never sees. */
const WANTED = { reference: 100, anchor35: 10, anchor70: 35, C1: 62, C2: 70 };
const key = JSON.parse(readFileSync(join(study, "key.json"), "utf8"));
const conditionOf = (stimulus) => {
  const item = key.items.find(({ stimuli }) => stimuli.includes(stimulus));
  return item.conditions[item.stimuli.indexOf(stimulus) - 1];
};

async function take(settings, reverse) {
  const tab = await (await browser.newContext(screen(settings))).newPage();
  tab.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
  await tab.addInitScript(() => {
    window.starts = [];
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (...when) {
      window.starts.push([...when, this.loopStart, this.loopEnd]);
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
  let pages = 0;
  for (;;) {
    await tab.waitForFunction(() => window.trompe.participation.end() || window.trompe.participation.step());
    const step = await tab.evaluate(() => window.trompe.participation.step());
    if (!step) break;
    await tab.waitForFunction((wanted) => document.getElementById("main").dataset.step === String(wanted), step.index);
    if (step.kind === "trial") {
      pages += 1;
      assert.equal(step.stimuli.length, 6, "reference, hidden reference, two anchors, two systems");
      await tab.keyboard.press(" ");
      await tab.waitForFunction(() => document.querySelector(".play.playing"));
      const before = await tab.evaluate(() => window.starts.length);
      const together = await tab.evaluate(() => window.starts.slice(-6));
      assert(together.every((one) => JSON.stringify(one) === JSON.stringify(together[0])), "all start at one sample");
      for (let clip = 0; clip < 6; clip += 1) {
        await tab.keyboard.press(clip === 0 ? "r" : String(clip));
        await tab.waitForFunction((wanted) => document.querySelectorAll(".mushra-scores .clip")[wanted].matches(".heard[aria-pressed=true]"), clip, { timeout: 20000 });
      }
      assert.equal(await tab.evaluate(() => window.starts.length), before, "switching starts nothing anew");
      assert(await tab.evaluate(() => document.querySelector("main form button[type=submit]").disabled), "no page without scores");
      // a part of it, from the keys: the engine repeats exactly that
      const place = () => tab.evaluate(() => Number(document.querySelector(".seek input").value));
      await tab.waitForFunction(() => { const at = Number(document.querySelector(".seek input").value); return at > 0.2 && at < 0.6; });
      await tab.keyboard.press("s");
      await tab.waitForFunction(() => Number(document.querySelector(".seek input").value) > 1.4);
      await tab.keyboard.press("e");
      await tab.waitForTimeout(100);
      const [, , from, to] = await tab.evaluate(() => window.starts.at(-1));
      assert(from > 0.1 && from < 0.9 && to > 1.3 && to <= 2, `repeats ${from} to ${to}`);
      for (let look = 0; look < 12; look += 1) {
        const at = await place();
        assert(at >= from - 0.15 && at <= to + 0.15, `${at} is outside ${from} to ${to}`);
        await tab.waitForTimeout(120);
      }
      for (const [row, stimulus] of step.stimuli.slice(1).entries()) {
        let score = WANTED[conditionOf(stimulus)] + (pages - 1);
        if (reverse && conditionOf(stimulus) === "reference") score = 20; // takes it for the worst
        await tab.focus(`#score-${row + 1}`);
        await tab.keyboard.press(score > 50 ? "End" : "Home");
        for (let press = Math.abs((score > 50 ? 100 : 0) - Math.min(score, 100)); press > 0; press -= 1) {
          await tab.keyboard.press(score > 50 ? "ArrowLeft" : "ArrowRight");
        }
        await tab.waitForFunction(([wanted, at]) => document.querySelectorAll("output.score")[at].textContent === wanted, [String(Math.min(score, 100)), row]);
      }
      if (pages === 1) {
        // The last score enables the button, whose colour fades in: half-way it has too little contrast.
        await tab.waitForFunction(() => document.querySelector("main form button[type=submit]").getAnimations().length === 0);
        const found = await tab.evaluate(`${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
        for (const { id, nodes } of found.violations) problems.push(`axe: ${id} at ${nodes[0].target}`);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) problems.push(`${overflow} px too wide at ${settings.width}`);
        if (process.env.SHOTS) {
          mkdirSync(process.env.SHOTS, { recursive: true });
          await tab.screenshot({ path: join(process.env.SHOTS, `mushra-${settings.width}.png`), fullPage: true });
        }
      }
    }
    if (step.kind === "intro" && process.env.SHOTS) await tab.screenshot({ path: join(process.env.SHOTS, `mushra-intro-${settings.width}.png`) });
    await tab.waitForFunction(() => !document.querySelector("main form button[type=submit]").disabled);
    await tab.focus("main h1");
    await tab.keyboard.press("Enter");
  }
  await tab.waitForSelector("#completion", { timeout: 20000 });
  assert.equal(pages, 2);
}

try {
  await take({ width: 1280 }, false);
  await take({ width: 390, phone: browserName !== "firefox" }, true);
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  trompe(["analyze", study, "--database", database, "--out", join(folder, "results")], { stdio: "pipe" });
  const report = JSON.parse(readFileSync(join(folder, "results/report.json"), "utf8"));
  const [{ screening, conditions }] = report.mushra;
  assert.deepEqual(screening.map(({ out }) => out).sort(), [false, true], "who missed the reference is out");
  const medians = Object.fromEntries(conditions.map(({ condition, median }) => [condition, median]));
  assert.deepEqual(medians, { reference: 100, anchor35: 10.5, anchor70: 35.5, C1: 62.5, C2: 70.5 });
  assert(readFileSync(join(folder, "results/boxplots-mushra.svg"), "utf8").includes("<rect"));
  assert.deepEqual(problems, []);
  console.log(`a MUSHRA study of webMUSHRA taken twice by keyboard and analyzed, in ${browserName}: medians ${JSON.stringify(medians)}, one of two listeners out`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
