// Every text that the widgets ask for exists, and every text is asked for.
'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const texts = require('../texts.js');

const folder = join(__dirname, '..');
const sources = readdirSync(folder).filter((name) => name.endsWith('.js') && name !== 'texts.js')
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

// Texts that are chosen by a computed name, by the part they stand in.
const COMPUTED = ['playback.life', 'playback.tally', 'playback.legend', 'said', 'said.nth', 'claims', 'playback.field', 'live.broker'];

test('each text is used by a widget', () => {
  const all = sources.map(({ text }) => text).join('\n');
  const unused = [];
  const walk = (value, path) => {
    if (COMPUTED.includes(path)) return;
    for (const [name, inner] of Object.entries(value)) {
      const at = path ? `${path}.${name}` : name;
      if (typeof inner === 'object' && !('one' in inner)) walk(inner, at);
      else if (!new RegExp(`\\.${name}\\b`).test(all)) unused.push(at);
    }
  };
  walk(texts, '');
  assert.deepEqual(unused, []);
});

test('each text that a widget names by its own part exists', () => {
  const missing = [];
  for (const { name, text } of sources) {
    const part = text.match(/const texts = window\.KafkaBookTexts\.(\w+);/);
    if (!part) continue;
    for (const [, used] of text.matchAll(/\btexts\.(\w+)/g)) {
      if (!(used in texts[part[1]])) missing.push(`${name}: ${part[1]}.${used}`);
    }
  }
  assert.deepEqual(missing, []);
});
