// The answers of a study without a server as QR codes, for a phone to read from the screen: the
// digits of the mail in parts, `TROMPE ANSWERS 1/3 9f00b2c4 DIGITS.`, shown one at a time.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const version = 15; // 77 x 77 modules: large enough on a small screen (our choice)
  const quiet = 4; // modules around a code
  const scale = 4; // pixels of a module: whole ones, which scanners like

  const head = (number, count, sum) => `TROMPE ANSWERS ${number}/${count} ${sum} `;

  /** The texts of all codes, of nearly the same length. */
  trompe.codeTexts = ({ digits, sum }) => {
    const room = trompe.qrRoom(version) - head(99, 99, sum).length - 1;
    const count = Math.ceil(digits.length / room);
    const length = Math.ceil(digits.length / count);
    return Array.from({ length: count }, (_, n) =>
      `${head(n + 1, count, sum)}${digits.slice(n * length, (n + 1) * length)}.`);
  };

  /** A code as a drawing, dark on light whatever the page's colours. */
  function drawing(grid, name) {
    const runs = grid.flatMap((row, y) => {
      const bits = row.map(Number).join("");
      return Array.from(bits.matchAll(/1+/g), (run) => `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`);
    });
    const size = grid.length + 2 * quiet;
    const place = { viewBox: `${-quiet} ${-quiet} ${size} ${size}`, "shape-rendering": "crispEdges" };
    return el("svg.qr", { ...place, width: scale * size, height: scale * size, role: "img", "aria-label": name }, el("path", { d: runs.join("") }));
  }

  /** The codes, a button to go on to the next; nothing in a browser that cannot pack. */
  trompe.codes = () => {
    if (!window.CompressionStream) return null;
    const frame = el("div");
    const next = el("button", { type: "button", id: "code-next", hidden: true }, t("codes.next"));
    let texts = [];
    let at = 0;
    const draw = () => {
      const name = t("codes.name", { a: at + 1, b: texts.length });
      frame.replaceChildren(drawing(trompe.qr(texts[at]), name), el("p.hint", {}, name));
      return name;
    };
    next.addEventListener("click", () => {
      at = (at + 1) % texts.length;
      trompe.say(draw());
    });
    trompe.packed().then((packed) => {
      texts = trompe.codeTexts(packed);
      next.hidden = texts.length < 2;
      draw();
    });
    return el("section", {}, el("h2", {}, t("codes.title")), el("p", {}, t("codes.lead")), frame, el("div.row", {}, next));
  };
})();
