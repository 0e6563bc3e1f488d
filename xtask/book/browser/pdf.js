// `cargo xtask book pdf`: writes the PDF and says where it is.

import { closeBrowser } from './browser.js';
import { PDF, writePdf } from './paper.js';

try {
  await writePdf();
  console.log(PDF);
} finally {
  await closeBrowser();
}
