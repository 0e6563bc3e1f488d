// The npm packages, from the folder that `cargo xtask book test` installs them to.
//
// They lie in the build folder, not beside this file, so that a clone stays as git made it.

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { packages } from './setting.js';

const require = createRequire(join(packages, 'package.json'));

export const { chromium } = require('playwright-core');
/** The source of axe-core, which runs in the page that it audits. */
export const { source: axe } = require('axe-core');
export const { parse: parseToml } = require('smol-toml');
