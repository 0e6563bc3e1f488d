#!/usr/bin/env node
// Stands in for the program that runs chapters where a test needs a run that lasts: it says a line of the story and
// goes on until it is stopped. Whoever listens at LASTING_PORT is told by the end of a connection that it has ended.

import { connect } from 'node:net';

const say = (message) => {
  console.log(JSON.stringify({
    '@timestamp': new Date().toISOString(),
    'log.level': 'info',
    message,
    'ecs.version': '9.4.0',
    'log.logger': 'run',
    'service.name': 'checkout',
  }));
};

const socket = connect(Number(process.env.LASTING_PORT), '127.0.0.1');
socket.on('connect', () => say('started'));
// The page that reads this may be gone; the end comes all the same.
process.stdout.on('error', () => {});
process.on('SIGINT', () => {
  say('stopped');
  socket.end();
});
