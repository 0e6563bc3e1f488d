// Question cards: a choice, a check, and the explanation of what was chosen.
//
// The finished HTML of a card (options as a list, the answer folded) stays for print. A question that belongs to
// a run can be asked in two places, the card and the playback; both are forms of one question.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, printed } = book.dom;
  const { fill } = book.sentences;
  const { progress } = book;
  const texts = window.KafkaBookTexts.questions;

  // Of a prompt, in the list of missed questions.
  const LONGEST = 90;

  const questions = new Map();
  const letter = (at) => String.fromCharCode(97 + at);
  let forms = 0;

  function readCard(section) {
    const script = section.querySelector('script[type="application/json"]');
    const data = JSON.parse(script.textContent);
    return {
      id: data.id, data, section,
      prompt: section.querySelector('.ask-prompt'),
      options: [...section.querySelectorAll('.ask-options > li')].map((item) => item.innerHTML),
      predicts: section.classList.contains('predict'),
      get answer() { return progress.data.answers[data.id] || null; },
    };
  }

  // What is asked, short enough for a list: of a long prompt its last sentence, cut between words.
  function short(prompt) {
    const whole = prompt.textContent.trim().replace(/\s+/g, ' ');
    const asked = whole.length <= LONGEST ? whole : whole.split(/(?<=[.?!]) /).pop();
    return asked.length <= LONGEST ? asked : `${asked.slice(0, LONGEST).replace(/\s+\S*$/, '')} …`;
  }

  function keep(question, choice) {
    progress.answer(question.id, choice, choice === question.data.right, short(question.prompt));
  }

  // A form for the question. `onAnswer` is called when the reader has checked a choice here.
  function form(question, { onAnswer, extra, quiet } = {}) {
    forms += 1;
    const name = `ask-${forms}`;
    const items = question.options.map((html, at) => {
      const label = el('label', { class: 'ask-option' },
        el('input', { type: 'radio', name, value: String(at) }),
        el('span', { class: 'ask-letter', text: `${letter(at)}.` }),
        el('span', { class: 'ask-text' }));
      label.lastChild.innerHTML = html;
      const why = el('div', { class: 'ask-why', hidden: true });
      return { at, input: label.firstChild, label, why, item: el('li', null, label, why) };
    });
    const status = el('p', { class: 'ask-status', role: 'status' });
    const check = el('button', { type: 'submit', class: 'button', text: question.predicts ? texts.guess : texts.check });
    const list = el('div', { role: 'radiogroup', 'aria-label': question.prompt.textContent.trim() }, el('ol', null, items.map((one) => one.item)));
    const made = el('form', { class: 'ask-form' }, list, el('div', { class: 'ask-buttons' }, check, extra), status);

    made.addEventListener('change', () => {
      status.textContent = '';
      check.hidden = false;
      for (const { why, label } of items) {
        why.hidden = true;
        label.classList.remove('is-right', 'is-wrong');
      }
    });
    made.addEventListener('submit', (event) => {
      event.preventDefault();
      const chosen = items.find(({ input }) => input.checked);
      if (!chosen) {
        status.textContent = texts.choose;
        items[0].input.focus();
        return;
      }
      keep(question, chosen.at);
      if (onAnswer) onAnswer();
    });

    // The verdict in words: the chosen one's explanation, and for a prediction that of the right one. Where there is
    // none, a choice that was not checked yet stays: an answer to another question is no reason to take it away.
    let verdict = false;
    function show() {
      const { answer } = question;
      if (quiet) return;
      if (!answer || answer.choice >= items.length) {
        if (verdict) {
          made.reset();
          made.dispatchEvent(new Event('change'));
        }
        verdict = false;
        return;
      }
      verdict = true;
      const { right, whys } = question.data;
      for (const { at, input, label, why } of items) {
        const chosen = at === answer.choice;
        const shown = chosen || (at === right && question.predicts);
        input.checked = chosen;
        label.classList.toggle('is-right', shown && at === right);
        label.classList.toggle('is-wrong', chosen && at !== right);
        why.hidden = !shown;
        const lead = at === right ? (chosen ? texts.right : fill(texts.rightOne, { letter: letter(at) })) : texts.wrong;
        why.replaceChildren(el('strong', { text: lead }), ' ', el('span'));
        why.lastChild.innerHTML = whys[at];
      }
      status.textContent = '';
      check.hidden = true;
    }
    progress.onChange(show);
    show();
    return made;
  }

  function playbackOf(question) {
    return question.data.run && question.data.stop
      ? document.querySelector(`run-playback[data-run="${CSS.escape(question.data.run)}"]`) : null;
  }

  function upgrade(section) {
    const question = readCard(section);
    questions.set(question.id, question);
    const watch = el('button', { type: 'button', class: 'button is-quiet ask-watch', hidden: true, text: texts.watch });
    watch.addEventListener('click', () => {
      const player = playbackOf(question);
      if (player && player.watch) player.watch(question.data.stop);
    });
    const offer = () => {
      const player = playbackOf(question);
      watch.hidden = !(question.answer && player && player.watch);
    };
    progress.onChange(offer);
    section.append(form(question, { extra: watch }));
    section.classList.add('is-live');
    // Playbacks are upgraded after the cards.
    window.addEventListener('load', offer);
  }

  if (!printed) {
    for (const section of document.querySelectorAll('section.ask[data-question]')) {
      try {
        upgrade(section);
      } catch (error) {
        // The card stays as it was: readable, with its answer folded.
        console.error(`the question ${section.id} cannot be asked`, error);
      }
    }
  }

  book.questions = { get: (id) => questions.get(id) || null, form };
})();
