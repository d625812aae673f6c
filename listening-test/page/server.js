// The link to the study server. `folder.js` has the same functions for a study without one.
"use strict";
(() => {
  const { trompe } = window;

  /** `offline`: nobody answered, try again. Otherwise `word` is the server's refusal. */
  class LinkError extends Error {
    constructor(word, offline) {
      super(word);
      this.word = word;
      this.offline = offline;
    }
  }
  trompe.LinkError = LinkError;

  async function ask(path, { body, method = body ? "POST" : "GET", code } = {}) {
    const headers = {};
    if (body) headers["content-type"] = "application/json";
    if (code) headers.authorization = `Bearer ${code}`;
    let response;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(15000),
        cache: "no-store",
      });
    } catch {
      throw new LinkError("offline", true);
    }
    if (response.ok) return response;
    const busy = response.status >= 500 || response.status === 408 || response.status === 429;
    const answer = await response.json().catch(() => ({}));
    throw new LinkError(answer.error ?? "unknown", busy);
  }

  const json = async (path, options) => {
    const response = await ask(path, options);
    try {
      return await response.json();
    } catch {
      throw new LinkError("offline", true); // the line broke in the middle of an answer
    }
  };

  trompe.link = {
    study: () => json("api/study"),
    words: async (language) => {
      const response = await fetch(`page/languages/${language}.json`);
      return response.json();
    },
    enrol: (enrolment) => json("api/sessions", { body: enrolment }),
    resume: (code) => json("api/resume", { method: "POST", code }),
    state: (code) => json("api/state", { code }),
    answer: (code, given) => json("api/answers", { body: given, code }),
    withdraw: (code) => json("api/withdraw", { method: "POST", code }),
    stimulus: async (code, name) => {
      const response = await ask(`api/stimuli/${name}`, { code });
      try {
        return await response.arrayBuffer();
      } catch {
        throw new LinkError("offline", true);
      }
    },
  };
})();
