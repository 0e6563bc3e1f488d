// Recorded runs: each plays to its end and says there what its recording says, goes back, jumps, and keeps still for
// a reader who asked for that.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { visit } from './browser.js';
import { none } from './expect.js';
import { files } from './places.js';
import { player, runs, texts } from './players.js';

/**
 * What each field of a run's outcome is in the picture: a tally, or a count of one program (`packing.consumed`).
 * `null`: nothing that is drawn counts it. A new run on a page is entered here.
 */
const OUTCOMES = {
  'events/day': { sent: 'acknowledged', read: 'processed', refused: 'skipped', orders: null, settled: null },
  'logging/broken': { orders: 'checkout.acknowledged', mailed: 'mail.processed', unbroken: null },
  'logging/follow': { orders: 'checkout.acknowledged', mailed: 'mail.processed', unbroken: null },
  'logging/guard': { lines: null, held: null, given: null },
  'producers/cut': { sent: null, plain: null, numbered: null },
  'producers/dropped': { sent: null, dropped: null, closed: null },
  'producers/first': { acknowledged: null },
  'producers/full': { sent: null, stored: null },
  'producers/hot': { offers: null, hashed: null, doubled: null, spread: null },
  'producers/join': { orders: null, payments: null, joined: null, unpaid: null },
  'producers/keyless': { views: null, sticky: null, spread: null },
  'producers/overtaken': { log: null },
  'producers/refused': { refused: null, after_22_ms: null, after_23_ms: null },
  'producers/speed': { acknowledged: null },
  'quickstart/late': { sent: 'acknowledged', packed: 'packing.consumed', billed: 'billing.consumed' },
  'quickstart/shop': { packed: 'packing.consumed' },
  'replication/ahead': { sent: 'checkout.produced', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'replication/alone': { sent: 'checkout.produced', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'replication/single': { sent: 'checkout.produced', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'replication/survive': { sent: 'checkout.produced', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'replication/unclean': { sent: 'checkout.produced', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'testbed/doubled': { plain: null, idempotent: null },
  'testbed/leader': { sent: 'acknowledged', acknowledged: 'acknowledged', survived: 'consumed', lost: 'lost' },
  'testbed/trimmed': { acknowledged: 'acknowledged', packed: 'consumed', trimmed: null },
  'topics/compacted': { sent: 'acknowledged', first: null, second: null, left: null },
  'topics/declared': { created: null, again: null, unasked: null, allowed: null },
  'topics/groups': { sent: 'acknowledged', packed: 'packing.consumed', billed: 'billing.consumed', kept: null },
  'topics/moved': { orders: null, moved: null, packed: null, too_late: null },
  'topics/overtaken': { log_start: null, support_missed: null, statistics_missed: null, refunds_stopped: null },
  'topics/unordered': { sold: 'sign.consumed', went_up: null },
};

test('every run on a page is known here, and the other way round', () => {
  assert.deepEqual([...new Set(runs.map(({ run }) => run))].sort(), Object.keys(OUTCOMES).sort());
});

describe('a run plays to the end that its recording says, and a reader goes through it', { concurrency: 2 }, () => {
  for (const { path, run } of runs) {
    test(run, () =>
      visit(`${files.base}${path}`, {}, async (page) => {
        const it = player(page, run);
        await it.playOut();
        const { recordings, length } = await it.is();
        agrees(run, await it.is());

        const last = await it.sentence.innerText();
        await it.back.click();
        const before = await it.is();
        assert.equal(before.count, length - 1);
        assert.notEqual(await it.sentence.innerText(), last);
        assert.equal(before.state.ended, null, 'one step before its end a run has not ended');
        await it.step.click();
        assert.equal((await it.is()).count, length);
        await it.toStart.click();
        const { count, tallies } = await it.is();
        assert.equal(count, 0);
        assert.ok(Object.values(tallies).every((tally) => tally === 0), 'at the start something is counted');
        assert.equal(await it.sentence.innerText(), texts.playback.beginning);

        const moments = await it.element.evaluate((element) => element.recording.moments);
        assert.equal(await it.chips.count(), moments.length);
        for (const [at, moment] of moments.entries()) {
          await it.chips.nth(at).click();
          assert.equal((await it.is()).count, moment.at + 1, moment.name);
          // Backticks mark code in a caption.
          if (moment.caption) assert.equal(await it.sentence.innerText(), moment.caption.replaceAll('`', ''));
        }

        for (let number = 1; number < recordings; number += 1) {
          await it.another.click();
          assert.equal((await it.is()).number, number, 'another run');
          await it.toEnd.click();
          agrees(run, await it.is());
        }
      }));
  }
});

/** The state at the end against the outcome line. */
function agrees(run, { count, length, state, tallies }) {
  assert.equal(count, length);
  const { t_ms: _t, message, process: _p, ...fields } = state.ended;
  assert.equal(message, 'outcome');
  const known = OUTCOMES[run];
  assert.deepEqual(Object.keys(fields).sort(), Object.keys(known).sort(), 'the fields of the outcome');
  const wrong = Object.entries(known).flatMap(([field, counted]) => {
    if (counted === null) return [];
    const [program, count] = counted.split('.');
    const shown = count === undefined ? tallies[counted] : state.processes[program][count];
    return shown === fields[field] ? [] : [`${field}: the recording says ${fields[field]}, ${counted} is ${shown}`];
  });
  none(wrong, `${run} ends otherwise`);
}

describe('a playback', { concurrency: 2 }, () => {
  test('goes by the keyboard alone, and the page does not turn', () =>
    visit(`${files.base}first-steps/quickstart.html`, {}, async (page) => {
      const it = player(page, 'quickstart/shop');
      await it.playOut();
      await it.element.locator('.player').focus();
      const address = page.url();
      const { length } = await it.is();
      const counts = [];
      for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'End']) {
        await page.keyboard.press(key);
        counts.push((await it.is()).count);
      }
      assert.deepEqual(counts, [0, 1, 2, 1, length]);
      await page.keyboard.press('Home');
      await it.speed(0.5);
      await it.element.locator('.player').focus();
      await page.keyboard.press('Space');
      await it.pause.waitFor();
      await page.keyboard.press('Space');
      await it.play.waitFor();
      assert.equal(page.url(), address);
    }));

  test('says each step to a screen reader', () =>
    visit(`${files.base}first-steps/quickstart.html`, {}, async (page) => {
      const it = player(page, 'quickstart/shop');
      const said = it.element.locator('[aria-live]');
      await it.step.click();
      const first = await said.innerText();
      assert.ok(first.includes(await it.sentence.innerText()), first);
      await it.step.click();
      assert.notEqual(await said.innerText(), first);
    }));

  test('is led to its place by a line of the transcript', () =>
    visit(`${files.base}first-steps/quickstart.html`, {}, async (page) => {
      const it = player(page, 'quickstart/shop');
      await it.playOut();
      await it.element.locator('.lines .line').filter({ visible: true }).first().click();
      const { count, length } = await it.is();
      assert.ok(count > 0 && count < length, `after ${count} of ${length} lines`);
    }));

  test('moves nothing for who asked for less motion', () =>
    visit(`${files.base}first-steps/quickstart.html`, { reducedMotion: 'reduce' }, async (page) => {
      const it = player(page, 'quickstart/shop');
      await page.evaluate(() => {
        window.moving = new Set();
        const look = () => {
          for (const { animationName, transitionProperty, effect } of document.getAnimations()) {
            if (effect.getComputedTiming().duration > 1) window.moving.add(animationName ?? transitionProperty);
          }
          requestAnimationFrame(look);
        };
        look();
      });
      await it.playOut();
      none(await page.evaluate(() => [...window.moving]), 'what moves');
    }));
});
