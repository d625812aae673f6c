'use strict';
// Players: one at a time; the waveform shows what was played and can be clicked.
function takeTurns(audio) {
  audio.addEventListener('play', () => {
    for (const other of document.querySelectorAll('audio')) if (other !== audio) other.pause();
  });
}
for (const audio of document.querySelectorAll('audio')) {
  takeTurns(audio);
  const wave = audio.parentNode.querySelector('.waveform');
  if (!wave) continue;
  const show = () => wave.style.setProperty('--played', audio.duration ? audio.currentTime / audio.duration : 0);
  audio.addEventListener('timeupdate', show);
  audio.addEventListener('seeked', show);
  wave.addEventListener('click', event => {
    const box = wave.getBoundingClientRect();
    const part = (event.clientX - box.left) / box.width;
    const seek = () => { audio.currentTime = part * audio.duration; };
    if (audio.readyState > 0) seek(); else audio.addEventListener('loadedmetadata', seek, { once: true });
    audio.play();
  });
}
