// Keys: digits choose, space plays, A B X switch clips, Enter goes on. Single keys can be turned off
// (WCAG 2.1.4) and never act while text is typed; Enter, which types nothing, stays.
"use strict";
(() => {
  const { trompe } = window;
  let handlers = {};

  /** Sets what keys do on the present page: `{ digit(n), space(), letter(c) }`. */
  trompe.keys = (now) => (handlers = now ?? {});

  /** Enter does what the page's main button does, wherever nothing else has the key for itself: fields
      send their form anyway. */
  function goOn(event) {
    const main = document.getElementById("main");
    const next = main.querySelector("form button[type=submit]:not(:disabled)");
    if (!next || main.inert || event.target.matches("button, summary, a, input, select, textarea")) return;
    event.preventDefault();
    next.form.requestSubmit(next);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (event.key === "Enter") return goOn(event);
    if (!trompe.memory.shortcuts) return;
    const typing = target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
    if (typing) return;
    if (event.key === " ") {
      // buttons and unchecked boxes keep the space bar for themselves
      const own = target.matches("button, summary, a, [type=checkbox], [type=radio]:not(:checked)");
      if (own || !handlers.space) return;
      event.preventDefault();
      handlers.space();
    } else if (/^[0-9]$/.test(event.key) && handlers.digit) {
      handlers.digit(event.key === "0" ? 10 : Number(event.key));
    } else if (/^[a-z]$/i.test(event.key) && handlers.letter) {
      handlers.letter(event.key.toUpperCase());
    }
  });
})();
