// By keyboard alone: Enter goes on from wherever nothing else has it, Tab goes through a page from top to
// bottom and reaches everything, the headphone check says how far it is. And what is shown to whom: no keys
// on a touch screen, buttons that cannot be pressed are legible, also under the pointer.
//
//   node keyboard.mjs COMMAND
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, name as browserName, ofDriver, screen } from "./browser.mjs";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "keyboard-"));
const study = sampleStudy(trompe, folder, { seconds: 1.5 });
const { server, address } = await serve(trompe, study, join(folder, "answers.sqlite"));
const browser = await launch();
const problems = [];
const NEXT = "main form button[type=submit]";

/** Every element that Tab reaches from the heading on, by what it is, with its place on the page. */
async function walk(page) {
  await page.focus("main h1");
  const seen = [];
  for (let count = 0; count < 60; count += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const { activeElement: element } = document;
      const { top, left } = (element.closest("label") ?? element).getBoundingClientRect();
      const main = element.closest("main");
      return main && { top: top + scrollY, left, what: element.matches("[type=radio]") ? `radio ${element.name}` : element.tagName, order: [...document.querySelectorAll("main *")].indexOf(element) };
    });
    if (!at) return seen;
    seen.push(at);
  }
  return assert.fail("Tab never leaves the page");
}

/** Contrast of an element's text with what lies behind it (WCAG 2). */
const contrast = (page, selector) => page.evaluate((selector) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colors) => {
    canvas.fillStyle = "#fff";
    canvas.fillRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    const light = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  };
  const behind = [];
  const element = document.querySelector(selector);
  for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
  const [dark, light] = [over(behind), over([...behind, getComputedStyle(element).color])].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}, selector);

async function shown(page) {
  await page.waitForFunction(() => {
    const step = window.trompe.participation.end() ?? window.trompe.participation.step();
    return step && (step.outcome || document.getElementById("main").dataset.step === String(step.index));
  }, null, { timeout: 20000 });
  return page.evaluate(() => (window.trompe.participation.end() ? null : window.trompe.participation.step()));
}

async function arrive(settings) {
  const page = await (await browser.newContext(settings)).newPage();
  page.on("pageerror", ({ message }) => ofDriver(message) || problems.push(message));
  await page.goto(address);
  await page.waitForSelector("#agree");
  return page;
}

try {
  const page = await arrive(screen({ width: 1280 }));
  await page.focus("main h1");
  await page.keyboard.press("Enter"); // consent is missing: the browser says so and stays
  assert(await page.isVisible("#agree"));
  await page.focus("#agree");
  await page.keyboard.press(" ");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".code");
  await page.keyboard.press("Enter");

  const kinds = new Map();
  const numbers = [];
  for (;;) {
    const step = await shown(page);
    if (!step) break;
    const first = !kinds.has(step.kind);
    if (["huggins", "antiphase"].includes(step.kind)) numbers.push([step.kind, await page.textContent("#check-number")]);
    if (["ears", "huggins", "antiphase", "level", "practice", "trial"].includes(step.kind)) {
      if (first) {
        for (const hover of [false, true]) {
          if (hover) await page.hover(NEXT, { force: true });
          await page.waitForTimeout(300);
          assert(await page.isDisabled(NEXT));
          const found = await contrast(page, NEXT);
          assert(found >= 4.5, `${step.kind}: a button that cannot be pressed has a contrast of ${found.toFixed(1)}${hover ? " under the pointer" : ""}`);
        }
      }
      await page.focus("main h1");
      await page.keyboard.press("Enter");
      assert.equal((await shown(page)).index, step.index, "Enter does not go on before there is an answer");
      if (await page.$(".play")) await page.keyboard.press(" ");
      if (step.kind !== "level") await page.keyboard.press("1");
      await page.waitForFunction((next) => !document.querySelector(next).disabled, NEXT, { timeout: 20000 });
    }
    if (first) {
      const reached = await walk(page);
      kinds.set(step.kind, reached.length);
      assert(reached.length > 0, `${step.kind}: Tab reaches nothing`);
      assert.deepEqual(reached, [...reached].sort((a, b) => a.order - b.order), `${step.kind}: Tab jumps`);
      assert.equal(reached.at(-1).what, "BUTTON", `${step.kind}: the way on is the last`);
    }
    await page.focus("main h1");
    await page.keyboard.press("Enter");
    if (step.kind === "practice") {
      await page.waitForFunction(() => !document.querySelector("input[type=radio]"));
      await page.keyboard.press("Enter");
    }
  }
  await page.waitForSelector("#completion");
  const six = (kind) => Array.from({ length: 6 }, (_, n) => [kind, `${n + 1} of 6`]);
  assert.deepEqual(numbers, [...six("huggins"), ...six("antiphase")]);

  // the introduction names keys at a desk, and not on a touch screen
  const keysShown = async (settings) => {
    const other = await arrive(settings);
    await other.evaluate(() => window.trompe.pages.intro({ block: window.trompe.study.blocks[0].name, index: 0 }));
    return other.isVisible("main li.keys");
  };
  assert(await keysShown(screen({ width: 1280 })));
  if (browserName !== "firefox") assert(!await keysShown(screen({ width: 390, phone: true })));
  assert.deepEqual(problems, []);
  console.log(`Enter and Tab alone take a study of ${kinds.size} kinds of pages, in ${browserName}`);
} finally {
  if (problems.length) console.error(problems);
  await browser.close();
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
