// The Run button: where `cargo xtask book serve` shows the book, a page starts a run of its chapter and plays it
// as it happens. Elsewhere there is no button: the recorded run, and the command to copy.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, icon, printed } = book.dom;
  const { fill } = book.sentences;
  const texts = window.KafkaBookTexts.live;

  // The server writes this into each page that it shows; only with it are its answers to be had.
  const token = document.querySelector('meta[name="kafka-book-token"]');
  const players = [...document.querySelectorAll('run-playback[data-run]')];
  if (!token || printed || players.length === 0) return;

  // A run that goes on until it is stopped is stopped here: what a page can show is not endless.
  const MOST_LINES = 10000;

  const ask = (path, body, signal) => fetch(`/live/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Kafka-Book-Token': token.content },
    body: JSON.stringify(body),
    signal,
  });

  // The answer as a value; a refusal is an error with the server's text.
  async function answer(response) {
    if (!response.ok) throw new Error((await response.text()).trim());
    return response.json();
  }

  // Each message of an answer, one a line, as it comes.
  async function* messages(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  }

  // Where a run is shown if it cannot be drawn: its lines.
  function plain(host) {
    const lines = el('pre', { class: 'live-lines', tabindex: '0' });
    host.replaceChildren(lines);
    return {
      push: (line, text) => lines.append(`${text}\n`),
      note: (text) => lines.append(`${text}\n`),
      end: () => {},
    };
  }

  let going = 0;
  let changed = false;

  class Bar {
    constructor(player) {
      const [chapter, run] = player.dataset.run.split('/');
      Object.assign(this, { player, chapter, run, broker: 'auto', abort: null });
      this.start = el('button', { type: 'button', class: 'button', onclick: () => this.go({ run: this.run }) }, icon('play'), ` ${texts.run}`);
      this.stop = el('button', { type: 'button', class: 'button is-quiet', hidden: true, text: texts.stop, onclick: () => this.end() });
      this.said = el('span', { class: 'live-said', text: texts.here });
      this.status = el('p', { class: 'live-status', role: 'status' });
      this.lines = el('div');
      this.more = el('div', { class: 'live-more' });
      player.append(el('div', { class: 'live' },
        el('div', { class: 'live-row' }, this.start, this.stop, this.said), this.status, this.lines, this.more));
    }

    // --- a run ---

    async go({ run, title, topics, moments }) {
      if (this.abort) return;
      this.abort = new AbortController();
      this.shown(true);
      const { player } = this;
      const screen = player.parts ? player.live({ title, topics, moments }) : plain(this.lines);
      screen.note(texts.starting);
      let count = 0;
      let code = null;
      try {
        const response = await ask('run', { chapter: this.chapter, run, broker: this.broker }, this.abort.signal);
        if (!response.ok) throw new Error((await response.text()).trim());
        for await (const message of messages(response)) {
          if (message.line) {
            // Room for 999 s stays in front of the point.
            screen.push(message.line, message.text.replace(/^ {2}/, ''));
            count += 1;
            if (count === MOST_LINES) {
              this.say(fill(texts.enough, { n: MOST_LINES }));
              this.end();
            }
          } else if (message.note) screen.note(message.note);
          else if (message.error) this.say(message.error, true);
          else if (message.end) code = message.end.code;
        }
        if (code === null) this.say(texts.lost, true);
      } catch (error) {
        // A stream that breaks off says why in the browser's words, a server that has ended says nothing.
        if (error.name !== 'AbortError') this.say(error instanceof TypeError ? texts.lost : error.message, true);
      }
      screen.end(code === null || this.stopped ? 0 : code);
      this.abort = null;
      this.shown(false);
    }

    // The run ends in order, and its last lines still come.
    async end() {
      this.stopped = true;
      this.stop.disabled = true;
      this.stop.textContent = texts.stopping;
      const { abort } = this;
      const response = await ask('stop', { chapter: this.chapter }).catch(() => null);
      if ((!response || !response.ok) && abort) abort.abort();
    }

    shown(isGoing) {
      going += isGoing ? 1 : -1;
      this.start.hidden = isGoing;
      this.stop.hidden = !isGoing;
      this.more.hidden = isGoing;
      if (isGoing) {
        this.stopped = false;
        this.stop.disabled = false;
        this.stop.textContent = texts.stop;
        this.say('');
        const begun = Date.now();
        const tick = () => {
          this.said.textContent = fill(texts.going, { n: Math.round((Date.now() - begun) / 1000) });
        };
        tick();
        this.clock = setInterval(tick, 1000);
        this.stop.focus();
      } else {
        clearInterval(this.clock);
        this.said.textContent = texts.here;
        if (document.activeElement === this.stop || document.activeElement === document.body) this.start.focus({ preventScroll: true });
        if (changed && going === 0) this.offerReload();
      }
    }

    say(text, isError) {
      this.status.textContent = text;
      this.status.classList.toggle('is-error', Boolean(isError));
    }

    offerReload() {
      this.status.append(' ', texts.changed, ' ',
        el('button', { type: 'button', class: 'button is-quiet', text: texts.reload, onclick: () => location.reload() }));
    }

    // --- what else can be run: folded, and only beside the page's first run ---

    async offer() {
      let known;
      try {
        known = await answer(await ask('chapter', { chapter: this.chapter }));
      } catch (error) {
        this.say(error.message, true);
        return;
      }
      const runs = new Map(known.runs.map((one) => [one.name, one]));
      const broken = new Set(known.faults.map(({ run }) => run));
      const here = new Set(players.map((player) => player.dataset.run));
      const others = known.runs.filter(({ name }) => !broken.has(name) && !here.has(`${this.chapter}/${name}`));
      this.fold(texts.others, others.map((one) => this.choice(one, one.about)));
      this.fold(texts.breakIt, known.faults.filter(({ run }) => runs.has(run)).map((fault) =>
        this.choice({ ...runs.get(fault.run), title: fault.name }, fault.symptom)));
      if (!runs.get(this.run)?.owns_cluster) this.foldBrokers();
    }

    fold(summary, items, ontoggle) {
      if (items.length === 0) return null;
      const list = el('ul', { class: 'live-choices' }, items);
      this.more.append(el('details', { ontoggle }, el('summary', { text: summary }), list));
      return list;
    }

    choice({ name, title, topics, moments }, about) {
      return el('li', null,
        el('button', { type: 'button', class: 'button is-quiet', text: title, onclick: () => this.go({ run: name, title, topics, moments }) }),
        el('span', { text: about }));
    }

    foldBrokers() {
      let asked = false;
      const list = this.fold(texts.otherBroker, [el('li', { text: texts.looking })], async () => {
        if (asked) return;
        asked = true;
        try {
          const kinds = await answer(await ask('brokers', { chapter: this.chapter, run: this.run }));
          list.replaceChildren(...kinds.map((kind) => this.kind(kind)));
        } catch (error) {
          asked = false;
          list.replaceChildren(el('li', { text: error.message }));
        }
      });
    }

    kind({ word, label, lacks }) {
      const input = el('input', {
        type: 'radio', name: `broker-${this.player.dataset.run}`, value: word, checked: word === this.broker, disabled: Boolean(lacks),
        onchange: () => { this.broker = word; },
      });
      const name = fill(texts.broker[word], { label });
      return el('li', null, el('label', null, input, name), lacks && el('span', { text: lacks }));
    }
  }

  const bars = players.map((player) => new Bar(player));
  bars[0].offer();

  // A page that is left must not be kept with a run that goes on: the browser may keep it for the way back.
  window.addEventListener('pagehide', () => bars.forEach(({ abort }) => abort && abort.abort()));
  // The served book was built anew: a run that is being watched is not cut off.
  document.addEventListener('kafka-book:reload', (event) => {
    if (going === 0) return;
    changed = true;
    event.preventDefault();
  });
})();
