// Questions and progress: a prediction holds its run, an answer is explained and kept, a missed question comes back
// until it is answered right.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { visit } from './browser.js';
import { files, places } from './places.js';
import { player, runs, texts } from './players.js';
import { book, front, pages } from './setting.js';

const words = texts.questions;

/** Each question that a page asks, as the page has it: `{ path, id, right, run, stop, … }`. */
const questions = pages.flatMap((path) => {
  const html = readFileSync(join(book, path), 'utf8');
  const cards = html.matchAll(/<section class="ask [^]*?<script type="application\/json">([^]*?)<\/script>/g);
  return [...cards].map(([, json]) => ({ path, ...JSON.parse(json) }));
});

/** A question on its page, as a card. */
function card(page, { id }) {
  const section = page.locator(`[data-question="${id}"]`);
  const radios = section.getByRole('radio');
  return {
    section,
    radios,
    check: section.getByRole('button', { name: words.check, exact: true })
      .or(section.getByRole('button', { name: words.guess, exact: true })),
    /** Waits until it says this. */
    says: (text) => section.getByText(text).filter({ visible: true }).first().waitFor(),
    async answer(choice) {
      await radios.nth(choice).check();
      await this.check.click();
    },
  };
}

describe('a prediction holds its run', { concurrency: 2 }, () => {
  const held = questions.filter(({ stop }) => stop !== undefined && stop !== null);

  test('each of them belongs to a run of its page', () => {
    assert.ok(held.length > 0);
    for (const { path, run, id } of held) {
      assert.ok(runs.some((one) => one.path === path && one.run === run), `${id} stops ${run}`);
    }
  });

  for (const question of held) {
    test(`${question.id}: nothing of the answer shows until a guess, which is then marked`, () =>
      visit(`${files.base}${question.path}`, {}, async (page) => {
        const it = player(page, question.run);
        const at = await it.element.evaluate(
          (element, name) => element.recording.moments.find((moment) => moment.name === name).at,
          question.stop,
        );
        // Questions that the run asks before this one are passed.
        await it.speed(16);
        await it.play.click();
        await it.skip.waitFor();
        while ((await it.is()).count < at) {
          await it.pass();
          await it.skip.waitFor();
        }
        assert.equal((await it.is()).count, at, 'where it stops');
        // Neither the end nor the moment's own chip leads past the question.
        await it.toEnd.click();
        assert.equal((await it.is()).count, at);

        const wrong = question.right === 0 ? 1 : 0;
        await it.stop.getByRole('radio').nth(wrong).check();
        await it.stop.getByRole('button', { name: words.guess, exact: true }).click();
        await it.passes(at);
        const [before] = texts.playback.guessWrong.split('{text}');
        await it.element.locator('.player-guess').filter({ hasText: before }).filter({ visible: true }).waitFor();
        const { radios, says } = card(page, question);
        assert.ok(await radios.nth(wrong).isChecked(), 'the card shows the same guess');
        await says(words.wrong);
      }));
  }
});

describe('an answer is explained and kept', { concurrency: 2 }, () => {
  const quiz = questions.find(({ run, whys }) => !run && whys.length > 1);

  for (const place of places) {
    test(`it survives a reload, and a missed one comes back under Review: ${place.name}`, () =>
      visit(`${place.base}${quiz.path}`, {}, async (page) => {
        const wrong = quiz.right === 0 ? 1 : 0;
        const review = page.locator('.review').getByRole('listitem');
        await card(page, quiz).answer(wrong);
        await card(page, quiz).says(words.wrong);
        await review.first().waitFor();

        await page.reload();
        assert.ok(await card(page, quiz).radios.nth(wrong).isChecked(), 'the choice is kept');
        await card(page, quiz).says(words.wrong);

        // On another page, Review leads back to it.
        await page.goto(`${place.base}${front}`);
        assert.equal(await review.count(), 1);
        await review.getByRole('link').click();
        await page.waitForURL(`${place.base}${quiz.path}#question-${quiz.id.split('#')[1]}`);
        await card(page, quiz).radios.nth(quiz.right).check();
        await card(page, quiz).check.click();
        await card(page, quiz).says(words.right);
        await review.first().waitFor({ state: 'detached' });
        await page.reload();
        await card(page, quiz).says(words.right);
        assert.equal(await review.count(), 0);
      }));
  }

  test('a choice that was not checked yet stays when the page is marked as read', () =>
    visit(`${files.base}${quiz.path}`, {}, async (page) => {
      const { radios } = card(page, quiz);
      await radios.first().check();
      await page.locator('#recap').scrollIntoViewIfNeeded();
      await page.locator('#mdbook-sidebar .read-mark').first().waitFor();
      assert.ok(await radios.first().isChecked());
    }));

  test('a check without a choice says so', () =>
    visit(`${files.base}${quiz.path}`, {}, async (page) => {
      await card(page, quiz).check.click();
      await card(page, quiz).says(words.choose);
    }));

  test('a page that was read to its end is marked, the front page continues, and all of it can be forgotten', () =>
    visit(`${files.base}${pages[1]}`, {}, async (page) => {
      const words = texts.progress;
      const marks = page.locator('#mdbook-sidebar .read-mark');
      assert.equal(await marks.count(), 0);
      await page.locator('#recap').scrollIntoViewIfNeeded();
      await marks.first().waitFor();
      await page.goto(`${files.base}${front}`);
      const onward = page.locator('.continue').getByRole('link');
      assert.match(await onward.innerText(), new RegExp(`^${words.continue}: `));
      await onward.click();
      await page.waitForURL(`${files.base}${pages[2]}`);
      await page.getByRole('button', { name: words.clear }).click();
      await page.getByRole('button', { name: words.clearYes }).click();
      await marks.first().waitFor({ state: 'detached' });
      assert.equal(await page.evaluate(() => localStorage.getItem('kafka-in-rust')), null);
    }));
});
