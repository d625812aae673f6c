// Takes an adaptive track in a real browser by keyboard alone, at a desk with a reload in the middle and on a
// phone, and has it analyzed. The listener is right where there is enough noise, by the key that the page never
// sees, so that the track must hover where that ends.
//
//   node take-track.mjs COMMAND
//
// SHOTS=FOLDER keeps screenshots.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, name as browserName, ofDriver, screen } from "./browser.mjs";
import { commandLine, serve, wav } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "take-track-"));
mkdirSync(join(folder, "tracks/tones"), { recursive: true });
writeFileSync(join(folder, "tracks/tones/reference.wav"), wav(3, 0.5));
writeFileSync(join(folder, "tracks/staircase.toml"), `snr = [0, 3, 6, 9, 12, 15, 18, 21]
[staircase]
intervals = 3
rule = "2-down-1-up"
reversals = 6
average = 4
trials = 40
`);
const study = join(folder, "study");
trompe(["build", "--out", study, "--staircase", join(folder, "tracks"), "--contact", "lab@example.org",
  "--retain-until", "2099-12-31", "--headphones", "off"], { stdio: ["ignore", "ignore", "pipe"] });
const database = join(folder, "answers.sqlite");
const { server, address } = await serve(trompe, study, database);
const browser = await launch();
const problems = [];
const LIMIT = 12; // heard at 12 dB and below, never above

const [track] = JSON.parse(readFileSync(join(study, "key.json"), "utf8")).items;
/** Which stimulus of the track an interval holds, by the name that it has once. */
const behind = (name, participant, step, place) => track.stimuli.findIndex((file) =>
  `${createHash("sha256").update(`${file}/${participant}/${step}/${place}`).digest("hex").slice(0, 16)}.wav` === name);

async function shown(tab) {
  await tab.waitForFunction(() => {
    const step = window.trompe.participation.end() ?? window.trompe.participation.step();
    return step && (step.outcome || document.getElementById("main").dataset.step === String(step.index));
  }, null, { timeout: 20000 });
  return tab.evaluate(() => (window.trompe.participation.end() ? null : window.trompe.participation.step()));
}

async function take(settings, reload) {
  const tab = await (await browser.newContext(screen(settings))).newPage();
  tab.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
  await tab.goto(address);
  await tab.waitForSelector("#agree");
  await tab.focus("#agree");
  await tab.keyboard.press(" ");
  await tab.keyboard.press("Enter");
  await tab.waitForSelector(".code");
  await tab.keyboard.press("Enter"); // from the heading, which has the focus
  const heard = [];
  for (;;) {
    let step = await shown(tab);
    if (!step) break;
    if (step.kind === "trial") {
      if (reload && heard.length === 5) {
        await tab.reload();
        const again = await shown(tab);
        assert.deepEqual(again, step, "the track goes on where it stood");
        step = again;
      }
      const participant = await tab.evaluate(() => window.trompe.memory.state.participant);
      const places = step.stimuli.map((name, place) => behind(name, participant, step.index, place));
      assert.equal(places.filter((place) => place > 0).length, 1, `one interval of ${places} differs`);
      const right = places.findIndex((place) => place > 0);
      const strength = track.strengths[places[right] - 1];
      const knows = strength <= LIMIT;
      heard.push([strength, knows]);
      const told = await tab.evaluate(() => document.querySelector(".told")?.textContent ?? null);
      if (heard.length > 1 && !(reload && heard.length === 6)) {
        assert(told.startsWith(heard.at(-2)[1] ? "That’s right" : "Not quite"), told);
      }
      await tab.keyboard.press(" ");
      // each interval is marked while it sounds, one after the other
      for (let place = 0; place < 3; place += 1) {
        await tab.waitForFunction((wanted) => [...document.querySelectorAll("main label")].findIndex((label) => label.matches(".sounding")) === wanted, place, { timeout: 10000, polling: 30 });
      }
      assert(await tab.isDisabled("main form button[type=submit]"), "nothing goes on before the end");
      await tab.keyboard.press(String((knows ? right : (right + 1) % 3) + 1));
      await tab.waitForFunction(() => !document.querySelector("main form button[type=submit]").disabled, null, { timeout: 10000 });
      await tab.waitForFunction(() => document.querySelector(".play").disabled, null, { timeout: 5000 }); // a trial is heard once
      if (heard.length === 2) {
        await tab.waitForFunction(() => document.querySelector("main form button[type=submit]").getAnimations().length === 0);
        const found = await tab.evaluate(`${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
        for (const { id, nodes } of found.violations) problems.push(`axe: ${id} at ${nodes[0].target}`);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) problems.push(`${overflow} px too wide at ${settings.width}`);
        if (process.env.SHOTS) {
          mkdirSync(process.env.SHOTS, { recursive: true });
          await tab.screenshot({ path: join(process.env.SHOTS, `track-${settings.width}.png`), fullPage: true });
        }
      }
    }
    await tab.waitForFunction(() => !document.querySelector("main form button[type=submit]").disabled);
    await tab.focus("main h1");
    await tab.keyboard.press("Enter");
    if (step.kind === "trial") {
      // the last of the track tells its answer on a page of its own
      await tab.waitForFunction((index) => document.getElementById("main").dataset.step !== String(index) || !document.querySelector("input[type=radio]"), step.index, { timeout: 10000 });
      if (await tab.evaluate((index) => document.getElementById("main").dataset.step === String(index), step.index)) {
        await tab.keyboard.press("Enter");
      }
    }
  }
  await tab.waitForSelector("#completion", { timeout: 20000 });
  return heard;
}

try {
  const desk = await take({ width: 1280 }, true);
  const phone = await take({ width: 390, phone: browserName !== "firefox" }, false);
  assert.deepEqual(desk, phone, "the same answers make the same track");
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  trompe(["analyze", study, "--database", database, "--out", join(folder, "results")], { stdio: "pipe" });
  const report = JSON.parse(readFileSync(join(folder, "results/report.json"), "utf8"));
  const [{ tracks }] = report.staircases;
  assert.equal(tracks.length, 2);
  for (const { trials, threshold, complete, reversals } of tracks) {
    assert(complete);
    assert.equal(reversals.length, 6);
    assert.deepEqual(trials.map(({ strength, right }) => [strength, right]), desk);
    assert(threshold.done >= LIMIT && threshold.done <= LIMIT + 3, `${threshold.done} dB`);
  }
  const drawing = readFileSync(join(folder, "results/staircase-staircase-1.svg"), "utf8");
  assert(drawing.includes("<polyline"));
  if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, "track.svg"), drawing);
  assert.deepEqual(problems, []);
  console.log(`a track of ${desk.length} trials taken twice by keyboard and analyzed, in ${browserName}: threshold ${tracks[0].threshold.done} dB of a listener who hears up to ${LIMIT} dB`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
