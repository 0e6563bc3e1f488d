// What the lines of a run tell together and no single line says: which programs there are, which group each reads
// for, and whether a group's work is done when a record is consumed or when it is processed.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make();
  else {
    root.KafkaBook = root.KafkaBook || {};
    root.KafkaBook.survey = make();
  }
})(this, function () {
  'use strict';

  const PRODUCES = ['produced', 'acknowledged', 'failed'];
  const READS = ['consumed', 'processed', 'skipped', 'committed', 'assigned', 'revoked', 'lost', 'paused',
    'resumed', 'orphaned'];
  const WORKS = ['processed', 'skipped'];

  // `packer-2` reads for the group `packer` until a line names another.
  const groupByName = (process) => process.replace(/-\d+$/, '');

  // What the lines tell together. `add()` says whether the line changes what earlier lines meant, so that their
  // states must be made anew; `topics` are those that the run declares, as `orders:3`.
  function survey(topics) {
    const groups = {};
    const works = {};
    const spoke = [];
    const processes = [];
    const brokers = [];
    const declared = [];
    const roles = {};
    for (const topic of topics || []) {
      const [name, count] = topic.split(':');
      for (let at = 0; at < Number(count || 1); at += 1) declared.push([name, at]);
    }

    function add(line) {
      let changed = false;
      const name = line.process;
      const produces = PRODUCES.includes(line.message);
      const reads = READS.includes(line.message);
      if (name && !spoke.includes(name)) spoke.push(name);
      if (line.message === 'produced' && Number.isInteger(line.partition)) found.waits = true;
      // A program is drawn when it sends or reads, in the order in which programs first spoke.
      if (name && (produces || reads)) {
        if (!roles[name]) {
          processes.push(name);
          processes.sort((a, b) => spoke.indexOf(a) - spoke.indexOf(b));
          roles[name] = {};
          changed = true;
        }
        const role = produces ? 'produces' : 'reads';
        if (!roles[name][role]) {
          roles[name][role] = true;
          changed = true;
        }
      }
      if (name && reads) {
        const group = line.group || groups[name] || groupByName(name);
        if (groups[name] !== group) {
          groups[name] = group;
          changed = true;
        }
        if (WORKS.includes(line.message) && !works[group]) {
          works[group] = true;
          changed = true;
        }
      }
      for (const id of [line.broker, line.leader]) {
        if (Number.isInteger(id) && !brokers.includes(id)) {
          brokers.push(id);
          brokers.sort((a, b) => a - b);
          changed = true;
        }
      }
      return changed;
    }

    // `waits`: some record is seen on its way to a known partition.
    const found = { groups, works, spoke, processes, brokers, declared, roles, waits: false, add };
    return found;
  }

  return { survey, groupByName };
});
