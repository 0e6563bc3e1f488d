// A state as a picture: programs, brokers, and each partition as a strip that only grows.
//
// Elements are made once for a run and then changed; what is the same in two states is the same object, so a
// strip whose partition did not change is left alone.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, shape, icon, turn } = book.dom;
  const { fill, list } = book.sentences;
  const { model, offsets } = book;
  const texts = window.KafkaBookTexts.playback;

  const MOST_STRIPS = 6;
  const MOST_PROGRAMS = 4;
  const MINI_CELLS = 12;

  // Text and classes are written only where they change: most cells of a frame are as they were.
  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  function wear(element, name) {
    if (element.className !== name) element.className = name;
  }

  // The picture of a run inside `host`. `tapped` is called with a record and the strip's partition.
  function picture(host, tapped) {
    let built = null;
    let shown = null;
    const open = new Set();
    let allPrograms = false;

    // What decides which elements there are; another text of it means other elements.
    function plan(timeline) {
      const last = timeline.stateAt(timeline.length);
      const places = last.order.map((id) => ({
        id, topic: last.partitions[id].topic, groups: Object.keys(last.partitions[id].groups),
        replicas: Object.keys(last.partitions[id].replicas).map(Number), watermark: last.partitions[id].committed !== null,
      }));
      const copies = Object.values(last.partitions).flatMap((of) => Object.values(of.replicas));
      const widest = Math.max(0, ...Object.values(last.partitions).map((of) => of.highWatermark ?? 0));
      const standing = Object.values(last.partitions).flatMap((of) => Object.values(of.groups));
      const signs = [
        standing.some((at) => at.committed !== null) && 'committed', standing.length > 0 && 'position',
        timeline.surveyed.waits && 'hollow', places.some((place) => place.watermark) && 'watermark',
        copies.some((copy) => copy.most > copy.end) && 'cut',
      ].filter(Boolean);
      return { places, signs, programs: Object.keys(last.processes), brokers: Object.keys(last.brokers), digits: String(widest).length };
    }

    function build(timeline) {
      if (built && built.timeline === timeline && built.length === timeline.length) return;
      const planned = plan(timeline);
      const text = JSON.stringify(planned);
      if (built && built.text === text) {
        Object.assign(built, { timeline, length: timeline.length });
        return;
      }
      const topics = [...new Set(planned.places.map((place) => place.topic))];
      const folds = planned.places.length > MOST_STRIPS;
      built = {
        text, timeline, length: timeline.length,
        programs: planned.programs.map((name, number) => program(name, number)),
        brokers: planned.brokers.map((id) => broker(id)),
        topics: topics.map((name) => topic(name, planned.places.filter((place) => place.topic === name), folds, planned.programs)),
      };
      host.style.setProperty('--digits', String(Math.max(2, planned.digits)));
      const band = el('ul', { class: 'programs', 'aria-label': texts.processes }, built.programs.map((one) => one.element));
      built.more = el('button', { type: 'button', class: 'programs-more' });
      built.more.addEventListener('click', () => {
        allPrograms = !allPrograms;
        foldPrograms();
      });
      const brokers = built.brokers.length
        ? el('ul', { class: 'brokers', 'aria-label': texts.brokers }, built.brokers.map((one) => one.element)) : null;
      host.replaceChildren(probe, el('div', { class: 'band' }, band, built.more, brokers), ...built.topics.map((one) => one.element), legend(planned.signs));
      foldPrograms();
      measure();
    }

    // What the signs mean that this run has.
    function legend(signs) {
      const drawn = {
        committed: () => el('span', { class: 'flag flag-c' }, el('span', { class: 'flag-cloth', text: 'C' })),
        position: () => el('span', { class: 'flag flag-p' }, el('span', { class: 'flag-cloth', text: 'P' })),
        hollow: () => el('span', { class: 'cell is-hollow' }),
        watermark: () => el('span', { class: 'flag flag-h' }, el('span', { class: 'flag-cloth', text: 'H' })),
        cut: () => el('span', { class: 'copy is-cut' }),
      };
      return el('ul', { class: 'legend' }, signs.map((name) => el('li', null,
        el('span', { class: `legend-sign is-${name}`, 'aria-hidden': 'true' }, drawn[name]()), el('span', { text: texts.legend[name] }))));
    }

    function foldPrograms() {
      const over = built.programs.length - MOST_PROGRAMS;
      built.more.hidden = over <= 0;
      built.programs.forEach((one, at) => { one.element.hidden = !allPrograms && at >= MOST_PROGRAMS; });
      built.more.textContent = allPrograms ? texts.fewer : fill(texts.more, { n: over });
      built.more.setAttribute('aria-expanded', String(allPrograms));
    }

    // A program: its sign, whether it lives, and what it did.
    function program(name, number) {
      const life = el('span', { class: 'program-life' });
      const did = el('span', { class: 'program-did' });
      const element = el('li', { class: 'program' }, shape(number), el('span', { class: 'program-name', text: name }), life, did);
      let seen = null;
      return {
        element,
        update(state, surveyed) {
          const who = state.processes[name];
          if (!who || who === seen) return;
          seen = who;
          wear(element, `program is-${who.life}`);
          put(life, who.life === 'alive' ? '' : texts.life[who.life]);
          const reads = surveyed.works[who.group] ? ['processed', 'skipped'] : ['consumed'];
          const counts = ['produced', 'acknowledged', 'failed', ...reads, 'retried'].filter((count) => who[count] > 0);
          put(did, counts.map((count) => fill(texts.tally[count], { n: who[count] })).join(' · '));
        },
      };
    }

    function broker(id) {
      const text = el('span');
      const element = el('li', { class: 'broker' }, icon('dead'), text);
      return {
        element,
        update(state) {
          const life = state.brokers[id]?.life;
          wear(element, life === 'dead' || life === 'frozen' ? `broker is-${life}` : 'broker');
          put(text, fill(life === 'dead' ? texts.brokerDead : life === 'frozen' ? texts.brokerFrozen : texts.broker, { id }));
        },
      };
    }

    // The partitions of a topic; with many partitions a run shows topics folded, each strip as a thin line.
    function topic(name, places, folds, programs) {
      const strips = places.map((place) => strip(place, programs));
      const body = el('div', { class: 'topic-strips' }, strips.map((one) => one.element));
      if (!folds) {
        return { element: el('div', { class: 'topic' }, body), update: (state) => strips.forEach((one) => one.update(state)) };
      }
      const minis = places.map((place) => mini(place, programs));
      const line = el('div', { class: 'topic-minis' }, minis.map((one) => one.element));
      const sum = el('span', { class: 'topic-sum' });
      const toggle = el('button', { type: 'button', class: 'topic-toggle' }, icon('open'),
        el('span', { class: 'topic-name', text: name }), sum);
      const element = el('div', { class: 'topic is-folding' }, toggle, line, body);
      const fold = () => {
        const isOpen = open.has(name);
        toggle.setAttribute('aria-expanded', String(isOpen));
        body.hidden = !isOpen;
        line.hidden = isOpen;
      };
      toggle.addEventListener('click', () => {
        if (!open.delete(name)) open.add(name);
        fold();
        measure();
        if (shown) update(...shown);
      });
      fold();
      return {
        element,
        update(state) {
          const all = places.map((place) => state.partitions[place.id]);
          const records = all.reduce((more, of) => more + (of ? of.records.length : 0), 0);
          const readers = [...new Set(all.flatMap((of) => Object.values(of ? of.groups : {}).map((at) => at.owner)))].filter(Boolean);
          put(sum, [fill(texts.records, { n: records }), readers.length > 0 && fill(texts.readBy, { names: list(readers) })].filter(Boolean).join(' · '));
          (open.has(name) ? strips : minis).forEach((one) => one.update(state));
        },
      };
    }

    // One partition in full: its log, and for each group that reads it a lane with flags and the owner.
    function strip(place, programs) {
      const leader = el('span', { class: 'strip-leader' });
      const earlier = el('span', { class: 'strip-earlier' });
      const log = el('div', { class: 'strip-log' }, earlier);
      const lanes = place.groups.map((group) => lane(group, programs));
      const copies = place.replicas.length > 0 ? replicas(place) : null;
      const element = el('div', { class: 'strip', 'data-place': place.id },
        el('div', { class: 'strip-name' }, el('span', { text: place.id }), leader),
        el('div', { class: 'strip-owners' }, lanes.map((one) => one.owner)), log, lanes.map((one) => one.track), ...(copies ? [copies.element] : []));
      const cells = [];
      // The record that the first cell shows, counted from the first of all.
      let first = 0;
      let seen = {};
      log.addEventListener('click', (event) => {
        const cell = event.target.closest('.cell');
        if (cell && cell.record) tapped(cell, cell.record, place.id);
      });

      function update(state) {
        const of = state.partitions[place.id];
        element.hidden = !of; // not added yet
        const now = state.last && state.last.place === place.id ? state.last : null;
        const owners = place.groups.map((group) => state.processes[of?.groups[group]?.owner]);
        const room = roomFor();
        if (copies && of) copies.update(of, room, state.brokers);
        if (!of || (seen.of === of && seen.now === now && seen.room === room && owners.every((who, at) => who === seen.owners[at]))) return;
        seen = { of, now, room, owners };
        const window = newest(of, room);
        earlier.hidden = window.before === 0;
        if (window.before > 0) {
          earlier.dataset.count = `+${window.before}`;
          earlier.title = fill(texts.earlier, { n: window.before });
        }
        // A record keeps its cell for as long as it is in view: most offsets of a full strip need not be written.
        turn(cells, window.before - first, (one) => one);
        first = window.before;
        fit(cells, window.shown.length, log);
        window.shown.forEach((record, at) => cell(cells[at], record, of, now, window.shown[at - 1]));
        const leads = of.offline ? texts.offline : of.leader !== null && fill(texts.leader, { id: of.leader });
        put(leader, [leads, of.start && fill(texts.logStart, { n: of.start })].filter(Boolean).join(' · '));
        place.groups.forEach((group, at) => lanes[at].update(of, of.groups[group], owners[at], window, cells));
      }
      return { element, update };
    }

    // The log of each broker's replica below the partition's, and how far all that are in sync have come.
    function replicas(place) {
      const mark = el('span', { class: 'flag flag-h', role: 'img', hidden: true }, el('span', { class: 'flag-cloth', text: 'H', 'aria-hidden': 'true' }));
      const rows = place.replicas.map((id) => {
        const cells = [];
        const log = el('div', { class: 'replica-log', 'aria-hidden': 'true' });
        const name = el('span', { class: 'replica-name', text: fill(texts.replica, { id }) });
        const role = el('span', { class: 'replica-role' });
        const end = el('span', { class: 'replica-end' });
        return { id, cells, log, role, end, element: el('li', { class: 'replica' }, log, el('div', { class: 'replica-label' }, name, role, end)) };
      });
      const element = el('ul', { class: 'replicas' }, rows.map((one) => one.element), mark);
      let seen = {};
      function update(of, room, brokers) {
        if (seen.of === of && seen.room === room && seen.brokers === brokers) return;
        seen = { of, room, brokers };
        // Their rows are wider than the partition's: they begin at 0 as long as the longest fits.
        const fits = Math.max(3, Math.floor(rows[0].log.clientWidth / built.cell));
        const first = Math.max(0, Math.max(...rows.map(({ id }) => of.replicas[id]?.most ?? 0)) - fits);
        for (const { id, cells, log, role, end, element: row } of rows) {
          const copy = of.replicas[id] || { end: 0, most: 0 };
          const count = Math.max(0, copy.most - first);
          while (cells.length < count) {
            const made = el('i', { class: 'copy' });
            cells.push(made);
            log.append(made);
          }
          cells.forEach((one, at) => {
            one.hidden = at >= count;
            const offset = first + at;
            wear(one, offset >= copy.end ? 'copy is-cut' : offset < (of.committed ?? 0) ? 'copy is-committed' : 'copy');
            put(one, String(offset));
          });
          const inSync = of.inSync && of.inSync.includes(id);
          const leads = of.leader === id;
          put(role, leads ? texts.role.leader : of.inSync === null ? '' : inSync ? texts.role.inSync : texts.role.out);
          put(end, fill(texts.replicaEnd, { n: copy.end }));
          const life = brokers[id]?.life;
          wear(row, `replica${leads ? ' is-leader' : ''}${of.inSync && !inSync ? ' is-out' : ''}${life === 'dead' || life === 'frozen' ? ` is-${life}` : ''}`);
        }
        mark.hidden = of.committed === null;
        if (of.committed === null) return;
        mark.style.transform = `translateX(${Math.max(0, of.committed - first) * built.cell}px)`;
        mark.title = fill(texts.watermarkTitle, { place: of.id, n: of.committed });
        mark.setAttribute('aria-label', mark.title);
      }
      return { element, update };
    }

    // How many cells fit beside the count of earlier records; the width of a cell follows the digits of offsets.
    const roomFor = () => Math.max(3, Math.floor((built.width - built.earlier) / built.cell));

    function newest(of, room) {
      const all = of.records.length + of.pending.length;
      const before = all <= room ? 0 : all - room;
      const records = of.records.slice(Math.min(before, of.records.length));
      const pending = of.pending.slice(Math.max(0, before - of.records.length));
      return { before, records, shown: [...records, ...pending] };
    }

    function fit(cells, count, log) {
      while (cells.length < count) {
        const made = el('button', { type: 'button', class: 'cell', tabindex: '-1', 'data-lost': texts.lostMark, 'data-twice': texts.twiceMark });
        cells.push(made);
        log.append(made);
      }
      cells.forEach((one, at) => { one.hidden = at >= count; });
    }

    function cell(element, record, of, now, before) {
      element.record = record;
      const known = Number.isInteger(record.offset);
      let name = known ? 'cell' : 'cell is-hollow';
      if (now && known && now.line.offset === record.offset) name += ' is-now';
      if (known) {
        const groups = Object.values(of.groups);
        if (groups.some((at) => at.again[record.offset])) name += ' is-twice';
        if (groups.some((at) => model.isLost(at, record.offset))) name += ' is-lost';
        if (now && now.index === record.at) name += ' is-new';
        // Offsets between this record and the one before it are gone: compaction leaves holes.
        if (record.offset > (before ? before.offset + 1 : of.start ?? record.offset)) name += ' is-after-hole';
      }
      wear(element, name);
      put(element, known ? String(record.offset) : '');
      element.setAttribute('aria-label', known ? fill(texts.record, { place: of.id, offset: record.offset }) : fill(texts.pendingRecord, { place: of.id }));
    }

    // Where a group stands on a partition, and who reads it for the group.
    function lane(group, programs) {
      const committed = flag('c', 'C');
      const position = flag('p', 'P');
      const track = el('div', { class: 'lane-track' }, committed, position);
      const signs = new Map(programs.map((name, number) => [name, shape(number)]));
      const sign = el('span', { class: 'owner-sign' });
      const name = el('span', { class: 'owner-name' });
      const behind = el('span', { class: 'owner-behind' });
      const owner = el('div', { class: 'owner' }, sign, name, behind);
      let signed = null;

      function update(of, at, who, window, cells) {
        stand(committed, at?.committed ?? null, window, cells, () => fill(texts.committedTitle, { group, n: at.committed }));
        const dead = Boolean(at?.died);
        stand(position, at?.position ?? null, window, cells, () => fill(dead ? texts.positionDied : texts.positionTitle, { group, n: at.position }));
        wear(position, `flag flag-p${dead ? ' is-died' : ''}${at && at.owner ? ` colour-of-${programs.indexOf(at.owner) % 6}` : ''}`);
        wear(owner, `owner${who ? ` is-${who.life}` : ''}`);
        const drawn = who && who.life === 'dead' ? 'dead' : at?.owner ?? null;
        if (drawn !== signed) {
          signed = drawn;
          sign.replaceChildren(...(drawn === 'dead' ? [icon('dead')] : drawn && signs.has(drawn) ? [signs.get(drawn)] : []));
        }
        put(name, !at ? '' : at.owner === null ? texts.noOwner : [at.owner, at.paused && `(${texts.paused})`].filter(Boolean).join(' '));
        const missing = at ? model.behind(of, at) : null;
        put(behind, missing === null ? '' : fill(texts.behind, { n: missing }));
        behind.classList.toggle('is-loud', missing > 0);
      }
      return { track, owner, update };
    }

    const flag = (kind, letter) => el('span', { class: `flag flag-${kind}`, role: 'img', hidden: true },
      el('span', { class: 'flag-cloth', text: letter, 'aria-hidden': 'true' }));

    // Puts a flag on the boundary before the record with this offset.
    function stand(element, offset, window, cells, title) {
      element.hidden = offset === null;
      if (offset === null) return;
      const at = offsets.lowerBound(window.records, offset);
      const outside = window.before > 0 && window.records.length > 0 && offset < window.records[0].offset;
      const start = window.before > 0 ? built.earlier : 0;
      element.style.transform = `translateX(${outside ? built.earlier / 2 : start + at * built.cell}px)`;
      element.title = title();
      element.setAttribute('aria-label', element.title);
    }

    // A partition as a thin line: how much there is, and how far its first group has read.
    function mini(place, programs) {
      const cells = Array.from({ length: MINI_CELLS }, () => el('i', { hidden: true }));
      const count = el('span', { class: 'mini-count' });
      const element = el('span', { class: 'mini', 'data-place': place.id }, el('span', { class: 'mini-name', text: place.id.slice(place.topic.length + 1) }),
        el('span', { class: 'mini-log' }, cells), count);
      let seen = {};
      function update(state) {
        const of = state.partitions[place.id];
        const now = state.last && state.last.place === place.id ? state.last : null;
        if (!of || (seen.of === of && seen.now === now)) return;
        seen = { of, now };
        const window = newest(of, MINI_CELLS - 1);
        const at = Object.values(of.groups)[0];
        const reader = at && at.owner ? ` colour-of-${programs.indexOf(at.owner) % 6}` : '';
        cells.forEach((one, index) => {
          const record = window.shown[index];
          one.hidden = !record;
          if (!record) return;
          const known = Number.isInteger(record.offset);
          const read = known && at && at.position !== null && record.offset < at.position;
          const current = now && known && now.line.offset === record.offset;
          wear(one, `${known ? '' : 'is-hollow'}${read ? `is-read${reader}` : ''}${current ? ' is-now' : ''}`);
        });
        put(count, window.before > 0 ? `+${window.before}` : '');
        wear(element, now ? 'mini is-now' : 'mini');
      }
      return { element, update };
    }

    // Widths come from the style sheet; they are asked for when they may have changed, not in every frame.
    const probe = el('i', { class: 'picture-probe' }, el('i'), el('i'));
    function measure() {
      const log = host.querySelector('.topic-strips:not([hidden]) .strip-log');
      built.cell = probe.firstChild.getBoundingClientRect().width || 32;
      built.earlier = probe.lastChild.getBoundingClientRect().width || 44;
      built.width = log ? log.clientWidth : 0;
    }

    function update(state, timeline) {
      build(timeline);
      shown = [state, timeline];
      built.programs.forEach((one) => one.update(state, timeline.surveyed));
      built.brokers.forEach((one) => one.update(state));
      built.topics.forEach((one) => one.update(state));
    }

    new ResizeObserver(() => {
      if (!shown) return;
      measure();
      update(...shown);
    }).observe(host);
    return { update };
  }

  book.picture = picture;
})();
