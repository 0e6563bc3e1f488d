// One Chromium for the whole suite, and a visit: a page in a fresh profile that must not complain.

import { none } from './expect.js';
import { chromium as playwright } from './packages.js';
import { chromium } from './setting.js';

/** How long a condition is waited for before its test fails, in milliseconds. */
const PATIENCE = 20_000;

/** Two screens that pages are looked at on. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

let running;

/** The browser, started when first asked for. */
export function browser() {
  running ??= playwright.launch({
    executablePath: chromium,
    args: [
      // No name but this machine's is looked up, so that nothing leaves it even where a page asks.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--disable-gpu',
      '--disable-quic',
    ],
  });
  return running;
}

/** Ends the browser. */
export async function closeBrowser() {
  await (await running)?.close();
}

/**
 * Opens `address` in a profile of its own, hands the page to `body`, and fails if the page complained:
 * an error on its console or in its code, a request that failed, or one to another machine.
 *
 * `options` are those of Playwright's `newContext`; `expected` is an expression for complaints that the test causes.
 */
export async function visit(address, { expected, ...options }, body) {
  const context = await (await browser()).newContext({
    viewport: DESKTOP,
    colorScheme: 'light',
    reducedMotion: 'reduce',
    ...options,
  });
  try {
    context.setDefaultTimeout(PATIENCE);
    const complaints = watch(context, address);
    const unexpected = () => complaints.filter((complaint) => !expected?.test(complaint));
    const page = await context.newPage();
    await page.goto(address, { waitUntil: 'load' });
    const result = await body(page, context).catch((error) => {
      // What the page complained of is often why.
      for (const complaint of unexpected()) error.message += `\n- ${complaint}`;
      throw error;
    });
    none(unexpected(), `${address} complains`);
    return result;
  } finally {
    await context.close();
  }
}

function watch(context, address) {
  const complaints = [];
  const home = new URL(address);
  const stays = (url) => {
    const { protocol, host } = new URL(url);
    return ['data:', 'blob:', 'about:'].includes(protocol) || (protocol === home.protocol && host === home.host);
  };
  context.on('console', (message) => {
    if (message.type() === 'error') {
      complaints.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  context.on('weberror', (error) => complaints.push(`script: ${error.error().stack}`));
  context.on('request', (request) => {
    if (!stays(request.url())) complaints.push(`off the machine: ${request.url()}`);
  });
  context.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    // Whoever goes on to another page ends what the last one was still loading.
    if (why !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()}: ${why}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      if (!stays(socket.url())) complaints.push(`off the machine: ${socket.url()}`);
    });
  });
  return complaints;
}
