// Every page at two widths, light and dark: no serious finding of axe-core, nothing wider than the screen, and a picture
// for a person to look at.

import { join } from 'node:path';
import { describe, test } from 'node:test';

import { none } from './expect.js';
import { DESKTOP, PHONE, visit } from './browser.js';
import { axe } from './packages.js';
import { files, subPath } from './places.js';
import { player, runs } from './players.js';
import { lost, pages, pictures } from './setting.js';

/** mdBook's names for the two forms that are looked after; the system's wish chooses between them. */
const FORMS = { light: 'light', dark: 'navy' };
const SCREENS = [
  { name: 'desktop', viewport: DESKTOP },
  { name: 'phone', viewport: PHONE, hasTouch: true, isMobile: true },
];
/** What axe-core looks for in the dark form: all else is the same in both. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

for (const path of pages) {
  describe(`looks of ${path}`, { concurrency: 2 }, () => {
    for (const { name, ...screen } of SCREENS) {
      test(name, () =>
        visit(`${files.base}${path}`, screen, async (page) => {
          await page.evaluate(() => document.fonts.ready);
          for (const [colorScheme, form] of Object.entries(FORMS)) {
            await page.emulateMedia({ colorScheme });
            await page.locator(`html.${form}`).waitFor();
            const picture = `${path.replace(/\.html$/, '').replaceAll('/', '-')}-${screen.viewport.width}-${form}.png`;
            await page.screenshot({ path: join(pictures, picture), fullPage: true });
            await audit(page, form === 'light' ? undefined : COLOURS);
          }
          none(await page.evaluate(tooWide), 'wider than the screen');
          if (name === 'desktop') {
            none(await page.evaluate(cutCode), 'code that a reader has to scroll');
            await page.emulateMedia({ media: 'print' });
            none(await page.evaluate(controls), 'shown on paper, where it cannot be clicked');
          }
        }));
    }
  });
}

describe('a page in use has no serious finding either', { concurrency: 2 }, () => {
  for (const path of new Set(runs.map((one) => one.path))) {
    test(path, () =>
      visit(`${files.base}${path}`, {}, async (page) => {
        // Everything that folds is open, questions are answered, one of them wrong, and runs stand where they go on.
        for (const { run } of runs.filter((one) => one.path === path)) await player(page, run).step.click();
        for (const [at, card] of (await page.locator('section.ask form').all()).entries()) {
          await card.getByRole('radio').nth(at % 2).check();
          await card.locator('[type=submit]').click();
        }
        await page.evaluate(() => {
          for (const folded of document.querySelectorAll('main details')) folded.open = true;
        });
        for (const form of await page.locator('try-it').all()) {
          // Where no compiler for WebAssembly was there, the form says so and asks nothing.
          if (await form.evaluate((it) => it.data.module)) await form.locator('.try-output > *').first().waitFor();
        }
        for (const [colorScheme, rules] of [['light'], ['dark', COLOURS]]) {
          await page.emulateMedia({ colorScheme });
          await page.locator(`html.${FORMS[colorScheme]}`).waitFor();
          await audit(page, rules);
        }
        await page.setViewportSize(PHONE);
        none(await page.evaluate(tooWide), 'wider than a phone');
      }));
  }
});

test('the page for wrong addresses has no serious finding either', () =>
  visit(`${subPath.base}${lost}`, {}, (page) => audit(page)));

/** Fails on what axe-core calls serious or critical, by these rules or by all. */
async function audit(page, rules) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async (rules) => {
    // Style sheets are not read again for it: a page on the disk may not.
    const options = { resultTypes: ['violations'], preload: false };
    const { violations } = await window.axe.run(document, rules ? { ...options, runOnly: rules } : options);
    return violations;
  }, rules);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = serious.map(({ id, help, nodes: [first, ...others] }) => {
    const why = [...first.any, ...first.all, ...first.none].map(({ message }) => message).join('; ');
    return `${id}: ${help}: ${first.target}${others.length > 0 ? ` and ${others.length} more` : ''}: ${why}`;
  });
  none(told, 'axe-core finds');
}

/** Runs in the page: what reaches beyond the screen's edge and cannot be scrolled on its own. */
function tooWide() {
  const edge = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > edge) {
    found.push(`the page: ${document.documentElement.scrollWidth} px of ${edge}`);
  }
  const scrolls = (element) => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
  for (const element of document.querySelectorAll('main *')) {
    const { right, width } = element.getBoundingClientRect();
    if (width === 0 || right <= edge + 1) continue;
    let inside = element.parentElement;
    while (inside && !scrolls(inside)) inside = inside.parentElement;
    if (!inside) found.push(`${element.tagName.toLowerCase()}.${element.className}: right edge at ${right}`);
  }
  return found.slice(0, 5);
}

/** Runs in the page: snippets with lines that the page has no room for. */
function cutCode() {
  const blocks = [...document.querySelectorAll('main figure.snippet pre > code')];
  return blocks.filter((block) => block.scrollWidth > block.clientWidth).map((block) => block.textContent.slice(0, 80));
}

/** Runs in the page: what can only be clicked, and is seen. */
function controls() {
  const all = [...document.querySelectorAll('button, input, select, textarea, nav, [role=slider]')];
  const seen = (control) => control.checkVisibility({ visibilityProperty: true }) && control.getBoundingClientRect().height > 0;
  return all.filter(seen).map((control) => control.outerHTML.slice(0, 120));
}
