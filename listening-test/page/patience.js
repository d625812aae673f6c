// Asking again until the line is back.
"use strict";
(() => {
  /** What `ask` gives, asked for as often as it takes; `failed` is told each error and may throw it. */
  window.trompe.patiently = async (ask, failed = () => {}) => {
    for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
      try {
        return await ask();
      } catch (error) {
        failed(error);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  };
})();
