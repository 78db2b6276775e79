'use strict';
// Formatting of numbers, and the colours of lines. The rules are those of the terminal summary: three digits, and a unit
// that suits them.
(() => {
  const R = window.rushhour = { errors: [], plots: 0, drawn: 0, range: null };
  addEventListener('error', (event) => R.errors.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => R.errors.push(String(event.reason)));
  addEventListener('securitypolicyviolation', (event) => R.errors.push('blocked: ' + event.blockedURI));

  const NONE = '–';
  const MINUS = '\u2212';
  const TIMES = [['ns', 1e-9], ['us', 1e-6], ['ms', 1e-3], ['s', 1], ['min', 60], ['h', 3600], ['d', 86400]];
  const SIZES = [['', 1], ['k', 1e3], ['M', 1e6], ['G', 1e9], ['T', 1e12]];

  function digits(number) {
    const size = Math.abs(number);
    if (size > 0 && size < 0.00095) return number.toExponential(1);
    if (Number.isInteger(number)) return String(number);
    return number.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 ? 2 : size >= 0.00995 ? 3 : 4);
  }
  function unitOf(size, units) {
    return units.find(([, length]) => size / length < 999.5) || units[units.length - 1];
  }
  function short(number) {
    const size = Math.abs(number);
    if (size < 9999.5) return Number.isInteger(number) && size >= 1000 ? number.toLocaleString('en') : digits(number);
    const [suffix, length] = unitOf(size, SIZES);
    return digits(number / length) + suffix;
  }
  function seconds(number) {
    if (number === 0) return '0 s';
    const size = Math.abs(number);
    const unit = size < 1 ? unitOf(size, TIMES.slice(0, 4)) : size < 120 ? TIMES[3] : size < 7200 ? TIMES[4] : size < 172800 ? TIMES[5] : TIMES[6];
    return digits(number / unit[1]) + ' ' + unit[0];
  }
  // A moment in milliseconds, or as a clock time in long runs.
  function moment(number, long = number >= 300 && R.long) {
    if (!long) return (Math.round(number * 1000) / 1000) + ' s';
    const whole = Math.floor(number), h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
    const two = (n) => String(n).padStart(2, '0');
    const rest = Math.round((number - whole) * 10) / 10;
    const tail = rest > 0 && rest < 1 ? String(rest).slice(1) : '';
    return (h ? h + ':' + two(m) : m) + ':' + two(s) + tail + (h ? ' h' : ' min');
  }
  // A time span in three digits.
  function span(from, to) {
    const text = (number) => number < 300 || !R.long ? digits(number) + ' s' : moment(Math.round(number));
    const [start, end] = [text(from), text(to)];
    return start === end ? start : start.replace(end.replace(/^\S+/, ''), '') + ' – ' + end;
  }
  // Shortens a text in the middle, as names of members of a group differ at their ends.
  function shortened(text, fits) {
    if (fits(text)) return text;
    let kept = text.length - 1;
    const cut = () => text.slice(0, Math.ceil(kept / 2)) + '…' + text.slice(text.length - Math.floor(kept / 2));
    while (kept > 1 && !fits(cut())) kept--;
    return cut();
  }
  function value(number, unit) {
    if (number == null) return NONE;
    const text = {
      share: () => digits(Math.round(number * 1e5) / 1e3) + ' %',
      seconds: () => seconds(number),
      per_second: () => short(number) + '/s',
      count: () => short(number),
    }[unit]();
    return text.replace('-', MINUS);
  }
  const trimmed = (number) => String(Number(number.toPrecision(6)));
  // Labels of an axis, all in the same unit.
  function ticks(splits, unit) {
    const largest = splits.reduce((largest, s) => Math.max(largest, Math.abs(s || 0)), 0);
    const labels = (scale, suffix) => splits.map((s) => s == null ? '' : (trimmed(s / scale) + suffix).replace('-', MINUS));
    if (unit === 'share') return labels(0.01, ' %');
    if (unit === 'seconds') {
      const [name, length] = largest < 1 ? unitOf(largest, TIMES.slice(0, 4)) : largest <= 300 ? TIMES[3] : largest <= 7200 ? TIMES[4] : TIMES[5];
      return labels(length, ' ' + name);
    }
    const [suffix, length] = largest < 10000 ? SIZES[0] : unitOf(largest, SIZES);
    return labels(length, suffix + (unit === 'per_second' ? '/s' : ''));
  }
  // Labels of a logarithmic axis, each in its own unit.
  const logTickLabels = (splits) => splits.map((s) => s == null ? '' : ticks([s], 'seconds')[0]);
  function clock(splits, step, end) {
    if (end <= 300 || step < 1) return splits.map((s) => trimmed(s) + ' s');
    return splits.map((s) => moment(s, true).replace(/ .*/, ''));
  }
  function decades(steps, from, to) {
    const out = [];
    for (let power = from; power <= to; power++) for (const step of steps) out.push(Number((step + 'e' + power)));
    return out;
  }
  const increments = decades([1, 2, 2.5, 5], -12, 15);
  const timeIncrements = decades([1, 2, 5], -9, -1).concat([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400], [2, 5, 10, 20, 50, 100, 200, 500].map((d) => d * 86400));

  // Colours and dash patterns are embedded in the document; SVG plots use the same.
  const { colours: COLOURS, dashes: DASHES, dashed: DASHED } = JSON.parse(document.getElementById('palette').textContent);
  const isDark = () => document.documentElement.hasAttribute('data-dark');
  const colour = (index) => COLOURS[index % COLOURS.length][isDark() ? 'dark' : 'light'];
  const dash = (index, dashed) => dashed ? DASHED : DASHES[Math.floor(index / COLOURS.length) % DASHES.length];

  // The x values of a plot: a list, or evenly spaced values as { start, step, count }.
  const xValues = (x) => Array.isArray(x) ? x : x ? Array.from({ length: x.count }, (_, i) => x.start + x.step * i) : [];
  R.format = { value, moment, span, shortened, ticks, logTickLabels, clock, increments, timeIncrements, seconds, short, NONE };
  R.colours = { colour, dash, isDark };
  R.xValues = xValues;

  // Creates an element. All content of the document is added here, so that texts cannot become markup.
  R.element = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value == null || value === false) continue;
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  };
})();
