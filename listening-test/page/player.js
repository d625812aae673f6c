// Sound: one or more clips in step, exact to the sample. All clips start together and run in step; only
// the one that is selected is heard, and changing it is a crossfade of 10 ms. Loops are played by the
// audio engine; starting, pausing and seeking fade, too. Nothing but the master volume touches the
// level, which was matched when the study was built.
"use strict";
(() => {
  const { trompe } = window;
  const FADE = 0.01;
  const AHEAD = 0.02; // so that all clips are scheduled before the first sounds
  const SHORTEST = 0.5; // seconds of a loop
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

  /** Brings a gain to `level` within the fade, from wherever it stands. */
  function fade({ gain }, level, now) {
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(level, now + FADE);
  }

  class Player {
    /** `bytes`: one or more encoded clips of equal length. */
    static async load(clips, { repeat }) {
      const buffers = await Promise.all(clips.map((bytes) => engine().decodeAudioData(bytes)));
      return new Player(buffers, repeat);
    }

    /** The clips one after the other as one, with `gap` seconds of silence between two. */
    static async inTurn(clips, gap) {
      const buffers = await Promise.all(clips.map((bytes) => engine().decodeAudioData(bytes)));
      const { numberOfChannels, sampleRate } = buffers[0];
      const silence = Math.round(gap * sampleRate);
      const length = buffers.reduce((sum, buffer) => sum + buffer.length + silence, -silence);
      const whole = engine().createBuffer(numberOfChannels, length, sampleRate);
      let at = 0;
      for (const buffer of buffers) {
        for (let channel = 0; channel < numberOfChannels; channel += 1) {
          whole.copyToChannel(buffer.getChannelData(channel), channel, at);
        }
        at += buffer.length + silence;
      }
      return new Player([whole], false);
    }

    constructor(buffers, repeat) {
      this.buffers = buffers;
      this.repeat = repeat;
      this.clip = 0;
      this.duration = buffers[0].duration;
      [this.from, this.to] = [0, this.duration];
      this.voices = null;
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
      if (this.offset >= this.to - 0.02) this.offset = this.from;
      this.plays += 1;
      this.playing = true;
      this.start();
      this.watch();
      this.onchange();
    }

    start() {
      const startedAt = context.currentTime + AHEAD;
      const voices = this.buffers.map((buffer, clip) => {
        const source = context.createBufferSource();
        const gain = context.createGain();
        source.buffer = buffer;
        source.loop = this.repeat;
        source.loopStart = this.from;
        source.loopEnd = this.to;
        gain.gain.setValueAtTime(0, startedAt);
        if (clip === this.clip) gain.gain.linearRampToValueAtTime(1, startedAt + FADE);
        source.connect(gain).connect(master);
        source.start(startedAt, this.offset);
        return { source, gain };
      });
      voices[0].source.onended = () => this.voices === voices && this.finish();
      Object.assign(this, { voices, startedAt, startOffset: this.offset, countedTo: startedAt });
    }

    /** Fades what sounds out. */
    release() {
      const { voices } = this;
      if (!voices) return;
      this.count();
      this.offset = this.position();
      this.voices = null;
      const now = context.currentTime;
      for (const { source, gain } of voices) {
        fade(gain, 0, now);
        source.stop(now + FADE);
      }
    }

    /** Adds what was played since the last count to the seconds heard. */
    count() {
      const now = context.currentTime;
      if (!this.voices || now < this.countedTo) return;
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
      this.voices = null;
      this.offset = 0;
      this.playing = false;
      this.ended = true;
      this.onchange();
    }

    toggle() {
      return this.playing ? this.pause() : this.play();
    }

    seek(seconds) {
      const target = Math.min(Math.max(seconds, this.from), this.to);
      if (this.playing) this.release();
      this.offset = target;
      if (this.playing) this.start();
      this.onchange();
    }

    /** Changes to another clip at the same place: both run already, so not a sample is lost. */
    select(clip) {
      if (clip === this.clip) return;
      if (this.voices) {
        this.count();
        const now = Math.max(context.currentTime, this.startedAt);
        fade(this.voices[this.clip].gain, 0, now);
        fade(this.voices[clip].gain, 1, now);
      }
      this.clip = clip;
      this.onchange();
    }

    /** Plays only what lies between two places, given in seconds. */
    loop(from, to) {
      if (!(to - from >= SHORTEST)) return;
      const place = this.position();
      if (this.playing) this.release();
      Object.assign(this, { from, to, offset: place >= from && place < to ? place : from });
      if (this.playing) this.start();
      this.onchange();
    }

    position() {
      if (!this.voices) return this.offset;
      const played = this.startOffset + Math.max(0, context.currentTime - this.startedAt);
      if (!this.repeat) return Math.min(played, this.duration);
      return played < this.to ? played : this.from + ((played - this.from) % (this.to - this.from));
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
