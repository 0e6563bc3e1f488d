// The way into a compiled core, with a module made by hand.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const { Crate, Panic, lineText } = require('../crate.js');

// A module that answers a question of up to 60 bytes by the text at 16, and panics at a longer one: then the text at
// 256 says why. What was asked stands at 1024.
function compiled(answer, panic) {
  const list = (items) => [items.length, ...items.flat()];
  const section = (number, content) => [number, content.length, ...content];
  const named = (name, kind, index) => [name.length, ...Buffer.from(name), kind, index];
  const body = (...code) => [code.length + 2, 0, ...code, 0x0b];
  const sized = (number) => [(number & 0x7f) | 0x80, number >> 7];
  const data = (address, text) => {
    const bytes = Buffer.from(text);
    return [0, 0x41, ...sized(address), 0x0b, bytes.length + 4, bytes.length, 0, 0, 0, ...bytes];
  };
  const [i32, local, constant, trap] = [0x7f, 0x20, 0x41, 0x00];
  return WebAssembly.compile(Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    // Types: one number in and one out; two in and none out; two in and one out; none in and one out.
    ...section(1, list([[0x60, 1, i32, 1, i32], [0x60, 2, i32, i32, 0], [0x60, 2, i32, i32, 1, i32], [0x60, 0, 1, i32]])),
    ...section(3, list([[0], [1], [2], [3]])),
    ...section(5, list([[0, 1]])),
    ...section(7, list([named('memory', 2, 0), named('page_alloc', 0, 0), named('page_free', 0, 1),
      named('page_call', 0, 2), named('page_panic', 0, 3)])),
    ...section(10, list([
      body(constant, ...sized(1024)),
      body(),
      body(local, 1, constant, 60, 0x4b, 0x04, 0x40, trap, 0x0b, constant, 16),
      body(constant, ...sized(256)),
    ])),
    ...section(11, list([data(16, answer), data(256, panic)])),
  ]));
}

const asked = (crate) => {
  const { buffer } = crate.instance.exports.memory;
  return Buffer.from(buffer, 1024, 60).toString().split('\0')[0];
};

test('a question goes in as JSON, and the answer comes back', async () => {
  const crate = new Crate(await compiled('{"blocks":[{"text":"2 €"}]}', ''));
  const question = { try: 'order', inputs: [['n', '1']] };
  assert.deepEqual(await crate.ask(question), { blocks: [{ text: '2 €' }] });
  assert.equal(asked(crate), JSON.stringify(question));
});

test('a panic says why, and the next question has a new instance', async () => {
  const crate = new Crate(await compiled('{}', 'panicked at a.rs:1'));
  await crate.ask({ try: 'order' });
  const first = crate.instance;
  await assert.rejects(crate.ask({ try: 'order', inputs: [['order', 'x'.repeat(60)]] }), (error) => {
    assert.ok(error instanceof Panic);
    assert.equal(error.message, 'panicked at a.rs:1');
    return true;
  });
  assert.deepEqual(await crate.ask({ try: 'order' }), {});
  assert.notEqual(crate.instance, first);
});

test('a line is shown as a terminal shows it, with a number for the time', () => {
  const shown = (line) => lineText({ n: 7, message: 'acknowledged', process: 'checkout', ...line });
  assert.equal(shown({ topic: 'orders', partition: 0, offset: 34, key: 'a b' }), '    7  checkout    acknowledged  orders-0@34  key="a b"');
  assert.equal(shown({ topic: 'orders', late: true }), '    7  checkout    acknowledged  orders  late=true');
  assert.equal(shown({ level: 'warn', message: 'lost', offset: 0, why: '' }), '    7  checkout    WARN: lost    why=""  offset=0');
  assert.equal(lineText({ n: 12, message: 'started' }), '   12              started');
});
