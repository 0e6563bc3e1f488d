// One small floating note at a time: what a record holds, which test checks a sentence, what a term means.
(function () {
  'use strict';
  const book = window.KafkaBook;
  const { el, printed } = book.dom;
  const texts = window.KafkaBookTexts;
  const MARGIN = 8;
  let open = null;

  // Shows `content` beside `anchor`, inside the window. A note that is pinned stays until it is closed.
  function show(anchor, content, { label, pinned, onClose } = {}) {
    if (open) close();
    const note = el('div', { class: 'note', id: 'kafka-book-note', role: pinned ? 'dialog' : 'tooltip', 'aria-label': label }, content);
    if (pinned) {
      const shut = book.dom.button('close', texts.playback.close, () => close(true), { class: 'note-close' });
      note.prepend(shut);
    } else anchor.setAttribute('aria-describedby', note.id);
    document.body.append(note);
    open = { anchor, note, pinned, onClose };
    settle();
    if (pinned) note.firstChild.focus({ preventScroll: true });
  }

  function settle() {
    const { anchor, note } = open;
    const at = anchor.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.max(MARGIN, Math.min(at.left + at.width / 2 - note.offsetWidth / 2, width - note.offsetWidth - MARGIN));
    const above = at.top - note.offsetHeight - MARGIN;
    const top = above > MARGIN ? above : at.bottom + MARGIN;
    note.style.left = `${left + window.scrollX}px`;
    note.style.top = `${top + window.scrollY}px`;
  }

  function close(refocus) {
    if (!open) return;
    const { anchor, note, pinned, onClose } = open;
    open = null;
    note.remove();
    if (!pinned) anchor.removeAttribute('aria-describedby');
    if (refocus && anchor.isConnected) anchor.focus({ preventScroll: true });
    if (onClose) onClose();
  }

  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !open) return;
    event.stopPropagation();
    close(open.note.contains(document.activeElement));
  }, true);
  document.addEventListener('pointerdown', (event) => {
    if (open && !open.note.contains(event.target) && !open.anchor.contains(event.target)) close();
  });
  window.addEventListener('resize', () => open && close());

  function claimNote(claim) {
    const { test, result } = claim.dataset;
    return [el('p', { class: 'note-lead', text: texts.claims.lead }), el('p', null, el('code', { text: test })),
      el('p', { text: texts.claims[result] || texts.claims['not-run'] })];
  }

  function termNote(term) {
    return [el('p', { text: term.dataset.definition })];
  }

  // Hover, focus and tap show the note; leaving hides it.
  function hint(element, content) {
    const enter = () => show(element, content(element));
    const leave = () => open && open.anchor === element && close();
    element.addEventListener('pointerenter', (event) => event.pointerType === 'mouse' && enter());
    element.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && leave());
    element.addEventListener('focus', enter);
    element.addEventListener('blur', leave);
  }

  if (!printed) {
    for (const claim of document.querySelectorAll('.claim[data-test]')) {
      hint(claim, claimNote);
      // Tapped again it goes; some phones do not focus what is no link.
      claim.addEventListener('click', () => (open && open.anchor === claim ? null : show(claim, claimNote(claim))));
    }
    for (const term of document.querySelectorAll('a.term[data-definition]')) hint(term, termNote);
  }

  book.popover = { show, close, get anchor() { return open && open.anchor; } };
})();
