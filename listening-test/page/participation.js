// Where the participant stands, and the queue of answers on their way. An answer leaves the
// queue only when the server has confirmed that it is stored.
"use strict";
(() => {
  const { trompe } = window;
  const { memory } = trompe;
  const stimuli = new Map(); // name -> promise of bytes: present and next item only
  let sending = false;
  let wait = 1000;
  let timer = null;

  const participation = (trompe.participation = {
    /** Told when the state changed for another reason than an answer given here. */
    onchange: () => {},
    /** Told that an answer is stored. */
    onstored: () => {},
    /** Told the word of a refusal that ends the participation here. */
    onrefusal: () => {},
    /** Told whether answers wait for the network. */
    onwaiting: () => {},

    async enrol(enrolment) {
      memory.enrolment ??= trompe.randomKey(); // sent again, it takes nobody in twice
      memory.save();
      const { code, state } = await trompe.link.enrol({ ...enrolment, key: memory.enrolment });
      Object.assign(memory, { code, state, queue: [], log: [], enrolment: null });
      memory.save();
      load();
    },

    /** Comes back with a code; offline, the remembered state will do. */
    async resume(code) {
      const known = memory.code === code;
      try {
        const state = await trompe.link.resume(code);
        if (!known) Object.assign(memory, { code, queue: [], log: [] });
        take(state);
      } catch (error) {
        if (!(error.offline && known && memory.state)) throw error;
      }
      load();
      flush();
    },

    /** The step to show: the first that is neither stored nor on its way; `null` while it
        is not known yet. */
    step() {
      const { state, queue } = memory;
      return [state.step, state.next][queue.length] ?? null;
    },

    end: () => (memory.queue.length ? null : memory.state.end),

    /** Takes the answer to the step that `view` shows; the promise is kept when it is stored,
        with the acknowledgement. `null` if that step is answered already: whoever presses twice
        must not answer what has not been shown. */
    answer(view, given) {
      const step = participation.step();
      if (step?.index !== view.index) return null;
      const full = { response_ms: 0, heard_ms: 0, plays: 0, stalls: 0, ...given, step: step.index, key: trompe.link.key?.(step.index) ?? trompe.randomKey() };
      memory.queue.push(full);
      memory.log.push(full);
      memory.save();
      load();
      return new Promise((resolve) => {
        acknowledged.set(full.key, resolve);
        flush();
      });
    },

    stimulus(name) {
      if (!stimuli.has(name)) {
        const bytes = trompe.link.stimulus(memory.code, name);
        bytes.catch(() => stimuli.delete(name));
        stimuli.set(name, bytes);
      }
      return stimuli.get(name).then((bytes) => bytes.slice(0));
    },

    async withdraw() {
      try {
        await trompe.link.withdraw(memory.code);
      } catch (error) {
        if (error.word !== "not-found") throw error; // erased before, the answer was lost
      }
      clearTimeout(timer);
      memory.forget();
    },

    /** Everything given so far. */
    record: () => ({
      study: trompe.study.name,
      participant: memory.state?.participant,
      consent_version: trompe.study.consent_version,
      language: trompe.language,
      answers: memory.log,
    }),
  });

  const acknowledged = new Map();

  /** Takes a confirmed state and drops what it shows to be stored. */
  function take(state) {
    memory.state = state;
    memory.queue = memory.queue.filter((given) => given.step >= state.answered && !state.end);
    memory.save();
  }

  /** Loads the present and the next item, and forgets all others. */
  function load() {
    const { state, queue } = memory;
    const views = [state.step, state.next].slice(queue.length).filter(Boolean);
    const wanted = new Set(views.flatMap((view) => view.stimuli ?? []));
    for (const name of stimuli.keys()) if (!wanted.has(name)) stimuli.delete(name);
    for (const name of wanted) participation.stimulus(name).catch(() => {});
  }

  function flush() {
    clearTimeout(timer);
    if (!sending) sendAll();
  }

  async function sendAll() {
    sending = true;
    try {
      while (memory.queue.length && await sendFirst()) { /* one after the other */ }
    } finally {
      sending = false;
    }
  }

  /** Sends the first of the queue; whether the next may follow now. */
  async function sendFirst() {
    const { code, queue: [given] } = memory;
    try {
      const answer = await trompe.link.answer(code, given);
      if (memory.code !== code) return false; // erased meanwhile
      wait = 1000;
      memory.queue.shift();
      take(answer.state);
      participation.onwaiting(false);
      acknowledged.get(given.key)?.(answer);
      acknowledged.delete(given.key);
      load();
      participation.onstored();
      return true;
    } catch (error) {
      if (memory.code !== code) return false;
      if (!error.offline) return refused(error);
      participation.onwaiting(true);
      timer = setTimeout(flush, wait);
      wait = Math.min(2 * wait, 15000);
      return false;
    }
  }

  /** The server and this page disagree, most often because of a second tab: ask anew. */
  async function refused(error) {
    try {
      const before = memory.queue.length;
      take(await trompe.link.state(memory.code));
      load();
      if (memory.queue.length === before) memory.queue.shift(); // it will never be taken
      memory.save();
      participation.onwaiting(false);
      if (["not-found", "too-late"].includes(error.word)) participation.onrefusal(error.word);
      else participation.onchange();
    } catch (again) {
      if (again.offline) timer = setTimeout(flush, wait);
      else participation.onrefusal(again.word ?? error.word);
    }
  }

  window.addEventListener("online", () => memory.queue.length && flush());
})();
