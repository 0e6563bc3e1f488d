// What the suite says on the terminal: what fails, what tests measured, and how long each part took.
//
// A reporter for Node's test runner. Three hundred lines of what is well are read by nobody.

import { relative } from 'node:path';

/** The names of the tests around the one that a line is about, by depth. */
const around = [];

export default async function* report(events) {
  const began = process.hrtime.bigint();
  let passed = 0;
  const failed = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      around.length = data.nesting;
      around[data.nesting] = data.name;
    } else if (type === 'test:diagnostic' && data.message.startsWith('measured: ')) {
      yield `${data.message}\n`;
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      yield data.message;
    } else if (type === 'test:pass' && data.details.type !== 'suite' && data.skip === undefined) {
      passed += 1;
    } else if (type === 'test:fail') {
      const { error } = data.details;
      // A suite fails because a test in it did, which has been told.
      if (error.failureType === 'subtestsFailed') continue;
      const name = [...around.slice(0, data.nesting), data.name].join(' › ');
      failed.push(name);
      const place = data.file ? `${relative(process.cwd(), data.file)}:${data.line}` : '';
      yield `\nFAILED  ${name}\n        ${place}\n${indented(cause(error))}\n`;
    }
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (failed.length > 0) yield `\nfailed:\n${failed.map((name) => `  ${name}\n`).join('')}`;
  yield `\n${passed} browser tests passed, ${failed.length} failed, ${seconds.toFixed(0)} s\n`;
}

function cause(error) {
  const { cause } = error;
  if (!(cause instanceof Error)) return String(cause ?? error.message);
  if (cause.code === 'ERR_ASSERTION') return cause.message;
  // A message that grew after the stack was taken stands before it.
  return cause.stack.includes(cause.message) ? cause.stack : `${cause.message}\n${cause.stack.replace(/^[^]*?\n(?= {4}at )/, '')}`;
}

const indented = (text) => text.replace(/^/gm, '        ');
