// The two ways in which a reader opens the built book: as files, and from a server below a sub-path.

import { createServer } from 'node:http';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { book } from './setting.js';

const SUB_PATH = '/kafka-in-rust/';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** A page opened from the disk. */
export const files = {
  name: 'file://',
  base: `${pathToFileURL(book)}/`,
};

/** A page from a server that has the book below a sub-path, as GitHub Pages has it. */
export const subPath = {
  name: `http://…${SUB_PATH}`,
  base: undefined,
};

export const places = [files, subPath];

let server;

/** Starts the server on a port that is free. */
export async function startServer() {
  server = createServer(answer);
  // Longer than a busy machine takes between two requests of a page: a connection that ends just when it is used again
  // is a page without its scripts.
  server.keepAliveTimeout = 600_000;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  subPath.base = `http://127.0.0.1:${server.address().port}${SUB_PATH}`;
}

/** Ends it, and with it the connections that a browser keeps open. */
export function stopServer() {
  server?.closeAllConnections();
  server?.close();
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://127.0.0.1');
  let path = pathname.startsWith(SUB_PATH) ? await fileAt(pathname) : undefined;
  let status = 200;
  if (path === undefined) {
    path = join(book, '404.html');
    status = 404;
  }
  response.writeHead(status, { 'content-type': TYPES[extname(path)] ?? 'text/plain' });
  createReadStream(path).on('error', () => response.destroy()).pipe(response);
}

/** The file of an address, if there is one and it lies in the book. */
async function fileAt(pathname) {
  let path = normalize(join(book, decodeURIComponent(pathname.slice(SUB_PATH.length))));
  if (path !== book && !path.startsWith(book + sep)) return undefined;
  if (pathname.endsWith('/')) path = join(path, 'index.html');
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? path : undefined;
}
