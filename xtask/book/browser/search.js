// Search: what a reader with a problem types leads to the page that answers it, by mdBook's own index and field.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visit } from './browser.js';
import { none } from './expect.js';
import { parseToml } from './packages.js';
import { places } from './places.js';
import { front, pages, source } from './setting.js';

const QUERIES = 'book/search-queries.toml';
const AT_LEAST = 40;
/** The page stands among so many results. */
const AMONG = 3;

/** `{ types, page }` of each; the tables of the file are for those who read it. */
const queries = Object.values(parseToml(source(QUERIES))).flatMap((pagesOf) =>
  Object.entries(pagesOf).flatMap(([page, texts]) => texts.map((types) => ({ types, page }))),
);

test(`${QUERIES} has enough queries, each once, and each for a page of the book`, () => {
  assert.ok(queries.length >= AT_LEAST, `${queries.length} queries, ${AT_LEAST} are needed`);
  const typed = queries.map(({ types, page }) => `${types} (${page})`);
  none(typed.filter((text, at) => typed.indexOf(text) !== at), 'queries that stand twice');
  none(queries.filter(({ page }) => !pages.includes(html(page))).map(({ page }) => page), 'no such page');
});

for (const place of places) {
  test(`each query has its page among the first ${AMONG} results: ${place.name}`, () =>
    visit(`${place.base}${front}`, {}, async (page) => {
      // The first one as a reader does it; the index loads when the field opens.
      const [{ types }] = queries;
      await page.keyboard.press('/');
      await page.getByRole('searchbox').fill(types);
      await page.keyboard.press('End');
      await page.locator('#mdbook-searchresults li').first().waitFor();
      const found = await page.evaluate(results, queries.map((query) => query.types));
      const missed = queries.flatMap(({ types, page }, at) => {
        const first = found[at].slice(0, AMONG).map((href) => href.replace(place.base, '').replace(/\?[^#]*/, ''));
        return first.some((href) => href.split('#')[0] === html(page))
          ? []
          : [`${types}: not ${page}, but ${first.join(', ') || 'nothing'}`];
      });
      none(missed, `of ${queries.length} queries these miss their page`);
    }));
}

const html = (path) => path.replace(/\.md$/, '.html');

/** Runs in the page: the addresses of the results of each query, as mdBook's field lists them. */
function results(texts) {
  const field = document.getElementById('mdbook-searchbar');
  return texts.map((text) => {
    field.value = text;
    field.dispatchEvent(new KeyboardEvent('keyup'));
    return [...document.querySelectorAll('#mdbook-searchresults li > a')].map((link) => link.href);
  });
}
