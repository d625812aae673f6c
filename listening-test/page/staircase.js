// A trial of an adaptive track: several sounds, one after the other, one of which differs. They play once;
// which is the right one, and what comes next, only the server knows.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const GAP = 0.5; // seconds of silence between two sounds, as in the headphone check
  const SLACK = 0.15; // the engine's clock may stop a little before the end
  let told = null; // of the trial before: block and what was right

  const remark = ({ given, right }) =>
    `${t(given === right ? "practice.right" : "practice.wrong")}. ${t("staircase.was", { number: right })}`;

  trompe.staircasePage = async (view, block, question) => {
    const stage = await trompe.stage(view, { medium: "audio", seek: false, gap: GAP });
    const { player } = stage;
    const count = view.stimuli.length;
    const each = (stage.duration - (count - 1) * GAP) / count;
    const next = trompe.next(t("next"), { disabled: true });
    const hint = el("p.hint", {}, t("check.hint"));
    const played = () => stage.heard() >= stage.duration - SLACK;
    let choice = null;
    let since = null;

    const options = Array.from({ length: count }, (_, place) => String(place + 1));
    const radios = trompe.radios("choice", question, options.map((number) => [number, t(`interval.${number}`), number]), {
      kind: "cards", onchange: (value) => { choice = value; since = stage.since(); ready(); },
    });
    const cards = [...radios.querySelectorAll("label")];
    const picks = [...radios.querySelectorAll("input")];
    const button = stage.element.querySelector(".play");

    const ready = () => {
      const position = player.position();
      cards.forEach((card, place) => {
        const begin = place * (each + GAP);
        card.classList.toggle("sounding", player.playing && position >= begin && position < begin + each);
      });
      button.disabled = played() && !player.playing; // a trial is heard once
      next.disabled = choice === null || !played();
    };
    stage.onheard(ready);

    const done = async () => {
      if (next.disabled) return;
      stage.close();
      trompe.hold(); // what comes next follows from this answer
      const stored = await trompe.participation.answer(view, { choice, response_ms: Math.round(since), ...stage.taken() });
      const right = stored?.feedback;
      told = right ? { block: block.name, given: choice, right } : null;
      const step = trompe.participation.step();
      const goesOn = step?.kind === "trial" && step.block === block.name;
      if (!told || goesOn) return trompe.go();
      trompe.show( // the last of the track
        el("h1", {}, t(choice === right ? "practice.right" : "practice.wrong")),
        el("p.lead", {}, t("staircase.was", { number: right })),
        trompe.form(() => trompe.go(), trompe.next()));
    };

    const before = told?.block === block.name ? remark(told) : null;
    told = null;
    trompe.show(
      el("h1.small", {}, t("staircase.number", { number: view.number })),
      before && el("p.told", { role: "note" }, before),
      el("div.trial", {}, stage.element, trompe.form(done, radios, el("div.go", {}, next, hint))));
    if (before) trompe.say(before);
    trompe.keys({
      space: () => button.disabled || stage.toggle(),
      digit: (number) => picks[number - 1]?.click(),
    });
    ready();
  };
})();
