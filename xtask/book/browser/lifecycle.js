// What the suite starts before its first test, and ends after its last.

import { after, before } from 'node:test';

import { closeBrowser } from './browser.js';
import { startServer, stopServer } from './places.js';

before(startServer);
after(async () => {
  await closeBrowser();
  stopServer();
});
