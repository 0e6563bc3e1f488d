// A long run plays without jank: what the page has to do for a frame fits into it.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { browser, visit } from './browser.js';
import { subPath } from './places.js';
import { player } from './players.js';
import { book, root } from './setting.js';

/** 95 of 100 frames take at most so long, in milliseconds: thirty frames a second. */
const FRAME_MS = 32;
/**
 * Frames are measured in so many rounds, and the best counts: what else the machine does can make a frame dearer
 * (caches, a clock that slows down), and never cheaper.
 */
const ROUNDS = 5;
const FRAMES = 60;

test('ten thousand lines play without jank', () => {
  const address = `${subPath.base}made-up-long.html`;
  const made = createRequire(import.meta.url)(join(root, 'book/widgets/tests/page.js'));
  return visit(`${subPath.base}introduction.html`, {}, async (page) => {
    await page.route(address, (route) => route.fulfill({ contentType: 'text/html', body: made.page(book, 'long') }));
    await page.goto(address);
    const it = player(page, 'made-up/long');
    assert.ok((await it.is()).length >= 10_000);
    await it.speed(4);
    await it.play.click();
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { work, between } = timesOf(await traced(page, () => page.evaluate(frames, FRAMES)));
      assert.ok(work.length > FRAMES / 2, `only ${work.length} frames were drawn`);
      rounds.push({ worked: percentile(work, 0.95), passed: percentile(between, 0.95) });
    }
    assert.ok(await it.pause.isVisible(), 'it was over before all frames were measured');
    assert.ok((await it.is()).count > FRAMES, 'hardly anything was played');
    // On a machine that is busy with something else, frames come late for no fault of the page. So what is held is
    // the processor's time that the page's thread takes for a frame: scripts, styles, layout and painting.
    rounds.sort((a, b) => a.worked - b.worked);
    const [best, last] = [rounds[0], rounds.at(-1)];
    console.log(`measured: 10,000 lines playing: 95 of 100 frames took at most ${best.worked.toFixed(1)} ms of the processor (${last.worked.toFixed(1)} ms in the worst of ${ROUNDS} rounds), and came within ${best.passed.toFixed(1)} ms`);
    assert.ok(best.worked < FRAME_MS, `${best.worked.toFixed(1)} ms of the processor for a frame, and ${FRAME_MS} at most`);
  });
});

/** What Chromium notes of its tasks while `body` runs. */
async function traced(page, body) {
  const chromium = await browser();
  await chromium.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  await body();
  return JSON.parse((await chromium.stopTracing()).toString()).traceEvents;
}

/** Runs in the page: waits for so many frames. */
function frames(count) {
  return new Promise((resolve) => {
    const next = () => (count-- > 0 ? requestAnimationFrame(next) : resolve());
    next();
  });
}

/** For each frame, in milliseconds: the processor's time of the page's thread, and the time until the next one. */
function timesOf(trace) {
  const fired = trace.filter(({ name }) => name === 'FireAnimationFrame').sort((a, b) => a.ts - b.ts);
  const { pid, tid } = fired[Math.floor(fired.length / 2)];
  const here = (event) => event.pid === pid && event.tid === tid;
  const starts = fired.filter(here).map(({ ts }) => ts);
  const tasks = trace.filter((event) => event.name === 'RunTask' && here(event) && event.tdur !== undefined);
  tasks.sort((a, b) => a.ts - b.ts);
  const found = [];
  let frame;
  let at = 0;
  for (const { ts, dur, tdur } of tasks) {
    // A task in which frames were asked for begins the next one.
    if (starts[at] < ts + dur) {
      frame = { ts, work: 0 };
      found.push(frame);
      while (starts[at] < ts + dur) at += 1;
    }
    if (frame) frame.work += tdur / 1000;
  }
  return {
    work: found.map(({ work }) => work),
    between: found.slice(1).map(({ ts }, before) => (ts - found[before].ts) / 1000),
  };
}

function percentile(times, share) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * share)];
}
