// A whole study in the engine of Safari, as WebKitGTK has it, driven by W3C WebDriver: everything that a participant
// presses, from consent to the completion code, and what is stored of it. Playwright's own WebKit is no browser that
// people have, so this speaks to the one that the system installs.
//
//   node take-webkit.mjs COMMAND
//
// Needs WebKitWebDriver, and a display and a sound device, which webkit.sh gives it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine, sampleStudy, serve } from "./sample-study.mjs";

const trompe = commandLine(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "take-webkit-"));
const study = sampleStudy(trompe, folder, { seconds: 1.5, fooling: 3, real: 2 });
const database = join(folder, "answers.sqlite");
const { server, address } = await serve(trompe, study, database);

const port = await new Promise((resolve) => {
  const free = createServer().listen(0, "127.0.0.1", () => {
    const { port } = free.address();
    free.close(() => resolve(port));
  });
});
const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
  // the browser's own sandbox needs a user that is not root
  env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
  stdio: "inherit",
});

async function ask(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
  return value;
}

async function started() {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      if ((await ask("GET", "/status")).ready) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  assert.fail("WebKitWebDriver did not start");
}

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
let session;
const evaluate = (script, ...args) => ask("POST", `${session}/execute/sync`, { script, args });

async function waitFor(script, ...args) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await evaluate(script, ...args);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`never came: ${script} ${args}\n${await evaluate("return document.body.innerText")}`);
}

/** Clicks as the engine does for a user, so that sound may play. */
async function click(selector) {
  await waitFor("const found = document.querySelector(arguments[0]); return found && !found.disabled", selector);
  const { [ELEMENT]: element } = await ask("POST", `${session}/element`, { using: "css selector", value: selector });
  await ask("POST", `${session}/element/${element}/click`, {});
}

const NEXT = "main form button[type=submit]";
const kinds = {};
try {
  await started();
  const browserOptions = { binary: process.env.MINIBROWSER, args: ["--automation"] };
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": browserOptions } };
  const { sessionId, capabilities: given } = await ask("POST", "/session", { capabilities });
  session = `/session/${sessionId}`;
  await ask("POST", `${session}/url`, { url: address });
  await click("#agree");
  await click(NEXT);
  await waitFor("return document.querySelector('.code') !== null");
  await click(NEXT);
  for (;;) {
    const step = await waitFor(`
      const { end, step } = window.trompe.participation;
      if (end()) return "end";
      const shown = step() && document.getElementById("main").dataset.step === String(step().index);
      return shown && { index: step().index, kind: step().kind, plays: document.querySelector(".play") !== null };
    `);
    if (step === "end") break;
    kinds[step.kind] = (kinds[step.kind] ?? 0) + 1;
    if (step.plays) await click(".play");
    if (!["questionnaire", "level", "intro", "break", "remarks"].includes(step.kind)) await click(".options label");
    await click(NEXT);
    if (step.kind === "practice") {
      // it tells whether the answer was right before it goes on
      await waitFor("return !document.querySelector('input[type=radio]')");
      await click(NEXT);
    }
    await waitFor(`
      const { end, step } = window.trompe.participation;
      return end() || step().index !== arguments[0];
    `, step.index);
  }
  const tables = join(folder, "tables");
  trompe(["export", study, "--database", database, "--out", tables], { stdio: "ignore" });
  const rows = readFileSync(join(tables, "answers.csv"), "utf8").trim().split("\n").length - 1;
  assert(kinds.trial >= 8, `trials: ${kinds.trial}`);
  assert(rows >= kinds.trial, `${rows} rows of answers for ${kinds.trial} trials`);
  const said = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`).join(", ");
  console.log(`a whole study in ${given.browserName} ${given.browserVersion}: ${said}; ${rows} answers stored`);
  await ask("DELETE", session);
} finally {
  driver.kill();
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
