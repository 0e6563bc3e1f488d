// Made-up runs for tests: a shop with a topic of six partitions, and a group that packs.
//
// The simulation keeps its own books (who owns what, what was done how often), so that the state that the model
// finds can be compared with an outcome that the model did not count.
'use strict';

// A run being written: programs, partitions, a clock, and the books.
function shop({ partitions = 6, group = 'packing', autoCommit = 5 } = {}) {
  const run = {
    t: 0, lines: [], logs: Array.from({ length: partitions }, () => []), owners: Array(partitions).fill(null),
    positions: Array(partitions).fill(0), committed: Array(partitions).fill(0), done: new Map(), orders: 0,
  };

  const say = (process, message, fields = {}) => run.lines.push({ t_ms: run.t, message, process, ...fields });
  const wait = (ms) => {
    run.t += ms;
  };
  const at = (partition) => ({ topic: 'orders', partition });

  function send(process = 'checkout') {
    run.orders += 1;
    const key = `order-${1000 + run.orders}`;
    // As keys do, orders fall unevenly: some partitions get more than others.
    const partition = ((run.orders * run.orders * 7 + run.orders * 3) >> 2) % partitions;
    say(process, 'produced', { ...at(partition), key, pieces: 1 + (run.orders % 4) });
    wait(4);
    say(process, 'acknowledged', { ...at(partition), offset: run.logs[partition].length, key });
    run.logs[partition].push(key);
  }

  function assign(process, list) {
    for (const partition of list) {
      run.owners[partition] = process;
      run.positions[partition] = run.committed[partition];
      say(process, 'assigned', { ...at(partition), offset: run.committed[partition], group });
    }
  }

  function revoke(process) {
    run.owners.forEach((owner, partition) => {
      if (owner !== process) return;
      commit(partition);
      say(process, 'revoked', at(partition));
      run.owners[partition] = null;
    });
  }

  function commit(partition) {
    if (run.positions[partition] === run.committed[partition]) return;
    run.committed[partition] = run.positions[partition];
    say(run.owners[partition], 'committed', { ...at(partition), offset: run.committed[partition], group });
  }

  // Everybody alive packs up to `most` records of each of its partitions.
  function pack(most = 1) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const owner = run.owners[partition];
      for (let n = 0; n < most && owner && run.positions[partition] < run.logs[partition].length; n += 1) {
        const offset = run.positions[partition];
        const key = run.logs[partition][offset];
        wait(3);
        say(owner, 'consumed', { ...at(partition), offset, key });
        wait(18);
        say(owner, 'processed', { ...at(partition), offset, key });
        const place = `${partition}@${offset}`;
        run.done.set(place, (run.done.get(place) || 0) + 1);
        run.positions[partition] += 1;
        if (autoCommit && run.positions[partition] % autoCommit === 0) commit(partition);
      }
    }
  }

  // Ends a process by force: it says nothing any more, and stays the owner until the group notices.
  function kill(victim, fields = {}) {
    say('operator', 'killed', { victim, ...fields });
    const held = run.owners.flatMap((owner, partition) => (owner === victim ? [partition] : []));
    for (const partition of held) run.owners[partition] = null;
    return held;
  }

  function outcome(process = 'operator') {
    const all = [...run.done.values()];
    say(process, 'outcome', {
      sent: run.orders, acknowledged: run.orders, processed: all.reduce((sum, times) => sum + times, 0),
      twice: all.filter((times) => times > 1).length, behind: behind(), lost: 0,
    });
  }

  const behind = () => run.logs.reduce((sum, log, partition) => sum + log.length - run.committed[partition], 0);

  return { run, say, wait, send, assign, revoke, commit, pack, kill, outcome, at };
}

const THREE = ['packer-1', 'packer-2', 'packer-3'];

function opened(options) {
  const it = shop(options);
  it.say('checkout', 'started');
  for (const [index, packer] of THREE.entries()) {
    it.say(packer, 'started');
    it.wait(20);
    it.assign(packer, [2 * index, 2 * index + 1]);
  }
  return it;
}

const when = (lines, test) => lines.findIndex(test);

