// The states of made-up and of recorded runs.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const model = require('../model.js');
const histories = require('./histories.js');

function play({ topics, lines }, upTo = lines.length) {
  const surveyed = model.survey(topics);
  for (const line of lines) surveyed.add(line);
  let state = model.initial(surveyed);
  for (const line of lines.slice(0, upTo)) state = model.apply(state, line, surveyed);
  return state;
}

function recorded(path) {
  const text = readFileSync(join(__dirname, '../../../chapters', path), 'utf8');
  const [header, ...lines] = text.trim().split('\n').map((line) => JSON.parse(line));
  return { topics: header.topics || [], lines, outcome: lines[lines.length - 1] };
}

const on = (state, partition, group = 'packing') => state.partitions[`orders-${partition}`].groups[group];
const lives = (state) => Object.fromEntries(Object.values(state.processes).map(({ name, life }) => [name, life]));
const order = (partition, offset, more = {}) => ({ topic: 'orders', partition, offset, key: `order-${offset}`, ...more });
const says = (process, message, fields = {}, t_ms = 0) => ({ t_ms, message, process, ...fields });

test('a killed packer keeps its partitions until the group notices, and its position dies with it', () => {
  const run = histories.killAPacker();
  const [killed, , reassigned] = run.moments;
  const before = play(run, killed.at);
  const held = [2, 3];
  for (const partition of held) assert.equal(on(before, partition).owner, 'packer-2');

  const dead = play(run, killed.at + 1);
  assert.equal(lives(dead)['packer-2'], 'dead');
  assert.deepEqual(model.unread(dead), { 'packer-2': ['orders-2', 'orders-3'] });
  for (const partition of held) {
    assert.equal(on(dead, partition).died, true);
    assert.equal(on(dead, partition).position, on(before, partition).position);
    assert.equal(on(dead, partition).committed, on(before, partition).committed);
  }
  assert.ok(held.some((partition) => (on(dead, partition).committed ?? 0) < on(dead, partition).position), 'work was not committed');

  const shared = play(run, reassigned.at + 6);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((p) => on(shared, p).owner), ['packer-1', 'packer-1', 'packer-1', 'packer-3', 'packer-3', 'packer-3']);
  assert.deepEqual(model.unread(shared), {});
  // The new owner begins where the group committed, not where the dead one was.
  for (const partition of held) {
    assert.equal(on(shared, partition).position, on(before, partition).committed ?? 0);
    assert.equal(on(shared, partition).died, false);
  }
});

test('the end of each made-up run is what its own books say', () => {
  for (const name of ['killAPacker', 'rebalanced']) {
    const run = histories[name]();
    const state = play(run);
    const { sent, acknowledged, processed, twice, behind, lost } = state.ended;
    const counted = model.tallies(state);
    assert.deepEqual(
      { sent: counted.produced, acknowledged: counted.acknowledged, processed: counted.processed, twice: counted.twice, behind: counted.behind, lost: counted.lost },
      { sent, acknowledged, processed, twice, behind, lost }, name);
  }
  assert.ok(model.tallies(play(histories.killAPacker())).twice > 0, 'the run that kills has duplicates');
});

test('a rebalance gives every partition one owner again, and nobody waits in it for ever', () => {
  const run = histories.rebalanced();
  const state = play(run);
  run.owners.forEach((owner, partition) => assert.equal(on(state, partition).owner, owner));
  run.committed.forEach((offset, partition) => assert.equal(on(state, partition)?.committed ?? 0, offset));
  assert.deepEqual(lives(state), { checkout: 'alive', 'packer-1': 'alive', 'packer-2': 'stopped', 'packer-3': 'alive', 'packer-4': 'alive' });

  const inside = run.lines.findIndex((line) => line.message === 'revoked') + 1;
  assert.equal(lives(play(run, inside))['packer-1'], 'rebalancing');
  // A position belongs to the process; what was committed belongs to the group.
  assert.equal(on(play(run, inside), 0).position, null);
  assert.equal(on(play(run, inside), 0).committed !== null, true);
});

