// A chapter's compiled core: questions in, answers out. What it exports is described in xtask/page/src/ffi.rs.
(function (root, make) {
  'use strict';
  if (typeof module === 'object' && module.exports) module.exports = make();
  else root.KafkaBook.crate = make();
})(this, function () {
  'use strict';

  // What a panic said: the code's mistake, not the reader's.
  class Panic extends Error {}

  class Crate {
    // Of a compiled module, which imports nothing.
    constructor(compiled) {
      this.compiled = compiled;
      this.instance = null;
    }

    // Answers `{try, inputs: [[name, text], …]}`. After a panic the memory cannot be trusted, so the next question has
    // a new instance.
    async ask(question) {
      this.instance ??= await WebAssembly.instantiate(this.compiled, {});
      const crate = this.instance.exports;
      const bytes = new TextEncoder().encode(JSON.stringify(question));
      // Addresses are unsigned, and arrive as signed numbers.
      const address = crate.page_alloc(bytes.length) >>> 0;
      new Uint8Array(crate.memory.buffer, address, bytes.length).set(bytes);
      let answer;
      try {
        answer = crate.page_call(address, bytes.length);
      } catch (error) {
        this.instance = null;
        const said = crate.page_panic();
        throw said === 0 ? error : new Panic(read(crate, said));
      }
      return JSON.parse(read(crate, answer));
    }
  }

  // Reads what begins with its length, and gives back its room.
  function read(crate, signed) {
    const address = signed >>> 0;
    const length = new DataView(crate.memory.buffer).getUint32(address, true);
    const text = new TextDecoder().decode(new Uint8Array(crate.memory.buffer, address + 4, length));
    crate.page_free(address, length + 4);
    return text;
  }

  // A log line as a terminal shows it, with its number where that has the time.
  function lineText({ n, level, process, message, topic, partition, offset, ...others }) {
    const words = [
      String(n).padStart(5),
      (process ?? '').padEnd(10),
      `${level ? `${level.toUpperCase()}: ` : ''}${message}`.padEnd(12),
    ];
    if (topic === undefined) {
      Object.assign(others, { partition, offset });
    } else {
      const place = partition === undefined ? topic : `${topic}-${partition}`;
      words.push(offset === undefined ? place : `${place}@${offset}`);
    }
    const shown = Object.entries(others).filter(([, value]) => value !== undefined);
    const quoted = (value) => (/[\s"=]|^$/.test(value) ? JSON.stringify(value) : value);
    return [...words, ...shown.map(([name, value]) => `${name}=${quoted(value)}`)].join('  ').trimEnd();
  }

  return { Crate, Panic, lineText };
});
