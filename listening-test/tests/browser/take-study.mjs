// Takes a whole study in a real browser, by keyboard alone, from consent to completion code,
// with a reload and an offline gap in the middle, and lets axe look at every kind of page.
//
//   node take-study.mjs COMMAND [--study FOLDER] [--phone] [--dark] [--language de] [--shots FOLDER]
//
// COMMAND is "target/debug/trompe listen" or the crate's own program. Without --study it builds a small audio and image
// study of synthesized material. BROWSER=firefox takes it in Firefox.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, name as browserName, ofDriver, screen } from "./browser.mjs";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    study: { type: "string" }, phone: { type: "boolean" }, dark: { type: "boolean" },
    language: { type: "string", default: "en" }, shots: { type: "string" }, width: { type: "string" },
  },
});
assert(positionals[0], 'name the command: node take-study.mjs "target/debug/trompe listen"');
const trompe = commandLine(positionals[0]);
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "take-study-"));
const study = options.study ?? sampleStudy(trompe, folder, { seconds: 4 });
const database = join(folder, "answers.sqlite");

const { server, address } = await serve(trompe, study, database);

const browser = await launch();
const width = Number(options.width ?? (options.phone ? 390 : 1280));
const context = await browser.newContext(screen({ width, phone: options.phone, dark: options.dark }));
const page = await context.newPage();
const problems = [];
page.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
page.on("console", (message) => {
  const refused = /Content Security Policy|following directive/.test(message.text());
  if (refused && !ofDriver(message.text())) problems.push(message.text());
});

const seen = new Set();
let shots = 0;
let violations = 0;

