// Where the reader stands, shown where pages are chosen: marks and missed questions in the sidebar, and where to
// go on from the introduction.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, svg, printed } = book.dom;
  const { fill } = book.sentences;
  const { progress } = book;
  const texts = window.KafkaBookTexts.progress;
  const sidebar = document.querySelector('#mdbook-sidebar .sidebar-scrollbox');
  if (printed || !sidebar) return;

  const source = (href) => href.replace(/\.html$/, '.md');
  const root = new URL(path_to_root || './', window.location.href).href;

  // The pages of the book as the sidebar lists them, each with its source's path.
  const pages = [...sidebar.querySelectorAll('ol.chapter a[href]')]
    .filter((link) => link.href.startsWith(root) && !link.hash)
    .map((link) => ({ link, path: source(decodeURIComponent(link.href.slice(root.length))), title: link.textContent.trim() }));

  // Those that are read from front to back; an appendix is looked things up in.
  const chapters = pages.filter(({ path }) => !path.startsWith('appendix/'));

  // `index.html` is the first page under another name.
  function present() {
    const path = progress.page();
    return path === 'index.md' && pages.length > 0 ? pages[0].path : path;
  }

  // A page is read when its recap, or its end where it has none, has been on screen.
  function watchEnd() {
    const path = present();
    if (!pages.some((page) => page.path === path)) return;
    const main = document.querySelector('#mdbook-content main');
    const end = document.getElementById('recap') || (main && main.lastElementChild);
    if (!end) return;
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      progress.read(path);
    });
    watcher.observe(end);
  }

  function markPages() {
    for (const { link, path } of pages) {
      const known = link.parentElement.querySelector('.read-mark');
      const isRead = Boolean(progress.data.pages[path]);
      if (isRead && !known) {
        link.after(el('span', { class: 'read-mark', title: texts.read },
          svg(['M2 8.500 6.200 12.500 14 4'], { class: 'tick' }), el('span', { class: 'for-ears', text: texts.read })));
      } else if (!isRead && known) known.remove();
    }
  }

  // --- Review ---

  const panel = el('section', { class: 'review', 'aria-label': texts.review });
  sidebar.append(panel);
  let asking = false;

  function showReview() {
    const missed = Object.entries(progress.data.answers).filter(([, answer]) => !answer.right).sort((a, b) => a[1].at - b[1].at);
    const anything = ['pages', 'answers', 'exercises'].some((kind) => Object.keys(progress.data[kind]).length > 0);
    panel.hidden = !anything;
    if (!anything) return;
    const items = missed.flatMap(([id, answer]) => {
      const [path, question] = id.split('#');
      const page = pages.find((one) => one.path === path);
      if (!page || !question) return [];
      const href = `${page.link.href.split('#')[0]}#question-${question}`;
      return [el('li', null, el('a', { href }, el('span', { class: 'review-page', text: page.title }), el('span', { text: answer.prompt || question })))];
    });
    const list = items.length === 0 ? [] : [el('h2', { class: 'review-title', text: texts.review }), el('p', { class: 'review-lead', text: texts.reviewLead }), el('ul', null, items)];
    panel.replaceChildren(...list, forget());
  }

  function forget() {
    const kept = el('p', { class: 'review-kept', text: progress.kept ? texts.kept : texts.notKept });
    const act = (text, onclick) => el('button', { type: 'button', class: 'review-button', text, onclick });
    const set = (now) => {
      asking = now;
      showReview();
      const first = panel.querySelector('.review-button');
      if (first) first.focus();
    };
    if (!asking) return el('div', { class: 'review-clear' }, kept, act(texts.clear, () => set(true)));
    return el('div', { class: 'review-clear', role: 'group', 'aria-label': texts.clear }, el('p', { text: texts.clearAsk }),
      act(texts.clearYes, () => {
        asking = false;
        progress.clear();
      }), ' ', act(texts.clearNo, () => set(false)));
  }

  // --- Continue ---

  let entry = null;
  function showEntry() {
    if (present() !== pages[0]?.path) return;
    const { data } = progress;
    const known = chapters.filter(({ path }) => data.pages[path]);
    const right = Object.values(data.answers).filter((answer) => answer.right).length;
    const solved = Object.keys(data.exercises).length;
    // The introduction alone is no progress.
    const begun = known.some((page) => page !== pages[0]) || Object.keys(data.answers).length > 0 || solved > 0;
    if (!begun) {
      if (entry) entry.remove();
      entry = null;
      return;
    }
    const latest = known.sort((a, b) => data.pages[b.path] - data.pages[a.path])[0];
    const order = latest ? [...chapters.slice(chapters.indexOf(latest)), ...chapters] : chapters;
    const next = order.find((page) => !data.pages[page.path] && page !== pages[0]);
    const facts = [fill(texts.pages, { n: known.length, of: chapters.length }),
      right > 0 && fill(texts.answers, { n: right }), solved > 0 && fill(texts.exercises, { n: solved })].filter(Boolean);
    const made = el('aside', { class: 'continue', 'aria-label': texts.continue },
      next ? el('a', { class: 'button', href: next.link.href, text: `${texts.continue}: ${next.title}` }) : el('strong', { text: texts.all }),
      el('span', { class: 'continue-facts', text: facts.join(' · ') }));
    if (entry) entry.replaceWith(made);
    else document.querySelector('#mdbook-content main h1')?.after(made);
    entry = made;
  }

  function show() {
    markPages();
    showReview();
    showEntry();
  }
  progress.onChange(show);
  show();
  watchEnd();
})();