// Three packers, one killed: nobody reads its partitions for 45 s, and then some orders are packed twice.
function killAPacker() {
  const it = opened();
  for (let round = 0; round < 19; round += 1) {
    it.wait(190);
    it.send();
    it.send();
    it.pack(2);
  }
  const held = it.kill('packer-2', { session_timeout_ms: 45000 });
  for (let round = 0; round < 8; round += 1) {
    it.wait(400);
    it.send();
    it.send();
    it.pack(2);
  }
  it.wait(45000 - 8 * 420);
  it.say('operator', 'removed', { victim: 'packer-2', reason: 'session timed out' });
  it.wait(60);
  it.revoke('packer-1');
  it.revoke('packer-3');
  it.wait(120);
  it.assign('packer-1', [0, 1, 2]);
  it.assign('packer-3', [3, 4, 5]);
  it.wait(40);
  it.pack(100);
  for (let partition = 0; partition < 6; partition += 1) it.commit(partition);
  for (const packer of ['packer-1', 'packer-3']) it.say(packer, 'stopped');
  it.say('checkout', 'stopped');
  it.outcome();
  const { lines } = it.run;
  const killed = when(lines, (line) => line.message === 'killed');
  const removed = when(lines, (line) => line.message === 'removed');
  const assigned = lines.findIndex((line, index) => index > removed && line.message === 'assigned');
  const twice = lines.findIndex((line, index) => index > removed && line.message === 'consumed' && held.includes(line.partition));
  return {
    topics: ['orders:6'], lines,
    moments: [
      { name: 'killed', caption: 'packer-2 is killed. Every other process looks healthy.', at: killed },
      { name: 'removed', caption: 'The session ends, and the group takes packer-2 off its list.', at: removed },
      { name: 'reassigned', caption: 'The two that are left share the six partitions.', at: assigned },
      { name: 'read twice', caption: 'What packer-2 packed and did not commit is packed again.', at: twice },
      { name: 'outcome', caption: 'No order is lost, and some were packed twice.', at: lines.length - 1 },
    ],
  };
}

// A run that was stopped in its middle: no outcome, records in flight, processes that never said goodbye.
function aborted() {
  const it = opened();
  for (let round = 0; round < 3; round += 1) {
    it.wait(100);
    it.send();
    it.pack(1);
  }
  it.say('checkout', 'produced', { ...it.at(4), key: 'order-9001' });
  it.say('checkout', 'produced', { topic: 'orders', key: 'order-9002' });
  return { topics: ['orders:6'], lines: it.run.lines, moments: [] };
}

// Rebalances without a death: a fourth packer joins, then one leaves.
function rebalanced() {
  const it = opened();
  for (let round = 0; round < 10; round += 1) {
    it.wait(50);
    it.send();
    it.pack(1);
  }
  it.say('packer-4', 'started');
  for (const packer of THREE) it.revoke(packer);
  it.assign('packer-1', [0, 1]);
  it.assign('packer-2', [2, 3]);
  it.assign('packer-3', [4]);
  it.assign('packer-4', [5]);
  for (let round = 0; round < 10; round += 1) {
    it.send();
    it.pack(1);
  }
  it.revoke('packer-2');
  it.say('packer-2', 'stopped');
  it.assign('packer-1', [2]);
  it.assign('packer-3', [3]);
  it.pack(100);
  for (let partition = 0; partition < 6; partition += 1) it.commit(partition);
  it.outcome();
  return { topics: ['orders:6'], lines: it.run.lines, moments: [], owners: it.run.owners, committed: it.run.committed };
}

// A long run: `count` lines and a few more.
function long(count) {
  const it = opened({ autoCommit: 50 });
  while (it.run.lines.length < count) {
    it.wait(7);
    for (let n = 0; n < 12; n += 1) it.send();
    it.pack(2);
  }
  it.pack(1e6);
  it.outcome();
  const { lines } = it.run;
  const middle = Math.floor(lines.length / 2);
  return {
    topics: ['orders:6'], lines,
    moments: [
      { name: 'middle', caption: 'Half of the lines are played.', at: middle },
      { name: 'outcome', caption: 'All orders are packed.', at: lines.length - 1 },
    ],
  };
}

module.exports = { shop, opened, killAPacker, aborted, rebalanced, long };
