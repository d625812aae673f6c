// Wording: one file per language; a study may add its own per language.
"use strict";
(() => {
  const { trompe } = window;
  const names = { en: "English", de: "Deutsch", fr: "Français", es: "Español", ar: "العربية" };
  let words = {};

  trompe.languageName = (language) => names[language];
  trompe.language = "en";

  /** Loads a language, however long the line is down, and sets the page's language and direction. */
  trompe.speak = async (language) => {
    words = await trompe.patiently(() => trompe.link.words(language));
    trompe.language = language;
    document.documentElement.lang = language;
    document.documentElement.dir = words.direction;
  };

  /** The sentence named `key`, with `{name}` replaced. */
  trompe.t = (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  trompe.knows = (key) => key in words;

  /** The present language's text of a study's own texts, else English, else any. */
  trompe.own = (texts) => texts && (texts[trompe.language] ?? texts.en ?? Object.values(texts)[0]);

  /** The name of a class as shown. */
  trompe.className = (block, name) =>
    trompe.own(block.class_names[name]) ?? words[`class.${name}`] ?? name;
})();
