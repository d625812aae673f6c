// Opens pages in Chromium and checks what each must hold, on a desk and on a phone, light and dark:
// WCAG AA by axe, no console errors, no sideways scrolling, every local link leads somewhere, the keyboard reaches
// every player, the text is there without JavaScript, and nothing folded is lost in print. Fooling sets of sound
// must also show a player at once, stay short, and load little before anything is played.
//
//   node tests/pages/check.mjs FOLDER NAME=PATH...
//
// PATH is a page below FOLDER. SHOTS=FOLDER keeps screenshots.
import assert from "node:assert/strict";
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launch, screen } from "../../listening-test/tests/browser/browser.mjs";

const tools = new URL("../../listening-test/tests/browser/package.json", import.meta.url);
const axeSource = readFileSync(createRequire(tools).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const TYPES = { ".html": "text/html; charset=utf-8", ".wav": "audio/wav", ".png": "image/png", ".json": "application/json", ".js": "text/javascript" };

/** Largest page of a set with 33 excerpts, in pixels at 1,280 px; what it may load before anything is played, in bytes. */
const TALLEST = 4000;
const HEAVIEST = 3e6;

const [root, ...named] = process.argv.slice(2);
assert(root && named.length, "usage: node tests/pages/check.mjs FOLDER NAME=PATH...");
const pages = named.map((argument) => {
  const at = argument.indexOf("=");
  return { name: argument.slice(0, at), path: argument.slice(at + 1) };
});
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

// Serves the folder and counts the bytes that it gives away.
let sent = 0;
const server = createServer((request, response) => {
  const path = join(resolve(root), decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  if (!path.startsWith(resolve(root)) || !existsSync(path) || !statSync(path).isFile()) {
    // browsers ask for an icon that no page names
    response.writeHead(path.endsWith("/favicon.ico") ? 204 : 404).end();
    return;
  }
  const { size } = statSync(path);
  sent += size;
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-length": size });
  createReadStream(path).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;

const browser = await launch();
const problems = [];
let looks = 0;

/** Runs axe on the page as it is, and measures its width. */
async function look(page, where) {
  looks += 1;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) problems.push(`${where}: ${wide} px too wide`);
  const found = await page.evaluate(`${axeSource}; axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`);
  for (const violation of found.violations) {
    const nodes = violation.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ");
    problems.push(`${where}: axe ${violation.impact} ${violation.id} (${violation.nodes.length}) at ${nodes}`);
  }
}

const fold = (page, open) => page.evaluate((open) => document.querySelectorAll("details").forEach((it) => { it.open = open; }), open);

/** A page in one size and scheme: as it opens, with everything unfolded, and while labels are guessed. */
async function inspect({ name, path }, width, dark) {
  const where = `${name}, ${width} px, ${dark ? "dark" : "light"}`;
  const context = await browser.newContext({ ...screen({ width, phone: width < 600, dark }), ...(width < 600 ? {} : { viewport: { width, height: 800 } }) });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && problems.push(`${where}: console: ${message.text()}`));
  page.on("pageerror", ({ message }) => problems.push(`${where}: script: ${message}`));
  page.on("requestfailed", (request) => problems.push(`${where}: not loaded: ${request.url()}`));
  sent = 0;
  await page.goto(address + path, { waitUntil: "networkidle" });
  if (shots) await page.screenshot({ path: join(shots, `${name}-${width}-${dark ? "dark" : "light"}.png`.replaceAll(" ", "-")), fullPage: true });
  if (name === "set of sound" && width >= 600) await checkSet(page, where);
  await look(page, where);
  await fold(page, true);
  await look(page, `${where}, unfolded`);
  await fold(page, false);
  const guess = page.locator("#guess");
  if (await guess.count()) {
    await guess.click();
    await look(page, `${where}, guessing`);
    const hidden = await page.locator(".exhibit:not(.answered) .answer").evaluateAll((all) => all.every((it) => !it.checkVisibility()));
    if (!hidden) problems.push(`${where}: a label shows before it is guessed`);
    await page.locator(".guesses button").first().click();
    await look(page, `${where}, guessed`);
    await guess.click();
  }
  await context.close();
}

/** What holds of a set of sound on a desk. */
async function checkSet(page, where) {
  const bytes = sent;
  const seen = await page.evaluate(() => ({
    first: document.querySelector("audio").getBoundingClientRect().top,
    tall: document.documentElement.scrollHeight,
    exhibits: document.querySelectorAll(".exhibit").length,
  }));
  if (seen.first >= 500) problems.push(`${where}: the first player starts at ${seen.first} px`);
  if (seen.exhibits <= 33 && seen.tall > TALLEST) problems.push(`${where}: ${seen.exhibits} excerpts are ${seen.tall} px tall`);
  if (bytes > HEAVIEST) problems.push(`${where}: ${bytes} bytes before anything is played`);
  console.log(`${where}: ${seen.exhibits} excerpts in ${seen.tall} px, the first player at ${Math.round(seen.first)} px, ${bytes} bytes`);
  // A player plays, and stops when the next one starts.
  const states = await page.evaluate(async () => {
    const [one, two] = document.querySelectorAll("audio");
    for (const audio of [one, two]) audio.muted = true;
    await one.play();
    await two.play();
    await new Promise((done) => setTimeout(done, 50));
    const playing = [one.paused, two.paused];
    two.pause();
    return playing;
  });
  if (!states[0] || states[1]) problems.push(`${where}: two players do not take turns`);
}

/** Once a page, opened from disk: links, the keyboard, print, and reading without JavaScript. */
async function read({ name, path }) {
  const file = pathToFileURL(join(resolve(root), path)).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(file);
  await checkLinks(page, name);
  await checkKeyboard(page, name);
  await checkPrint(page, name);
  await context.close();

  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 800 } });
  const still = await plain.newPage();
  await still.goto(file);
  for (const control of await still.locator("button").all()) {
    if (await control.isVisible()) problems.push(`${name}: a button that does nothing without JavaScript: ${await control.innerText()}`);
  }
  const players = await still.locator("audio:not([controls])").count();
  if (players) problems.push(`${name}: ${players} players without controls`);
  const headings = await still.locator(":is(h1, h2, h3):not([hidden], [hidden] *)").all();
  for (const heading of headings) {
    if (!(await heading.isVisible())) problems.push(`${name}: hidden without JavaScript: ${await heading.textContent()}`);
  }
  if (!headings.length) problems.push(`${name}: no headings without JavaScript`);
  await plain.close();
}

