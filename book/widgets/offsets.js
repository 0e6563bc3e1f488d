// Sets of offsets, kept as ranges `[from, to)` in order: a million records done in order are one range.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make();
  else {
    root.KafkaBook = root.KafkaBook || {};
    root.KafkaBook.offsets = make();
  }
})(this, function () {
  'use strict';

  // The ranges with this offset too, and whether they had it before.
  function add(ranges, offset) {
    if (has(ranges, offset)) return { ranges, known: true };
    const before = ranges.filter(([, to]) => to < offset);
    const after = ranges.filter(([from]) => from > offset + 1);
    const touched = ranges.slice(before.length, ranges.length - after.length);
    const from = Math.min(offset, ...touched.map((range) => range[0]));
    const to = Math.max(offset + 1, ...touched.map((range) => range[1]));
    return { ranges: [...before, [from, to], ...after], known: false };
  }

  function has(ranges, offset) {
    return ranges.some(([from, to]) => from <= offset && offset < to);
  }

  // How many offsets of the ranges lie in `[first, end)`.
  function count(ranges, first, end) {
    const inside = ([from, to]) => Math.max(0, Math.min(to, end) - Math.max(from, first));
    return ranges.reduce((sum, range) => sum + inside(range), 0);
  }

  // The index of the first record whose offset is at least this one.
  function lowerBound(records, offset) {
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (records[middle].offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return { add, has, count, lowerBound };
});