test('a process left without a partition is alive once others own what it gave back', () => {
  const lines = [
    says('packer-1', 'assigned', { topic: 'orders', partition: 0 }),
    says('packer-1', 'revoked', { topic: 'orders', partition: 0 }),
    says('packer-2', 'assigned', { topic: 'orders', partition: 0 }),
  ];
  assert.equal(lives(play({ topics: [], lines }, 2))['packer-1'], 'rebalancing');
  assert.equal(lives(play({ topics: [], lines }))['packer-1'], 'alive');
});

test('an aborted run keeps what was in flight as in flight', () => {
  const state = play(histories.aborted());
  assert.equal(state.ended, null);
  assert.deepEqual(state.partitions['orders-4'].pending.map((one) => one.key), ['order-9001']);
  const counted = model.tallies(state);
  assert.equal(counted.produced - counted.acknowledged, 2);
  assert.equal(counted.lost, 0);
});

test('a record is hollow until it is acknowledged, and gone from the queue when it failed', () => {
  const lines = [
    says('checkout', 'produced', { topic: 'orders', partition: 1, key: 'a' }),
    says('checkout', 'produced', { topic: 'orders', partition: 1, key: 'b' }),
    says('checkout', 'acknowledged', { topic: 'orders', partition: 1, offset: 0, key: 'b' }),
    says('checkout', 'failed', { topic: 'orders', key: 'a', error: 'timed out' }),
  ];
  const at = (count) => play({ topics: ['orders:2'], lines }, count).partitions['orders-1'];
  assert.deepEqual(at(2).pending.map((one) => one.key), ['a', 'b']);
  assert.equal(at(2).highWatermark, null);
  assert.deepEqual(at(3).pending.map((one) => one.key), ['a']);
  assert.deepEqual(at(3).records.map((one) => [one.offset, one.key]), [[0, 'b']]);
  assert.equal(at(3).highWatermark, 1);
  assert.deepEqual(at(4).pending, []);
});

test('records stand by offset, whatever the order of their acknowledgements', () => {
  const lines = [2, 0, 1].map((offset) => says('checkout', 'acknowledged', order(0, offset)));
  const { records, highWatermark } = play({ topics: [], lines }).partitions['orders-0'];
  assert.deepEqual(records.map((one) => one.offset), [0, 1, 2]);
  assert.equal(highWatermark, 3);
});

test('reading removes nothing, and two groups read the same record', () => {
  const lines = [
    says('checkout', 'acknowledged', order(0, 0)),
    says('packing', 'consumed', order(0, 0)),
    says('billing', 'consumed', order(0, 0)),
  ];
  const state = play({ topics: ['orders:1'], lines });
  assert.equal(state.partitions['orders-0'].records.length, 1);
  assert.deepEqual(Object.keys(state.partitions['orders-0'].groups), ['packing', 'billing']);
  assert.equal(model.tallies(state).twice, 0);
});

test('nothing is drawn that no line said', () => {
  const lines = [says('checkout', 'acknowledged', order(0, 0)), says('packing', 'consumed', order(0, 0))];
  const state = play({ topics: ['orders:2'], lines });
  assert.equal(on(state, 0).committed, null);
  assert.equal(on(state, 1), undefined);
  assert.equal(state.partitions['orders-1'].highWatermark, null);
  assert.deepEqual(state.brokers, {});
  assert.equal(state.partitions['orders-0'].leader, null);
});

test('committed before the work and then killed: the records between are lost', () => {
  const lines = [
    ...[0, 1, 2].map((offset) => says('checkout', 'acknowledged', order(0, offset))),
    says('packer-1', 'assigned', { topic: 'orders', partition: 0, offset: 0, group: 'packing' }),
    ...[0, 1, 2].map((offset) => says('packer-1', 'consumed', order(0, offset))),
    says('packer-1', 'committed', { topic: 'orders', partition: 0, offset: 3, group: 'packing' }),
    says('packer-1', 'processed', order(0, 0)),
    says('operator', 'killed', { victim: 'packer-1' }),
    says('packer-2', 'assigned', { topic: 'orders', partition: 0, offset: 3, group: 'packing' }),
  ];
  assert.equal(model.tallies(play({ topics: ['orders:1'], lines }, 9)).lost, 0, 'its owner may still do it');
  const state = play({ topics: ['orders:1'], lines });
  assert.equal(model.tallies(state).lost, 2);
  assert.equal(model.isLost(on(state, 0), 0), false);
  assert.equal(model.isLost(on(state, 0), 1), true);
});

