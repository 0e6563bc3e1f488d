// Elements, the signs of programs, and the icons of buttons.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const SVG = 'http://www.w3.org/2000/svg';

  // An element with attributes and children. `on…` listens, `text` is its text, false and null are left out.
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
      else if (name === 'text') made.textContent = value;
      else made.setAttribute(name, value === true ? '' : value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  }

  function svg(paths, attributes) {
    const drawn = document.createElementNS(SVG, 'svg');
    const all = { viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false', ...attributes };
    for (const [name, value] of Object.entries(all)) drawn.setAttribute(name, value);
    for (const d of paths) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', d);
      drawn.append(path);
    }
    return drawn;
  }

  // Each program has a shape and a colour, so that neither alone tells it from another.
  const SHAPES = [
    'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z',
    'M8 1.5 15 14H1z',
    'M2.5 2.5h11v11h-11z',
    'M8 .8 15.2 8 8 15.2.8 8z',
    'M4.5 2h7L15 8l-3.500 6h-7L1 8z',
    'M8 .8l2.200 4.700 5 .700-3.600 3.600.900 5.100L8 12.400l-4.500 2.500.900-5.100L.8 6.200l5-.700z',
  ];

  function shape(number) {
    const drawn = svg([SHAPES[number % SHAPES.length]], { class: `shape colour-${number % SHAPES.length}` });
    // After six programs shapes and colours meet in other pairs.
    if (number >= SHAPES.length) {
      drawn.setAttribute('class', `shape colour-${(number + Math.floor(number / SHAPES.length)) % SHAPES.length}`);
    }
    return drawn;
  }

  const ICONS = {
    play: ['M4 2.200v11.600L14 8z'],
    pause: ['M3.500 2.500h3.200v11H3.500zM9.300 2.500h3.200v11H9.300z'],
    again: ['M8 2.500a5.500 5.500 0 1 0 5.300 4h-1.700A3.900 3.900 0 1 1 8 4.100V6.500L12 3.300 8 0z'],
    step: ['M3 2.200v11.600L10 8zM11 2.500h2.200v11H11z'],
    back: ['M13 2.200v11.600L6 8zM2.800 2.500H5v11H2.800z'],
    start: ['M14 2.200v11.600L8.500 8zM8.500 2.200v11.600L3 8zM1.200 2.500h1.800v11H1.200z'],
    end: ['M2 2.200v11.600L7.500 8zM7.500 2.200v11.600L13 8zM13 2.500h1.800v11H13z'],
    dead: ['M3.300 1.900 8 6.600l4.700-4.700 1.400 1.400L9.400 8l4.700 4.700-1.400 1.400L8 9.400l-4.700 4.700-1.400-1.400L6.600 8 1.900 3.300z'],
    moment: ['M8 1.500 14.500 8 8 14.500 1.500 8z'],
    open: ['M5 2.500 11.500 8 5 13.500z'],
    close: ['M3.300 1.900 8 6.600l4.700-4.700 1.400 1.400L9.400 8l4.700 4.700-1.400 1.400L8 9.400l-4.700 4.700-1.400-1.400L6.600 8 1.900 3.300z'],
  };

  const icon = (name) => svg(ICONS[name], { class: `icon icon-${name}` });

  // Turns a list whose items show what follows each other, when it begins `by` further on: those that went out at one
  // end come in at the other, in the page too. Where all of them go, none need move.
  function turn(items, by, element) {
    if (by === 0 || Math.abs(by) >= items.length) return;
    const last = element(items.at(-1));
    const first = element(items[0]);
    const moved = by > 0 ? items.splice(0, by) : items.splice(by);
    if (by > 0) {
      items.push(...moved);
      last.after(...moved.map(element));
    } else {
      items.unshift(...moved);
      first.before(...moved.map(element));
    }
  }

  function button(name, label, onclick, more) {
    return el('button', { type: 'button', 'aria-label': label, title: label, onclick, ...more }, icon(name));
  }

  // The printed book and pages that become one are left as they are: finished, readable HTML.
  const printed = /\/print(\.html)?$/.test(window.location.pathname);

  // Whether the reader asked for less motion.
  const calm = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;

  book.dom = { el, svg, shape, icon, turn, button, printed, calm };
})();
