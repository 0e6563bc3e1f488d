// `book serve`: Run plays a chapter as it happens, Stop and a closed tab end it, and nobody else can start anything.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { visit } from './browser.js';
import { subPath } from './places.js';
import { player, texts } from './players.js';
import { serve } from './served.js';
import { root, xtask } from './setting.js';

const PAGE = 'first-steps/quickstart.html';
const RUN = 'quickstart/shop';
const { live: words } = texts;

/** The first run compiles librdkafka, where nobody has yet. */
const COMPILED_MS = 900_000;

/** The bar with the buttons below a playback. */
function bar(page) {
  const element = page.locator(`run-playback[data-run="${RUN}"]`);
  return {
    run: element.getByRole('button', { name: words.run, exact: true }),
    stop: element.getByRole('button', { name: words.stop, exact: true }),
    status: element.locator('.live-status'),
  };
}

describe('a run from its page', () => {
  let served;
  before(async () => {
    served = await serve(xtask);
  });
  after(() => served?.stop());

  test('plays as it happens, to the last line of the program', () =>
    visit(`${served.base}${PAGE}`, {}, async (page) => {
      const { run, stop, status } = bar(page);
      await run.click();
      await stop.waitFor();
      await run.waitFor({ timeout: COMPILED_MS });
      assert.equal(await status.innerText(), '');
      const { count, state } = await player(page, RUN).is();
      assert.ok(count > 0);
      assert.equal(state.ended?.message, 'outcome');
      assert.equal(state.ended.packed, 5);
      const lines = page.locator(`run-playback[data-run="${RUN}"] .lines .line`).filter({ visible: true });
      assert.match(await lines.last().innerText(), /outcome/);
    }));
});

describe('a run that lasts', () => {
  let served;
  let door;
  const arrivals = [];
  const waiting = [];

  /** The next run that begins: `ended` is fulfilled when its program is gone. */
  const begun = () => new Promise((resolve) => {
    if (arrivals.length > 0) resolve(arrivals.shift());
    else waiting.push(resolve);
  });

  before(async () => {
    door = createServer((socket) => {
      // The program says nothing; the end of what it says is its end.
      socket.resume();
      const arrival = { ended: new Promise((resolve) => socket.once('close', resolve)) };
      socket.on('error', () => {});
      if (waiting.length > 0) waiting.shift()(arrival);
      else arrivals.push(arrival);
    });
    await new Promise((resolve) => door.listen(0, '127.0.0.1', resolve));
    served = await serve(join(root, 'xtask/book/browser/lasting.js'), { LASTING_PORT: door.address().port });
  });
  after(async () => {
    await served?.stop();
    door.close();
  });

  test('Stop ends it in order, and its last line still comes', () =>
    visit(`${served.base}${PAGE}`, {}, async (page) => {
      const { run, stop } = bar(page);
      const beginning = begun();
      await run.click();
      const { ended } = await beginning;
      await player(page, RUN).passes(0);
      await stop.click();
      await ended;
      await run.waitFor();
      const { state } = await player(page, RUN).is();
      assert.equal(state.last.line.message, 'stopped');
    }));

  test('a closed tab ends it', () =>
    visit(`${served.base}${PAGE}`, {}, async (page) => {
      const beginning = begun();
      await bar(page).run.click();
      const { ended } = await beginning;
      await page.close();
      await ended;
    }));

  test('a tab that goes to another page ends it', () =>
    visit(`${served.base}${PAGE}`, {}, async (page) => {
      const beginning = begun();
      await bar(page).run.click();
      const { ended } = await beginning;
      await page.goto(`${served.base}introduction.html`);
      await ended;
    }));

  /** Asks the server for something as a program can, with any headers. */
  function ask({ method = 'POST', path = '/live/run', headers }) {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: served.port, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (data) => {
          text += data;
        });
        // The answer to a started run ends with the run, and the run with whoever listens to the answer.
        const started = response.statusCode === 200 && path === '/live/run';
        if (started) resolve({ status: 200, letGo: () => asked.destroy() });
        else response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      asked.on('error', reject);
      asked.end(method === 'POST' ? JSON.stringify({ chapter: 'quickstart', run: 'shop' }) : undefined);
    });
  }

  test('another site, another name of this machine, and who has not read the page are refused', async () => {
    const host = `127.0.0.1:${served.port}`;
    const page = await ask({ method: 'GET', path: `/${PAGE}`, headers: { host } });
    const [, token] = page.text.match(/<meta name="kafka-book-token" content="([^"]+)">/);
    const right = { host, origin: `http://${host}`, 'content-type': 'application/json', 'x-kafka-book-token': token };

    const refused = {
      'a foreign Origin': { ...right, origin: 'http://shop.example' },
      'an Origin at another port': { ...right, origin: 'http://127.0.0.1:1' },
      'a wrong Host': { ...right, host: 'shop.example', origin: 'http://shop.example' },
      'no token': { ...right, 'x-kafka-book-token': '' },
      'a token of another start': { ...right, 'x-kafka-book-token': '0'.repeat(token.length) },
      'a form': { ...right, 'content-type': 'text/plain' },
    };
    for (const [what, headers] of Object.entries(refused)) {
      const { status, text } = await ask({ headers });
      assert.ok([403, 415].includes(status), `${what}: ${status} ${text}`);
    }
    const { status } = await ask({ method: 'GET', path: `/${PAGE}`, headers: { host: 'shop.example' } });
    assert.equal(status, 403, 'a page was given to another name of this machine');
    assert.equal(arrivals.length, 0, 'a refused request has started a run');

    // The same request with nothing wrong in it runs.
    const beginning = begun();
    const started = await ask({ headers: right });
    assert.equal(started.status, 200);
    const { ended } = await beginning;
    started.letGo();
    await ended;
  });

  test('a page of another site cannot start a run, even if it knew the token', async () => {
    const page = await ask({ method: 'GET', path: `/${PAGE}`, headers: { host: `127.0.0.1:${served.port}` } });
    const [, token] = page.text.match(/<meta name="kafka-book-token" content="([^"]+)">/);
    const refusal = /off the machine|CORS|ERR_FAILED|Failed to load|403/;
    await visit(`${subPath.base}introduction.html`, { expected: refusal }, async (page) => {
      const outcome = await page.evaluate(
        ({ address, token }) =>
          fetch(address, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', 'X-Kafka-Book-Token': token },
            body: JSON.stringify({ chapter: 'quickstart', run: 'shop' }),
          }).then(({ status }) => status, (error) => error.name),
        { address: `${served.base}live/run`, token },
      );
      assert.equal(outcome, 'TypeError');
    });
    assert.equal(arrivals.length, 0, 'it has started a run');
  });
});

test('where nobody serves it, a page has no button that starts a run', () =>
  visit(`${subPath.base}${PAGE}`, {}, async (page) => {
    await player(page, RUN).play.waitFor();
    assert.equal(await bar(page).run.count(), 0);
  }));
