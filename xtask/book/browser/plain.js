// Without JavaScript a page is whole: what runs printed and what to look at in it, questions with their answers, and a
// way to every other page.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PHONE, visit } from './browser.js';
import { none } from './expect.js';
import { files } from './places.js';
import { runs } from './players.js';
import { pages } from './setting.js';

describe('without JavaScript', { concurrency: 2 }, () => {
  for (const path of pages) {
    test(`${path} is whole`, () =>
      visit(`${files.base}${path}`, { javaScriptEnabled: false }, async (page) => {
        assert.ok(await page.locator('main h1').isVisible());
        const figures = page.locator('figure.run');
        assert.equal(await figures.count(), runs.filter((one) => one.path === path).length);
        for (const figure of await figures.all()) {
          assert.ok(await figure.locator('pre').isVisible(), 'the transcript of a run is hidden');
          for (const moment of await figure.locator('.moments li').all()) assert.ok(await moment.isVisible());
        }
        for (const card of await page.locator('section.ask').all()) {
          assert.ok((await card.locator('.ask-options li').count()) > 1);
          assert.ok(await card.locator('.ask-options').isVisible(), 'the options of a question are hidden');
          const answer = card.locator('details.ask-answer');
          await answer.locator('summary').click();
          assert.ok(await answer.locator('p').first().isVisible(), 'an answer does not open');
        }
        // Without scripts nothing is to be asked of a page but its boxes.
        await page.setViewportSize(PHONE);
        const wide = [];
        for (const block of await page.locator('main > *').all()) {
          const box = await block.boundingBox();
          if (box && box.x + box.width > PHONE.width + 1) wide.push(await block.getAttribute('class'));
        }
        none(wide, 'wider than a phone');
        const dead = page.locator('main button').filter({ visible: true });
        none(await dead.allInnerTexts(), 'buttons that do nothing');
      }));
  }

  test('the sidebar is a frame with every page', () =>
    visit(`${files.base}${pages[1]}`, { javaScriptEnabled: false }, async (page) => {
      const frame = page.frameLocator('iframe.sidebar-iframe-outer');
      for (const path of pages) assert.equal(await frame.locator(`a[href$="${path}"]`).count(), 1, path);
    }));
});
