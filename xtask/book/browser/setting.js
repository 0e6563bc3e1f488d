// What `cargo xtask book test` tells this suite, and which pages there are.

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const told = process.env.BOOK_BROWSER;
if (!told) {
  throw new Error('BOOK_BROWSER is not set: this suite is run by `cargo xtask book test`');
}

/**
 * `root` is the repository, `book` the folder of the built book, `server` the program of `book serve` and `xtask` the
 * one that it runs chapters by, `chromium` the browser, `packages` the folder where npm has put what package.json
 * names, `pictures` and `scratch` are folders to write to.
 */
export const { root, book, server, xtask, chromium, packages, pictures, scratch } = JSON.parse(told);

/** A file of the repository, as text. */
export const source = (path) => readFileSync(join(root, path), 'utf8');

/** The pages that SUMMARY.md names, in its order: `first-steps/quickstart.html`. */
export const pages = [...source('book/SUMMARY.md').matchAll(/\]\((?:\.\/)?([^)]+)\.md\)/g)].map(
  (found) => `${found[1]}.html`,
);

/** What mdBook makes beside them: the front page, the whole book on one page, and the page for wrong addresses. */
export const front = 'index.html';
export const whole = 'print.html';
export const lost = '404.html';

/** Every HTML file of the built book. */
export function built() {
  const files = readdirSync(book, { recursive: true, withFileTypes: true });
  const html = files.filter((file) => file.isFile() && file.name.endsWith('.html'));
  return html.map((file) => relative(book, join(file.parentPath ?? file.path, file.name))).sort();
}
