// The link of a study without a server: plans and stimuli come from scripts beside the page,
// answers stay in the browser until they are handed over as a file, by mail or as codes.
"use strict";
(() => {
  const { trompe } = window;
  const data = window.trompeFolder; // study, words, plans
  const waiting = new Map();
  trompe.folder = true;

  /** Called by the scripts in `stimuli/`: a file as base 64. */
  window.trompeStimulus = (name, text) => waiting.get(name)?.(text);

  const stateOf = (code, answered) => {
    const plan = data.plans[Number(code.split("-")[1])];
    const done = answered >= plan.length;
    return {
      participant: code,
      answered,
      steps: plan.length,
      trials: plan.filter((view) => view.kind === "trial").length,
      step: plan[answered] ?? null,
      next: plan[answered + 1] ?? null,
      end: done ? { outcome: "complete", code: "", url: "" } : null,
    };
  };
  const answered = () => trompe.memory.state?.answered ?? 0;

  trompe.link = {
    study: async () => data.study,
    words: async (language) => data.words[language],
    enrol: async () => {
      const [draw] = crypto.getRandomValues(new Uint32Array(1));
      const code = `f-${draw % data.plans.length}-${trompe.randomKey()}`;
      return { code, state: stateOf(code, 0) };
    },
    resume: async (code) => stateOf(code, answered()),
    state: async (code) => stateOf(code, answered()),
    answer: async (code, given) => {
      const view = data.plans[Number(code.split("-")[1])][given.step];
      return { feedback: view.truth ?? null, state: stateOf(code, given.step + 1) };
    },
    withdraw: async () => {},
    /** Nothing is sent twice here: a plain name keeps what is handed over short. */
    key: (index) => `step-${String(index).padStart(4, "0")}`,
    stimulus: (code, name) =>
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `stimuli/${name}.js`;
        waiting.set(name, (text) => {
          waiting.delete(name);
          script.remove();
          resolve(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
        });
        script.onerror = () => reject(new trompe.LinkError("not-found", false));
        document.head.append(script);
      }),
  };
  trompe.LinkError = class extends Error {
    constructor(word, offline) {
      super(word);
      Object.assign(this, { word, offline });
    }
  };
})();
