// What survives a reload: the code, the last state the server confirmed, answers not yet
// sent, and a copy of everything given. If the browser refuses to keep it, the page goes on
// without and says so.
"use strict";
(() => {
  const { trompe } = window;
  let name = "trompe";
  let fallback = null;

  const empty = () => ({ code: null, language: null, state: null, queue: [], log: [], enrolment: null, shortcuts: true, volume: 0.8 });

  trompe.memory = {
    ...empty(),
    kept: true,

    open(study) {
      name = `trompe:${study}`;
      let saved = null;
      try {
        saved = JSON.parse(localStorage.getItem(name) ?? fallback);
      } catch {
        this.kept = false; // storage is shut, or what it holds is damaged
      }
      Object.assign(this, empty(), saved ?? {});
    },

    save() {
      const { code, language, state, queue, log, enrolment, shortcuts, volume } = this;
      fallback = JSON.stringify({ code, language, state, queue, log, enrolment, shortcuts, volume });
      try {
        localStorage.setItem(name, fallback);
      } catch {
        this.kept = false;
      }
    },

    forget() {
      Object.assign(this, empty());
      fallback = null;
      try {
        localStorage.removeItem(name);
      } catch {
        this.kept = false;
      }
    },
  };
})();
