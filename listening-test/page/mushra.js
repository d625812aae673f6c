// A page of several stimuli (MUSHRA): a reference, and a score from 0 to 100 for each stimulus. All run
// in step; touching a score plays its stimulus.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const WORDS = ["bad", "poor", "fair", "good", "excellent"];

  /** The numbered row of one stimulus: a button that plays it, and its score. */
  function row(number, play, changed) {
    const name = String(number);
    const button = el("button.clip", { type: "button", "aria-pressed": "false", onclick: play }, name);
    const output = el("output.score", { for: `score-${number}` }, "–");
    const touch = () => {
      row.given = true;
      output.textContent = slider.value;
      slider.setAttribute("aria-valuetext", slider.value);
      changed();
    };
    const slider = el("input", {
      type: "range", id: `score-${number}`, min: 0, max: 100, step: 1, value: 50,
      "aria-label": t("mushra.score", { name }), "aria-valuetext": t("mushra.unrated"), "aria-describedby": "mushra-words",
      onfocus: () => slider.matches(":focus-visible") && play(),
      onpointerdown: play,
      oninput: touch,
      onpointerup: touch, // a press on the middle changes nothing, but is a score
      onkeydown: (event) => /^(Arrow|Page|Home|End)/.test(event.key) && setTimeout(touch),
    });
    const row = { button, given: false, value: () => Number(slider.value) };
    row.element = el("div.mushra-row", {}, button, slider, output);
    return row;
  }

  /** Two sliders that bound what is repeated. */
  function loops(player) {
    const ends = ["start", "end"].map((end) => el("input", {
      type: "range", min: 0, max: player.duration, step: 0.1, value: end === "start" ? 0 : player.duration,
      "aria-label": t(end === "start" ? "mushra.loop.start" : "mushra.loop.end"),
      oninput: () => set(),
    }));
    const set = () => {
      const [from, to] = ends.map((end) => Number(end.value));
      player.loop(Math.min(from, to), Math.max(from, to) || player.duration);
    };
    const bound = (end) => { ends[end].value = player.position(); set(); };
    const clear = () => { ends[0].value = 0; ends[1].value = player.duration; player.loop(0, player.duration); };
    return {
      bound,
      element: el("details.loops", {}, el("summary", {}, t("mushra.loop")),
        el("label.field", {}, el("span", {}, t("mushra.loop.start"))), ends[0],
        el("label.field", {}, el("span", {}, t("mushra.loop.end"))), ends[1],
        el("button", { type: "button", onclick: clear }, t("mushra.loop.all"))),
    };
  }

  trompe.mushraPage = async (view, block, question) => {
    const { trial } = trompe.study;
    const stage = await trompe.stage(view, { medium: "audio", repeat: trial.repeat });
    const { player } = stage;
    const least = Math.min(trial.least_heard_seconds, stage.duration);
    const next = trompe.next(t("next"), { disabled: true });
    const hint = el("p.hint", {});
    const reference = el("button.clip", { type: "button", "aria-pressed": "true", onclick: () => stage.select(0) }, t("mushra.reference"));
    let since = null;
    const rows = view.stimuli.slice(1).map((_, place) =>
      row(place + 1, () => stage.select(place + 1), () => { since = stage.since(); ready(); }));
    const buttons = [reference, ...rows.map(({ button }) => button)];
    const loop = loops(player);

    const ready = () => {
      buttons.forEach((button, clip) => {
        button.setAttribute("aria-pressed", String(clip === player.clip));
        button.classList.toggle("heard", player.heardOf[clip] >= least);
      });
      const heard = stage.heard() >= least;
      const complete = rows.every((one) => one.given);
      next.disabled = !(heard && complete);
      const text = !heard ? t("mushra.hear", { seconds: least.toFixed(0) }) : complete ? "" : t("mushra.score.all");
      if (hint.textContent !== text) hint.textContent = text;
    };
    stage.onheard(ready);

    trompe.show(
      el("h1.small", {}, t("trial.title", { number: view.number, of: trompe.memory.state.trials })),
      el("div.trial.mushra", {}, el("div", {}, stage.element, loop.element),
        trompe.form(() => {
          if (next.disabled) return;
          stage.close();
          return trompe.answered(view, { scores: rows.map((one) => one.value()), response_ms: Math.round(since), ...stage.taken() });
        },
        el("fieldset.mushra-scores", {}, el("legend", {}, question),
          reference,
          el("p.mushra-words", { id: "mushra-words" }, WORDS.map((word) => el("span", {}, t(`mushra.${word}`)))),
          rows.map(({ element }) => element)),
        el("div.go", {}, next, hint))));
    trompe.keys({
      space: stage.toggle,
      digit: (number) => { if (number < buttons.length) stage.select(number); },
      letter: (letter) => ({ R: () => stage.select(0), S: () => loop.bound(0), E: () => loop.bound(1) })[letter]?.(),
    });
    ready();
  };
})();