/** Once per kind of page: a picture, axe, and no sideways scrolling. */
async function inspect(name) {
  if (seen.has(name)) return;
  seen.add(name);
  await page.waitForTimeout(400); // the page has arrived
  if (options.shots) {
    mkdirSync(options.shots, { recursive: true });
    const file = `${String((shots += 1)).padStart(2, "0")}-${name}.png`;
    await page.screenshot({ path: join(options.shots, file), fullPage: Boolean(options.phone) });
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) problems.push(`${name} is ${overflow} px too wide`);
  // evaluated by the debugger, so the page's own policy stays in force
  const found = await page.evaluate(`${axeSource}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
  for (const violation of found.violations) {
    violations += 1;
    const where = violation.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ");
    problems.push(`axe on ${name}: ${violation.impact} ${violation.id} at ${where}`);
  }
}

const press = (key) => page.keyboard.press(key);
const view = () => page.evaluate(() => window.trompe.participation.step());

/** Moves the focus with Tab, or another key, until `selector` has it. */
async function tabTo(selector, key = "Tab") {
  for (let count = 0; count < 80; count += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await press(key);
  }
  assert.fail(`${key} never reaches ${selector}`);
}

async function goOn() {
  await tabTo("main form button[type=submit]:not(:disabled)");
  await press("Enter");
}

/** Waits until the page shows the step with this index. */
const shown = (index) =>
  page.waitForFunction((wanted) => {
    const main = document.getElementById("main");
    return main?.dataset.step === String(wanted) && document.activeElement === main.querySelector("h1");
  }, index, { timeout: 20000 });

async function listen(enough) {
  await press(" ");
  await page.waitForFunction(enough, null, { timeout: 20000 });
}

const canGoOn = () => !document.querySelector("main form button[type=submit]").disabled;

let taken = 0;
let reloaded = false;
let offline = false;
const began = Date.now();
try {
  await page.goto(`${address}?language=${options.language}`);
  await page.waitForSelector("#agree");
  await inspect("welcome");
  await tabTo("#agree");
  await press(" ");
  await goOn();
  await page.waitForSelector(".code");
  await inspect("code");
  await goOn();

  for (;;) {
    await page.waitForFunction(() => window.trompe.participation.end() || window.trompe.participation.step());
    const step = await view();
    if (!step) break;
    await shown(step.index);
    const name = `${step.kind}${step.block ? `-${step.block}` : ""}${step.told ? "-catch" : ""}`;
    if (step.kind === "trial" && taken === 2 && !reloaded) {
      reloaded = true;
      await press(" ");
      await page.waitForTimeout(300);
      await page.reload();
      await shown(step.index);
    }
    if (step.kind === "trial" && taken === 4 && !offline) {
      offline = true;
      await page.waitForTimeout(500); // the next item has been fetched
      await context.setOffline(true);
    }
    switch (step.kind) {
      case "questionnaire":
        await tabTo("input[name=age]");
        await press(" ");
        await inspect(name);
        break;
      case "level":
        await listen(canGoOn);
        await inspect(name);
        break;
      case "ears": case "huggins": case "antiphase":
        await press("1");
        await listen(canGoOn);
        await inspect(name);
        break;
      case "practice": case "trial":
        await press(" ");
        await inspect(name);
        if (step.told) {
          const block = await page.evaluate((wanted) => window.trompe.study.blocks.find(({ name }) => name === wanted), step.block);
          const own = /^[0-9]$/.test(step.told); // digits are chosen by their own key
          await press(own ? step.told : String((block.classes.indexOf(step.told) + 1) % 10));
        } else if (taken % 5 === 3) {
          await tabTo(".options input");
          await press("ArrowUp"); // around to the last one: don't know
        } else await press("3");
        await page.waitForFunction(canGoOn, null, { timeout: 20000 });
        if (step.kind === "trial") {
          taken += 1;
          if (taken % 2) { await tabTo(".confidence input"); await press(" "); }
        }
        break;
      case "remarks":
        await tabTo("#remarks");
        await page.keyboard.type("rock & roll, 100 % 🎵 =1+1");
        await inspect(name);
        break;
      default:
        await inspect(name);
    }
    await goOn();
    if (step.kind === "practice") {
      await page.waitForFunction(() => !document.querySelector("input[type=radio]"));
      await inspect("feedback");
      await goOn();
    }
    if (offline === true && taken === 6) {
      // two answers wait and the third item is not known: the page says so
      await page.waitForFunction(() => !window.trompe.participation.step());
      await inspect("waiting");
      const waiting = await page.evaluate(() => window.trompe.memory.queue.length);
      assert.equal(waiting, 2, "answers given offline wait in the browser");
      const kept = await page.evaluate(() => JSON.parse(localStorage.getItem("trompe:" + window.trompe.study.name)).queue.length);
      assert.equal(kept, 2, "and would survive a reload");
      await page.waitForTimeout(2000);
      await context.setOffline(false);
      offline = "over";
    }
  }
  await page.waitForSelector("#completion", { timeout: 20000 });
  await inspect("end");
  const code = await page.textContent("#completion");
  assert.match(code, /^[0-9A-Z]{8}$/);
  assert.equal(offline, "over");
  assert(reloaded);

  // the dialog, by keyboard
  await tabTo("#bar-controls button", "Shift+Tab"); // past the end of the page Firefox keeps the keys
  await press("Enter");
  await page.waitForSelector("dialog[open]");
  await inspect("dialog");
  await press("Escape");

  // a shared computer: nothing stays, the next person can start
  await tabTo("main .row button:last-child");
  await press("Enter");
  await page.waitForSelector("#agree");
  const left = await page.evaluate(() => [window.trompe.memory.code, localStorage.length]);
  assert.deepEqual(left, [null, 0], "the browser is empty");

  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  trompe(["export", study, "--database", database, "--out", join(folder, "export")]);
  const exported = JSON.parse(readFileSync(join(folder, "export", "answers.json"), "utf8"));
  assert.equal(exported.participants.length, 1);
  const [person] = exported.participants;
  assert.equal(person.finished, true);
  assert.equal(person.interruptions, 1, "the reload is on record");
  assert.equal(person.failed_catch, 0);
  assert.equal(exported.answers.length, taken, "one row a trial");
  assert.equal(person.steps.at(-1).text, "rock & roll, 100 % 🎵 =1+1");
  assert(exported.answers.some((row) => row.answer === null), "don't know is kept");
  assert(exported.answers.every((row) => row.medium === "image" || row.heard_ms >= 2900), "sound was heard");
  assert.deepEqual(problems, []);
  console.log(`completion code ${code}; ${taken} trials, ${person.steps.length} steps in ${((Date.now() - began) / 1000).toFixed(0)} s;`
    + ` ${seen.size} kinds of pages inspected at ${width} px in ${browserName}, ${violations} axe violations`);
} catch (error) {
  console.error(problems);
  if (options.shots) await page.screenshot({ path: join(options.shots, "failed.png") });
  throw error;
} finally {
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
