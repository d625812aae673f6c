// Guess first: the exhibits without their labels, in random order, until they are guessed.
const button = document.getElementById('guess');
const score = document.getElementById('score');
const shuffled = document.getElementById('shuffled');
const cards = [...document.querySelectorAll('.exhibit')];
const homes = cards.map(card => card.parentNode);
const numbers = cards.map(card => card.querySelector('.number').textContent);
const quiz = document.getElementById('quiz');
const classes = [...document.querySelectorAll('[data-class]')].map(item => item.dataset.class);
const invitation = score.textContent;
let guessed = 0, agreed = 0;

function guess(card, label) {
  const right = label === card.dataset.label;
  guessed += 1;
  agreed += right ? 1 : 0;
  card.classList.add('answered');
  const verdict = document.createElement('p');
  verdict.className = 'verdict';
  verdict.textContent = right
    ? `You agree with the classifier: ${label}.`
    : `You say ${label}; the classifier says ${card.dataset.label}.`;
  card.querySelector('.guesses').replaceChildren(verdict);
  const often = atLeast(agreed, guessed, 1 / classes.length);
  score.textContent = `You agreed with the classifier on ${agreed} of ${guessed}. ` +
    `Guesses at random agree on one in ${classes.length}; so often or more in ${percent(often)} of such games.`;
}

// Chance of `least` or more hits in `count` tries, each with chance `p`.
function atLeast(least, count, p) {
  let sum = 0;
  for (let hits = least; hits <= count; hits++) {
    let term = p ** hits * (1 - p) ** (count - hits);
    for (let i = 0; i < hits; i++) term *= (count - i) / (hits - i);
    sum += term;
  }
  return Math.min(sum, 1);
}

function percent(share) {
  return share < 0.001 ? 'less than 0.1 %' : `${(100 * share).toPrecision(2)} %`.replace(/^1\.0e\+2/, '100');
}

function start() {
  const order = [...cards];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  guessed = agreed = 0;
  for (const [place, card] of order.entries()) {
    // The numbers of the set follow its classes.
    card.querySelector('.number').textContent = `No. ${place + 1}`;
    card.querySelector('.guesses').replaceChildren(...classes.map(label => {
      const choice = document.createElement('button');
      choice.type = 'button';
      choice.textContent = label;
      choice.addEventListener('click', () => guess(card, label));
      return choice;
    }));
    shuffled.append(card);
  }
  score.textContent = 'Pick the label that fits best.';
}

function stop() {
  cards.forEach((card, i) => {
    card.classList.remove('answered');
    card.querySelector('.number').textContent = numbers[i];
    card.querySelector('.guesses').replaceChildren();
    homes[i].append(card);
  });
  score.textContent = invitation;
}

button.hidden = cards.length === 0;
score.hidden = button.hidden;
button.addEventListener('click', () => {
  const guessing = document.body.classList.toggle('guessing');
  button.setAttribute('aria-pressed', guessing);
  button.textContent = guessing ? 'Show the labels' : 'Guess first';
  quiz.hidden = !guessing;
  if (guessing) start(); else stop();
});
