'use strict';
// Builds the document around the plots, from top to bottom.
(() => {
  const R = window.rushhour;
  const { element, format } = R;
  const root = document.documentElement;
  const page = JSON.parse(document.getElementById('page').textContent);
  const byId = (id) => document.getElementById(id);
  const main = byId('main');
  const nav = byId('nav');

  // Colour scheme: that of the system, or the choice of the reader.
  const MODES = ['auto', 'light', 'dark'];
  const system = matchMedia('(prefers-color-scheme: dark)');
  let mode = 'auto';
  try { mode = localStorage.getItem('rushhour-theme') || 'auto'; } catch { /* Files may have no storage. */ }
  if (!MODES.includes(mode)) mode = 'auto';
  function paint() {
    const dark = !R.printing && (mode === 'dark' || (mode === 'auto' && system.matches));
    const before = root.hasAttribute('data-dark');
    root.toggleAttribute('data-dark', dark);
    byId('theme').textContent = { auto: '◐ Auto', light: '○ Light', dark: '● Dark' }[mode];
    if (before !== dark) R.redrawAll();
  }
  R.theme = (chosen) => {
    mode = chosen;
    try { localStorage.setItem('rushhour-theme', mode); } catch { /* The choice is not stored. */ }
    paint();
  };
  byId('theme').addEventListener('click', () => R.theme(MODES[(MODES.indexOf(mode) + 1) % 3]));
  system.addEventListener('change', paint);

  // Printing: light colours, all plots drawn, as wide as the paper.
  const PAPER_WIDTH = 680;
  function toPaper() {
    if (R.printing) return;
    R.printing = true;
    root.setAttribute('data-print', '');
    paint();
    R.drawAll();
    R.resizeAll(PAPER_WIDTH, 200);
    for (const details of document.querySelectorAll('details.printed')) details.open = true;
  }
  function fromPaper() {
    R.printing = false;
    root.removeAttribute('data-print');
    paint();
    R.resizeAll();
  }
  addEventListener('beforeprint', toPaper);
  addEventListener('afterprint', fromPaper);
  matchMedia('print').addEventListener('change', (event) => event.matches ? toPaper() : fromPaper());
  byId('print').addEventListener('click', () => print());

  function section(id, title, short, ...content) {
    const heading = element('h2', { id: id + '-title' }, title);
    main.append(element('section', { id, 'aria-labelledby': id + '-title' }, heading, ...content));
    nav.append(element('a', { href: '#' + id }, short || title));
  }

  function header() {
    const story = page.story || [];
    const text = element('div', { class: 'story' }, ...story.map((paragraph) => element('p', {}, paragraph)));
    main.append(element('header', { class: 'head', id: 'top' },
      element('h1', {}, page.title || '(a scenario without a name)'),
      page.subtitle ? element('p', { class: 'subtitle' }, page.subtitle) : null,
      story.length ? text : null));
    const tiles = (page.tiles || []).map((tile) => element('div', { class: 'tile ' + (tile.tone || 'plain') },
      element('dt', {}, tile.label), element('dd', {}, element('strong', {}, tile.value), tile.note ? element('span', {}, tile.note) : null)));
    if (tiles.length) main.append(element('dl', { class: 'tiles', 'aria-label': 'Key figures' }, ...tiles));
  }

  function when(data) {
    return data.from == null ? '' : format.span(data.from, data.to == null ? data.from : data.to);
  }
  function finding(data) {
    const choose = () => {
      for (const card of document.querySelectorAll('.finding')) card.classList.toggle('chosen', card === article);
      if (data.plot) R.show(data.plot);
      if (data.from != null) R.highlight(data.from, data.to == null ? data.from : data.to);
    };
    const isLink = data.plot || data.from != null;
    const text = element('span', { class: 'text' }, data.text);
    const body = isLink ? element('button', { type: 'button', class: 'go', title: 'Show in plot', onclick: choose }, text) : element('div', { class: 'go' }, text);
    const rows = (data.evidence || []).map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)));
    const article = element('article', { class: 'finding ' + (data.tone || 'plain') },
      element('header', {}, element('span', { class: 'kind' }, (data.kind || '').replaceAll('_', ' ')), data.subject ? element('span', { class: 'subject' }, data.subject) : null, element('span', { class: 'when' }, when(data))),
      body,
      rows.length ? element('details', {}, element('summary', {}, 'Evidence'), element('table', {}, element('tbody', {}, ...rows))) : null);
    return article;
  }
  function findings() {
    const all = page.findings || [];
    if (!all.length) {
      section('findings', 'Findings', null, element('p', { class: 'quiet' }, 'This run has no findings.'));
      return;
    }
    const leading = Math.min(page.leading || all.length, all.length);
    const list = element('div', { class: 'findings' }, ...all.slice(0, leading).map(finding));
    const more = all.length - leading;
    const button = more ? element('button', { type: 'button', class: 'more', 'aria-expanded': 'false', onclick: () => {
      const cards = all.slice(leading).map(finding);
      list.append(...cards);
      const first = cards[0].querySelector('button.go');
      button.remove();
      if (first) first.focus();
    } }, `${more} more finding${more === 1 ? '' : 's'}`) : null;
    section('findings', 'Findings', null, list, button);
  }

  const FIGURE = /^[-−<>~≈+]?[\d.,]+(e[-+]?\d+)?\s*(%|ns|us|µs|ms|s|min|h|d|k|M|G|T|\/s)?$|^[-–]$/;
  function table(data) {
    const heads = (data.heads || []).map((head, i) => element('th', { scope: 'col', class: i ? 'figure' : null }, head));
    const rows = (data.rows || []).map((cells) => element('tr', {}, ...cells.map((cell, i) =>
      i === 0 ? element('th', { scope: 'row' }, cell) : element('td', { class: FIGURE.test(cell) ? 'figure' : 'figure words' }, cell))));
    const omitted = data.omitted ? element('p', { class: 'caption' }, `${data.omitted.toLocaleString('en')} more row${data.omitted === 1 ? '' : 's'} not shown.`) : null;
    return element('div', { class: 'table' },
      data.title ? element('h3', {}, data.title) : null,
      element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': data.title || 'Table' }, element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows))),
      omitted);
  }
  function sections() {
    (page.sections || []).forEach((part, number) => {
      const plots = (part.plots || []).map((plot, index, all) => R.plot(plot, index < 2 - all.length % 2));
      const tables = (part.tables || []).map(table);
      if (!plots.length && !tables.length) return;
      const content = [plots.length ? element('div', { class: 'plots' }, ...plots) : null, tables.length ? element('div', { class: 'tables' }, ...tables) : null];
      const inside = [[plots.length, 'plot'], [tables.length, 'table']].filter(([count]) => count).map(([count, noun]) => count + ' ' + noun + (count > 1 ? 's' : ''));
      const folded = part.folded ? [element('details', { class: 'folded' }, element('summary', {}, inside.join(' and ')), ...content.filter(Boolean))] : content;
      section('section-' + number, part.title || 'Section', null, ...folded);
    });
  }

  // Syntax highlighting of RON: comments, strings, numbers, fields and variants.
  const TOKENS = /(\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(r#"[\s\S]*?"#|"(?:[^"\\]|\\.)*")(\s*:)?|(\b\d[\d_.]*(?:e[-+]?\d+)?\b|\b(?:true|false)\b)|(\b[a-z_]\w*)(?=\s*:)|(\b[A-Z]\w*)/g;
  function ron(text) {
    const code = element('code');
    let end = 0;
    for (const match of text.matchAll(TOKENS)) {
      const kind = match[1] ? 'comment' : match[2] ? (match[3] ? 'field' : 'string') : match[4] ? 'number' : match[5] ? 'field' : 'variant';
      code.append(text.slice(end, match.index), element('span', { class: 'ron-' + kind }, match[0]));
      end = match.index + match[0].length;
    }
    code.append(text.slice(end));
    return code;
  }
  function copier(text) {
    const button = element('button', { type: 'button', class: 'copy', onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = element('textarea', { class: 'unseen', 'aria-hidden': 'true' });
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand('copy');
        area.remove();
      }
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    } }, 'Copy');
    return button;
  }
  function closing() {
    if ((page.remarks || []).length) {
      section('remarks', 'Remarks', null, element('ul', { class: 'remarks' }, ...page.remarks.map((remark) => element('li', {}, remark))));
    }
    if (page.scenario) {
      const lines = page.scenario.trimEnd().split('\n').length;
      const details = element('details', { class: 'printed', open: lines <= 60 }, element('summary', {}, `${lines} line${lines === 1 ? '' : 's'}`),
        element('div', { class: 'code' }, copier(page.scenario), element('pre', { tabindex: '0' }, ron(page.scenario.trimEnd()))));
      section('scenario', 'Scenario', null, details);
    }
    if ((page.reproduce || []).length) {
      const text = page.reproduce.join('\n');
      section('reproduce', 'Reproduce this run', 'Reproduce', element('div', { class: 'code' }, copier(text), element('pre', { tabindex: '0' }, element('code', {}, text))));
    }
  }

  function help() {
    const keys = [['← →', 'move the cursor by one sample, with Shift by ten'], ['Home End', 'move the cursor to the first or last visible sample'], ['+ −', 'zoom in or out around the cursor'],
      ['drag', 'zoom all time plots to a range'], ['Escape, double click', 'show the whole run'], ['?', 'show this help']];
    const dialog = byId('help');
    dialog.append(element('h2', { id: 'help-title' }, 'Keyboard shortcuts'),
      element('table', {}, element('tbody', {}, ...keys.map(([key, action]) => element('tr', {}, element('th', { scope: 'row' }, element('kbd', {}, key)), element('td', {}, action))))),
      element('p', {}, 'Shortcuts apply to the focused plot: click it, or move the focus with Tab. Click an entry of a legend to hide or show its line.'),
      element('form', { method: 'dialog' }, element('button', {}, 'Close')));
    byId('keys').addEventListener('click', () => dialog.showModal());
    addEventListener('keydown', (event) => {
      if (event.target.closest && event.target.closest('input, select, textarea')) return;
      if (event.key === '?' && !dialog.open) dialog.showModal();
      else if (event.key === 'Escape' && !dialog.open) R.reset();
    });
  }
  R.reset = () => {
    R.setRange(null);
    for (const chosen of document.querySelectorAll('.chosen')) chosen.classList.remove('chosen');
    for (const chart of R.charts) if (chart.u) chart.time ? chart.u.redraw(false) : chart.applyXRange();
  };
  byId('reset').addEventListener('click', R.reset);

  // Marks the visible section in the navigation.
  function follow() {
    const links = new Map([...nav.children].map((link) => [link.hash.slice(1), link]));
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute('aria-current');
        const link = links.get(target.id);
        link.setAttribute('aria-current', 'true');
        nav.scrollLeft = link.offsetLeft - nav.clientWidth / 3;
      }
    }, { rootMargin: '-20% 0px -70% 0px' });
    for (const part of main.querySelectorAll('section')) observer.observe(part);
  }

  root.toggleAttribute('data-dark', mode === 'dark' || (mode === 'auto' && system.matches));
  document.title = page.title ? page.title + ' · rushhour' : 'rushhour';
  R.start(page);
  header();
  findings();
  sections();
  closing();
  help();
  R.setSeconds(page.seconds);
  paint();
  R.observe();
  follow();
  if (location.hash.length > 1) byId(location.hash.slice(1))?.scrollIntoView();
  R.ready = true;
})();
