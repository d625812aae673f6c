// What introductions promise and scales mean, for every kind of block: nothing is said that the
// block does not hold.
//
//   node introductions.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, name as browserName } from "./browser.mjs";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "introductions-"));
const study = sampleStudy(trompe, folder, { seconds: 1.5, more: ["--headphones", "off"] });
const { server, address } = await serve(trompe, study, join(folder, "answers.sqlite"));
const browser = await launch();

/** What each sentence promises, by its key, and of which block and trial it is true. */
const PROMISES = {
  "intro.check": ({ block }) => block.catch,
  "intro.practice": ({ block }) => block.practice > 0,
  "intro.dont_know": ({ block, trial }) => trial.dont_know && block.task === "choice",
  "intro.repeat": ({ block, trial }) => trial.repeat && block.medium === "audio" && block.task !== "staircase",
  "intro.how.staircase": ({ block }) => block.task === "staircase",
  "intro.switch": ({ block }) => block.medium === "audio" && ["ab", "abx", "mushra", "bs1116"].includes(block.task),
  "intro.keys.mushra": ({ block }) => block.task === "mushra",
  "intro.keys.bs1116": ({ block }) => block.task === "bs1116",
  "intro.keys.one": ({ block }) => block.medium === "audio" && ["choice", "likert", "staircase"].includes(block.task),
  "intro.keys.abx": ({ block }) => block.medium === "audio" && block.task === "abx",
  "intro.keys.ab": ({ block }) => block.medium === "audio" && block.task === "ab",
  "intro.keys.image": ({ block }) => block.medium === "image",
};

try {
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForSelector("#agree");
  const sent = await page.evaluate(() => window.trompe.study.blocks.map((block) => block.catch));
  assert(sent.every((told) => told === true), "whether there are catch items is told, not how many");

  let kinds = 0;
  for (const task of ["choice", "abx", "ab", "likert", "mushra", "bs1116", "staircase"]) {
    for (const medium of ["mushra", "bs1116", "staircase"].includes(task) ? ["audio"] : ["audio", "image"]) {
      for (const rich of [true, false]) {
        const block = { name: "b", task, medium, classes: ["a", "b"], class_names: {}, question: {}, scale: 7, practice: Number(rich), catch: rich };
        const trial = { repeat: rich, dont_know: rich, least_heard_seconds: 3 };
        const said = await page.evaluate(async ([block, trial, keys]) => {
          Object.assign(window.trompe.study, { blocks: [block], trial: { ...window.trompe.study.trial, ...trial } });
          await window.trompe.pages.intro({ block: "b", index: 0 });
          const lines = [...document.querySelectorAll("main li")].map((line) => line.textContent);
          return keys.filter((key) => lines.includes(window.trompe.t(key)));
        }, [block, trial, Object.keys(PROMISES)]);
        const wanted = Object.keys(PROMISES).filter((key) => PROMISES[key]({ block, trial }));
        assert.deepEqual(said, wanted, `${task} ${medium}`);
        kinds += 1;
      }
    }
  }

  // the ends of a scale, as a screen reader finds them
  for (const [task, first, last] of [["likert", "1: Not at all", "7: Completely"], ["choice", "1: Guessing", "5: Certain"]]) {
    const described = await page.evaluate(async (task) => {
      Object.assign(window.trompe.study.blocks[0], { task, medium: "image" });
      window.trompe.memory.state = { trials: 1 };
      await window.trompe.pages.trial({ block: "b", stimuli: [], number: 1, index: 0 });
      const scale = document.querySelector("fieldset.scale");
      const words = document.getElementById(scale.getAttribute("aria-describedby"));
      return words.closest("[aria-hidden]") ? "hidden" : words.textContent;
    }, task);
    assert.equal(described, `${first} ${last}`);
  }
  console.log(`introductions of ${kinds} kinds of blocks say what holds, in ${browserName}`);
} finally {
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
