// What mdBook's frame leaves out: its sidebar button is a label of a hidden checkbox, which no keyboard reaches; its
// search field has a hint that vanishes, and no name; and what is wider than the screen scrolls in some browsers by
// the mouse only.
(function () {
  'use strict';
  const toggle = document.getElementById('mdbook-sidebar-toggle');
  if (toggle) {
    toggle.setAttribute('role', 'button');
    toggle.tabIndex = 0;
    // A button is no label: it works the checkbox itself.
    toggle.removeAttribute('for');
    toggle.addEventListener('click', () => document.getElementById('mdbook-sidebar-toggle-anchor').click());
    toggle.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle.click();
    });
  }
  const search = document.getElementById('mdbook-searchbar');
  if (search) search.setAttribute('aria-label', search.placeholder);

  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute('tabindex');
    }
  });
  for (const wide of document.querySelectorAll('main pre, main pre > code, main .table-wrapper')) watch.observe(wide);

  const bar = document.getElementById('mdbook-menu-bar');
  if (bar) bar.setAttribute('role', 'banner');
})();
