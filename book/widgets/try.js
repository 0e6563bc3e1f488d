// Try it: the chapter's own crate, compiled for the browser, answers as the reader types.
//
// The form stands in the page as finished HTML. Opening it loads the chapter's module (`try/<chapter>.wasm`), once for
// all forms of the page; on a page that was opened as a file, where a browser fetches nothing, the module comes from
// the script beside it. What an answer is made of is described in xtask/page/src/output.rs.
//
// What the reader changed is kept in the page's address, behind `#`, so that it can be shared and survives a reload.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, printed } = book.dom;
  const { fill } = book.sentences;
  const { Crate, Panic, lineText } = book.crate;
  const texts = window.KafkaBookTexts.try;
  // Long enough for a word, short enough to seem at once.
  const PAUSE_MS = 200;
  // Beyond so many letters the text of a cell is broken into lines.
  const LONG = 26;
  const root = typeof path_to_root === 'string' ? path_to_root : '';

  // --- Modules ------------------------------------------------------------------------------------------------------

  const crates = new Map();

  // The crate of a module, the same one for all forms; one that could not be loaded is tried again.
  function crateOf(module) {
    if (!crates.has(module.path)) {
      const loading = bytesOf(module)
        .then((bytes) => WebAssembly.compile(bytes))
        .then((compiled) => new Crate(compiled));
      loading.catch(() => crates.delete(module.path));
      crates.set(module.path, loading);
    }
    return crates.get(module.path);
  }

  async function bytesOf(module) {
    // The version keeps a browser from giving an old module to a new page.
    const address = (path) => `${root}${path}?v=${module.version}`;
    if (window.location.protocol !== 'file:') {
      const answer = await fetch(address(module.path));
      if (!answer.ok) throw new Error(`${module.path}: ${answer.status}`);
      return answer.arrayBuffer();
    }
    await script(address(`${module.path}.js`));
    return Uint8Array.from(atob(window.KafkaBookModules[module.name]), (char) => char.charCodeAt(0));
  }

  function script(src) {
    return new Promise((done, failed) => {
      const tag = el('script', { src, onload: done, onerror: () => failed(new Error(src)) });
      document.head.append(tag);
    });
  }

  // --- Blocks of an answer ------------------------------------------------------------------------------------------

  const blocks = {
    text: ({ text }) => el('p', { text }),

    json({ title, text }) {
      const code = el('code', { class: 'language-json hljs', text });
      if (window.hljs) (window.hljs.highlightElement || window.hljs.highlightBlock)(code);
      return el('figure', { class: 'try-json' }, el('figcaption', { text: title }), scrolling('pre', title, code));
    },

    table({ title, columns, rows }) {
      const look = (at, text) => [columns[at].amount && 'try-amount', text.length > LONG && 'try-long'].filter(Boolean).join(' ') || null;
      const head = columns.map(({ name }, at) => el('th', { scope: 'col', class: look(at, ''), text: name }));
      const row = (cells) => el('tr', {}, cells.map((text, at) => el('td', { class: look(at, text), text })));
      return scrolling('div', title,
        el('table', {}, el('caption', { text: title }), el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows.map(row))));
    },

    // A table to who listens or copies: what it is, how much; the bar beside it only shows that again.
    bars({ title, bars }) {
      const most = Math.max(1, ...bars.map(({ to }) => to));
      const percent = (amount) => `${((100 * amount) / most).toFixed(2)}%`;
      const row = ({ label, from, to, text }) => el('tr', {},
        el('th', { scope: 'row', text: label }),
        el('td', { class: 'try-amount', text }),
        el('td', { class: 'try-bar', 'aria-hidden': 'true' },
          el('span', { style: `margin-inline-start: ${percent(from)}; inline-size: ${percent(to - from)}` })));
      return scrolling('div', title,
        el('table', { class: 'try-bars' }, el('caption', { text: title }), el('tbody', {}, bars.map(row))));
    },

    lines: ({ lines }) => el('figure', { class: 'try-lines' },
      el('figcaption', { text: texts.lines }),
      scrolling('pre', texts.lines, el('code', { text: lines.map(lineText).join('\n') }))),
  };

  // What is wider than a phone scrolls by itself, by keyboard too, and the page stays where it is.
  const scrolling = (tag, name, content) =>
    el(tag, { class: 'try-scroll', role: 'region', tabindex: '0', 'aria-label': name }, content);

  // --- A form -------------------------------------------------------------------------------------------------------

  class TryIt extends HTMLElement {
    connectedCallback() {
      if (this.data || printed) return;
      this.data = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
      if (!this.data.module) return;
      this.details = this.querySelector('details');
      this.form = this.querySelector('form');
      this.fields = [...this.form.elements].filter((field) => field.dataset.kind);
      this.form.querySelector('fieldset').disabled = false;
      this.asked = 0;
      // What the module answered last, for those who look from outside.
      this.output = null;

      for (const field of this.fields) {
        field.errors = el('ul', { class: 'try-errors', id: `${field.id}-errors`, hidden: true });
        field.closest('.try-field').append(field.errors);
      }
      this.status = el('span', { class: 'try-status', role: 'status' });
      this.form.append(el('p', { class: 'try-buttons' },
        el('button', { type: 'button', onclick: () => this.reset(), text: texts.reset }),
        el('button', { type: 'button', onclick: () => this.copyLink(), text: texts.copy }),
        this.status));
      this.link = el('input', { class: 'try-link', type: 'text', readonly: '', hidden: true, 'aria-label': texts.link });
      this.shown = el('div', { class: 'try-output' });
      this.form.append(this.link);
      this.form.after(this.shown);

      this.form.addEventListener('submit', (event) => event.preventDefault());
      this.form.addEventListener('input', (event) => {
        if (event.target.dataset.kind) this.changed();
      });
      this.details.addEventListener('toggle', () => {
        if (this.details.open && !this.output) this.ask();
      });
      window.addEventListener('hashchange', () => this.fromAddress());
      this.fromAddress();
      if (this.details.open) this.ask();
    }

    changed() {
      this.link.hidden = true;
      clearTimeout(this.pause);
      this.pause = setTimeout(() => {
        this.toAddress();
        this.ask();
      }, PAUSE_MS);
    }

    async ask() {
      const asked = (this.asked += 1);
      const inputs = this.fields.map((field) => [field.name, field.value]);
      let answer;
      try {
        if (typeof WebAssembly !== 'object') throw new Error(texts.old);
        if (!this.output) this.say(texts.loading);
        const crate = await crateOf(this.data.module);
        answer = await crate.ask({ try: this.data.name, inputs });
        if (answer.problem) throw new Error(answer.problem);
      } catch (error) {
        if (asked === this.asked) this.failed(error);
        return;
      }
      // An answer to what stood there before is no answer to what stands there now.
      if (asked === this.asked) this.show(answer);
    }

    show(answer) {
      this.output = answer;
      const wrong = answer.blocks.flatMap((block) => (block.kind === 'errors' ? block.errors : []));
      this.showErrors(wrong);
      this.shown.replaceChildren(...answer.blocks
        .filter((block) => block.kind in blocks)
        .map((block) => blocks[block.kind](block)));
      this.say(wrong.length ? fill(texts.wrong, { n: wrong.length }) : texts.done);
    }

    showErrors(wrong) {
      for (const field of this.fields) {
        const here = wrong.filter((error) => error.input === field.name);
        field.errors.replaceChildren(...here.map((error) => this.error(field, error)));
        field.errors.hidden = here.length === 0;
        field.setAttribute('aria-invalid', String(here.length > 0));
        if (here.length) field.setAttribute('aria-describedby', field.errors.id);
        else field.removeAttribute('aria-describedby');
      }
    }

    error(field, { path, message, line }) {
      const text = fill(texts.line, { n: line });
      const go = line && field.tagName === 'TEXTAREA'
        && el('button', { type: 'button', class: 'try-line', onclick: () => select(field, line), text });
      return el('li', {}, go, go && ' ', path && el('code', { text: path }), path && ' ', message);
    }

    failed(error) {
      this.showErrors([]);
      const panic = error instanceof Panic;
      this.say('');
      this.shown.replaceChildren(
        el('p', { class: 'try-failed', role: 'alert', text: panic ? texts.panicked : texts.failed }),
        el('pre', { class: 'try-scroll' }, el('code', { text: error.message })));
      this.output = null;
    }

    say(text) {
      this.status.textContent = text;
    }

    // What every form resets to is what the page was built with.
    reset() {
      this.form.reset();
      this.link.hidden = true;
      clearTimeout(this.pause);
      keep(`${window.location.pathname}${window.location.search}`);
      this.ask();
    }

    // --- The address

    // `#try=events/order&order=…`, with the inputs that the reader changed.
    address() {
      const changed = this.fields.filter((field) => field.value !== original(field));
      const words = new URLSearchParams([['try', this.data.try], ...changed.map((field) => [field.name, field.value])]);
      return `#${words.toString().replaceAll('%2F', '/')}`;
    }

    toAddress() {
      keep(this.address());
    }

    fromAddress() {
      const words = new URLSearchParams(window.location.hash.slice(1));
      if (words.get('try') !== this.data.try) return;
      for (const field of this.fields) field.value = words.get(field.name) ?? original(field);
      const open = this.details.open;
      this.details.open = true;
      this.scrollIntoView();
      if (open) this.ask();
    }

    async copyLink() {
      const link = window.location.href.split('#')[0] + this.address();
      try {
        await navigator.clipboard.writeText(link);
        this.say(texts.copied);
      } catch {
        // Not every browser lets a page write there: then the reader copies by hand.
        this.link.hidden = false;
        this.link.value = link;
        this.link.focus();
        this.link.select();
        this.say(texts.copyByHand);
      }
    }
  }

  // What a field held when the page was built.
  const original = (field) =>
    field.tagName === 'SELECT' ? [...field.options].find((option) => option.defaultSelected)?.value : field.defaultValue;

  function keep(address) {
    try {
      window.history.replaceState(window.history.state, '', address);
    } catch {
      // A browser that refuses, as some do after many changes in a short time, only forgets what was typed.
    }
  }

  // Puts the reader onto a line of the text.
  function select(field, number) {
    const lines = field.value.split('\n');
    const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
    field.focus();
    field.setSelectionRange(start, start + lines[number - 1].length);
    const height = parseFloat(getComputedStyle(field).lineHeight) || 20;
    field.scrollTop = Math.max(0, (number - 4) * height);
    field.scrollLeft = 0;
  }

  customElements.define('try-it', TryIt);
})();
