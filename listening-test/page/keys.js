// Keys: digits choose, space plays, A B X switch clips. Single keys can be turned off
// (WCAG 2.1.4) and never act while text is typed.
"use strict";
(() => {
  const { trompe } = window;
  let handlers = {};

  /** Sets what keys do on the present page: `{ digit(n), space(), letter(c) }`. */
  trompe.keys = (now) => (handlers = now ?? {});

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (document.querySelector("dialog[open]") || !trompe.memory.shortcuts) return;
    const { target } = event;
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
