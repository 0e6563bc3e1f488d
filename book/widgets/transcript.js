// The lines of a run beside its picture: the present one is marked and in view, and a tap on any goes there.
//
// Only the rows in view are elements, so that ten thousand lines cost no more than thirty.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, shape, turn } = book.dom;
  const { clock, place, fieldsOf } = book.sentences;
  const texts = window.KafkaBookTexts.playback;
  const SPARE = 4;

  // Everything a line says beside who and what: where lines are all there is to see, they are shown whole.
  function allOf(line) {
    const id = line.correlation_id === undefined ? [] : [`correlation_id ${line.correlation_id}`];
    return [place(line), ...fieldsOf(line), ...id].filter(Boolean);
  }

  // `jump` is called with the number of lines up to and with the one that was chosen.
  function transcript(host, jump) {
    const rows = [];
    const space = el('div', { class: 'lines-space' });
    const view = el('div', { class: 'lines-view', tabindex: '0', role: 'group', 'aria-label': texts.logLines }, space);
    const lead = el('p', { class: 'lines-lead', 'aria-hidden': 'true', text: texts.logLines });
    host.replaceChildren(lead, view);
    let shown = null;
    // The line that the first row shows.
    let from = 0;

    function row() {
      const made = {
        element: el('button', { type: 'button', class: 'line', tabindex: '-1' }),
        time: el('span', { class: 'line-time' }), sign: el('span', { class: 'line-sign' }),
        who: el('span', { class: 'line-who' }), what: el('span', { class: 'line-what' }), place: el('span', { class: 'line-place' }),
        index: -1,
      };
      made.element.append(made.time, made.sign, made.who, made.what, made.place);
      made.element.addEventListener('click', () => made.index >= 0 && jump(made.index + 1));
      space.append(made.element);
      return made;
    }

    function write(made, index, { timeline, whole, titles, plain }) {
      if (made.index === index && made.timeline === timeline) return;
      made.index = index;
      made.timeline = timeline;
      const line = timeline.lines[index];
      const { processes, spoke } = timeline.surveyed;
      const number = (plain ? spoke : processes).indexOf(line.process);
      made.time.textContent = clock(line.t_ms, whole).replace(/ s$/, '');
      made.sign.replaceChildren(...(number >= 0 ? [shape(number)] : []));
      made.who.textContent = line.process || '';
      made.what.textContent = line.message;
      made.place.textContent = plain ? allOf(line).join('  ') : place(line) || fieldsOf(line).join(' ');
      made.element.title = titles[index] || '';
      made.element.classList.toggle('is-loud', line.level === 'warn' || line.level === 'error' || line.message === 'killed');
      made.element.style.transform = `translateY(${index * rowHeight()}px)`;
    }

    // Sizes and the place of scrolling are kept: to ask for them in every frame would lay the page out twice.
    const size = { row: 25, view: 0, top: 0, whole: 0 };
    const rowHeight = () => size.row;
    function measure() {
      const row_ = parseFloat(getComputedStyle(host).getPropertyValue('--row')) || 25;
      if (row_ !== size.row) rows.forEach((made) => { made.index = -1; });
      Object.assign(size, { row: row_, view: view.clientHeight, top: view.scrollTop });
    }
    function scrollTo(top) {
      view.scrollTop = top;
      size.top = Math.max(0, Math.min(top, size.whole - size.view));
    }

    function draw() {
      if (!shown) return;
      const { listed, count, hidden } = shown;
      const first = Math.max(0, Math.floor(size.top / rowHeight()) - SPARE);
      const most = Math.ceil(size.view / rowHeight()) + 2 * SPARE;
      const last = Math.min(listed, first + most);
      // A line keeps its row for as long as it is in view: scrolling writes only the lines that come in.
      turn(rows, first - from, ({ element }) => element);
      from = first;
      while (rows.length < last - first) rows.push(row());
      rows.forEach((made, at) => {
        const index = first + at;
        made.element.hidden = index >= last;
        if (index >= last) return;
        write(made, index, shown);
        made.element.classList.toggle('is-now', index === count - 1);
        made.element.classList.toggle('is-ahead', index >= count);
        if (index === count - 1) made.element.setAttribute('aria-current', 'step');
        else made.element.removeAttribute('aria-current');
      });
      more.hidden = !hidden;
      more.style.transform = `translateY(${listed * rowHeight()}px)`;
    }
    const more = el('p', { class: 'line-more', hidden: true, text: texts.hidden });
    space.append(more);
    view.addEventListener('scroll', () => {
      size.top = view.scrollTop;
      draw();
    }, { passive: true });
    new ResizeObserver(() => {
      measure();
      if (shown) update(shown);
    }).observe(view);

    // `count` lines have been played; those from `listed` on are not to be seen yet.
    function update(next) {
      const moved = !shown || shown.count !== next.count || shown.timeline !== next.timeline;
      const same = shown && ['timeline', 'whole', 'known', 'plain'].every((name) => shown[name] === next[name]);
      if (!same) {
        rows.forEach((made) => { made.index = -1; });
      }
      shown = next;
      if (size.view === 0) measure();
      const tall = `${(next.listed + (next.hidden ? 1 : 0)) * rowHeight()}px`;
      if (space.style.height !== tall) space.style.height = tall;
      size.whole = parseFloat(tall);
      if (moved) follow();
      draw();
    }

    // The present line stays in view, with a line before it where there is one.
    function follow() {
      const top = (shown.count - 1) * rowHeight();
      const above = size.top + rowHeight();
      const below = size.top + size.view - 2 * rowHeight();
      if (top < above || top > below) scrollTo(Math.max(0, top - size.view / 2));
    }

    return { update };
  }

  book.transcript = transcript;
})();
