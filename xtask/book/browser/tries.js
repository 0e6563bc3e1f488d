// What a reader tries in the page: the chapter's own code answers there as it does in the Rust test of the same cases.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { visit } from './browser.js';
import { none } from './expect.js';
import { files, places } from './places.js';
import { book, pages, root } from './setting.js';

const CASES = join(root, 'xtask/page/cases');

/** Each form that a page has, with its data: `{ path, name, data }`. */
const forms = pages.flatMap((path) => {
  const html = readFileSync(join(book, path), 'utf8');
  const found = html.matchAll(/<try-it data-try="([^"]+)"[^]*?<script type="application\/json">([^]*?)<\/script>/g);
  return [...found].map(([, name, json]) => ({ path, name, data: JSON.parse(json) }));
});

const declared = readdirSync(CASES).map((file) => JSON.parse(readFileSync(join(CASES, file), 'utf8')));

/** Without a compiler for WebAssembly the book is built without modules, and says so. */
const left = forms.filter(({ data }) => !data.module).map(({ name }) => name);
const skip = left.length > 0 && !process.env.CI && 'this book was built without a compiler for WebAssembly';

test('each form on a page has its cases and its module', { skip }, () => {
  none(left, 'without a module');
  assert.deepEqual(forms.map(({ name }) => name).sort(), declared.map((one) => one.try).sort());
});

for (const place of places) {
  describe(`what a reader tries comes out as in the Rust test: ${place.name}`, { concurrency: 2, skip }, () => {
    for (const { try: name, cases } of declared) {
      test(`${name}, ${cases.length} cases`, () =>
        visit(`${place.base}${pageOf(name)}`, {}, async (page) => {
          const form = page.locator(`try-it[data-try="${name}"]`);
          await form.locator('summary').first().click();
          for (const { name: what, inputs, output } of cases) {
            // Each case begins with what the page was built with; the first one changes nothing.
            await form.evaluate((element) => element.reset());
            for (const [input, value] of Object.entries(inputs)) await put(form, input, value);
            await comesOut(page, name, output, what);
          }
        }));
    }
  });
}

const bars = (output) => output.blocks.filter(({ kind }) => kind === 'bars');

describe('bars', { skip }, () => {
  for (const { try: name, cases } of declared.filter(({ cases }) => bars(cases[0].output).length > 0)) {
    test(`${name}: each is as long as its amount, and says it in words too`, () =>
      visit(`${files.base}${pageOf(name)}`, {}, async (page) => {
        const form = page.locator(`try-it[data-try="${name}"]`);
        await form.locator('summary').first().click();
        await comesOut(page, name, cases[0].output, cases[0].name);
        const drawn = await form.locator('.try-bars').evaluateAll((tables) => tables.map((table) =>
          [...table.querySelectorAll('tr')].map((row) => {
            const [track, bar] = [row.querySelector('.try-bar'), row.querySelector('.try-bar span')].map((one) => one.getBoundingClientRect());
            return { text: row.querySelector('.try-amount').textContent, label: row.querySelector('th').textContent, share: bar.width / track.width };
          })));
        for (const [at, { bars: wanted }] of bars(cases[0].output).entries()) {
          const most = Math.max(...wanted.map(({ to }) => to));
          for (const [row, { label, from, to, text }] of wanted.entries()) {
            const { share, ...said } = drawn[at][row];
            assert.deepEqual(said, { label, text });
            assert.ok(Math.abs(share - (to - from) / most) < 0.02, `${label}: ${share} of the longest, not ${(to - from) / most}`);
          }
        }
      }));
  }
});

describe('what a reader typed', { concurrency: 2, skip }, () => {
  for (const { try: name, cases } of declared) {
    test(`${name}: stands in the address and survives a reload`, () =>
      visit(`${files.base}${pageOf(name)}`, {}, async (page) => {
        const { inputs, output, name: what } = cases.find((one) => Object.keys(one.inputs).length > 0);
        const [[input, value]] = Object.entries(inputs);
        const form = page.locator(`try-it[data-try="${name}"]`);
        await form.locator('summary').first().click();
        await comesOut(page, name, cases[0].output, cases[0].name);
        for (const [input, value] of Object.entries(inputs)) await put(form, input, value);
        await comesOut(page, name, output, what);
        await page.waitForURL(/#try=/);
        await page.reload();
        assert.equal(await form.locator(`[name="${input}"]`).inputValue(), value);
        await comesOut(page, name, output, 'after the reload');
      }));
  }
});

/** Types into a field, or chooses where it is a list. */
async function put(form, input, value) {
  const field = form.locator(`[name="${input}"]`);
  if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption(value);
  else await field.fill(value);
}

const pageOf = (name) => forms.find((form) => form.name === name).path;

/** Waits until the form has this answer; says what it has instead. */
async function comesOut(page, name, wanted, what) {
  try {
    await page.waitForFunction(
      ([name, wanted]) => {
        const sorted = (_, value) =>
          value && typeof value === 'object' && !Array.isArray(value)
            ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
            : value;
        const { output } = document.querySelector(`try-it[data-try="${name}"]`);
        return JSON.stringify(output, sorted) === JSON.stringify(wanted, sorted);
      },
      [name, wanted],
    );
  } catch {
    const { output } = await page.locator(`try-it[data-try="${name}"]`).evaluate((element) => ({ output: element.output }));
    assert.deepEqual(output, wanted, `${name}: ${what}`);
  }
}
