// The whole book as one PDF: what Chromium prints of the page that holds all pages.

import { join } from 'node:path';

import { browser } from './browser.js';
import { files } from './places.js';
import { book, whole } from './setting.js';

export const PDF = join(book, 'kafka-in-rust.pdf');

/** Writes the PDF beside the pages. */
export async function writePdf() {
  const context = await (await browser()).newContext({ colorScheme: 'light', reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    // The page with all pages opens a browser's dialog for printing, which would come between.
    await page.addInitScript(() => {
      window.print = () => {};
    });
    await page.goto(`${files.base}${whole}`, { waitUntil: 'load' });
    await page.evaluate(() => document.fonts.ready);
    await page.pdf({
      path: PDF,
      format: 'A4',
      margin: { top: '18mm', bottom: '20mm', left: '18mm', right: '18mm' },
      printBackground: true,
      // Readers of a PDF jump by its outline; both come from the headings.
      outline: true,
      tagged: true,
      displayHeaderFooter: true,
      headerTemplate: '<span></span>',
      // Chromium's own style of this line is 1 px high.
      footerTemplate: `<div style="font: 8pt sans-serif; width: 100%; text-align: center; color: #5b6670">
        <span class="pageNumber"></span></div>`,
    });
  } finally {
    await context.close();
  }
}
