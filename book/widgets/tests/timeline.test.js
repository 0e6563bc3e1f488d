// Moving in a run: any number of lines in any order, and a schedule that a reader can follow.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const model = require('../model.js');
const { timeline, locate } = require('../timeline.js');
const histories = require('./histories.js');

// Each state made from the first line on, without anything kept.
function straight(lines, topics, count) {
  const surveyed = model.survey(topics);
  lines.forEach((line) => surveyed.add(line));
  let state = model.initial(surveyed);
  for (const line of lines.slice(0, count)) state = model.apply(state, line, surveyed);
  return state;
}

test('a state is the same however one came to it', () => {
  const run = histories.long(1200);
  const moving = timeline(run, run.topics);
  for (const count of [0, 1, 900, 255, 256, 257, 1200, 3, 899, 512, 0, run.lines.length]) {
    assert.deepEqual(moving.stateAt(count), straight(run.lines, run.topics, count), `after ${count} lines`);
  }
});

test('lines that are pushed one after the other make the same states', () => {
  const run = histories.killAPacker();
  const live = timeline({ lines: [], moments: [] }, run.topics);
  run.lines.forEach((line, at) => {
    live.push(line);
    live.stateAt(at + 1);
  });
  assert.deepEqual(live.stateAt(run.lines.length), straight(run.lines, run.topics, run.lines.length));
});

test('long waits are compressed and marked, and run time goes on within them', () => {
  const run = histories.killAPacker();
  const moving = timeline(run, run.topics);
  const { waits, starts, whole } = moving.plan();
  assert.equal(waits.length, 1);
  const [wait] = waits;
  assert.ok(wait.gap > 40000 && wait.to - wait.from < 6000, 'more than 40 s are played in less than 6');
  const before = run.lines[wait.after].t_ms;
  const middle = moving.timeAt((wait.from + wait.to) / 2);
  assert.ok(middle > before + 10000 && middle < before + wait.gap - 10000);
  assert.ok(whole > starts[starts.length - 1]);
});

test('time never goes back, and each line is played at its place', () => {
  for (const run of [histories.killAPacker(), histories.rebalanced(), histories.long(10000)]) {
    const moving = timeline(run, run.topics);
    const { starts } = moving.plan();
    for (let at = 1; at < starts.length; at += 1) assert.ok(starts[at] > starts[at - 1]);
    for (const count of [0, 1, 2, Math.floor(run.lines.length / 2), run.lines.length]) {
      assert.equal(moving.countAt(moving.placeAt(count)), count);
    }
    assert.ok(moving.plan().whole < 200000, 'a long run is played in minutes');
  }
});

test('a run without lines can be opened', () => {
  const empty = timeline({ lines: [], moments: [] }, ['orders:1']);
  assert.equal(empty.plan().whole, 0);
  assert.equal(empty.stateAt(5).at, 0);
  assert.equal(empty.countAt(100), 0);
});

test('moments of a live run are found one after the other, as the recorder finds them', () => {
  const lines = [{ message: 'consumed', offset: 0 }, { message: 'killed' }, { message: 'consumed', offset: 0 }];
  const moments = [{ name: 'killed', when: { message: 'killed' } }, { name: 'again', when: { message: 'consumed', offset: 0, level: 'info' } }];
  assert.deepEqual(locate(moments, lines).map(({ name, at }) => [name, at]), [['killed', 1], ['again', 2]]);
  assert.deepEqual(locate(moments, lines.slice(0, 1)), []);
});
