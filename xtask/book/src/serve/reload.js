// Served pages only: reloads the page when the book was built again, and shows what is to be mended.
(function () {
  'use strict';
  const TEXTS = {
    broken: 'This page is of the last good build. To mend:',
    laws: 'Shown here, but `cargo xtask book check` refuses it:',
    hide: 'Hide',
  };
  const STYLE = `
    #book-findings {
      background: #fff4d6; border-top: 3px solid #8a6100; bottom: 0; color: #1b1b1b;
      font: 14px/1.5 system-ui, sans-serif; left: 0; max-height: 60vh; overflow: auto;
      padding: 12px 16px; position: fixed; right: 0; z-index: 1000;
    }
    #book-findings.is-broken { background: #ffe3e0; border-top-color: #b3261e; }
    #book-findings p { font-weight: 600; margin: 0 0 8px; }
    #book-findings ul { font-family: ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; padding-left: 20px; }
    #book-findings button {
      background: none; border: 1px solid; border-radius: 4px; color: inherit; cursor: pointer;
      float: right; font: inherit; min-height: 44px; padding: 0 14px;
    }
    @media print { #book-findings { display: none; } }`;
  const mine = document.querySelector('meta[name="kafka-book-build"]').content;
  let events = null;
  let hidden = '';

  // A page out of sight does not listen: a browser opens six connections to an address, and each page that
  // listens holds one.
  function listen() {
    if (document.visibilityState === 'hidden') {
      if (events) events.close();
      events = null;
    } else if (!events) {
      events = new EventSource('/live/events');
      events.onmessage = (event) => told(JSON.parse(event.data));
    }
  }

  function told(status) {
    if (status.build !== mine) reload();
    else if (status.broken.length > 0) show('broken', status.broken);
    else show('laws', status.laws);
  }

  // A run that plays in this page would end with it: whoever plays one prevents this, and reloads later.
  function reload() {
    const event = new CustomEvent('kafka-book:reload', { cancelable: true });
    if (document.dispatchEvent(event)) location.reload();
  }

  function make(tag, text, ...children) {
    const made = document.createElement(tag);
    made.textContent = text;
    made.append(...children);
    return made;
  }

  function show(kind, findings) {
    const old = document.getElementById('book-findings');
    if (old) old.remove();
    const which = JSON.stringify(findings);
    if (findings.length === 0 || which === hidden) return;
    const hide = make('button', TEXTS.hide);
    hide.type = 'button';
    const list = make('ul', '', ...findings.map((finding) => make('li', finding)));
    const panel = make('section', '', make('style', STYLE), hide, make('p', TEXTS[kind]), list);
    panel.id = 'book-findings';
    panel.className = `is-${kind}`;
    panel.setAttribute('role', 'status');
    hide.addEventListener('click', () => {
      hidden = which;
      panel.remove();
    });
    document.body.append(panel);
  }

  document.addEventListener('visibilitychange', listen);
  listen();
})();
