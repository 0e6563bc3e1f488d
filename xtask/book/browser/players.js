// What tests know of a playback: where runs are, and how a reader handles one.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { book, pages, root } from './setting.js';

/** The texts that the widgets show. */
export const texts = createRequire(import.meta.url)(join(root, 'book/widgets/texts.js'));

/** Each run that a page shows: `{ path, run }`. */
export const runs = pages.flatMap((path) => {
  const html = readFileSync(join(book, path), 'utf8');
  return [...html.matchAll(/<run-playback data-run="([^"]+)"/g)].map(([, run]) => ({ path, run }));
});

/** The parts of one playback on a page, by what a reader sees of them. */
export function player(page, run) {
  const element = page.locator(`run-playback[data-run="${run}"]`);
  const button = (name) => element.getByRole('button', { name, exact: true });
  const { playback: words } = texts;
  return {
    element,
    play: button(words.play),
    pause: button(words.pause),
    again: button(words.again),
    back: button(words.back),
    step: button(words.step),
    toStart: button(words.toStart),
    toEnd: button(words.toEnd),
    another: button(words.another),
    skip: button(words.skip),
    chips: element.locator('.moments-bar button'),
    sentence: element.locator('.player-sentence'),
    stop: element.locator('.player-stop'),
    speed: (value) => element.getByRole('combobox', { name: words.speed }).selectOption(String(value)),
    /** What the element says of itself. */
    is: () =>
      element.evaluate((it) => ({
        count: it.count,
        length: it.length,
        number: it.number,
        recordings: it.data.recordings.length,
        barrier: it.barrier && it.barrier.at,
        state: it.state,
        tallies: window.KafkaBook.model.tallies(it.state),
      })),
    /** Waits until more than so many lines are shown. */
    passes: (count) =>
      page.waitForFunction(([run, count]) => document.querySelector(`run-playback[data-run="${run}"]`).count > count, [run, count]),
    /** Passes the question that holds it. It may meet the next one at once, so it is that question that is waited for. */
    async pass() {
      const held = await element.evaluate((it) => it.barrier.question.id);
      await this.skip.click();
      await page.waitForFunction(([run, held]) =>
        document.querySelector(`run-playback[data-run="${run}"]`).barrier?.question.id !== held, [run, held]);
    },
    /** Passes every question that holds it, then plays to the end at the highest speed. */
    async playOut() {
      await this.speed(16);
      await this.play.click();
      for (;;) {
        await this.skip.or(this.again).first().waitFor();
        if (await this.again.isVisible()) return;
        await this.pass();
      }
    },
  };
}