test('a new group that begins at the end has lost nothing', () => {
  const lines = [
    ...[0, 1].map((offset) => says('checkout', 'acknowledged', order(0, offset))),
    says('packing', 'assigned', { topic: 'orders', partition: 0, offset: 2 }),
    says('packing', 'processed', order(0, 2)),
  ];
  assert.equal(model.tallies(play({ topics: [], lines })).lost, 0);
});

test('pause and resume are told by partition; a process with all of them paused is paused', () => {
  const both = [0, 1].map((partition) => says('packing', 'assigned', { topic: 'orders', partition }));
  const lines = [...both, says('packing', 'paused', order(0)), says('packing', 'paused', order(1)), says('packing', 'resumed', order(0))];
  assert.equal(lives(play({ topics: [], lines }, 3)).packing, 'alive');
  assert.equal(on(play({ topics: [], lines }, 3), 0).paused, true);
  assert.equal(lives(play({ topics: [], lines }, 4)).packing, 'paused');
  assert.equal(lives(play({ topics: [], lines })).packing, 'alive');
});

test('a line that the vocabulary does not know changes nothing but the clock', () => {
  const run = histories.killAPacker();
  const removed = run.lines.findIndex((line) => line.message === 'removed');
  const { at: a, t: t0, last: l0, ...before } = play(run, removed);
  const { at: b, t: t1, last: l1, ...after } = play(run, removed + 1);
  assert.deepEqual(after, before);
  assert.equal(b, a + 1);
  assert.ok(t1 > t0);
});

test('lines with fields missing or of another type are shown and counted, never an error', () => {
  const kinds = ['started', 'produced', 'acknowledged', 'failed', 'consumed', 'processed', 'committed', 'assigned', 'revoked',
    'lost', 'reset', 'paused', 'resumed', 'retried', 'skipped', 'orphaned', 'killed', 'restarted', 'elected', 'stopped', 'outcome'];
  const shapes = [{}, { process: 'packing' }, { process: 'packing', topic: 'orders' }, { topic: 'orders', partition: 0, offset: 1 },
    { process: 'packing', topic: 'orders', partition: 'zero', offset: 'one' }, { process: 'packing', victim: 'nobody', leader: null }];
  const lines = kinds.flatMap((message) => shapes.map((fields) => ({ t_ms: 1, message, ...fields })));
  assert.equal(play({ topics: ['orders'], lines }).at, lines.length);
});

test('retention moves the start of a log, and compaction leaves holes in it', () => {
  const sent = [0, 1, 2, 3, 4, 5].map((offset) => says('checkout', 'acknowledged', order(0, offset)));
  const at = (state) => state.partitions['orders-0'].records.map((record) => record.offset);
  const cleaned = play({ topics: ['orders:1'], lines: [...sent, says('broker', 'cleaned', order(0, 1)), says('broker', 'cleaned', order(0, 3))] });
  assert.deepEqual(at(cleaned), [0, 2, 4, 5]);
  assert.equal(cleaned.partitions['orders-0'].highWatermark, 6, 'offsets are never given twice');
  assert.equal(cleaned.partitions['orders-0'].start, null);

  const lines = [...sent, says('broker', 'deleted', { topic: 'orders', partition: 0, offset: 4 }), says('packing', 'consumed', order(0, 4))];
  assert.deepEqual(at(play({ topics: ['orders:1'], lines }, 6)), [0, 1, 2, 3, 4, 5]);
  const deleted = play({ topics: ['orders:1'], lines });
  assert.deepEqual(at(deleted), [4, 5]);
  assert.equal(deleted.partitions['orders-0'].start, 4);
  assert.equal(on(deleted, 0).position, 5);

  const reset = (to) => play({ topics: ['orders:1'], lines: [...sent, says('packing', 'consumed', order(0, 0)),
    says('broker', 'deleted', { topic: 'orders', partition: 0, offset: 4 }),
    says('packing', 'reset', { topic: 'orders', partition: 0, from: 1, to })] });
  assert.deepEqual(['log start', 'log end'].map((to) => on(reset(to), 0).position), [4, 6]);
});

