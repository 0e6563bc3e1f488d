// What a reader has read, answered and solved: kept in this browser, under one key, and nowhere else.
//
// The form is `{ pages: { path: ms }, answers: { question: { choice, right, at, prompt } }, exercises: { id: at } }`.
// Where a browser keeps nothing, or what it kept cannot be read, progress lasts until the page is closed.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const KEY = 'kafka-in-rust';
  const CHANGED = 'kafka-book:progress';

  const empty = () => ({ pages: {}, answers: {}, exercises: {} });
  const plain = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? value : {});

  // Whatever stands in the storage, as what it should be: others may have written there.
  function sound(value) {
    const read = plain(value);
    const answers = Object.entries(plain(read.answers))
      .filter(([, answer]) => Number.isInteger(plain(answer).choice) && typeof answer.right === 'boolean');
    const times = (map) => Object.fromEntries(Object.entries(plain(map)).filter(([, at]) => Number.isFinite(at)));
    return { pages: times(read.pages), answers: Object.fromEntries(answers), exercises: times(read.exercises) };
  }

  function load() {
    try {
      return { kept: true, data: sound(JSON.parse(window.localStorage.getItem(KEY) || '{}')) };
    } catch (error) {
      // Not readable is not the same as not writable: a broken text is written over, a blocked store is left.
      return { kept: !(error instanceof DOMException), data: empty() };
    }
  }

  let { kept, data } = load();

  function change(edit) {
    // Another tab may have written since; a store that is blocked by now takes nothing away.
    const now = load();
    if (kept && now.kept) ({ data } = now);
    edit(data);
    try {
      window.localStorage.setItem(KEY, JSON.stringify(data));
    } catch {
      kept = false;
    }
    tell();
  }

  const tell = () => document.dispatchEvent(new CustomEvent(CHANGED));

  window.addEventListener('storage', (event) => {
    if (event.key !== KEY && event.key !== null) return;
    const now = load();
    if (now.kept) ({ data } = now);
    tell();
  });

  // The page that is open, as its source is called: `first-steps/quickstart.md`.
  function page() {
    const depth = (path_to_root.match(/\.\.\//g) || []).length;
    const parts = decodeURIComponent(window.location.pathname).split('/');
    const path = parts.slice(parts.length - 1 - depth).join('/');
    return path === '' ? 'index.md' : path.replace(/(\.html)?$/, '.md');
  }

  book.progress = {
    CHANGED,
    get data() { return data; },
    get kept() { return kept; },
    page,
    read(path) {
      if (!data.pages[path]) change((all) => { all.pages[path] = Date.now(); });
    },
    answer(id, choice, right, prompt) {
      change((all) => { all.answers[id] = { choice, right, at: Date.now(), prompt }; });
    },
    solved(id, is) {
      change((all) => {
        if (is) all.exercises[id] = Date.now();
        else delete all.exercises[id];
      });
    },
    clear() {
      try {
        window.localStorage.removeItem(KEY);
      } catch {
        kept = false;
      }
      data = empty();
      tell();
    },
    onChange(listener) {
      document.addEventListener(CHANGED, listener);
    },
  };
})();
