// What just happened, in words.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const model = require('../model.js');
const { said, meanwhile, clock, span, fill, list, place } = require('../sentences.js');
const histories = require('./histories.js');

function after(lines) {
  const surveyed = model.survey([]);
  lines.forEach((line) => surveyed.add(line));
  return lines.reduce((state, line) => model.apply(state, line, surveyed), model.initial(surveyed));
}

const order = { process: 'packing', topic: 'orders', partition: 1, offset: 4, key: 'order-7', t_ms: 0 };

test('each kind of line is a sentence', () => {
  const sentence = (line) => said(after([line]));
  assert.equal(sentence({ ...order, message: 'consumed' }), 'packing reads order-7 from orders-1, offset 4.');
  assert.equal(sentence({ ...order, message: 'committed', group: 'packers' }), 'packers has committed orders-1: it goes on at offset 4.');
  assert.equal(sentence({ ...order, message: 'acknowledged', process: 'checkout' }), 'The broker has order-7 of checkout, at orders-1, offset 4.');
  assert.equal(sentence({ t_ms: 0, message: 'killed', process: 'testbed', broker: 2 }), 'Broker 2 was killed.');
  assert.equal(sentence({ t_ms: 0, message: 'added', process: 'admin', topic: 'orders', partitions: 6 }), 'orders has 6 partitions from now on.');
  assert.equal(sentence({ ...order, message: 'deleted', process: 'broker' }), 'Retention has deleted what stood before orders-1, offset 4: the log starts here.');
  const reset = { t_ms: 0, process: 'packing', topic: 'orders', partition: 1, message: 'reset', from: 3, to: 'log start' };
  assert.equal(sentence({ ...reset, reason: 'Offset out of range' }), 'packing asks for orders-1, offset 3: Offset out of range. It goes on at the log start.');
  assert.equal(sentence(reset), 'packing: reset orders-1 (from 3 and to log start)');
  assert.equal(sentence({ ...order, message: 'cleaned', process: 'broker' }), 'Compaction has taken order-7 away from orders-1, offset 4: a later record has its key.');
  assert.equal(sentence({ t_ms: 0, message: 'outcome', process: 'shop', packed: 5 }), 'The run is over: packed 5.');
});

test('a record that is read again is said to be', () => {
  const lines = Array.from({ length: 3 }, () => ({ ...order, message: 'consumed' }));
  assert.match(said(after(lines.slice(0, 2))), /for the second time/);
  assert.match(said(after(lines)), /for the third time/);
});

test('a line that nobody knows, or that lacks its fields, is shown as what it is', () => {
  const sentence = (line) => said(after([{ t_ms: 0, ...line }]));
  assert.equal(sentence({ process: 'shop', message: 'weighed', grams: 40 }), 'shop: weighed (grams 40)');
  assert.equal(sentence({ process: 'shop', message: 'consumed' }), 'shop: consumed');
  assert.equal(sentence({ message: 'elected', topic: 'orders', partition: 0 }), 'the program: elected orders-0');
  assert.equal(sentence({ message: 'odd', process: 'shop', nested: { a: 1 } }), 'shop: odd (nested {"a":1})');
});

test('no sentence of any line has an unfilled place', () => {
  for (const run of [histories.killAPacker(), histories.rebalanced(), histories.aborted()]) {
    const surveyed = model.survey(run.topics);
    run.lines.forEach((line) => surveyed.add(line));
    let state = model.initial(surveyed);
    for (const line of run.lines) {
      state = model.apply(state, line, surveyed);
      assert.doesNotMatch(said(state), /[{}]|undefined|null|NaN/);
    }
  }
});

test('while a dead reader is not replaced, it is said for how long, and when its session ends', () => {
  const run = histories.killAPacker();
  const killed = run.moments[0].at;
  const [wait] = meanwhile(after(run.lines.slice(0, killed + 1)), run.lines[killed].t_ms + 12000);
  assert.equal(wait.text, 'packer-2 was killed 12 s ago. Nobody reads orders-2 and orders-3.');
  assert.equal(wait.session, 'session ends in 33 s of 45');
  assert.deepEqual(meanwhile(after(run.lines), 1e6), []);
});

test('times, lists and places read as a person would write them', () => {
  assert.deepEqual([clock(46, 46), clock(24000, 65000), clock(605000, 700000)], ['0.046 s', '0:24', '10:05']);
  assert.deepEqual([span(5782), span(3000), span(45000), span(130000), span(900)], ['5.8 s', '3 s', '45 s', '2 min 10 s', '900 ms']);
  assert.equal(list(['a', 'b', 'c']), 'a, b and c');
  assert.equal(fill({ one: '1 record', many: '{n} records' }, { n: 1 }), '1 record');
  assert.equal(fill('{a} {b}', { a: 1 }), '1 {b}');
  assert.equal(place(order), 'orders-1@4');
});

test('what replicas do is said in words, and a line that lacks its fields as what it is', () => {
  const at = { t_ms: 0, process: 'cluster', topic: 'orders', partition: 0 };
  const sentence = (message, fields) => said(after([{ ...at, message, ...fields }]));
  assert.equal(sentence('elected', { leader: 2, unclean: false }), 'Broker 2 now leads orders-0.');
  assert.match(sentence('elected', { leader: 2, unclean: true }), /an unclean election/);
  assert.equal(sentence('offline', {}), 'Nobody leads orders-0: it is offline.');
  assert.equal(sentence('in sync', { replicas: '1 2 3' }), 'In sync of orders-0: broker 1, broker 2 and broker 3.');
  assert.equal(sentence('in sync', { replicas: '' }), 'No replica of orders-0 is in sync.');
  assert.equal(sentence('replicated', { broker: 1, log_end: 5 }), 'The replica of orders-0 on broker 1 ends at 5.');
  assert.equal(sentence('truncated', { broker: 1, log_end: 3, from: 6 }), 'Broker 1 cuts its log of orders-0 back from 6 to 3.');
  assert.equal(sentence('truncated', { broker: 1, log_end: 3 }), 'Broker 1 cuts its log of orders-0 back to 3.');
  assert.match(sentence('high watermark', { high_watermark: 3 }), /^The high watermark of orders-0 is 3/);
  assert.equal(said(after([{ t_ms: 0, message: 'frozen', broker: 2 }])), 'Broker 2 is frozen: it answers nothing.');
  assert.equal(said(after([{ t_ms: 0, message: 'thawed', broker: 2 }])), 'Broker 2 goes on.');
  assert.match(sentence('wiped', { broker: 1 }), /gone from its disk/);
  assert.match(sentence('truncated', { broker: 1 }), /^cluster: truncated/);
  assert.match(sentence('frozen', {}), /^cluster: frozen/);
});