async function checkLinks(page, name) {
  const links = await page.evaluate(() => [...document.querySelectorAll("a[href], img[src], audio[src]")].map((it) => it.href ?? it.src));
  for (const link of new Set(links)) {
    const url = new URL(link);
    if (url.protocol === "data:") continue;
    if (url.protocol !== "file:") problems.push(`${name}: leads outside: ${link}`);
    else if (!existsSync(new URL(url.pathname, "file:"))) problems.push(`${name}: leads nowhere: ${link}`);
    if (url.hash && url.pathname === new URL(page.url()).pathname) {
      const id = decodeURIComponent(url.hash.slice(1));
      if (!(await page.evaluate((id) => Boolean(document.getElementById(id)), id))) problems.push(`${name}: no ${url.hash} on the page`);
    }
  }
}

/** Tab from the top to the end, and the players that had the focus. */
async function checkKeyboard(page, name) {
  const players = await page.locator("audio").evaluateAll((all) => all.filter((it) => it.checkVisibility()).length);
  const reached = await page.evaluate(() => {
    window.reached = new Set();
    document.addEventListener("focusin", (event) => window.reached.add(event.target));
    return 0;
  });
  assert.equal(reached, 0);
  const most = 12 * players + 400;
  for (let count = 0; count < most; count += 1) {
    await page.keyboard.press("Tab");
    if (count % 20 === 19) {
      const done = await page.evaluate(() => [...document.querySelectorAll("audio")].every((it) => !it.checkVisibility() || window.reached.has(it)));
      if (done) break;
    }
  }
  const missed = await page.evaluate(() => [...document.querySelectorAll("audio")].filter((it) => it.checkVisibility() && !window.reached.has(it)).length);
  if (missed) problems.push(`${name}: Tab does not reach ${missed} of ${players} players`);
}

/** In print, everything that is folded on screen shows, and a player leaves its file's name. */
async function checkPrint(page, name) {
  await page.emulateMedia({ media: "print" });
  // What was folded is laid out by the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const lost = await page.evaluate(() => {
    const all = [...document.querySelectorAll("details > :not(summary)")];
    return { folded: all.filter((it) => !it.checkVisibility({ contentVisibilityAuto: true }) || it.getBoundingClientRect().height === 0).length, all: all.length };
  });
  if (lost.folded) problems.push(`${name}: print loses ${lost.folded} of ${lost.all} folded parts`);
  const text = await page.locator("main").innerText();
  const unnamed = await page.evaluate((text) => [...document.querySelectorAll("audio[src]")]
    .filter((it) => !it.src.startsWith("data:") && it.parentElement.checkVisibility())
    .filter((it) => ![decodeURIComponent(it.src.split("/").pop()), it.getAttribute("aria-label")].some((name) => text.includes(name)))
    .map((it) => it.getAttribute("src")), text);
  if (unnamed.length) problems.push(`${name}: print does not name ${unnamed.length} sounds, such as ${unnamed[0]}`);
  const pdf = await page.pdf({ format: "A4" });
  if (pdf.length < 1000) problems.push(`${name}: an empty print`);
  if (shots) await page.pdf({ format: "A4", path: join(shots, `${name}.pdf`.replaceAll(" ", "-")) });
  await page.emulateMedia({ media: "screen" });
}

for (const page of pages) {
  for (const width of [1280, 390]) for (const dark of [false, true]) await inspect(page, width, dark);
  await read(page);
}
await browser.close();
server.close();
for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages, ${looks} looks, ${problems.length} problems`);
process.exitCode = problems.length ? 1 : 0;
