// What is kept, in browsers that keep it, break it, or refuse to.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const vm = require('node:vm');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const source = readFileSync(join(__dirname, '../progress.js'), 'utf8');
const KEY = 'kafka-in-rust';

// A browser of the least kind: one store, one page, events.
function open(store, { pathname = '/book/first-steps/quickstart.html', root = '../' } = {}) {
  const listeners = { window: {}, document: {} };
  const events = (kind) => ({
    addEventListener: (name, listener) => { (listeners[kind][name] = listeners[kind][name] || []).push(listener); },
    dispatchEvent: (event) => (listeners[kind][event.type] || []).forEach((listener) => listener(event)),
  });
  const window = { KafkaBook: {}, location: { pathname }, ...events('window') };
  Object.defineProperty(window, 'localStorage', { get: () => store() });
  const context = vm.createContext({
    window, document: events('document'), path_to_root: root, DOMException, Date, decodeURIComponent,
    CustomEvent: class { constructor(type) { this.type = type; } },
  });
  vm.runInContext(source, context);
  return { progress: window.KafkaBook.progress, window };
}

function memory(entries = {}) {
  const held = new Map(Object.entries(entries));
  const store = {
    getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value), removeItem: (key) => held.delete(key),
  };
  return { held, get: () => store };
}

const plain = (value) => JSON.parse(JSON.stringify(value));

test('what was kept is there after a reload', () => {
  const browser = memory();
  const first = open(browser.get).progress;
  first.read('first-steps/quickstart.md');
  first.answer('first-steps/quickstart.md#sent', 1, false, 'How many?');
  first.solved('quickstart/answers', true);
  const { data } = open(browser.get).progress;
  assert.deepEqual(Object.keys(data.pages), ['first-steps/quickstart.md']);
  assert.equal(data.answers['first-steps/quickstart.md#sent'].right, false);
  assert.deepEqual(Object.keys(data.exercises), ['quickstart/answers']);
});

test('a broken text counts as nothing, and is written over', () => {
  for (const text of ['{"pages":', '[]', 'null', '3', '{"pages":[1],"answers":{"a#b":{"choice":"x"}},"exercises":{"e":"soon"}}']) {
    const browser = memory({ [KEY]: text });
    const { progress } = open(browser.get);
    assert.deepEqual(plain(progress.data), { pages: {}, answers: {}, exercises: {} }, text);
    progress.read('a.md');
    assert.deepEqual(Object.keys(JSON.parse(browser.held.get(KEY)).pages), ['a.md']);
    assert.equal(progress.kept, true);
  }
});

test('a browser that refuses to keep anything still knows it until the page is closed', () => {
  const refuse = () => { throw new DOMException('denied', 'SecurityError'); };
  const { progress } = open(refuse);
  assert.equal(progress.kept, false);
  progress.read('a.md');
  progress.answer('a.md#b', 0, true, '?');
  assert.deepEqual(Object.keys(progress.data.pages), ['a.md']);
  assert.equal(progress.data.answers['a.md#b'].right, true);
  progress.clear();
  assert.deepEqual(plain(progress.data), { pages: {}, answers: {}, exercises: {} });
});

test('a full store keeps what was known', () => {
  const browser = memory();
  const { progress } = open(browser.get);
  progress.read('a.md');
  browser.get().setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
  progress.read('b.md');
  assert.equal(progress.kept, false);
  assert.deepEqual(Object.keys(progress.data.pages), ['a.md', 'b.md']);
});

test('two tabs do not overwrite each other, and tell each other', () => {
  const browser = memory();
  const [one, other] = [open(browser.get), open(browser.get)];
  let told = 0;
  other.window.KafkaBook.progress.read('b.md');
  one.progress.onChange(() => { told += 1; });
  one.window.dispatchEvent({ type: 'storage', key: KEY });
  assert.deepEqual(Object.keys(one.progress.data.pages), ['b.md']);
  one.progress.read('a.md');
  assert.deepEqual(Object.keys(JSON.parse(browser.held.get(KEY)).pages).sort(), ['a.md', 'b.md']);
  assert.equal(told, 2);
});

test('an exercise can be marked and unmarked, and all can be forgotten', () => {
  const browser = memory();
  const { progress } = open(browser.get);
  progress.solved('a/b', true);
  progress.solved('a/b', false);
  assert.deepEqual(plain(progress.data.exercises), {});
  progress.read('a.md');
  progress.clear();
  assert.equal(browser.held.has(KEY), false);
});

test('a page is called as its source, from any folder and without the ending', () => {
  const page = (pathname, root) => open(memory().get, { pathname, root }).progress.page();
  assert.equal(page('/a/b/book/first-steps/quickstart.html', '../'), 'first-steps/quickstart.md');
  assert.equal(page('/first-steps/quickstart', '../'), 'first-steps/quickstart.md');
  assert.equal(page('/kafka/introduction.html', ''), 'introduction.md');
  assert.equal(page('/kafka/', ''), 'index.md');
});
