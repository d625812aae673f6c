// The trials: introduction, practice with feedback, choice, pairs, ratings, breaks, remarks.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const letters = ["A", "B", "X"];

  const blockOf = (view) => trompe.study.blocks.find((block) => block.name === view.block);

  const question = (block) => trompe.own(block.question) ?? t(block.intervals === 2 ? "ask.staircase.two" : `ask.${block.task}.${block.medium}`);

  Object.assign(trompe.pages, {
    intro(view) {
      const block = blockOf(view);
      const { trial } = trompe.study;
      const listen = block.medium === "audio";
      const track = block.task === "staircase"; // heard once, to the end
      const pair = ["abx", "ab", "mushra", "bs1116"].includes(block.task);
      trompe.show(
        el("h1", {}, t(`intro.${block.medium}`)),
        el("p.lead", {}, question(block)),
        el("ul.plain", {},
          el("li", {}, t(`intro.how.${block.task}`)),
          listen && pair && el("li", {}, t("intro.switch")),
          trial.dont_know && block.task === "choice" && el("li", {}, t("intro.dont_know")),
          listen && !track && trial.least_heard_seconds > 0 && el("li", {}, t("intro.listen", { seconds: trial.least_heard_seconds })),
          listen && !track && trial.repeat && el("li", {}, t("intro.repeat")),
          block.practice > 0 && el("li", {}, t("intro.practice")),
          block.catch && el("li", {}, t("intro.check")),
          el("li.keys", {}, t(listen ? `intro.keys.${pair ? block.task : "one"}` : "intro.keys.image"))),
        trompe.form(() => trompe.answered(view), trompe.next(t("start"))));
    },

    practice: (view) => present(view, true),
    trial: (view) => present(view, false),

    break(view) {
      trompe.show(
        el("h1", {}, t("break.title")),
        el("p.lead", {}, t("break.lead")),
        trompe.form(() => trompe.answered(view), trompe.next(t("break.done"))));
    },

    remarks(view) {
      const text = el("textarea", { id: "remarks", rows: 5, maxlength: 4000 });
      trompe.show(
        el("h1", {}, t("remarks.title")),
        el("p.lead", {}, t("remarks.lead")),
        trompe.form(() => trompe.answered(view, text.value ? { text: text.value.toWellFormed() } : {}),
          el("label.field", { for: "remarks" }, el("span", {}, t("remarks.label"))), text,
          trompe.next(t("remarks.done"))));
    },
  });

  async function present(view, practice) {
    const block = blockOf(view);
    const { trial } = trompe.study;
    if (["mushra", "bs1116"].includes(block.task)) return trompe.mushraPage(view, block, question(block));
    if (block.task === "staircase") return trompe.staircasePage(view, block, question(block));
    const clips = block.task === "abx" ? letters : block.task === "ab" ? letters.slice(0, 2) : [];
    const stage = await trompe.stage(view, { medium: block.medium, repeat: trial.repeat, clips });
    const least = block.medium === "audio" ? Math.min(trial.least_heard_seconds, stage.duration) : 0;
    const next = trompe.next(t("next"), { disabled: true });
    const hint = el("p.hint", {});
    let choice;
    let rating;
    let since = null; // time of the answer: the last choice, not the last click

    const ready = () => {
      const heard = stage.heard() >= least;
      const complete = block.task === "likert" ? rating !== undefined : choice !== undefined;
      next.disabled = !(heard && complete);
      const left = Math.ceil(least - stage.heard());
      const text = heard ? (complete ? "" : t("hint.choose")) : t("hint.listen", { seconds: left });
      if (hint.textContent !== text) hint.textContent = text;
    };
    stage.onheard(ready);

    // digits as classes: each key is its own class
    const digits = block.classes.length > 0 && block.classes.every((name) => /^[0-9]$/.test(name));
    const pick = (number) => picks[digits ? block.classes.indexOf(String(number % 10)) : number - 1];
    const body = [];
    const choose = (value) => { choice = value; since = stage.since(); ready(); };
    let picks = [];
    if (block.task === "likert") {
      const scale = Array.from({ length: block.scale }, (_, index) => [String(index + 1), String(index + 1)]);
      const radios = trompe.radios("rating", question(block), scale, {
        kind: "scale", onchange: (value) => { rating = Number(value); since = stage.since(); ready(); },
      });
      picks = [...radios.querySelectorAll("input")];
      body.push(radios, ends(radios, "likert", block.scale));
    } else {
      const options = block.task === "choice"
        ? block.classes.map((name, index) => [name, trompe.className(block, name), index < 10 && !digits ? String((index + 1) % 10) : null])
        : ["A", "B"].map((letter, index) => [letter, letter, String(index + 1)]);
      const radios = trompe.radios("choice", question(block), options, { kind: "cards", onchange: choose });
      picks = [...radios.querySelectorAll("input")];
      if (block.task === "choice" && trial.dont_know) {
        radios.querySelector(".options").append(el("label.unsure", {},
          el("input", { type: "radio", name: "choice", value: "", onchange: () => choose(null) }),
          el("span", {}, t("dont_know"))));
      }
      body.push(radios);
      if (trial.confidence && block.task === "choice" && !practice) {
        const steps = ["1", "2", "3", "4", "5"].map((step) => [step, step]);
        const sure = trompe.radios("rating", t("confidence"), steps, { kind: "scale", onchange: (value) => (rating = Number(value)) });
        body.push(el("div.confidence", {}, sure, ends(sure, "confidence", steps.length)));
      }
    }
    const text = trial.free_text && !practice ? el("input", { id: "free", maxlength: 1000 }) : null;
    if (text) body.push(el("label.field", { for: "free" }, el("span", {}, t("free_text"))), text);

    const heading = practice ? t("practice.title") : t("trial.title", { number: view.number, of: trompe.memory.state.trials });
    const done = async () => {
      if (next.disabled) return;
      stage.close();
      const given = { response_ms: Math.round(since), ...stage.taken() };
      if (choice !== undefined && choice !== null) given.choice = choice;
      if (rating !== undefined) given.rating = rating;
      if (text?.value) given.text = text.value.toWellFormed();
      if (!practice) return trompe.answered(view, given);
      trompe.hold();
      await feedback(view, block, given);
    };
    trompe.show(
      el("h1.small", {}, heading),
      view.told && el("p.told", { role: "note" }, t("catch", { name: trompe.className(block, view.told) })),
      el("div.trial", {}, stage.element, trompe.form(done, body, el("div.go", {}, next, hint))));
    trompe.keys({
      space: stage.toggle,
      digit: (number) => pick(number)?.click(),
      letter: (letter) => { const clip = clips.indexOf(letter); if (clip >= 0) stage.select(clip); },
    });
    ready();
  }

  /** What the ends of a scale mean, for eyes and, as its description, for ears. */
  function ends(scale, name, highest) {
    scale.setAttribute("aria-describedby", `${name}-ends`);
    const end = (number, which) => el("span", {}, `${number}: ${t(`${name}.${which}`)}`);
    return el("p.ends", { id: `${name}-ends` }, end(1, "low"), " ", end(highest, "high"));
  }

  /** Practice: wait until the answer is stored, then tell the right one. */
  async function feedback(view, block, given) {
    const stored = await trompe.participation.answer(view, given);
    if (!stored) return trompe.go();
    const truth = stored.feedback;
    const right = given.choice === truth;
    trompe.show(
      el("h1", {}, t(right ? "practice.right" : "practice.wrong")),
      el("p.lead", {}, t("practice.truth", { name: trompe.className(block, truth) })),
      trompe.form(() => trompe.go(), trompe.next()));
  }
})();
