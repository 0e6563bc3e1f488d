// The book in a real browser. One process, one Chromium: `cargo xtask book test` runs it by `node --test`.
//
// Each file below is one concern. A test waits for a condition and never for a time; no port is fixed; what is
// started here is ended here. What they share:
//
//   setting.js   what the tool tells the suite, and which pages there are
//   packages.js  Playwright, axe-core and a TOML reader, from the build folder
//   browser.js   one Chromium, and a visit that fails where a page complains
//   places.js    the built book as files, and below a sub-path of a server
//   players.js   where runs are played, and how a reader handles one
//   served.js    `book serve`, for as long as a test needs it
//   expect.js    failures that can be read
//   paper.js     the PDF, which pdf.js writes on its own for `cargo xtask book pdf`
//   report.js    what is printed of a run (a reporter for Node's runner)

/* First: what the others stand on. */
import './lifecycle.js';
/* Pages load, link, and say what they are. */
import './pages.js';
/* Light and dark, desktop, phone and paper: accessibility, width, pictures. */
import './looks.js';
/* Recorded runs play, step, jump and end as recorded. */
import './playback.js';
/* Ten thousand lines play without jank. */
import './frames.js';
/* Predictions hold runs, answers are explained, progress is kept. */
import './questions.js';
/* A chapter's own code, in the page. */
import './tries.js';
/* A page of `book serve` runs chapters, and nobody else does. */
import './live.js';
/* Without JavaScript a page is whole. */
import './plain.js';
/* One PDF of all pages. */
import './print.js';
/* The search field finds the page for what a reader types. */
import './search.js';
