// The HTML of a run and of question cards as the book's builder writes it, from made-up runs, so that the widgets
// can be looked at and measured without a broker.
//
//     node book/widgets/tests/page.js target/book kill     writes target/book/made-up-kill.html
//
// The page is the built introduction with other content: the same theme, the same scripts.
'use strict';

const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const histories = require('./histories.js');

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const script = (value) => `<script type="application/json">${JSON.stringify(value).replace(/<\//g, '<\\/')}</script>`;

const seconds = (ms) => `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`;

function terminal(line) {
  const { t_ms, message, process, topic, partition, offset, ...rest } = line;
  const place = topic === undefined ? '' : `${topic}-${partition ?? '?'}${offset === undefined ? '' : `@${offset}`}`;
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${value}`).join('  ');
  return `${seconds(t_ms)}  ${process.padEnd(10)}  ${message.padEnd(12)}  ${place}  ${fields}`.trimEnd();
}

// One run of the contract's form.
function runHtml({ chapter, run, title, about, facts, histories: recorded, stops = [] }) {
  const [first] = recorded;
  const recordings = recorded.map(({ lines, moments }) => ({ facts, lines, text: lines.map(terminal), moments }));
  const items = first.moments.map(({ at, caption }) =>
    `<li><time>${seconds(first.lines[at].t_ms)} s</time> <span>${escape(caption)}</span></li>`);
  const moments = items.length ? `<ol class="moments">\n${items.join('\n')}\n</ol>\n` : '';
  return `<run-playback data-run="${chapter}/${run}">
<figure class="run" id="run-${chapter}-${run}">

<pre><code class="language-text">${escape(recordings[0].text.join('\n'))}
</code></pre>

<figcaption>
<p>${escape(about)}</p>
<p class="run-facts">${escape(facts.join(' · '))}</p>
${moments}</figcaption>
</figure>
${script({
    chapter, run, title, about, command: `cargo xtask run chapter 9 ${run}`, topics: first.topics, recordings,
    moments: first.moments.map(({ name, caption, at }) => ({ name, caption, when: { message: first.lines[at].message } })),
    stops,
  })}
</run-playback>`;
}

// One question card of the contract's form.
function cardHtml({ kind, label, id, page, prompt, options, right, whys, ...rest }) {
  const letters = 'abcdef';
  const wrong = whys.flatMap((why, at) => (at === right ? [] : [`<li>${letters[at]}: ${why}</li>`]));
  return `<section class="ask ${kind}" id="question-${id}" data-question="${page}#${id}">
<p class="ask-kind">${label}</p>
<div class="ask-prompt"><p>${prompt}</p></div>
<ol class="ask-options">${options.map((text) => `<li>${text}</li>`).join('')}</ol>
<details class="ask-answer"><summary>Answer</summary><p><strong>${letters[right]}.</strong> ${whys[right]}</p><ul>${wrong.join('')}</ul></details>
${script({ id: `${page}#${id}`, right, whys, ...rest })}
</section>`;
}

const FACTS = ['Recorded run', 'Kafka 4.3.1', '2026-11-23'];

function killPage() {
  const card = cardHtml({
    kind: 'predict', label: 'Guess first', id: 'who-reads', page: 'introduction.md', misconception: 'closed-connection',
    prompt: 'One of three packers is killed with signal 9. When does somebody else read its orders?',
    options: ['At once: a closed connection tells the group.', 'After 45 seconds, when its session ends.', 'Never: its partitions are lost with it.'],
    right: 1, run: 'made-up/kill', stop: 'removed',
    whys: ['The broker sees the connection close, and waits all the same: a consumer may come back.', 'The group waits for <code>session.timeout.ms</code>, 45 s by default.', 'The records stay in their log; another packer begins where the group last committed.'],
  });
  const quiz = cardHtml({
    kind: 'quiz', label: 'Question', id: 'names', page: 'introduction.md', misconception: 'commit-names-last',
    prompt: 'The group has committed offset 20 of <code>orders-2</code>. Which record does the next owner get first?',
    options: ['The record at offset 19.', 'The record at offset 20.', 'The record at offset 21.'],
    right: 1,
    whys: ['That one is done: a commit names the next record.', 'A commit names the record that comes next.', 'A commit does not name the last record read.'],
  });
  const run = runHtml({
    chapter: 'made-up', run: 'kill', title: 'Kill a packer', about: 'Three packers, six partitions, one is killed.', facts: FACTS,
    histories: [histories.killAPacker(), histories.rebalanced()],
    stops: [{ moment: 'removed', question: 'introduction.md#who-reads' }],
  });
  return `<h1 id="kill">Kill a packer</h1>
<p>Three packers read one topic<span class="claim" tabindex="0" role="note" data-claim="three" data-test="groups::kill::three_packers" data-result="passed" aria-label="Checked by test groups::kill::three_packers">✓</span>.
Each partition has one <a class="term" href="#kill" data-definition="The process that reads a partition for its group.">owner</a>.</p>
${card}
${run}
${quiz}
<h2 id="recap">Recap</h2><p>That was all.</p>`;
}

const PAGES = {
  kill: killPage,
  aborted: () => `<h1>Aborted</h1>${runHtml({ chapter: 'made-up', run: 'aborted', title: 'A run that was stopped', about: 'No outcome.', facts: FACTS, histories: [histories.aborted()] })}`,
  long: () => `<h1>Ten thousand lines</h1>${runHtml({ chapter: 'made-up', run: 'long', title: 'Ten thousand lines', about: 'A long run.', facts: FACTS, histories: [histories.long(10000)] })}`,
};

// The built introduction with this content in its place.
function page(book, name) {
  const built = readFileSync(join(book, 'introduction.html'), 'utf8');
  const start = built.indexOf('<main>') + '<main>'.length;
  return built.slice(0, start) + PAGES[name]() + built.slice(built.indexOf('</main>'));
}

if (require.main === module) {
  const [book, ...names] = process.argv.slice(2);
  for (const name of names) writeFileSync(join(book, `made-up-${name}.html`), page(book, name));
}

module.exports = { page, runHtml, cardHtml, PAGES };
