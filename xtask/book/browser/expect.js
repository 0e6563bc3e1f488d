// What tests say when something is wrong.

import assert from 'node:assert/strict';

/** Fails where a list of things that are wrong is not empty, and prints it one a line. */
export function none(wrong, what) {
  if (wrong.length > 0) assert.fail(`${what}:\n${wrong.map((one) => `- ${one}`).join('\n')}`);
}
