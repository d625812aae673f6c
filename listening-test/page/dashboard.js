// The experimenter's page, brought up to date every half minute while somebody can see it.
"use strict";

const EVERY = 30000;

async function refresh() {
  const shown = document.querySelector("[data-live]");
  if (!shown || document.hidden || shown.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (now) shown.replaceWith(document.adoptNode(now));
}

// A server that is not there now may be at the next try.
setInterval(() => refresh().catch(() => {}), EVERY);
