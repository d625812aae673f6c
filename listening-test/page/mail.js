// The answers of a study without a server as text for a mail: JSON, packed by gzip, whose
// checksum tells a damaged copy, in base 64 between two marks.
"use strict";
(() => {
  const { trompe } = window;
  const { el, t } = trompe;
  const lineLength = 48;
  const longestLink = 1900; // some mail programs cut longer ones

  /** Everything given, packed, in digits that mails and codes keep; `sum` is its checksum. */
  trompe.packed = async () => {
    const json = new Blob([JSON.stringify(trompe.participation.record())]);
    const packed = new Response(json.stream().pipeThrough(new CompressionStream("gzip")));
    const bytes = new Uint8Array(await packed.arrayBuffer());
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const digits = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const sum = Array.from(bytes.slice(-8, -4), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { digits, sum };
  };

  /** What a mail has to hold. */
  const letter = async () => {
    const { digits } = await trompe.packed();
    const lines = digits.match(new RegExp(`.{1,${lineLength}}`, "g"));
    return ["-----BEGIN TROMPE ANSWERS-----", ...lines, "-----END TROMPE ANSWERS-----"].join("\n");
  };

  /** Opens a mail to the contact, with the text in it if it is short enough for a link. */
  const link = (text) => {
    const [address] = trompe.study.consent.contact.match(/[^\s<>(),;:]+@[^\s<>(),;:]+/) ?? [];
    if (!address) return null;
    const subject = `mailto:${address}?subject=${encodeURIComponent(`${trompe.study.name}: ${trompe.memory.state.participant}`)}`;
    const whole = `${subject}&body=${encodeURIComponent(text.replaceAll("\n", "\r\n"))}`;
    return el("a.primary", { href: whole.length > longestLink ? subject : whole, id: "mail-open" }, t("mail.open"));
  };

  /** The text, a way to copy it and a way to send it; nothing in a browser that cannot pack. */
  trompe.mail = () => {
    if (!window.CompressionStream) return null;
    const area = el("textarea", { id: "mail", readonly: true, rows: 6, dir: "ltr", spellcheck: "false", "aria-labelledby": "mail-title" });
    const row = el("div.row", {}, trompe.copyButton(() => area.value));
    letter().then((text) => {
      area.value = text;
      const open = link(text);
      if (open) row.append(open);
    });
    return el("section", {}, el("h2", { id: "mail-title" }, t("mail.title")),
      el("p", { dir: "auto" }, t("mail.lead", { contact: trompe.study.consent.contact })), area, row);
  };
})();
