// `book serve` as a child of the suite.

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { root, server } from './setting.js';

/** Starts a server on a free port whose pages run chapters by `program`, and waits until the book is there. */
export async function serve(program, environment = {}) {
  const child = spawn(server, ['--root', root, '--port', '0', '--xtask', program], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const lines = createInterface({ input: child.stdout });
  const base = await Promise.race([
    new Promise((resolve) => lines.once('line', resolve)),
    ended.then((code) => Promise.reject(new Error(`book serve ended with code ${code}: ${errors}`))),
  ]);
  return {
    base,
    port: Number(new URL(base).port),
    /** Ends it in order, with every run that a page has started, and removes what it built. */
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(join(root, 'target', 'book-serve', new URL(base).port), { recursive: true, force: true });
    },
  };
}
