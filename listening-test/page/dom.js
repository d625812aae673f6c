// Elements without markup in strings: text can never become code.
"use strict";
(() => {
  const trompe = (window.trompe = {});
  const svgTags = new Set(["svg", "circle", "path", "g"]);

  /** `el("button.primary", { onclick }, "Go")`: an element with class, properties, children. */
  trompe.el = (selector, properties = {}, ...children) => {
    const [tag, ...classes] = selector.split(".");
    const element = svgTags.has(tag)
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag || "div");
    if (classes.length) element.setAttribute("class", classes.join(" "));
    for (const [name, value] of Object.entries(properties)) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else element.setAttribute(name, value);
    }
    element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  };

  /** Says something to screen readers without moving the focus. */
  trompe.say = (text) => {
    const status = document.getElementById("status");
    status.textContent = "";
    setTimeout(() => (status.textContent = text), 30);
  };

  /** What stands was answered: until the next page is shown, nothing on it can be pressed. */
  trompe.hold = () => {
    trompe.keys({});
    document.getElementById("main").inert = true;
  };

  /** Shows a page and moves the focus to its heading. */
  trompe.show = (...children) => {
    const main = document.getElementById("main");
    main.inert = false;
    main.replaceChildren(...children.flat(3).filter(Boolean));
    const heading = main.querySelector("h1");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      const title = document.getElementById("study-title").textContent;
      document.title = title ? `${heading.textContent} · ${title}` : heading.textContent;
    }
    window.scrollTo(0, 0);
  };

  /** A random name for an answer, so that sending it twice stores it once. */
  trompe.randomKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
})();
