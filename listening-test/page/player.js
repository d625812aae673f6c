// Sound: one or more clips in step, exact to the sample. Loops are played by the audio
// engine; starting, pausing, seeking and changing clips fade over 10 ms. Nothing but the
// master volume touches the level, which was matched when the study was built.
"use strict";
(() => {
  const { trompe } = window;
  const FADE = 0.01;
  let context = null;
  let master = null;

  function engine() {
    if (!context) {
      context = new AudioContext({ latencyHint: "playback" });
      master = context.createGain();
      master.gain.value = trompe.memory.volume;
      master.connect(context.destination);
    }
    return context;
  }

  trompe.setVolume = (volume) => {
    trompe.memory.volume = volume;
    trompe.memory.save();
    if (master) master.gain.setTargetAtTime(volume, context.currentTime, 0.02);
  };

  class Player {
    /** `bytes`: one or more encoded clips of equal length. */
    static async load(clips, { repeat }) {
      const buffers = await Promise.all(clips.map((bytes) => engine().decodeAudioData(bytes)));
      return new Player(buffers, repeat);
    }

    constructor(buffers, repeat) {
      this.buffers = buffers;
      this.repeat = repeat;
      this.clip = 0;
      this.duration = buffers[0].duration;
      this.offset = 0;
      this.playing = false;
      this.closed = false;
      this.heard = 0; // seconds
      this.heardOf = buffers.map(() => 0);
      this.plays = 0;
      this.stalls = 0;
      this.onchange = () => {};
      this.hidden = () => document.hidden && this.playing && (this.stalls += 1);
      document.addEventListener("visibilitychange", this.hidden);
    }

    async play() {
      if (this.playing) return;
      const wasRunning = context.state === "running";
      await context.resume();
      if (this.playing || this.closed) return; // pressed twice, or the page has moved on
      if (!wasRunning && context.state !== "running") this.stalls += 1;
      if (this.offset >= this.duration - 0.02) this.offset = 0;
      this.plays += 1;
      this.playing = true;
      this.start();
      this.watch();
      this.onchange();
    }

    start() {
      const source = context.createBufferSource();
      const gain = context.createGain();
      source.buffer = this.buffers[this.clip];
      source.loop = this.repeat;
      source.loopEnd = this.duration;
      const now = context.currentTime;
      gain.gain.setValueAtTime(0, now);
      gain.gain.linearRampToValueAtTime(1, now + FADE);
      source.connect(gain).connect(master);
      source.start(now, this.offset);
      source.onended = () => this.source === source && this.finish();
      Object.assign(this, { source, gain, startedAt: now, startOffset: this.offset, countedTo: now });
    }

    /** Fades the present source out. */
    release() {
      const { source, gain } = this;
      if (!source) return;
      this.count();
      this.offset = this.position();
      this.source = null;
      const now = context.currentTime;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(0, now + FADE);
      source.stop(now + FADE);
    }

    /** Adds what was played since the last count to the seconds heard. */
    count() {
      if (!this.source) return;
      const now = context.currentTime;
      this.heard += now - this.countedTo;
      this.heardOf[this.clip] += now - this.countedTo;
      this.countedTo = now;
    }

    pause() {
      if (!this.playing) return;
      this.release();
      this.playing = false;
      this.onchange();
    }

    finish() {
      this.count();
      this.source = null;
      this.offset = 0;
      this.playing = false;
      this.ended = true;
      this.onchange();
    }

    toggle() {
      return this.playing ? this.pause() : this.play();
    }

    seek(seconds) {
      const target = Math.min(Math.max(seconds, 0), this.duration);
      if (this.playing) this.release();
      this.offset = target;
      if (this.playing) this.start();
      this.onchange();
    }

    /** Changes to another clip at the same place. */
    select(clip) {
      if (clip === this.clip) return;
      if (this.playing) this.release();
      this.clip = clip;
      if (this.playing) this.start();
      this.onchange();
    }

    position() {
      if (!this.source) return this.offset;
      const played = this.startOffset + context.currentTime - this.startedAt;
      return this.repeat ? played % this.duration : Math.min(played, this.duration);
    }

    /** Redraws, counts, and notices when the sound falls behind the clock. */
    watch() {
      let lastSound = context.currentTime;
      let lastClock = performance.now();
      const tick = () => {
        if (!this.playing) return;
        const sound = context.currentTime;
        const clock = performance.now();
        if (clock - lastClock > 250) {
          // a hidden page is slowed down by the browser: that is not a stall of the sound
          if (!document.hidden && (clock - lastClock) / 1000 - (sound - lastSound) > 0.2) this.stalls += 1;
          [lastSound, lastClock] = [sound, clock];
        }
        this.count();
        this.onchange();
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }

    close() {
      this.closed = true;
      this.pause();
      this.onchange = () => {};
      document.removeEventListener("visibilitychange", this.hidden);
    }
  }

  trompe.Player = Player;
})();
