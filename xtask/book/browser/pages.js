// Every page loads without a complaint, from the disk and from a sub-path, and its links, names and pictures are sound.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { visit } from './browser.js';
import { none } from './expect.js';
import { files, places, subPath } from './places.js';
import { book, built, front, lost, pages, whole } from './setting.js';

/** mdBook's sidebar for readers without JavaScript: a frame of every page, not a page. */
const FRAME = 'toc.html';

const seen = new Map();

/** What a page holds; each is visited once in each place. */
function facts(place, path) {
  const address = `${place.base}${path}`;
  if (!seen.has(address)) seen.set(address, visit(address, {}, (page) => page.evaluate(collect)));
  return seen.get(address);
}

/** Runs in the page. */
function collect() {
  const all = (selector, of) => [...document.querySelectorAll(selector)].map(of);
  return {
    title: document.title,
    ids: all('[id]', (element) => element.id),
    links: all('a[href]', (link) => link.href),
    images: all('img', (image) => ({
      source: image.getAttribute('src'),
      alternative: image.alt,
      loaded: image.complete && image.naturalWidth > 0,
    })),
    headings: all('main h1', (heading) => heading.textContent),
  };
}

describe('a visit fails', { concurrency: 2 }, () => {
  const fails = (address, complaint) => () => assert.rejects(visit(address, {}, async () => {}), complaint);
  const data = (html) => `data:text/html,${encodeURIComponent(html)}`;

  test('where a page asks another machine', fails(data('<img src="http://shop.example/mug.png">'), /off the machine/));
  test('where a script throws', fails(data('<script>throw new Error("broken")</script>'), /script: Error: broken/));
  test('where a script says so', fails(data('<script>console.error("broken")</script>'), /console: broken/));
  test('where a file is missing', () => fails(`${subPath.base}no-such-page.html`, /404: /)());
});

for (const place of places) {
  describe(`every page loads: ${place.name}`, { concurrency: 2 }, () => {
    for (const path of [front, ...pages, whole]) test(path, () => facts(place, path));
  });
}

test('a wrong address shows the page for wrong addresses, with its styles', () =>
  visit(`${subPath.base}no/such/page.html`, { expected: /404.*no\/such\/page/ }, async (page) => {
    await page.getByRole('heading', { name: 'Document not found' }).waitFor();
    const home = await page.locator('nav a[href]').first().evaluate((link) => link.href);
    assert.ok(home.startsWith(subPath.base), `its links lead out of the book: ${home}`);
  }));

test('the built book holds no page that these tests do not know', () => {
  const known = new Set([front, whole, lost, FRAME, ...pages]);
  const strangers = built().filter(
    (path) => !known.has(path) && !path.startsWith('api/') && !isRedirect(path),
  );
  none(strangers, 'not in SUMMARY.md');
});

function isRedirect(path) {
  return /http-equiv=["']?refresh/i.test(readFileSync(join(book, path), 'utf8'));
}

describe('what pages hold', () => {
  test('each has one heading of the first level, and a title of its own', async () => {
    const titles = new Map();
    for (const path of pages) {
      const { title, headings } = await facts(files, path);
      assert.equal(headings.length, 1, `${path}: ${headings}`);
      assert.ok(!titles.has(title), `${path} and ${titles.get(title)} are both called ${title}`);
      titles.set(title, path);
    }
  });

  test('no id stands twice on a page', async () => {
    for (const path of [...pages, whole]) {
      const { ids } = await facts(files, path);
      const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
      none(twice, `ids that stand twice on ${path}`);
    }
  });

  test('every image has a text in its place', async () => {
    for (const path of pages) {
      for (const image of (await facts(files, path)).images) {
        assert.ok(image.loaded, `${path}: ${image.source} does not load`);
        assert.ok(image.alternative.trim().length > 5, `${path}: ${image.source} has no alternative text`);
      }
    }
  });

  for (const place of places) {
    test(`every link within the book leads to a page and a place on it: ${place.name}`, async () => {
      let checked = 0;
      for (const path of [front, ...pages, whole]) {
        for (const link of new Set((await facts(place, path)).links)) {
          if (!link.startsWith(place.base)) continue;
          const [target, fragment] = link.slice(place.base.length).split('#');
          const to = (target === '' ? front : target).replace(/\?.*/, '');
          checked += 1;
          if (![front, whole, ...pages].includes(to)) {
            assert.ok(existsSync(join(book, to)), `${path} links to ${to}, which is not there`);
          } else if (fragment) {
            const { ids } = await facts(place, to);
            const id = decodeURIComponent(fragment);
            assert.ok(ids.includes(id), `${path} links to ${to}#${id}, and there is no such place`);
          }
        }
      }
      assert.ok(checked > pages.length ** 2, `only ${checked} links were seen: the sidebar is missing`);
    });
  }
});

for (const place of places) {
  test(`a reader goes on by sidebar and by arrow: ${place.name}`, () =>
    visit(`${place.base}${front}`, {}, async (page) => {
      const [, second, third] = pages;
      await page.locator(`#mdbook-sidebar a[href$="${second}"]`).click();
      await page.waitForURL(`${place.base}${second}`);
      await page.keyboard.press('ArrowRight');
      await page.waitForURL(`${place.base}${third}`);
      await page.getByRole('link', { name: 'Previous chapter' }).filter({ visible: true }).first().click();
      await page.waitForURL(`${place.base}${second}`);
    }));
}
