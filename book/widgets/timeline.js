// A recording as something to move in: the state after any number of lines, and when each line is played.
//
// A run of 46 ms would be over before anybody saw it, and one that waits 45 s for a session to end would be left.
// So playing has a schedule of its own: each line gets the time that a reader needs, a wait is kept up to a few
// seconds and then compressed, and what is shown as time is always the run's own.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make(require('./model.js'));
  else root.KafkaBook.timeline = make(root.KafkaBook.model);
})(this, function (model) {
  'use strict';

  // A state is kept for each so many lines; those between are made anew from it.
  const EVERY = 256;
  // Waits longer than this are compressed, and marked where they stand.
  const LONG_WAIT = 3000;
  // What a whole run of many lines takes at normal speed, in ms, before waits and moments.
  const WHOLE = 60000;
  const SLOWEST_LINE = 700;
  const FASTEST_LINE = 8;
  // The last state stays on screen before playing ends.
  const TAIL = 500;

  // `recording` has `lines` and `moments`; more lines may be pushed while it is open.
  function timeline(recording, topics) {
    const lines = recording.lines.slice();
    const moments = recording.moments.slice();
    let surveyed = model.survey(topics);
    for (const line of lines) surveyed.add(line);
    let kept = [model.initial(surveyed)];
    let current = kept[0];
    let schedule = null;

    // The state after `count` lines.
    function stateAt(count) {
      const wanted = Math.max(0, Math.min(lines.length, count));
      let state = current.at <= wanted ? current : kept[0];
      const nearest = kept[Math.min(kept.length - 1, Math.floor(wanted / EVERY))];
      if (nearest.at > state.at) state = nearest;
      while (state.at < wanted) {
        state = model.apply(state, lines[state.at], surveyed);
        if (state.at % EVERY === 0 && kept.length === state.at / EVERY) kept.push(state);
      }
      current = state;
      return state;
    }

    function push(line) {
      lines.push(line);
      schedule = null;
      // A line that says what earlier ones meant makes their states old.
      if (surveyed.add(line)) {
        kept = [model.initial(surveyed)];
        current = kept[0];
      }
    }

    function plan() {
      if (schedule) return schedule;
      const pace = Math.max(FASTEST_LINE, Math.min(SLOWEST_LINE, WHOLE / Math.max(1, lines.length)));
      const captions = new Map(moments.map((moment) => [moment.at, moment.caption || '']));
      const starts = [];
      const waits = [];
      let at = pace;
      lines.forEach((line, index) => {
        const gap = index === 0 ? 0 : Math.max(0, line.t_ms - lines[index - 1].t_ms);
        if (index > 0) {
          const played = compressed(gap);
          if (gap > LONG_WAIT) waits.push({ from: at, to: at + played, gap, after: index - 1 });
          at += Math.max(pace, played);
          if (captions.has(index - 1)) at += toRead(captions.get(index - 1));
        }
        starts.push(at);
      });
      schedule = { starts, waits, whole: lines.length === 0 ? 0 : at + TAIL, pace };
      return schedule;
    }

    // How many lines have been played at this place of the schedule.
    function countAt(place) {
      const { starts } = plan();
      let low = 0;
      let high = starts.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (starts[middle] <= place) low = middle + 1;
        else high = middle;
      }
      return low;
    }

    // Where the schedule stands when this many lines have been played.
    const placeAt = (count) => (count <= 0 ? 0 : plan().starts[Math.min(count, lines.length) - 1]);

    // The run's own time at this place of the schedule.
    function timeAt(place) {
      const { starts, whole } = plan();
      const count = countAt(place);
      if (count === 0) return 0;
      const from = lines[count - 1].t_ms;
      if (count === lines.length) return from;
      const part = (place - starts[count - 1]) / (Math.min(starts[count], whole) - starts[count - 1]);
      return from + (lines[count].t_ms - from) * Math.max(0, Math.min(1, part));
    }

    return {
      lines, moments, stateAt, push, countAt, placeAt, timeAt, plan,
      get surveyed() { return surveyed; },
      get length() { return lines.length; },
      get runTime() { return lines.length === 0 ? 0 : lines[lines.length - 1].t_ms; },
    };
  }

  // A wait as it is played: as long as it was up to a limit, then ever shorter.
  function compressed(gap) {
    return gap <= LONG_WAIT ? gap : LONG_WAIT + 400 * Math.log2(gap / LONG_WAIT);
  }

  // A caption stays long enough to be read.
  const toRead = (caption) => Math.max(900, Math.min(3500, 35 * caption.length));

  // Where the moments of a run stand, found one after the other: each is the first line behind the one before
  // that has what `when` says. Those that do not occur, and all after them, have no place.
  function locate(moments, lines) {
    const found = [];
    let from = 0;
    for (const moment of moments) {
      const at = lines.findIndex((line, index) => index >= from && matches(moment.when, line));
      if (at < 0) break;
      found.push({ ...moment, at });
      from = at + 1;
    }
    return found;
  }

  function matches(when, line) {
    return Object.entries(when).every(([name, value]) => (name === 'level' ? (line.level || 'info') : line[name]) === value);
  }

  return { timeline, locate, matches, LONG_WAIT };
});
