// Coming and going: welcome and consent, the code, coming back, leaving, the end.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const { memory, participation } = trompe;

  const problem = (error) => t(trompe.knows(`error.${error.word}`) ? `error.${error.word}` : "error.unknown");

  /** Welcome, what is stored, consent; or a code to come back with. */
  trompe.welcome = () => {
    const { study } = trompe;
    const { consent } = study;
    const alert = el("p.warning", { role: "alert", hidden: true });
    const fail = (error) => { alert.textContent = problem(error); alert.hidden = false; };
    const values = { minutes: study.minutes, contact: consent.contact, day: consent.retain_until, age: consent.minimum_age };
    const points = ["duration", "voluntary", "stored", "not_stored", "crowd", trompe.folder ? "erase_folder" : "erase", "age"];
    const own = trompe.own(consent.text);
    const stated = ["purpose", "institution", "sharing"].filter((name) => consent[name]);
    const agree = el("input", { type: "checkbox", id: "agree", required: true });
    const parameters = Object.fromEntries([...new URLSearchParams(location.search)]
      .filter(([name]) => study.parameters.includes(name)));
    const number = study.numbers.some((name) => parameters[name]) || !study.number_required || trompe.folder ? null
      : el("input", { id: "number", name: "number", autocomplete: "off", spellcheck: "false", required: true, maxlength: 100 });
    const crowd = Object.keys(parameters).length > 0 || number;
    trompe.keys({});
    trompe.show(
      el("h1", { dir: "auto" }, trompe.own(study.title)),
      el("p.lead", {}, t(study.audio ? "welcome.audio" : "welcome.image")),
      trompe.form(async () => {
        try {
          await participation.enrol({
            consent_version: study.consent_version, of_age: agree.checked, language: trompe.language,
            parameters: number ? { ...parameters, [study.numbers[0]]: number.value } : parameters, dry_run: new URLSearchParams(location.search).has("dry-run"), simulated: false,
          });
          if (trompe.folder) trompe.go();
          else codePage();
        } catch (error) { fail(error); }
      },
      el("section.consent", {},
        el("h2", {}, t("consent.title")),
        own && own.split(/\n\n+/).map((paragraph) => el("p", { dir: "auto" }, paragraph)),
        stated.length > 0 && el("ul.plain", {}, stated.map((name) => el("li", { id: `consent-${name}` },
          t(`consent.${name}`), " ", el("bdi", {}, trompe.own(consent[name]))))),
        el("ul.plain", {}, points.filter((point) => point !== "crowd" || crowd)
          .map((point) => el("li", {}, t(`consent.${point}`, values)))),
        el("p.hint", {}, t("consent.version", { version: study.consent_version }))),
      el("label.check", { for: "agree" }, agree, el("span", {}, t("consent.agree", values))),
      number && [el("label.field", { for: "number" }, el("span", {}, t("consent.number"))), number],
      alert,
      trompe.next(t("consent.start"))),
      !trompe.folder && el("details", {}, el("summary", {}, t("resume.title")),
        trompe.form(async (form) => {
          try {
            await participation.resume(form.code.value.trim());
            trompe.go();
          } catch (error) { fail(error); }
        }, el("label.field", { for: "code" }, el("span", {}, t("resume.code"))),
        el("input", { id: "code", name: "code", autocomplete: "off", spellcheck: "false", required: true, maxlength: 40 }),
        el("button", {}, t("resume.go")))));
  };

  /** A button that copies a text; if the browser will not, the text stays on screen. */
  trompe.copyButton = (text) => el("button", { type: "button", onclick: async (event) => {
    try { await navigator.clipboard.writeText(text()); event.target.textContent = t("code.copied"); } catch { /* see above */ }
  } }, t("code.copy"));

  function codePage() {
    trompe.drawBar(); // the language is settled now
    trompe.show(
      el("h1", {}, t("code.title")),
      el("p.lead", {}, t("code.lead")),
      el("p.code", { dir: "ltr" }, memory.code),
      trompe.form(() => trompe.go(),
        trompe.copyButton(() => memory.code),
        trompe.next(t("code.done"))));
  }

  trompe.endPage = (end) => {
    trompe.keys({});
    if (end.outcome !== "complete") {
      trompe.show(el("h1", {}, t("screened.title")), el("p.lead", {}, t("screened.lead")),
        end.code && [el("p", {}, t("end.code")), el("p.code", { dir: "ltr" }, end.code)],
        back(end),
        el("button", { type: "button", onclick: leave }, t("end.leave")));
      return;
    }
    trompe.show(
      el("h1", {}, t("end.title")),
      el("p.lead", {}, t(trompe.folder ? "end.folder" : "end.lead")),
      end.code && [el("p", {}, t("end.code")), el("p.code", { id: "completion", dir: "ltr" }, end.code)],
      back(end),
      trompe.folder && el("div.row", {}, el("button", { type: "button", onclick: download }, t("download"))),
      trompe.folder && trompe.mail(),
      trompe.folder && trompe.codes(),
      el("div.row", {},
        !trompe.folder && el("button", { type: "button", onclick: download }, t("download")),
        el("button", { type: "button", onclick: leave }, t("end.leave"))),
      el("p.hint", {}, t("end.leave.hint")));
  };

  /** On a shared computer: nothing stays behind, and the next participant can start. */
  const leave = () => { memory.forget(); trompe.begin(); };

  const back = (end) => end.url && el("p", {}, el("a.primary", { href: end.url, rel: "noreferrer" }, t("end.back")));

  /** A refusal after which nothing can be sent: what was given can still be saved. */
  trompe.lost = (word) => {
    trompe.turnPage();
    trompe.show(el("h1", {}, t("lost.title")), el("p.lead", {}, problem({ word })),
      el("button", { type: "button", onclick: download }, t("download")),
      el("button", { type: "button", onclick: leave }, t("lost.anew")));
  };

  const download = (trompe.download = () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify({ ...participation.record(), consent: trompe.study.consent }, null, 1)], { type: "application/json" }));
    const link = el("a", { href: url, download: `${trompe.study.name}-${memory.state?.participant ?? "answers"}.json` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });

  /** Code, copy of answers, shortcuts, erasing. */
  trompe.participationDialog = () => {
    const alert = el("p.warning", { role: "alert", hidden: true });
    const shortcuts = el("input", {
      type: "checkbox", checked: memory.shortcuts,
      onchange: () => { memory.shortcuts = shortcuts.checked; memory.save(); },
    });
    const erase = el("button.danger", { type: "button", onclick: async () => {
      if (erase.dataset.sure !== "yes") {
        erase.dataset.sure = "yes";
        erase.textContent = t("withdraw.sure");
        return;
      }
      try {
        await participation.withdraw();
        dialog.close();
        trompe.turnPage();
        trompe.drawBar();
        trompe.show(el("h1", {}, t("withdraw.done")), el("p.lead", {}, t("withdraw.erased")),
          back({ url: trompe.study.returned_url }));
      } catch (error) {
        alert.textContent = error.word === "storage" ? t("withdraw.not_yet") : problem(error);
        alert.hidden = false;
      }
    } }, t("withdraw"));
    const dialog = el("dialog", { "aria-labelledby": "mine", onclose: () => dialog.remove() },
      el("h2", { id: "mine" }, t("mine.title")),
      !trompe.folder && [el("p", {}, t("mine.code")), el("p.code", { dir: "ltr" }, memory.code)],
      !memory.kept && el("p.warning", {}, t("mine.not_kept")),
      el("label.check", {}, shortcuts, el("span", {}, t("mine.shortcuts"))),
      el("div.row", {}, el("button", { type: "button", onclick: download }, t("download")), erase),
      alert,
      el("form", { method: "dialog" }, el("button.primary", {}, t("close"))));
    document.body.append(dialog);
    dialog.showModal();
  };
})();
