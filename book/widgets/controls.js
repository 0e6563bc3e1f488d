// The frame of a playback: its head, the sentence, the tallies, the scrubber, the moments and the buttons.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, icon, button, shape } = book.dom;
  const { clock, span, fill, meanwhile, fieldsOf, valueText } = book.sentences;
  const { model } = book;
  const texts = window.KafkaBookTexts.playback;

  const SPEEDS = [0.5, 1, 2, 4, 16];
  const TALLIES = ['processed', 'consumed', 'skipped', 'failed', 'behind', 'twice', 'lost'];
  const LOUD = ['failed', 'behind', 'twice', 'lost'];

  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // Captions are sentences of the book: what stands between backticks is code.
  function prose(element, text) {
    if (element.source === text) return;
    element.source = text;
    element.replaceChildren(...text.split('`').map((part, at) => (at % 2 === 1 ? el('code', { text: part }) : part)));
  }

  // The parts of one playback, around its finished HTML.
  function controls(player) {
    const { data } = player;
    const figure = player.querySelector(':scope > figure');

    const facts = el('p', { class: 'player-facts' });
    const another = el('button', { type: 'button', class: 'button is-quiet', onclick: () => player.another() });
    const asText = el('button', { type: 'button', class: 'button is-quiet', 'aria-pressed': 'false', text: texts.asText });
    const tools = el('div', { class: 'player-tools' }, another, asText);
    const head = el('header', { class: 'player-head' },
      el('div', null, el('p', { class: 'player-title', text: data.title || texts.title }), facts), tools);

    const time = el('time', { class: 'player-clock' });
    const sentence = el('p', { class: 'player-sentence' });
    const aside = el('p', { class: 'player-aside' });
    const guess = el('p', { class: 'player-guess', hidden: true });
    const now = el('div', { class: 'player-now' }, time, el('div', null, sentence, aside, guess));

    const pictureHost = el('div', { class: 'picture' });
    const linesHost = el('div', { class: 'lines' });
    const stop = el('div', { class: 'player-stop', hidden: true });
    const body = el('div', { class: 'player-body' }, pictureHost, linesHost);

    const tally = Object.fromEntries(TALLIES.map((name) => [name, el('li', { class: `is-${name}` })]));
    const session = el('span', { class: 'player-session' });
    const foot = el('div', { class: 'player-foot' }, el('ul', { class: 'tallies' }, Object.values(tally)), session);

    const range = el('input', { type: 'range', min: '0', step: 'any', value: '0', 'aria-label': texts.scrub });
    const marks = el('div', { class: 'scrub-marks', 'aria-hidden': 'true' });
    const length = el('span', { class: 'scrub-length' });
    const scrub = el('div', { class: 'scrub' }, el('div', { class: 'scrub-track' }, marks, range), length);
    const moments = el('ol', { class: 'moments-bar', 'aria-label': texts.moments });

    const play = button('play', texts.play, () => player.toggle(), { class: 'control control-play' });
    const speed = el('select', { 'aria-label': texts.speed },
      SPEEDS.map((value) => el('option', { value: String(value), text: `${value}×`, selected: value === 1 })));
    const bar = el('div', { class: 'controls' },
      button('start', texts.toStart, () => player.go(0), { class: 'control' }),
      button('back', texts.back, () => player.step(-1), { class: 'control' }),
      play,
      button('step', texts.step, () => player.step(1), { class: 'control' }),
      button('end', texts.toEnd, () => player.go(player.length), { class: 'control' }),
      el('label', { class: 'speed' }, el('span', { text: texts.speed }), speed));

    const voice = el('p', { class: 'for-ears', 'aria-live': 'polite' });
    const root = el('section', { class: 'player', tabindex: '-1', role: 'group', 'aria-label': data.title || texts.title, 'aria-description': texts.keys },
      head, now, body, stop, foot, scrub, moments, bar, voice);
    player.insertBefore(root, figure);

    const picture = book.picture(pictureHost, (cell, record, place) => openRecord(player, cell, record, place));
    const transcript = book.transcript(linesHost, (count) => player.go(count));

    speed.addEventListener('change', () => { player.speed = Number(speed.value); });
    range.addEventListener('input', () => player.scrub(Number(range.value)));
    range.addEventListener('change', () => player.announce());
    asText.addEventListener('click', () => {
      const shown = figure.classList.toggle('is-shown');
      asText.setAttribute('aria-pressed', String(shown));
    });
    root.addEventListener('keydown', (event) => keys(event, player));

    // --- what depends on the recording ---

    let chips = [];
    function recording() {
      const { timeline, live, facts: known } = player.recording;
      const others = !live && player.recordings.filter((one) => !one.live).length > 1;
      put(facts, [...known, others && texts.others].filter(Boolean).join(' · '));
      another.hidden = player.recordings.length < 2;
      another.title = fill(texts.anotherOf, { at: player.number + 1, of: player.recordings.length });
      another.textContent = texts.another;
      chips = timeline.moments.map((moment) => chip(moment));
      moments.replaceChildren(...chips.map((one) => one.item));
      moments.hidden = chips.length === 0;
      marked = null;
    }

    function chip(moment) {
      const name = el('span', { class: 'chip-name' });
      const at = el('time');
      const item = el('li', null, el('button', { type: 'button', class: 'chip', onclick: () => player.go(moment.at + 1) }, icon('moment'), name, at));
      return { moment, item, name, at };
    }

    // Diamonds and waits on the track; drawn again when the schedule is another.
    let marked = null;
    function mark(timeline, barrier) {
      const plan = timeline.plan();
      if (marked && marked.plan === plan && marked.barrier === barrier) return;
      marked = { plan, barrier };
      const share = (place) => `${(100 * place) / Math.max(1, plan.whole)}%`;
      const waits = plan.waits.filter(({ after }) => !barrier || after < barrier.at).map(({ from, to, gap }) => {
        const wait = el('span', { class: 'scrub-wait', text: fill(texts.wait, { time: span(gap) }) });
        wait.style.left = share(from);
        wait.style.width = share(to - from);
        return wait;
      });
      const diamonds = timeline.moments.filter(({ at }) => !barrier || at <= barrier.at).map(({ at }) => {
        const diamond = el('span', { class: 'scrub-moment' }, icon('moment'));
        diamond.style.left = share(plan.starts[at]);
        return diamond;
      });
      marks.replaceChildren(...waits, ...diamonds);
      if (barrier) {
        const closed = el('span', { class: 'scrub-closed' });
        closed.style.left = share(plan.starts[barrier.at]);
        marks.append(closed);
      }
      range.max = String(plan.whole);
    }

    // --- what depends on the place in it ---

    function show() {
      const { timeline } = player.recording;
      const { state, barrier, count, now: at } = player;
      const whole = timeline.runTime;
      // A run in which nobody sends or reads has no picture: its lines are all there is.
      const { processes, declared, brokers } = timeline.surveyed;
      const plain = processes.length + declared.length + brokers.length === 0 && timeline.length > 0;
      root.classList.toggle('is-plain', plain);
      // First, while nothing else of this frame is written: to scroll the page must be laid out.
      transcript.update({
        timeline, count, whole, titles: player.recording.text, hidden: Boolean(barrier),
        listed: barrier ? barrier.at : timeline.length, known: processes.length, plain,
      });
      put(time, clock(at, whole));
      prose(sentence, player.sentence);
      const waits = meanwhile(state, at);
      const killedNow = state.last && state.last.line.message === 'killed' && at === state.t;
      put(aside, [player.waiting, ...(killedNow ? [] : waits.map(({ text }) => text))].filter(Boolean).join(' '));
      put(session, waits.map((one) => one.session).filter(Boolean).join(' · '));
      showGuess();
      picture.update(state, timeline);
      showTallies(state);
      mark(timeline, barrier);
      range.value = String(player.place);
      range.style.setProperty('--played', `${(100 * player.place) / Math.max(1, timeline.plan().whole)}%`);
      range.setAttribute('aria-valuetext', `${clock(at, whole)}. ${player.sentence}`);
      put(length, clock(whole, whole));
      for (const { moment, item, name, at: when } of chips) {
        const closed = Boolean(barrier && moment.at >= barrier.at);
        const chosen = item.firstChild;
        put(name, closed ? texts.hiddenMoment : moment.name);
        put(when, closed ? '' : clock(timeline.lines[moment.at].t_ms, whole));
        chosen.disabled = closed && moment.at > barrier.at;
        chosen.title = closed ? '' : moment.caption || '';
        chosen.classList.toggle('is-past', moment.at < count);
        chosen.classList.toggle('is-now', moment.at === count - 1);
      }
      const kind = player.playing ? 'pause' : count >= player.length && count > 0 ? 'again' : 'play';
      if (play.dataset.kind !== kind) {
        play.dataset.kind = kind;
        play.replaceChildren(icon(kind));
        play.setAttribute('aria-label', texts[kind]);
        play.title = texts[kind];
      }
      if (player.asking && barrier) ask(barrier.question);
      else if (!stop.hidden) closeStop();
    }

    function showTallies(state) {
      const sum = model.tallies(state);
      const reads = Object.values(state.processes).some((who) => who.roles.reads);
      for (const name of TALLIES) {
        const always = reads && ['behind', 'twice', 'lost'].includes(name);
        tally[name].hidden = sum[name] === 0 && !always;
        put(tally[name], fill(texts.tally[name], { n: sum[name] }));
        tally[name].classList.toggle('is-loud', LOUD.includes(name) && sum[name] > 0);
      }
      foot.hidden = !reads && TALLIES.every((name) => sum[name] === 0);
      // Where work is said to be done, reading alone is no number of its own.
      if (sum.processed > 0) tally.consumed.hidden = true;
    }

    function showGuess() {
      const { guess: question } = player;
      guess.hidden = !question;
      if (!question) return;
      const { choice, right } = question.answer;
      const option = el('span');
      option.innerHTML = question.options[choice] || '';
      put(guess, fill(right ? texts.guessRight : texts.guessWrong, { text: option.textContent.trim() }));
      guess.classList.toggle('is-right', right);
    }

    // --- the question before a deciding moment ---

    function ask(question) {
      if (!stop.hidden && stop.question === question) return;
      stop.question = question;
      const prompt = el('div', { class: 'ask-prompt' });
      prompt.innerHTML = question.prompt.innerHTML;
      const skip = el('button', { type: 'button', class: 'button is-quiet', text: texts.skip, onclick: () => player.skip() });
      stop.replaceChildren(el('p', { class: 'ask-kind', text: texts.stop }), prompt,
        book.questions.form(question, { extra: skip, quiet: true }));
      stop.hidden = false;
      stop.querySelector('input').focus({ preventScroll: true });
      stop.scrollIntoView({ block: 'nearest', behavior: book.dom.calm() ? 'auto' : 'smooth' });
      announce(`${texts.toStop} ${prompt.textContent.trim()}`);
    }

    function closeStop() {
      const inside = stop.contains(document.activeElement);
      stop.hidden = true;
      stop.replaceChildren();
      stop.question = null;
      if (inside) play.focus({ preventScroll: true });
    }

    function announce(text) {
      put(voice, text);
    }

    return { recording, show, ask, announce, tools, focus: () => play.focus({ preventScroll: true }) };
  }

  // Space plays, arrows step, Home and End go to the ends. Radio buttons, lists and text keep their own keys, and
  // what is handled here does not turn the page of the book.
  function keys(event, player) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { target } = event;
    if (target.matches('select, textarea, input:not([type="range"])')) {
      event.stopPropagation();
      return;
    }
    const moves = {
      ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1),
      Home: () => player.go(0), End: () => player.go(player.length),
    };
    if (event.key === ' ' && !target.closest('button')) moves[' '] = () => player.toggle();
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }

  // What a record holds, and what became of it so far.
  function openRecord(player, cell, record, place) {
    player.pause();
    const { timeline } = player.recording;
    const { state } = player;
    const whole = timeline.runTime;
    const of = state.partitions[place];
    const known = Number.isInteger(record.offset);
    const sent = timeline.lines[record.at];
    const rows = [[texts.field.key, record.key ?? texts.none]];
    if (sent.message === 'acknowledged' || sent.message === 'produced') {
      rows.push([texts.field.by, sent.process || ''],
        [sent.message === 'produced' ? texts.field.handed : texts.field.at, clock(sent.t_ms, whole)]);
    }
    const same = (line) => line.topic === of.topic && line.partition === of.partition && line.offset === record.offset;
    const fields = new Map();
    const readers = [];
    timeline.lines.slice(0, player.count).forEach((line, index) => {
      if (index !== record.at && !(known && same(line))) return;
      for (const text of fieldsOf(line)) fields.set(text.slice(0, text.indexOf(' ')), text.slice(text.indexOf(' ') + 1));
      if (line.correlation_id !== undefined) fields.set('correlation_id', valueText(line.correlation_id));
      if (line.message === 'consumed' || line.message === 'processed' || line.message === 'skipped') readers.push(line.process);
    });
    fields.delete('key');
    fields.delete('group');
    rows.push(...fields);
    const list = el('dl', null, rows.flatMap(([name, value]) => [el('dt', { text: name }), el('dd', { text: value })]));
    if (readers.length > 0) {
      const signs = [...new Set(readers)].map((name) => el('span', { class: 'note-reader' }, shape(timeline.surveyed.processes.indexOf(name)), name));
      list.append(el('dt', { text: texts.field.read }), el('dd', null, signs));
    }
    const said = [];
    if (!known) said.push(texts.unacknowledged);
    for (const at of Object.values(of.groups)) {
      if (at.again[record.offset]) said.push(fill(texts.doneTimes, { n: at.again[record.offset] }));
      if (known && model.isLost(at, record.offset)) said.push(texts.passedBy);
    }
    const title = known ? fill(texts.record, { place, offset: record.offset }) : fill(texts.pendingRecord, { place });
    book.popover.show(cell, [el('p', { class: 'note-title', text: title }), list, said.length ? el('p', { class: 'note-loud', text: said.join(', ') }) : null].filter(Boolean),
      { label: title, pinned: true });
  }

  book.controls = controls;
})();
