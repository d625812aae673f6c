// The game: one exhibit after another, drawn at random, with a few labels to choose from. The score
// stays in this browser.
const STORE = 'trompe-gallery';
const LABELS = 4;
const game = document.getElementById('game');
const { classes: classesOf, questions } = JSON.parse(game.dataset.game);
const tally = document.getElementById('tally');
const verdict = game.querySelector('.verdict');
const stage = game.querySelector('.stage');
const choices = game.querySelector('.choices');
const next = document.getElementById('next');
let score = remembered(), waiting = [];

// Storage may be forbidden, as in private windows.
function remembered() {
  try {
    const { guessed, right, expected } = JSON.parse(localStorage.getItem(STORE));
    if ([guessed, right, expected].every(Number.isFinite)) return { guessed, right, expected };
  } catch { /* a first visit, or nothing to remember with */ }
  return { guessed: 0, right: 0, expected: 0 };
}

function remember() {
  try { localStorage.setItem(STORE, JSON.stringify(score)); } catch { /* it lasts as long as the page */ }
  const { guessed, right, expected } = score;
  tally.textContent = guessed
    ? `You agreed with the classifier on ${right} of ${guessed}; guesses at random agree on ${expected.toFixed(1)} of them.`
    : 'Your score is kept in this browser alone.';
}

function shuffled(list) {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function ask() {
  if (!waiting.length) waiting = shuffled(questions);
  const question = waiting.pop();
  const shown = document.createElement(question.image ? 'img' : 'audio');
  shown.src = question.file;
  if (question.image) shown.alt = 'An exhibit';
  else { shown.controls = true; shown.preload = 'none'; shown.setAttribute('aria-label', 'An exhibit'); takeTurns(shown); }
  stage.replaceChildren(shown);
  const others = shuffled(classesOf[question.set].filter(label => label !== question.label));
  const labels = shuffled([question.label, ...others.slice(0, LABELS - 1)]);
  choices.replaceChildren(...labels.map(label => {
    const choice = document.createElement('button');
    choice.type = 'button';
    choice.textContent = label;
    choice.addEventListener('click', () => answer(question, label, labels.length));
    return choice;
  }));
  verdict.textContent = '';
}

function answer(question, label, among) {
  const right = label === question.label;
  score = { guessed: score.guessed + 1, right: score.right + (right ? 1 : 0), expected: score.expected + 1 / among };
  remember();
  choices.replaceChildren();
  verdict.textContent = (right ? 'You agree with the classifier: ' : `You say ${label}; the classifier says `) +
    `${question.label}, with a posterior of ${question.posterior}.`;
  next.focus();
}

next.addEventListener('click', ask);
document.getElementById('forget').addEventListener('click', () => {
  score = { guessed: 0, right: 0, expected: 0 };
  remember();
});
game.hidden = questions.length === 0;
if (questions.length) { remember(); ask(); }
