// Somebody impatient on a slow line: presses twice, goes on before anything is confirmed, plays
// while the sound engine still wakes, leaves while it plays; and a line that is down at first.
//
//   node take-hastily.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, name as browserName, ofDriver } from "./browser.mjs";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "take-hastily-"));
const study = sampleStudy(trompe, folder, { seconds: 1.5 });
const gated = sampleStudy(trompe, join(folder, "gated"), { seconds: 1.5, more: ["--headphones", "gate"] });
const { server, address } = await serve(trompe, study, join(folder, "answers.sqlite"));
const gate = await serve(trompe, gated, join(folder, "gated.sqlite"));
const browser = await launch();
const problems = [];
const NEXT = "main form button[type=submit]";

/** A new participant before the first step, and what the page sends of answers. */
async function arrive(prepare = () => {}, to = address) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
  const sent = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/answers")) sent.push(JSON.parse(request.postData()));
  });
  await prepare(page);
  await page.goto(to);
  await page.check("#agree");
  await page.click(NEXT);
  await page.waitForSelector(".code");
  await page.click(NEXT);
  return { page, sent };
}

/** Waits for the page of the present step, and gives the step. */
async function present(page) {
  await page.waitForFunction(() => {
    const step = window.trompe.participation.step();
    return step && document.getElementById("main").dataset.step === String(step.index);
  }, null, { timeout: 20000 });
  return page.evaluate(() => window.trompe.participation.step());
}

/** Gives an answer that can be sent. */
async function choose(page, { kind }) {
  if (await page.$(".play")) await page.click(".play");
  if (!["questionnaire", "level", "intro", "break"].includes(kind)) await page.locator(".options label").first().click();
  await page.waitForFunction((next) => !document.querySelector(next).disabled, NEXT, { timeout: 20000 });
}

/** Goes on to the first step that `wanted` takes. */
async function until(page, wanted) {
  for (;;) {
    const step = await present(page);
    if (wanted(step)) return step;
    await choose(page, step);
    await page.click(NEXT);
    if (step.kind === "practice") {
      await page.waitForFunction(() => !document.querySelector("input[type=radio]"));
      await page.click(NEXT);
    }
  }
}

/** Answers take `delay` milliseconds longer, or stimuli. */
const slow = (page, what, delay) =>
  page.route(`**/api/${what}`, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, delay));
    await route.continue().catch(() => {});
  });

/** Presses what stands there, even where a pointer could not. */
const press = (page) => page.evaluate((next) => document.querySelector(next).click(), NEXT);

async function pressedTwice() {
  const { page, sent } = await arrive();
  // a trial with a trial behind it whose stimulus has not been loaded yet
  await until(page, ({ kind, number }) => kind === "trial" && number === 1);
  await slow(page, "stimuli/*", 4000);
  for (let taken = 0; taken < 2; taken += 1) {
    const step = await present(page);
    await choose(page, step);
    sent.length = 0;
    for (let times = 0; times < 3; times += 1) {
      await press(page);
      await page.waitForTimeout(100);
    }
    assert.deepEqual(sent.map((given) => given.step), [step.index], "only what was shown is answered");
  }
  const inert = await page.evaluate(() => document.getElementById("main").inert);
  assert(inert, "what was answered takes no other answer");
  const step = await present(page);
  assert(!await page.evaluate(() => document.getElementById("main").inert));
  assert.equal(step.index, sent[0].step + 1);
}

async function practiceUnconfirmed() {
  const { page, sent } = await arrive();
  const step = await until(page, ({ kind }) => kind === "practice");
  await choose(page, step);
  await slow(page, "answers", 1500);
  sent.length = 0;
  await press(page);
  await page.evaluate(() => document.querySelectorAll(".options input")[2].click());
  await press(page);
  await page.waitForFunction(() => !document.querySelector("input[type=radio]"));
  assert.deepEqual(sent.map((given) => given.step), [step.index], "practice is answered once");
}

async function aheadOfConfirmation() {
  const { page } = await arrive();
  await present(page);
  await slow(page, "answers", 1500);
  // questionnaire, level, and what is behind them is not known yet
  await page.click(NEXT);
  await choose(page, await present(page));
  await press(page);
  const step = await present(page);
  assert.equal(step.index, 2, "what comes next is shown as soon as it is known");
}

/** The gate closes when the last check is stored, and the page has gone on by then. */
async function screenedOut() {
  const { page } = await arrive(() => {}, gate.address);
  await present(page);
  await page.evaluate(async () => {
    const { memory, participation, go } = window.trompe;
    while (memory.state.next.kind !== "intro") {
      const step = participation.step();
      await participation.answer(step, step.kind === "questionnaire" ? { answers: {} } : { choice: step.kind === "ears" ? "left" : "1" });
    }
    return go();
  });
  await choose(page, await present(page));
  await page.click(NEXT);
  await page.waitForFunction(() => document.querySelector("main h1")?.textContent === window.trompe.t("screened.title"), null, { timeout: 10000 });
}

/** Counts sources that sound, on an engine that takes its time to wake. */
const countSources = (page) => page.addInitScript(() => {
  window.sounding = 0;
  const { start } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.sounding += 1;
    this.addEventListener("ended", () => (window.sounding -= 1));
    return start.apply(this, when);
  };
  const { resume } = AudioContext.prototype;
  AudioContext.prototype.resume = async function () {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return resume.call(this);
  };
});
const sounding = (page) => page.evaluate(() => window.sounding);

async function playedTwice() {
  const { page } = await arrive(countSources);
  await until(page, ({ kind }) => kind === "level");
  await page.evaluate(() => {
    const button = document.querySelector(".play");
    button.click();
    setTimeout(() => button.click(), 100);
  });
  await page.waitForFunction((next) => !document.querySelector(next).disabled, NEXT);
  assert.equal(await sounding(page), 1, "one press more is not one sound more");
  // the last press is still under way when the page moves on
  await page.click(".play");
  await page.evaluate((next) => {
    document.querySelector(".play").click();
    document.querySelector(next).click();
  }, NEXT);
  await present(page);
  await page.waitForTimeout(600);
  assert.equal(await sounding(page), 0, "what was left is silent");
}

async function erasedWhilePlaying() {
  const { page } = await arrive(countSources);
  const step = await until(page, ({ kind }) => kind === "level");
  await choose(page, step);
  await page.click("#bar-controls button");
  await page.click("dialog .danger");
  await page.click("dialog .danger");
  await page.waitForFunction(() => !document.querySelector("dialog"));
  await page.keyboard.press(" ");
  await page.waitForTimeout(600);
  assert.equal(await sounding(page), 0, "what is erased falls silent and stays so");
  assert.equal(await page.locator("#bar-controls select").count(), 1, "nobody takes part here any more");
  assert(await page.evaluate(() => document.getElementById("progress").hidden));
}

async function wordingLost() {
  let lost = 0;
  await arrive((page) => page.route("**/languages/*.json", (route) => {
    lost += 1;
    if (lost === 1) return route.abort();
    return lost === 2 ? route.fulfill({ status: 503, body: "{}" }) : route.continue();
  }));
  assert.equal(lost, 3);
}

try {
  await pressedTwice();
  await practiceUnconfirmed();
  await aheadOfConfirmation();
  await screenedOut();
  await playedTwice();
  await erasedWhilePlaying();
  await wordingLost();
  assert.deepEqual(problems, []);
  console.log(`impatience on a slow line does no harm, in ${browserName}`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  for (const each of [server, gate.server]) each.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
