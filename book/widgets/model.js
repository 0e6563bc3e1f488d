// What a run came to, line by line.
//
// A run is a list of lines in the vocabulary of `chapters/logging/vocabulary.md`. `initial()` is the state before
// the first line, and `apply()` gives the state after one more; both need what a survey of the lines found.
// States are values: none is ever changed, so that a page can step back by keeping some of them.
//
// Nothing is made up: a position that no line tells is null, and a line that is not in the vocabulary changes
// nothing but the clock.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make(require('./offsets.js'), require('./survey.js'));
  else {
    root.KafkaBook = root.KafkaBook || {};
    root.KafkaBook.model = make(root.KafkaBook.offsets, root.KafkaBook.survey);
  }
})(this, function (offsets, surveys) {
  'use strict';

  const { survey, groupByName } = surveys;
  const placeOf = (topic, partition) => `${topic}-${partition}`;

  // The state before the first line.
  function initial(surveyed) {
    const state = {
      at: 0, t: 0, partitions: {}, order: [], processes: {}, brokers: {}, sessions: {}, last: null, ended: null,
    };
    for (const [topic, partition] of surveyed.declared) addPartition(state, topic, partition);
    for (const name of surveyed.processes) {
      state.processes[name] = {
        name, life: 'waiting', group: surveyed.groups[name] || null, roles: surveyed.roles[name],
        produced: 0, acknowledged: 0, failed: 0, consumed: 0, processed: 0, skipped: 0, retried: 0,
        since: 0, owed: [],
      };
    }
    for (const id of surveyed.brokers) state.brokers[id] = { id, life: 'alive' };
    return state;
  }

  // Only for states that nobody has seen yet.
  function addPartition(state, topic, partition) {
    const id = placeOf(topic, partition);
    state.partitions[id] = {
      id, topic, partition, records: [], pending: [], replaced: 0, start: null, highWatermark: null, leader: null, groups: {},
      offline: false, inSync: null, replicas: {}, committed: null,
    };
    state.order.push(id);
  }

  const NOBODY = {
    owner: null, position: null, died: false, committed: null, paused: false, done: [], again: {}, abandoned: null,
  };

  // The state after one more line.
  function apply(before, line, surveyed) {
    const state = { ...before, at: before.at + 1, t: line.t_ms, last: { line, index: before.at, place: null, times: 0 } };
    const draft = makeDraft(state, line, surveyed);
    if (line.message in LINES) LINES[line.message](draft, line);
    else draft.stir();
    return state;
  }

  // The parts of a state that one line changes, each copied before it is changed.
  function makeDraft(state, line, surveyed) {
    const fresh = new Set();
    const own = (field, make) => {
      if (!fresh.has(field)) {
        state[field] = make(state[field]);
        fresh.add(field);
      }
      return state[field];
    };

    function partition() {
      if (line.topic === undefined || !Number.isInteger(line.partition)) return null;
      const id = placeOf(line.topic, line.partition);
      state.last.place = id;
      return partitionAt(id);
    }

    function partitionAt(id) {
      own('partitions', (all) => ({ ...all }));
      if (!state.partitions[id]) {
        own('order', (all) => [...all]);
        addPartition(state, line.topic, line.partition);
        state.order.sort((a, b) => comparePlaces(state.partitions[a], state.partitions[b], state.order));
        fresh.add(id);
      }
      if (!fresh.has(id)) {
        state.partitions[id] = { ...state.partitions[id] };
        fresh.add(id);
      }
      return state.partitions[id];
    }

    // How one group stands on a partition.
    function standing(of, group) {
      const known = of.groups[group] || NOBODY;
      of.groups = { ...of.groups, [group]: { ...known } };
      return of.groups[group];
    }

    function process(name) {
      const known = state.processes[name];
      if (!known) return null;
      own('processes', (all) => ({ ...all }));
      state.processes[name] = { ...known };
      return state.processes[name];
    }

    // A process that says something is alive, unless it ended.
    function stir() {
      const who = line.process && process(line.process);
      if (who && (who.life === 'waiting' || who.life === 'rebalancing')) live(who, 'alive');
      return who;
    }

    function live(who, life) {
      who.life = life;
      who.since = line.t_ms;
    }

    const groupOf = (name) => line.group || surveyed.groups[name] || groupByName(name);
    const works = (group) => Boolean(surveyed.works[group]);
    return { state, line, own, partition, partitionAt, standing, process, stir, live, groupOf, works };
  }

  // Topics keep the order in which they came, partitions go by number.
  function comparePlaces(a, b, order) {
    if (a.topic === b.topic) return a.partition - b.partition;
    const first = (topic) => order.findIndex((id) => id.startsWith(`${topic}-`));
    return first(a.topic) - first(b.topic);
  }

  // Puts a record into its log, where its offset says. Reading shows records too: those that were there before.
  function place(of, line, index) {
    const record = { offset: line.offset, key: line.key ?? null, at: index, acknowledged: true };
    const last = of.records[of.records.length - 1];
    if (!last || last.offset < record.offset) of.records = [...of.records, record];
    else {
      const at = offsets.lowerBound(of.records, record.offset);
      const there = of.records[at];
      const same = there.offset === record.offset;
      // The log was cut back or lost, and another record is acknowledged where this one was.
      const anew = same && line.message === 'acknowledged' && there.key !== record.key;
      if (same && !anew) return;
      if (anew) {
        record.replaces = true;
        of.replaced += 1;
      }
      of.records = [...of.records.slice(0, at), record, ...of.records.slice(same ? at + 1 : at)];
    }
    of.highWatermark = Math.max(of.highWatermark ?? 0, record.offset + 1);
  }

  // Takes the oldest waiting record that this line can mean out of the list.
  function settle(pending, line) {
    const at = pending.findIndex((one) => one.process === line.process && one.key === (line.key ?? one.key));
    return at < 0 ? pending : [...pending.slice(0, at), ...pending.slice(at + 1)];
  }

  // The process has the record at this offset: it reads the partition, and goes on behind it.
  function read(draft, line) {
    const of = draft.partition();
    const who = draft.stir();
    if (!of || !who || !Number.isInteger(line.offset)) return null;
    place(of, line, draft.state.at - 1);
    const group = draft.groupOf(line.process);
    const at = draft.standing(of, group);
    if (at.owner !== line.process) takeOver(draft, at, line.process);
    const next = line.offset + 1;
    // A record consumed again was sought again: the position goes back. Work may end in another order.
    const anew = line.message === 'consumed' || at.died || at.position === null;
    at.position = anew ? next : Math.max(at.position, next);
    at.died = false;
    return { of, who, at, group };
  }

  // The work on the record at this offset is done, perhaps once more.
  function finish(draft, line, at) {
    const added = offsets.add(at.done, line.offset);
    at.done = added.ranges;
    if (!added.known) return;
    const times = (at.again[line.offset] || 1) + 1;
    at.again = { ...at.again, [line.offset]: times };
    draft.state.last.times = times;
  }

  function takeOver(draft, at, owner) {
    at.owner = owner;
    at.paused = false;
  }

  // Whoever had the partition has it no more; what was committed and not done will be read by nobody.
  function giveUp(draft, at, group) {
    if (at.committed !== null && draft.works(group)) at.abandoned = Math.max(at.abandoned ?? 0, at.committed);
    at.paused = false;
  }

  // A process ended by force still stands beside its partitions until others get them.
  function bury(draft, name) {
    const { state } = draft;
    for (const id of state.order) {
      for (const [group, known] of Object.entries(state.partitions[id].groups)) {
        if (known.owner !== name) continue;
        const at = draft.standing(draft.partitionAt(id), group);
        at.died = at.position !== null;
        giveUp(draft, at, group);
      }
    }
  }

  function release(draft, line) {
    const of = draft.partition();
    const who = draft.stir();
    if (!of || !who) return;
    const group = draft.groupOf(line.process);
    const at = draft.standing(of, group);
    if (at.owner === line.process) {
      giveUp(draft, at, group);
      at.owner = null;
      at.died = line.message === 'lost' && at.position !== null;
      if (!at.died) at.position = null;
    }
    who.owed = [...who.owed.filter((id) => id !== of.id), of.id];
    draft.live(who, 'rebalancing');
  }

  // The partition has found its reader, so nobody waits for it any more.
  function found(draft, id) {
    for (const { name, owed } of Object.values(draft.state.processes)) {
      if (!owed.includes(id)) continue;
      const who = draft.process(name);
      who.owed = owed.filter((one) => one !== id);
      if (who.owed.length === 0 && who.life === 'rebalancing') draft.live(who, 'alive');
    }
  }

  function pauseOrResume(draft, line, paused) {
    const of = draft.partition();
    const who = draft.stir();
    if (!of || !who) return;
    const at = draft.standing(of, draft.groupOf(line.process));
    if (at.owner === null) takeOver(draft, at, line.process);
    at.paused = paused;
    const { state } = draft;
    const own = Object.values(state.partitions).flatMap((p) => Object.values(p.groups))
      .filter((known) => known.owner === line.process);
    draft.live(who, own.every((known) => known.paused) ? 'paused' : 'alive');
  }

  // The log of one broker's replica ends here; `most` is how far it once went.
  function reach(draft, line) {
    const of = draft.partition();
    if (!of || !Number.isInteger(line.broker) || !Number.isInteger(line.log_end)) return;
    const most = Math.max(of.replicas[line.broker]?.most ?? 0, line.log_end);
    of.replicas = { ...of.replicas, [line.broker]: { end: line.log_end, most } };
  }

  function broker(draft, line, life) {
    if (Number.isInteger(line.broker)) {
      draft.own('brokers', (all) => ({ ...all }))[line.broker] = { id: line.broker, life, since: line.t_ms };
    }
  }

  const LINES = {
    started(draft, line) {
      const who = line.process && draft.process(line.process);
      if (who) draft.live(who, 'alive');
    },

    produced(draft, line) {
      const who = draft.stir();
      if (who) who.produced += 1;
      const of = draft.partition();
      if (of) of.pending = [...of.pending, { process: line.process, key: line.key ?? null, at: draft.state.at - 1 }];
    },

    acknowledged(draft, line) {
      const who = draft.stir();
      if (who) who.acknowledged += 1;
      const of = draft.partition();
      if (!of) return;
      of.pending = settle(of.pending, line);
      if (Number.isInteger(line.offset)) place(of, line, draft.state.at - 1);
    },

    failed(draft, line) {
      const who = draft.stir();
      if (who) who.failed += 1;
      const { state } = draft;
      const held = state.order.find((id) => state.partitions[id].topic === line.topic
        && settle(state.partitions[id].pending, line) !== state.partitions[id].pending);
      if (!held) return;
      const of = draft.partitionAt(held);
      of.pending = settle(of.pending, line);
    },

    consumed(draft, line) {
      const had = read(draft, line);
      if (!had) return;
      had.who.consumed += 1;
      if (!draft.works(had.group)) finish(draft, line, had.at);
    },

    processed(draft, line) {
      const had = read(draft, line);
      if (!had) return;
      had.who.processed += 1;
      finish(draft, line, had.at);
    },

    skipped(draft, line) {
      const had = read(draft, line);
      if (!had) return;
      had.who.skipped += 1;
      finish(draft, line, had.at);
    },

    orphaned(draft, line) {
      read(draft, line);
    },

    retried(draft) {
      const who = draft.stir();
      if (who) who.retried += 1;
    },

    committed(draft, line) {
      const of = draft.partition();
      draft.stir();
      if (!of || !Number.isInteger(line.offset)) return;
      const name = line.group || (line.process && draft.groupOf(line.process));
      if (name) draft.standing(of, name).committed = line.offset;
    },

    assigned(draft, line) {
      const of = draft.partition();
      const who = draft.stir();
      if (!of || !who) return;
      const group = draft.groupOf(line.process);
      const at = draft.standing(of, group);
      takeOver(draft, at, line.process);
      const from = Number.isInteger(line.offset) ? line.offset : at.committed;
      // Who begins further on than the work of the group came leaves out what lies between.
      if (from !== null && (at.done.length > 0 || at.committed !== null)) {
        at.abandoned = Math.max(at.abandoned ?? 0, from);
      }
      at.position = from;
      at.died = false;
      found(draft, of.id);
      if (who.life === 'waiting') draft.live(who, 'alive');
    },

    revoked: release,
    lost: release,
    paused: (draft, line) => pauseOrResume(draft, line, true),
    resumed: (draft, line) => pauseOrResume(draft, line, false),

    killed(draft, line) {
      const { state } = draft;
      if (Number.isInteger(line.broker)) {
        draft.own('brokers', (all) => ({ ...all }))[line.broker] = { id: line.broker, life: 'dead', since: line.t_ms };
      }
      const who = draft.process(line.victim) || (line.broker === undefined && draft.process(line.process));
      if (!who) return;
      draft.live(who, 'dead');
      bury(draft, who.name);
      if (Number.isInteger(line.session_timeout_ms) && who.group) {
        draft.own('sessions', (all) => ({ ...all }))[who.name] = { since: line.t_ms, ms: line.session_timeout_ms };
      }
      state.last.victim = who.name;
    },

    restarted(draft, line) {
      if (Number.isInteger(line.broker)) {
        draft.own('brokers', (all) => ({ ...all }))[line.broker] = { id: line.broker, life: 'alive', since: line.t_ms };
      }
      const who = draft.process(line.victim) || (line.broker === undefined && draft.process(line.process));
      if (who) draft.live(who, 'alive');
    },

    elected(draft, line) {
      const of = draft.partition();
      if (!of || !Number.isInteger(line.leader)) return;
      of.leader = line.leader;
      of.offline = false;
    },

    // The topic has more partitions: the new ones are empty.
    added(draft, line) {
      draft.stir();
      const { state } = draft;
      if (line.topic === undefined || !Number.isInteger(line.partitions)) return;
      draft.own('partitions', (all) => ({ ...all }));
      draft.own('order', (all) => [...all]);
      for (let at = 0; at < line.partitions; at += 1) {
        if (!state.partitions[placeOf(line.topic, at)]) addPartition(state, line.topic, at);
      }
      state.order.sort((a, b) => comparePlaces(state.partitions[a], state.partitions[b], state.order));
    },

    // Retention moved the start of the log: what stood before it is gone.
    deleted(draft, line) {
      const of = draft.partition();
      draft.stir();
      if (!of || !Number.isInteger(line.offset)) return;
      of.start = Math.max(of.start ?? 0, line.offset);
      of.records = of.records.slice(offsets.lowerBound(of.records, of.start));
    },

    // The record where the group goes on is not there: its position is one end of the log or the other.
    reset(draft, line) {
      const of = draft.partition();
      const who = draft.stir();
      if (!of || !who) return;
      const at = draft.standing(of, draft.groupOf(line.process));
      if (line.to === 'log start') at.position = of.start;
      if (line.to === 'log end') at.position = of.highWatermark;
    },

    // Compaction took one record: the others keep their offsets.
    cleaned(draft, line) {
      const of = draft.partition();
      draft.stir();
      if (of) of.records = of.records.filter((record) => record.offset !== line.offset);
    },

    offline(draft) {
      const of = draft.partition();
      if (!of) return;
      of.leader = null;
      of.offline = true;
    },

    'in sync': (draft, line) => {
      const of = draft.partition();
      if (of && line.replicas !== undefined) of.inSync = String(line.replicas).split(' ').filter(Boolean).map(Number);
    },

    replicated: (draft, line) => reach(draft, line),
    truncated: (draft, line) => reach(draft, line),

    wiped(draft, line) {
      const of = draft.partition();
      if (!of || !(line.broker in of.replicas)) return;
      reach(draft, { ...line, log_end: 0 });
    },

    'high watermark': (draft, line) => {
      const of = draft.partition();
      if (of && Number.isInteger(line.high_watermark)) of.committed = line.high_watermark;
    },

    frozen: (draft, line) => broker(draft, line, 'frozen'),
    thawed: (draft, line) => broker(draft, line, 'alive'),

    stopped(draft, line) {
      const who = line.process && draft.process(line.process);
      if (!who) return;
      draft.live(who, 'stopped');
      const { state } = draft;
      for (const id of state.order) {
        for (const [group, known] of Object.entries(state.partitions[id].groups)) {
          if (known.owner !== who.name) continue;
          const at = draft.standing(draft.partitionAt(id), group);
          giveUp(draft, at, group);
          at.owner = null;
          at.position = null;
        }
      }
    },

    outcome(draft, line) {
      draft.state.ended = line;
    },
  };

  // How many records of the log are not behind this group yet; null when no line tells where it stands.
  function behind(of, at) {
    const from = at.committed ?? at.position;
    return from === null || of.highWatermark === null ? null : Math.max(0, of.highWatermark - from);
  }

  // Records that the group passed by without doing their work, and that nobody of it will read again.
  function lost(of, at) {
    if (at.abandoned === null) return 0;
    const first = of.records.length > 0 ? of.records[0].offset : 0;
    const there = offsets.lowerBound(of.records, at.abandoned);
    return Math.max(0, there - offsets.count(at.done, first, at.abandoned));
  }

  // Whether the group passed by the record at this offset.
  function isLost(at, offset) {
    return at.abandoned !== null && offset < at.abandoned && !offsets.has(at.done, offset);
  }

  // Acknowledged records that a replica once had, and none has any more.
  function gone(of) {
    const replicas = Object.values(of.replicas);
    const [end, most] = ['end', 'most'].map((name) => Math.max(0, ...replicas.map((one) => one[name])));
    const beyond = of.records.slice(offsets.lowerBound(of.records, end), offsets.lowerBound(of.records, most));
    // One that took the place of another is not gone, it is still to be replicated; the other one is.
    return of.replaced + beyond.filter((record) => !record.replaces).length;
  }

  // What the run came to so far, in numbers.
  function tallies(state) {
    const sum = { produced: 0, acknowledged: 0, failed: 0, consumed: 0, processed: 0, skipped: 0, retried: 0 };
    for (const who of Object.values(state.processes)) for (const name in sum) sum[name] += who[name];
    sum.behind = 0;
    sum.twice = 0;
    sum.lost = 0;
    for (const of of Object.values(state.partitions)) {
      sum.lost += gone(of);
      for (const at of Object.values(of.groups)) {
        sum.behind += behind(of, at) ?? 0;
        sum.twice += Object.values(at.again).reduce((more, times) => more + times - 1, 0);
        sum.lost += lost(of, at);
      }
    }
    return sum;
  }

  // Partitions whose reader is dead, by its name.
  function unread(state) {
    const dead = {};
    for (const id of state.order) {
      for (const at of Object.values(state.partitions[id].groups)) {
        if (at.owner && state.processes[at.owner]?.life === 'dead') (dead[at.owner] = dead[at.owner] || []).push(id);
      }
    }
    return dead;
  }

  return { survey, initial, apply, behind, lost, isLost, tallies, unread, placeOf };
});
