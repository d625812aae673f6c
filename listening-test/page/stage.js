// What is judged, on stage: a player for sound, a frame for pictures.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const CIRCLE = 2 * Math.PI * 46;

  const clock = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  /** The round button with its ring, a seek bar, and for pairs a switch between clips. */
  function soundStage(player, { seek = true, clips = [] } = {}) {
    const ring = el("circle.ring", { cx: 50, cy: 50, r: 46, "stroke-dasharray": CIRCLE });
    const icon = el("path", {});
    const button = el(
      "button.play",
      { type: "button", onclick: () => player.toggle(), "aria-keyshortcuts": "Space" },
      el("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" },
        el("circle.track", { cx: 50, cy: 50, r: 46 }), ring, icon),
    );
    const bar = el("input", {
      type: "range", min: 0, max: player.duration, step: 0.1, value: 0,
      "aria-label": t("player.position"),
      oninput: () => player.seek(Number(bar.value)),
    });
    const time = el("span.time", { "aria-hidden": "true", dir: "ltr" });
    const switches = clips.map((label, index) =>
      el("button.clip", { type: "button", "aria-pressed": "false", onclick: () => { player.select(index); player.play(); } }, label));
    let shown = null;

    const draw = () => {
      const position = player.position();
      ring.setAttribute("stroke-dashoffset", CIRCLE * (1 - position / player.duration));
      if (document.activeElement !== bar || player.playing) bar.value = position;
      bar.setAttribute("aria-valuetext", t("player.of", { a: clock(position), b: clock(player.duration) }));
      time.textContent = `${clock(position)} / ${clock(player.duration)}`;
      switches.forEach((item, index) => item.setAttribute("aria-pressed", String(index === player.clip)));
      if (shown === player.playing) return;
      if (shown !== null) trompe.say(t(player.playing ? "player.playing" : player.ended ? "player.ended" : "player.paused"));
      shown = player.playing;
      player.ended = false;
      button.setAttribute("aria-label", t(shown ? "player.pause" : "player.play"));
      button.classList.toggle("playing", shown);
      icon.setAttribute("d", shown ? "M38 33v34M62 33v34" : "M41 31l29 19-29 19z");
      icon.setAttribute("class", shown ? "pause" : "start");
    };
    draw();
    return {
      element: el("div.sound", {}, button,
        clips.length > 0 && el("div.clips", { role: "group", "aria-label": t("player.clips") }, switches),
        seek && el("div.seek", {}, bar, time)),
      draw,
    };
  }

  /** A picture from bytes; small ones are enlarged without smoothing. */
  async function pictureStage(bytes, label) {
    const image = el("img", { alt: label });
    const url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    image.src = url;
    try {
      await image.decode();
    } finally {
      URL.revokeObjectURL(url);
    }
    if (Math.max(image.naturalWidth, image.naturalHeight) < 200) image.classList.add("small");
    return el("div.frame", {}, image);
  }

  /** The stage of a step, closed when the page moves on. */
  trompe.stage = async (view, settings) => {
    const { turn } = trompe;
    const stage = await setStage(view, settings);
    // the page has moved on meanwhile: whoever waits for this stage waits for ever
    if (turn !== trompe.turn) await new Promise(() => {});
    trompe.onleave = () => stage.close();
    return stage;
  };

  /** Waits for the bytes as long as it takes, saying so. */
  async function setStage(view, { medium, clips = [], repeat = false, seek = true, gap }) {
    const bytes = await trompe.patiently(
      () => Promise.all(view.stimuli.map((name) => trompe.participation.stimulus(name))),
      (error) => {
        if (!error.offline) throw error;
        trompe.participation.onwaiting(true);
      });
    const begun = performance.now();
    if (medium === "image") {
      const pictures = await Promise.all(bytes.map((one, index) => pictureStage(one, clips[index] ?? t("picture.alt"))));
      const shownAt = performance.now();
      return {
        element: el("div.pictures", {}, pictures.map((picture, index) =>
          clips.length ? el("figure", {}, picture, el("figcaption", {}, clips[index])) : picture)),
        toggle() {},
        select() {},
        since: () => performance.now() - shownAt,
        taken: () => ({ heard_ms: Math.round(performance.now() - shownAt), plays: 1, stalls: 0 }),
        heard: () => Infinity,
        onheard() {},
        close() {},
      };
    }
    const player = gap === undefined ? await trompe.Player.load(bytes, { repeat }) : await trompe.Player.inTurn(bytes, gap);
    const stage = soundStage(player, { seek, clips });
    let onheard = () => {};
    let firstPlay = null;
    player.onchange = () => {
      if (player.playing) firstPlay ??= performance.now();
      stage.draw();
      onheard();
    };
    return {
      element: stage.element,
      toggle: () => player.toggle(),
      select: (index) => { if (index < player.buffers.length) { player.select(index); player.play(); } },
      since: () => performance.now() - (firstPlay ?? begun),
      taken: () => {
        player.count();
        return { heard_ms: Math.round(1000 * player.heard), plays: player.plays, stalls: player.stalls };
      },
      /** Seconds heard: of the clip heard least. */
      heard: () => Math.min(...player.heardOf),
      duration: player.duration,
      player,
      onheard: (listener) => (onheard = listener),
      close: () => player.close(),
    };
  }
})();
