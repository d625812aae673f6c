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

  /** Longest silence of the server, in milliseconds; what comes may take as long as it takes. */
  const SILENCE = 15000;

  /** A request that is given up when nothing has come for a while. */
  async function patientFetch(path, options) {
    const line = new AbortController();
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => line.abort(), SILENCE);
    };
    wait();
    const { body, status } = await fetch(path, { ...options, signal: line.signal })
      .catch((error) => { clearTimeout(timer); throw error; });
    const watch = new TransformStream({
      transform(chunk, onward) { wait(); onward.enqueue(chunk); },
      flush() { clearTimeout(timer); },
    });
    return new Response(body?.pipeThrough(watch), { status });
  }

  async function ask(path, { body, method = body ? "POST" : "GET", code } = {}) {
    const headers = {};
    if (body) headers["content-type"] = "application/json";
    if (code) headers.authorization = `Bearer ${code}`;
    let response;
    try {
      response = await patientFetch(path, {
        method,
        headers,
        body: body && JSON.stringify(body),
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
    words: (language) => json(`page/languages/${language}.json`),
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
