// Before the trials: questionnaire, level, ears, headphones.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;

  /** A radio group: `options` are `[value, label]`. */
  trompe.radios = (name, legend, options, { onchange, kind = "pills" } = {}) =>
    el(`fieldset.${kind}${options.length === 3 ? ".three" : ""}`, {},
      el("legend", {}, legend),
      el("div.options", {}, options.map(([value, label, hint]) =>
        el("label", {},
          el("input", { type: "radio", name, value, onchange: onchange && (() => onchange(value)) }),
          el("span", {}, hint && el("kbd", { "aria-hidden": "true" }, hint), label)))));

  trompe.next = (label = t("next"), properties = {}) =>
    el("button.primary", { type: "submit", ...properties }, label);

  /** A form that keeps the page and calls `done` when sent; while that takes, it is not sent again. */
  trompe.form = (done, ...children) => {
    let busy = false;
    const send = async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      try { await done(event.target); } finally { busy = false; }
    };
    return el("form.stack", { onsubmit: send }, ...children);
  };

  trompe.pages = {
    questionnaire(view) {
      const questions = trompe.study.questionnaire.map(({ name, options, text }) => {
        const legend = trompe.own(text) ?? t(`question.${name}`);
        if (!options.length) {
          return el("label.field", {}, el("span", {}, legend), el("input", { name, maxlength: 1000 }));
        }
        const label = (option) => (trompe.knows(`option.${name}.${option}`) ? t(`option.${name}.${option}`) : option);
        return trompe.radios(name, legend, options.map((option) => [option, label(option)]));
      });
      trompe.show(
        el("h1", {}, t("questionnaire.title")),
        el("p.lead", {}, t("questionnaire.lead")),
        trompe.form((form) => {
          const answers = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== "")
            .map(([name, value]) => [name, value.toWellFormed()]));
          return trompe.answered(view, { answers });
        }, questions, trompe.next()));
    },

    async level(view) {
      const stage = await trompe.stage(view, { medium: "audio", repeat: true, seek: false });
      const volume = el("input", {
        type: "range", id: "volume", min: 0, max: 1, step: 0.02, value: trompe.memory.volume,
        oninput: () => trompe.setVolume(Number(volume.value)),
      });
      const next = trompe.next(t("level.done"), { disabled: true });
      stage.onheard(() => (next.disabled &&= stage.heard() < 1));
      trompe.show(
        el("h1", {}, t("level.title")),
        el("p.lead", {}, t("level.lead")),
        stage.element,
        trompe.form(() => { stage.close(); return trompe.answered(view, stage.taken()); },
          el("label.field", { for: "volume" }, el("span", {}, t("level.volume"))), volume,
          el("p.hint", {}, t("level.hint")), next));
      trompe.keys({ space: stage.toggle });
    },

    ears: (view) => check(view, "ears", ["left", "right"].map((side) => [side, t(`ears.${side}`)])),
    huggins: (view) => check(view, "huggins", intervals()),
    antiphase: (view) => check(view, "antiphase", intervals()),
  };

  const intervals = () => ["1", "2", "3"].map((number) => [number, t(`interval.${number}`), number]);

  async function check(view, name, options) {
    const stage = await trompe.stage(view, { medium: "audio", seek: false });
    const next = trompe.next(t("next"), { disabled: true });
    let chosen = null;
    const ready = () => (next.disabled = chosen === null || stage.heard() < stage.duration * 0.9);
    stage.onheard(ready);
    const radios = trompe.radios("choice", t(`${name}.question`), options, {
      kind: "cards", onchange: (value) => { chosen = value; ready(); },
    });
    trompe.show(
      view.of > 1 && el("p.hint", { id: "check-number" }, t("trial.title", { number: view.number, of: view.of })),
      el("h1", {}, t(`${name}.title`)),
      el("p.lead", {}, t(`${name}.lead`)),
      stage.element,
      trompe.form(() => {
        if (next.disabled) return;
        stage.close();
        return trompe.answered(view, { choice: chosen, response_ms: Math.round(stage.since()), ...stage.taken() });
      }, radios, el("p.hint", {}, t("check.hint")), next));
    trompe.keys({ space: stage.toggle, digit: (number) => radios.querySelectorAll("input")[number - 1]?.click() });
  }
})();
