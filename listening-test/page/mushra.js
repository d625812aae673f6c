// A page of several stimuli: a reference, and a score for each stimulus, from 0 to 100 (MUSHRA) or a grade from
// 1.0 to 5.0 (BS.1116). All run in step; touching a score plays its stimulus.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const WORDS = ["bad", "poor", "fair", "good", "excellent"];
  /** By kind of page: the scale, and what the sounds are called, the reference first. */
  const KINDS = {
    mushra: {
      scale: { min: 0, max: 100, step: 1, value: 50 }, unit: 1, digits: 0,
      reference: () => t("mushra.reference"), names: (place) => String(place),
      words: () => el("p.mushra-words", { id: "mushra-words" }, WORDS.map((word) => el("span", {}, t(`mushra.${word}`)))),
    },
    bs1116: {
      scale: { min: 1, max: 5, step: 0.1, value: 3 }, unit: 10, digits: 1,
      reference: () => t("bs1116.reference"), names: (place) => "ABC"[place],
      words: () => el("ul.plain.grades", { id: "mushra-words" },
        ["5", "4", "3", "2", "1"].map((grade) => el("li", {}, `${grade}.0: ${t(`bs1116.${grade}`)}`))),
    },
  };

  /** The row of one stimulus: a button that plays it, and its score. */
  function row(number, { scale, unit, digits, names }, play, changed) {
    const name = names(number);
    const button = el("button.clip", { type: "button", "aria-pressed": "false", onclick: play }, name);
    const output = el("output.score", { for: `score-${number}` }, "–");
    const touch = () => {
      row.given = true;
      output.textContent = Number(slider.value).toFixed(digits);
      slider.setAttribute("aria-valuetext", output.textContent);
      changed();
    };
    const slider = el("input", {
      type: "range", id: `score-${number}`, ...scale,
      "aria-label": t("mushra.score", { name }), "aria-valuetext": t("mushra.unrated"), "aria-describedby": "mushra-words",
      onfocus: () => slider.matches(":focus-visible") && play(),
      onpointerdown: play,
      oninput: touch,
      onpointerup: touch, // a press on the middle changes nothing, but is a score
      onkeydown: (event) => /^(Arrow|Page|Home|End)/.test(event.key) && setTimeout(touch),
    });
    const row = { button, given: false, value: () => Math.round(unit * slider.value) };
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
    const kind = KINDS[block.task];
    const stage = await trompe.stage(view, { medium: "audio", repeat: trial.repeat });
    const { player } = stage;
    const least = Math.min(trial.least_heard_seconds, stage.duration);
    const next = trompe.next(t("next"), { disabled: true });
    const hint = el("p.hint", {});
    const reference = el("button.clip", { type: "button", "aria-pressed": "true", onclick: () => stage.select(0) }, kind.reference());
    let since = null;
    const rows = view.stimuli.slice(1).map((_, place) =>
      row(place + 1, kind, () => stage.select(place + 1), () => { since = stage.since(); ready(); }));
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
          kind.words(),
          rows.map(({ element }) => element)),
        el("div.go", {}, next, hint))));
    trompe.keys({
      space: stage.toggle,
      digit: (number) => { if (number < buttons.length) stage.select(number); },
      letter: (letter) => {
        const named = block.task === "bs1116" ? "ABC".indexOf(letter) : letter === "R" ? 0 : -1;
        if (named >= 0) return stage.select(named);
        return { S: () => loop.bound(0), E: () => loop.bound(1) }[letter]?.();
      },
    });
    ready();
  };
})();
