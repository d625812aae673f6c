// The browser that BROWSER names, as it is installed here: chromium (the default) or firefox.
// CHROMIUM and FIREFOX name the program.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, firefox } from "playwright-core";

export const name = process.env.BROWSER ?? "chromium";
assert(["chromium", "firefox"].includes(name), `BROWSER is chromium or firefox, not ${name}`);

const downloads = mkdtempSync(join(tmpdir(), "downloads-"));

export const launch = () =>
  name === "firefox"
    ? firefox.launch({ channel: "moz-firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", downloadsPath: downloads })
    : chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Saves as `file` what the page hands over for download when `act` is done. */
export async function download(page, act, file) {
  if (name !== "firefox") {
    const waiting = page.waitForEvent("download");
    await act();
    return (await waiting).saveAs(file);
  }
  // this driver does not say that Firefox downloads: the file itself is waited for
  const before = new Set(readdirSync(downloads));
  await act();
  for (let tries = 0; tries < 100; tries += 1) {
    await page.waitForTimeout(100);
    const [found] = readdirSync(downloads).filter((one) => !before.has(one) && !one.endsWith(".part"));
    if (found) return copyFileSync(join(downloads, found), file);
  }
  return assert.fail("nothing was downloaded");
}

/** Whether the page's policy refused the empty style that the driver wants in Firefox for a screenshot. */
export const ofDriver = (text) => text.includes("sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA=");

/** Settings of a page this wide; Firefox has no touch and no colour scheme to set from outside. */
export function screen({ width, phone, dark }) {
  const viewport = { width, height: phone ? 844 : 850 };
  if (name === "firefox") return { viewport, colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null };
  return { viewport, hasTouch: Boolean(phone), isMobile: Boolean(phone), colorScheme: dark ? "dark" : "light" };
}
