// Paper: the PDF holds every page of the book. What a printed page shows is looked at in looks.js.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { PDF, writePdf } from './paper.js';
import { book, pages } from './setting.js';

test('the PDF has more sheets than the book has pages, and leads to each of them', async () => {
  await writePdf();
  const pdf = readFileSync(PDF, 'latin1');
  const sheets = (pdf.match(/\/Type\s*\/Page\b/g) ?? []).length;
  assert.ok(sheets > pages.length, `${sheets} sheets for ${pages.length} pages`);
  const outline = [...pdf.matchAll(/\/Title\s*(\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f]+>)/g)].map(([, title]) => text(title));
  for (const path of pages) {
    const [, title] = readFileSync(join(book, path), 'utf8').match(/<h1 id="[^"]*"><a class="header"[^>]*>([^<]+)<\/a><\/h1>/);
    assert.ok(outline.includes(title), `no ${title} in the outline: ${outline.join(', ')}`);
  }
});

/** A PDF's string: in brackets, or as hexadecimal digits of UTF-16 with a byte order mark. */
function text(string) {
  if (string.startsWith('(')) return string.slice(1, -1).replace(/\\(.)/g, '$1');
  const bytes = Buffer.from(string.slice(1, -1), 'hex');
  return bytes.readUInt16BE(0) === 0xfeff ? bytes.subarray(2).swap16().toString('utf16le') : bytes.toString('latin1');
}
