// What just happened, in one sentence, from the last line of a state.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make(require('./model.js'), require('./texts.js'));
  else root.KafkaBook.sentences = make(root.KafkaBook.model, root.KafkaBookTexts);
})(this, function (model, texts) {
  'use strict';

  // Fields that say where a line stands in the run, not what happened.
  const FRAME = ['t_ms', 'message', 'process', 'level', 'target', 'topic', 'partition', 'offset', 'correlation_id',
    'causation_id', 'trace_id', 'span_id', 'member_id', 'generation', 'timestamp_ms', 'thread'];

  // Fills `{name}` in a text; one with `one` and `many` is chosen by `n`.
  function fill(text, values) {
    const chosen = typeof text === 'string' ? text : values.n === 1 ? text.one : text.many;
    return chosen.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  // `a`, `a and b`, `a, b and c`.
  function list(names) {
    if (names.length < 2) return names.join('');
    return `${names.slice(0, -1).join(', ')} ${texts.said.and} ${names[names.length - 1]}`;
  }

  function valueText(value) {
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  }

  // The fields of a line that nobody has said otherwise.
  function fieldsOf(line) {
    return Object.keys(line).filter((name) => !FRAME.includes(name)).map((name) => `${name} ${valueText(line[name])}`);
  }

  // The run time as a clock shows it: to the millisecond where a run takes less than ten seconds.
  function clock(ms, whole) {
    if (whole < 10000) return `${(ms / 1000).toFixed(3)} s`;
    const seconds = Math.floor(ms / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  // A length of time, rounded to what a reader would say.
  function span(ms) {
    if (ms < 1000) return `${Math.round(ms)} ms`;
    if (ms < 9950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
    const seconds = Math.round(ms / 1000);
    return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }

  // The place of a line as the terminal prints it: `orders-1@34`.
  function place(line) {
    if (line.topic === undefined) return '';
    if (!Number.isInteger(line.partition)) return line.topic;
    const id = model.placeOf(line.topic, line.partition);
    return Number.isInteger(line.offset) ? `${id}@${line.offset}` : id;
  }

  function brokersOf(replicas) {
    return String(replicas).split(' ').filter(Boolean);
  }

  function nth(times) {
    return fill(texts.said.nth[times] || texts.said.nth.many, { n: times });
  }

  // The sentence for the last line of the state.
  function said(state) {
    if (!state.last) return texts.playback.beginning;
    const { line, times, victim } = state.last;
    const who = line.process || texts.said.somebody;
    const values = {
      ...line, who, place: state.last.place || line.topic || '', record: line.key ?? texts.said.aRecord,
      nth: times > 1 ? nth(times) : '', fields: list(fieldsOf(line)), victim: victim || line.victim,
      replicas: line.replicas === undefined ? '' : list(brokersOf(line.replicas).map((id) => `broker ${id}`)),
      group: line.group || state.processes[line.process]?.group || who, error: line.error ?? '',
    };
    return fill(texts.said[form(state, line, times, values)], values);
  }

  // Which of the texts fits: a line without the fields of its kind is shown as what it is.
  function form(state, line, times, values) {
    const at = Number.isInteger(line.offset) && values.place !== '';
    switch (line.message) {
      case 'consumed':
      case 'processed':
        if (!at) break;
        return times > 1 ? `${line.message}Again` : line.message;
      case 'acknowledged':
      case 'committed':
      case 'orphaned':
      case 'deleted':
      case 'cleaned':
        if (!at) break;
        return line.message;
      case 'reset':
        if (values.place === '' || [line.from, line.to, line.reason].includes(undefined)) break;
        return 'reset';
      case 'skipped':
        if (!at || line.reason === undefined) break;
        return 'skipped';
      case 'assigned':
        if (values.place === '') break;
        return at ? 'assignedAt' : 'assigned';
      case 'revoked':
      case 'lost':
      case 'paused':
      case 'resumed':
        if (values.place === '') break;
        return line.message;
      case 'elected':
        if (values.place === '' || line.leader === undefined) break;
        return line.unclean === true ? 'electedUnclean' : 'elected';
      case 'offline':
        if (values.place === '') break;
        return 'offline';
      case 'in sync':
        if (values.place === '' || line.replicas === undefined) break;
        return line.replicas === '' ? 'inSyncNobody' : 'inSync';
      case 'replicated':
      case 'truncated':
        if (values.place === '' || line.broker === undefined || line.log_end === undefined) break;
        return line.message === 'truncated' && line.from !== undefined ? 'truncatedFrom' : line.message;
      case 'high watermark':
        if (values.place === '' || line.high_watermark === undefined) break;
        return 'highWatermark';
      case 'frozen':
      case 'thawed':
        if (line.broker === undefined) break;
        return line.message;
      case 'wiped':
        if (values.place === '' || line.broker === undefined) break;
        return 'wiped';
      case 'killed': {
        if (line.broker !== undefined) return 'killedBroker';
        if (!values.victim) break;
        const unread = model.unread(state)[values.victim];
        if (!unread) return 'killedProcess';
        values.places = list(unread);
        return 'killedReading';
      }
      case 'restarted':
        if (line.broker !== undefined) return 'restartedBroker';
        if (!values.victim) break;
        return 'restartedProcess';
      case 'outcome':
        if (values.fields === '') break;
        return 'outcome';
      case 'added':
        if (line.topic === undefined || line.partitions === undefined) break;
        return 'added';
      case 'started':
      case 'stopped':
      case 'produced':
      case 'failed':
        return line.message;
      default:
    }
    values.message = [line.message, place(line)].filter(Boolean).join(' ');
    return values.fields === '' ? 'other' : 'otherFields';
  }

  // What goes on while nothing is logged: dead readers, and for how long nobody reads in their place.
  function meanwhile(state, now) {
    return Object.entries(model.unread(state)).map(([process, places]) => ({
      process,
      text: fill(texts.playback.unread, { process, ago: span(now - state.processes[process].since), places: list(places) }),
      session: state.sessions[process] ? session(state.sessions[process], now) : null,
    }));
  }

  function session({ since, ms }, now) {
    const left = Math.ceil((since + ms - now) / 1000);
    const of = Math.round(ms / 1000);
    return left > 0 ? fill(texts.playback.session, { left, of }) : fill(texts.playback.sessionOver, { of });
  }

  return { fill, list, clock, span, place, said, meanwhile, fieldsOf, valueText };
});
