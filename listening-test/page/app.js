// The order of things: language, welcome, steps, end.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t, memory, participation } = trompe;
  trompe.onleave = () => {};
  trompe.turn = 0;
  const main = document.getElementById("main");
  let waiting = false; // the page says that the next step is not known yet

  /** Turns the page: what stood there falls silent, and nothing on it counts any more. */
  trompe.turnPage = () => {
    trompe.turn += 1;
    trompe.onleave();
    trompe.onleave = () => {};
    trompe.hold();
    waiting = false;
  };

  /** Shows the present step, the end, or that it waits. */
  trompe.go = async () => {
    trompe.turnPage();
    const end = participation.end();
    drawBar();
    delete main.dataset.step;
    if (end) return trompe.endPage(end);
    const view = participation.step();
    if (!view) return waitPage();
    try {
      await trompe.pages[view.kind](view);
      main.dataset.step = view.index; // the page now stands, for whoever watches from outside
    } catch (error) {
      trompe.lost(error.word ?? "unknown");
    }
  };

  /** Takes the answer to the step that `view` shows, and shows the next. */
  trompe.answered = (view, given = {}) => {
    participation.answer(view, given);
    return trompe.go();
  };

  function waitPage() {
    waiting = true;
    trompe.show(el("h1", {}, t("wait.title")), el("p.lead", {}, t("wait.lead")),
      el("p.dots", { "aria-hidden": "true" }, el("span"), el("span"), el("span")),
      el("button", { type: "button", onclick: trompe.download }, t("download")));
  }

  const drawBar = (trompe.drawBar = () => {
    document.getElementById("study-title").textContent = trompe.own(trompe.study.title);
    const progress = document.getElementById("progress");
    const { state, queue } = memory;
    progress.hidden = !memory.code || !state;
    if (state) {
      const done = state.end ? state.steps : state.answered + queue.length;
      const label = t("progress", { a: done, b: state.steps });
      progress.replaceChildren(el("progress", { max: state.steps, value: done, "aria-label": label }));
    }
    const controls = document.getElementById("bar-controls");
    controls.replaceChildren(
      memory.code
        ? el("button.quiet", { type: "button", onclick: trompe.participationDialog }, t("mine.title"))
        : languageChoice());
    const synthetic = document.getElementById("synthetic");
    synthetic.hidden = !trompe.study.synthetic;
    synthetic.textContent = t("synthetic");
  });

  function languageChoice() {
    const { languages } = trompe.study;
    if (languages.length < 2) return "";
    const select = el("select", { "aria-label": t("language"), onchange: async () => {
      memory.language = select.value;
      memory.save();
      await trompe.speak(select.value);
      begin();
      document.querySelector("#bar-controls select")?.focus();
    } }, languages.map((language) =>
      el("option", { value: language, lang: language, selected: language === trompe.language }, trompe.languageName(language))));
    return select;
  }

  const foot = (offline) => {
    const foot = document.getElementById("foot");
    foot.classList.toggle("waiting", offline);
    const text = offline ? t("offline") : "";
    if (foot.textContent !== text) {
      foot.textContent = text;
      trompe.say(offline ? text : t("online"));
    }
  };

  participation.onwaiting = foot;
  participation.onchange = () => trompe.go();
  participation.onstored = () => (waiting || participation.end()) && trompe.go();
  participation.onrefusal = (word) => trompe.lost(word);

  const begin = (trompe.begin = () => {
    drawBar();
    if (memory.code) trompe.go();
    else trompe.welcome();
  });

  function preferred() {
    const { languages } = trompe.study;
    const wanted = [new URLSearchParams(location.search).get("language"), memory.language, ...navigator.languages.map((tag) => tag.split("-")[0])];
    return wanted.find((language) => languages.includes(language)) ?? languages[0];
  }

  (async () => {
    trompe.study = await trompe.patiently(trompe.link.study);
    memory.open(trompe.study.name);
    await trompe.speak(preferred());
    if (memory.code) {
      try {
        await participation.resume(memory.code);
      } catch (error) {
        drawBar();
        return trompe.lost(error.word);
      }
    }
    begin();
  })();
})();