test('partitions that are added appear, empty, and those that were there stay as they are', () => {
  const lines = [says('checkout', 'acknowledged', order(1, 0)), says('admin', 'added', { topic: 'orders', partitions: 4 })];
  const before = play({ topics: ['orders:2', 'mugs:1'], lines }, 1);
  assert.deepEqual(before.order, ['orders-0', 'orders-1', 'mugs-0']);
  const after = play({ topics: ['orders:2', 'mugs:1'], lines });
  assert.deepEqual(after.order, ['orders-0', 'orders-1', 'orders-2', 'orders-3', 'mugs-0']);
  assert.deepEqual(after.partitions['orders-1'], before.partitions['orders-1']);
  assert.deepEqual(after.partitions['orders-3'].records, []);
  assert.deepEqual(before.order.length, 3, 'the state before is as it was');
});

test('no state is ever changed by a later line', () => {
  const freeze = (value) => {
    if (value && typeof value === 'object' && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  for (const run of [histories.killAPacker(), histories.rebalanced(), histories.aborted()]) {
    const surveyed = model.survey(run.topics);
    run.lines.forEach((line) => surveyed.add(line));
    let state = freeze(model.initial(surveyed));
    for (const line of run.lines) state = freeze(model.apply(state, line, surveyed));
    assert.equal(state.at, run.lines.length);
  }
});

test('the recorded runs of the book end as their outcome lines say', () => {
  for (const number of [1, 2]) {
    const run = recorded(`quickstart/runs/shop/${number}.jsonl`);
    assert.equal(model.tallies(play(run)).consumed, run.outcome.packed);
  }
  const day = recorded('events/runs/day/1.jsonl');
  const ofDay = model.tallies(play(day));
  assert.deepEqual([ofDay.acknowledged, ofDay.processed, ofDay.skipped], [day.outcome.sent, day.outcome.read, day.outcome.refused]);
  assert.deepEqual([ofDay.behind, ofDay.twice, ofDay.lost], [0, 0, 0]);
  for (const name of ['follow', 'broken']) {
    const run = recorded(`logging/runs/${name}/1.jsonl`);
    const state = play(run);
    assert.equal(state.processes.mail.processed, run.outcome.mailed);
    assert.equal(state.processes.checkout.acknowledged, run.outcome.orders);
    assert.equal(model.tallies(state).behind, 0);
  }
  const moved = recorded('topics/runs/moved/1.jsonl');
  const { partitions, order } = play(moved);
  assert.deepEqual([order.length, moved.topics[0]], [6, 'orders:3']);
  const sent = Object.values(partitions).flatMap((of) => of.records);
  assert.equal(sent.length, 2 * moved.outcome.orders, 'adding partitions moves no record');
  const compacted = play(recorded('topics/runs/compacted/1.jsonl'));
  assert.equal(compacted.partitions['prices-0'].records.length, compacted.ended.left);
  assert.equal(compacted.partitions['prices-0'].highWatermark, compacted.ended.sent);
  const overtaken = play(recorded('topics/runs/overtaken/1.jsonl'));
  assert.equal(overtaken.partitions['returns-0'].start, overtaken.ended.log_start);
  assert.equal(overtaken.partitions['returns-0'].records[0].offset, overtaken.ended.log_start);
  const leader = recorded('testbed/runs/leader/1.jsonl');
  const state = play(leader);
  assert.deepEqual([model.tallies(state).acknowledged, model.tallies(state).consumed], [leader.outcome.acknowledged, leader.outcome.survived]);
  const elected = leader.lines.find((line) => line.message === 'elected');
  const killed = leader.lines.find((line) => line.message === 'killed');
  assert.equal(state.partitions['orders-0'].leader, elected.leader);
  assert.equal(state.brokers[killed.broker].life, 'dead');
});

test('an acknowledged record is lost when the last replica that had it cuts it off', () => {
  const at = { topic: 'orders', partition: 0 };
  const lines = [
    ...[0, 1, 2].map((offset) => says('checkout', 'acknowledged', order(0, offset))),
    says('cluster', 'replicated', { ...at, broker: 1, log_end: 3 }),
    says('cluster', 'replicated', { ...at, broker: 2, log_end: 1 }),
    says('cluster', 'killed', { broker: 1 }),
    says('cluster', 'elected', { ...at, leader: 2 }),
    says('cluster', 'truncated', { ...at, broker: 1, log_end: 1, from: 3 }),
  ];
  const lost = lines.map((_, n) => model.tallies(play({ topics: [], lines }, n + 1)).lost);
  assert.deepEqual(lost, [0, 0, 0, 0, 0, 0, 0, 2]);
});

test('a record that is acknowledged in the place of another does not bring that one back', () => {
  const at = { topic: 'orders', partition: 0 };
  const lines = [
    says('checkout', 'acknowledged', { ...at, offset: 0, key: 'order-1' }),
    says('checkout', 'acknowledged', { ...at, offset: 1, key: 'order-2' }),
    says('cluster', 'replicated', { ...at, broker: 1, log_end: 2 }),
    says('cluster', 'wiped', { ...at, broker: 1 }),
    says('checkout', 'acknowledged', { ...at, offset: 0, key: 'order-3' }),
    says('cluster', 'replicated', { ...at, broker: 1, log_end: 1 }),
    says('packing', 'consumed', { ...at, offset: 0, key: 'order-3' }),
  ];
  const lost = lines.map((_, n) => model.tallies(play({ topics: [], lines }, n + 1)).lost);
  assert.deepEqual(lost, [0, 0, 0, 2, 2, 2, 2]);
});

for (const run of ['survive', 'ahead', 'alone', 'unclean', 'single']) {
  test(`replication/${run} has lost at its end what its outcome says`, () => {
    const it = recorded(`replication/runs/${run}/1.jsonl`);
    assert.equal(model.tallies(play(it)).lost, it.outcome.lost);
  });
}

test('replicas, in-sync set and high watermark are what the lines say, and what is cut off stays seen', () => {
  const at = { topic: 'orders', partition: 0 };
  const lines = [
    says('cluster', 'elected', { ...at, leader: 1, unclean: false }),
    says('cluster', 'in sync', { ...at, replicas: '1 2' }),
    says('cluster', 'replicated', { ...at, broker: 1, log_end: 6 }),
    says('cluster', 'replicated', { ...at, broker: 2, log_end: 3 }),
    says('cluster', 'high watermark', { ...at, high_watermark: 3 }),
    says('cluster', 'frozen', { broker: 2 }),
    says('cluster', 'killed', { broker: 1 }),
    says('cluster', 'thawed', { broker: 2 }),
    says('cluster', 'offline', at),
    says('cluster', 'elected', { ...at, leader: 2, unclean: true }),
    says('cluster', 'in sync', { ...at, replicas: '' }),
    says('cluster', 'truncated', { ...at, broker: 1, log_end: 3, from: 6 }),
    says('cluster', 'wiped', { ...at, broker: 2 }),
  ];
  const after = (count) => play({ topics: ['orders:1'], lines }, count);
  const of = (count) => after(count).partitions['orders-0'];
  assert.deepEqual([of(5).leader, of(5).inSync, of(5).committed], [1, [1, 2], 3]);
  assert.deepEqual(of(5).replicas, { 1: { end: 6, most: 6 }, 2: { end: 3, most: 3 } });
  assert.equal(after(6).brokers[2].life, 'frozen');
  assert.deepEqual([after(8).brokers[1].life, after(8).brokers[2].life], ['dead', 'alive']);
  assert.deepEqual([of(9).leader, of(9).offline], [null, true]);
  assert.deepEqual([of(10).leader, of(10).offline], [2, false]);
  assert.deepEqual(of(11).inSync, []);
  assert.deepEqual(of(12).replicas[1], { end: 3, most: 6 });
  assert.deepEqual(of(13).replicas[2], { end: 0, most: 3 });
});

test('a broker that is said to end somewhere without a place, or a mark without a number, changes nothing', () => {
  const lines = [
    says('cluster', 'replicated', { topic: 'orders', partition: 0, broker: 1 }),
    says('cluster', 'truncated', { broker: 1, log_end: 3 }),
    says('cluster', 'high watermark', { topic: 'orders', partition: 0 }),
    says('cluster', 'frozen', {}),
    says('cluster', 'wiped', { topic: 'orders', partition: 0, broker: 9 }),
  ];
  const state = play({ topics: ['orders:1'], lines });
  assert.deepEqual(state.partitions['orders-0'].replicas, {});
  assert.equal(state.partitions['orders-0'].committed, null);
});
