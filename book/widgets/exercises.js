// An exercise is solved on the reader's machine, where its check runs; here the reader notes that it is.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, printed } = book.dom;
  const { progress } = book;
  const texts = window.KafkaBookTexts.progress;

  function upgrade(section) {
    const id = section.dataset.exercise;
    const isSolved = () => Boolean(progress.data.exercises[id]);
    const mark = el('button', { type: 'button', class: 'button is-quiet exercise-mark', onclick: () => progress.solved(id, !isSolved()) });
    const show = () => {
      mark.textContent = isSolved() ? texts.solved : texts.notSolved;
      mark.setAttribute('aria-pressed', String(isSolved()));
      section.classList.toggle('is-solved', isSolved());
    };
    progress.onChange(show);
    show();
    section.append(mark);
  }

  if (!printed) document.querySelectorAll('section.exercise[data-exercise]').forEach(upgrade);
})();
