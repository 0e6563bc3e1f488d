// `<run-playback>`: plays a recorded run, and shows a live one as it happens.
//
// The page has the run as finished HTML, a transcript with its moments, and as JSON. This element puts a picture
// in front of it. It never starts by itself. Where a question belongs to the run, what answers it is hidden until
// the reader has guessed, or has pressed Skip.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { printed } = book.dom;
  const { said, meanwhile, clock, span, fill } = book.sentences;
  const { timeline, matches } = book.timeline;
  const texts = window.KafkaBookTexts.playback;

  // A frame that took longer than this was not drawn: the tab was hidden, or the machine slept.
  const LONGEST_FRAME = 100;

  class RunPlayback extends HTMLElement {
    connectedCallback() {
      if (printed || this.parts) return;
      try {
        this.data = JSON.parse(this.querySelector(':scope > script[type="application/json"]').textContent);
      } catch (error) {
        // The transcript stays as it is.
        console.error(`the run ${this.dataset.run} cannot be played`, error);
        return;
      }
      this.recordings = this.data.recordings.map((recording) => ({ ...recording, timeline: timeline(recording, this.data.topics) }));
      this.skipped = new Set();
      this.speed = 1;
      this.place = 0;
      this.playing = false;
      this.parts = book.controls(this);
      this.choose(0);
      book.progress.onChange(() => this.answered());
      this.classList.add('is-live');
    }

    disconnectedCallback() {
      this.pause();
    }

    // The state on screen, and how many lines led to it.
    get state() { return this.recording.timeline.stateAt(this.count); }
    get length() { return this.recording.timeline.length; }

    // --- which recording ---

    choose(number) {
      this.pause();
      this.number = number;
      this.recording = this.recordings[number];
      this.stops = this.findStops();
      this.place = 0;
      this.count = 0;
      this.parts.recording();
      this.show();
    }

    another() {
      this.choose((this.number + 1) % this.recordings.length);
      this.announce();
    }

    // Where this recording stops, and the question that is asked there. A question of another page cannot be.
    findStops() {
      if (this.recording.live) return [];
      const { moments } = this.recording.timeline;
      return (this.data.stops || []).flatMap(({ moment, question }) => {
        const found = moments.find(({ name }) => name === moment);
        const asked = book.questions.get(question);
        return found && asked ? [{ at: found.at, question: asked }] : [];
      }).sort((a, b) => a.at - b.at);
    }

    // The first question that is still open: nothing behind it is shown.
    get barrier() {
      return this.stops.find(({ question }) => !question.answer && !this.skipped.has(question.id)) || null;
    }

    // --- moving ---

    // Shows the run after so many lines, or as far as an open question lets it.
    seek(count) {
      const { barrier } = this;
      this.count = Math.max(0, Math.min(count, barrier ? barrier.at : this.length));
      this.place = this.recording.timeline.placeAt(this.count);
      this.asking = Boolean(barrier && count > barrier.at);
      this.show();
      return !this.asking;
    }

    // As a reader moves: playing pauses, and what is shown is said.
    go(count) {
      this.pause();
      this.seek(count);
      this.announce();
    }

    step(by) {
      this.go(this.count + by);
    }

    // Anywhere on the schedule, also within a wait.
    scrub(place) {
      this.pause();
      const count = this.recording.timeline.countAt(place);
      if (this.seek(count) && count < this.length) this.place = Math.max(this.place, place);
      this.show();
    }

    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }

    play() {
      if (this.playing || this.length === 0) return;
      if (this.count >= this.length) this.seek(0);
      this.playing = true;
      let before = null;
      const frame = (now) => {
        if (!this.playing) return;
        const passed = before === null ? 0 : Math.min(LONGEST_FRAME, now - before);
        before = now;
        this.advance(passed * this.speed);
        this.frame = requestAnimationFrame(frame);
      };
      this.frame = requestAnimationFrame(frame);
      this.show();
    }

    pause() {
      if (!this.playing) return;
      this.playing = false;
      cancelAnimationFrame(this.frame);
      this.show();
      this.announce();
    }

    advance(ms) {
      const { timeline: line } = this.recording;
      const { barrier, count: before } = this;
      this.place = Math.min(this.place + ms, line.plan().whole);
      this.count = line.countAt(this.place);
      if (barrier && this.count > barrier.at) {
        this.seek(barrier.at + 1);
        this.pause();
        this.parts.ask(barrier.question);
        return;
      }
      const passed = line.moments.some(({ at }) => before <= at && at < this.count);
      this.show();
      if (passed) this.announce();
      if (this.place >= line.plan().whole) this.pause();
    }

    // --- guessing ---

    skip() {
      const { barrier } = this;
      if (!barrier) return;
      this.skipped.add(barrier.question.id);
      this.asking = false;
      this.play();
    }

    // A question was answered, here or in its card, or the answers were forgotten.
    answered() {
      const { barrier } = this;
      // The next question of the run may be further on.
      if (this.asking && (!barrier || barrier.at > this.count)) {
        this.asking = false;
        this.play();
      } else if (barrier && this.count > barrier.at) this.seek(barrier.at);
      else this.show();
    }

    // The guess of the reader, once the run has shown what happened.
    get guess() {
      const stop = [...this.stops].reverse().find(({ at }) => this.count > at);
      return stop && stop.question.answer ? stop.question : null;
    }

    // Plays from a little before a moment, from outside.
    watch(name) {
      const moment = this.recording.timeline.moments.find((one) => one.name === name);
      this.scrollIntoView({ block: 'center', behavior: book.dom.calm() ? 'auto' : 'smooth' });
      this.parts.focus();
      this.pause();
      this.seek(moment ? moment.at : 0);
      this.play();
    }

    // --- a live run ---

    // Begins a live run in the place of the recordings; its lines are pushed as they come. Another run of the
    // chapter brings its own title, topics and moments.
    live({ title, topics = this.data.topics, moments = this.data.moments || [] } = {}) {
      const recording = { live: true, facts: [texts.live, title].filter(Boolean), lines: [], text: [], moments: [] };
      recording.timeline = timeline(recording, topics);
      this.recordings = [...this.recordings.filter((one) => !one.live), recording];
      this.choose(this.recordings.length - 1);
      let due = moments;
      let drawn = null;
      const draw = () => {
        if (drawn !== null) return;
        drawn = requestAnimationFrame(() => {
          drawn = null;
          if (this.recording === recording) this.show();
        });
      };
      return {
        push: (line, text) => {
          const { timeline: line_ } = recording;
          const following = this.recording === recording && !this.playing && this.count >= line_.length;
          line_.push(line);
          recording.text.push(text || '');
          recording.note = null;
          if (due.length > 0 && matches(due[0].when, line)) {
            line_.moments.push({ ...due[0], at: line_.length - 1 });
            due = due.slice(1);
            if (this.recording === recording) this.parts.recording();
          }
          if (following) {
            this.count = line_.length;
            this.place = line_.plan().whole;
          }
          draw();
        },
        note: (text) => {
          recording.note = text;
          draw();
        },
        end: (code) => {
          recording.note = code === 0 ? null : fill(texts.liveFailed, { code });
          recording.over = true;
          if (this.recording === recording) {
            this.show();
            this.announce();
          }
        },
      };
    }

    // --- showing ---

    // What just happened: the caption of a moment, or the last line in words.
    get sentence() {
      const { note, live, timeline: line } = this.recording;
      if (note) return note;
      if (this.count === 0) return live ? texts.waiting : texts.beginning;
      const moment = line.moments.find(({ at }) => at === this.count - 1);
      return moment && moment.caption ? moment.caption : said(this.state);
    }

    get now() {
      return this.recording.timeline.timeAt(this.place);
    }

    show() {
      this.parts.show();
    }

    announce() {
      const { runTime } = this.recording.timeline;
      const waits = meanwhile(this.state, this.now).map(({ text }) => text);
      this.parts.announce([clock(this.now, runTime), this.sentence, ...waits].join(' '));
    }

    // The wait that is being played, if any.
    get waiting() {
      const wait = this.recording.timeline.plan().waits.find(({ from, to }) => this.place > from && this.place < to);
      return wait ? fill(texts.waitSaid, { time: span(wait.gap) }) : null;
    }
  }

  if (!customElements.get('run-playback')) customElements.define('run-playback', RunPlayback);
  book.RunPlayback = RunPlayback;
})();
