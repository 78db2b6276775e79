'use strict';
// A plot: heading, legend, canvas and keyboard control. All time plots share a zoom range and a cursor.
(() => {
  const R = window.rushhour;
  const { element, format, colours } = R;
  const HEIGHT = 230, NARROW_HEIGHT = 190;
  const charts = [];
  const full = { time: [0, 1] };
  let spans = [], shaded = [], highlight = null;
  const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function faded(hex, opacity) {
    const n = parseInt(hex.slice(1), 16);
    return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${opacity})`;
  }
  const largest = (y) => y.reduce((max, v) => v != null && v > max ? v : max, -Infinity);
  const isStacked = (style) => style === 'stacked' || style === 'bars';

  const short = (name) => format.shortened(name, (text) => [...text].length <= 32);

  // Legend entries: one for each line, and one for both bounds of a band.
  function entries(lines) {
    const out = [];
    lines.forEach((line, index) => {
      const before = out[out.length - 1];
      if (line.style === 'band_high' && before && before.band && before.lines.length === 1) before.lines.push(index);
      else out.push({ lines: [index], band: line.style === 'band_low', on: !line.hidden });
    });
    for (const entry of out) {
      const names = entry.lines.map((index) => lines[index].name);
      entry.name = names.length > 1 && names[0] !== names[1] ? names.join(' – ') : names[0];
      entry.colour = lines[entry.lines[0]].colour;
      entry.style = lines[entry.lines[0]].style;
    }
    return out;
  }

  class Chart {
    constructor(plot, labelSpans) {
      this.plot = plot;
      this.labelSpans = labelSpans;
      this.unit = plot.unit || 'count';
      this.time = (plot.axis || 'time') === 'time';
      this.x = R.xValues(plot.x);
      this.lines = (plot.lines || []).map((line) => this.line(line, line.y || []));
      this.bars = this.lines.some((line) => line.style === 'bars');
      this.more = plot.more || [];
      this.entries = entries(this.lines);
      this.thresholds = plot.thresholds || [];
      this.u = null;
      this.element = this.build();
    }
    line(line, y) {
      const values = this.x.map((_, i) => y[i] == null ? null : y[i]);
      return { name: line.name || '', colour: line.colour || 0, style: line.style || 'line', hidden: !!line.hidden, y: values };
    }
    get empty() { return this.x.length === 0 || !this.lines.some((line) => line.y.some((v) => v != null)); }

    // Builds the elements around the canvas.
    build() {
      const { plot } = this;
      const id = 'plot-' + plot.id;
      this.legend = element('div', { class: 'legend', role: 'group', 'aria-label': 'Lines of ' + plot.title });
      this.where = element('output', { class: 'where', 'aria-hidden': 'true' });
      this.host = element('div', { class: 'canvas', tabindex: this.empty ? null : '0', role: 'img', 'aria-label': this.summary(), 'aria-keyshortcuts': 'ArrowLeft ArrowRight + - Escape' });
      this.host.addEventListener('keydown', (event) => this.key(event));
      this.fillLegend();
      const caption = plot.caption ? element('p', { class: 'caption' }, plot.caption) : null;
      if (this.empty) this.host.append(element('p', { class: 'no-data' }, 'No data'));
      return element('figure', { class: 'plot', id, 'data-plot': plot.id },
        element('figcaption', {}, element('h3', { id: id + '-title' }, plot.title), this.where, caption), this.host, this.legend);
    }
    summary() {
      const lines = this.lines.slice(0, 6).map((line) => {
        const max = largest(line.y);
        return line.name + (max > -Infinity ? ' up to ' + format.value(max, this.unit) : ' without values');
      });
      const rest = this.lines.length > 6 ? ` and ${this.lines.length - 6} more lines` : '';
      const axis = this.time ? 'over time' : 'over latency';
      return `${this.plot.title} ${axis}: ${lines.join(', ') || 'no lines'}${rest}.`;
    }
    fillLegend() {
      this.legend.replaceChildren();
      for (const entry of this.entries) {
        const swatch = element('i', { class: 'swatch ' + entry.style });
        swatch.style.setProperty('--colour', colours.colour(entry.colour));
        const dash = colours.dash(entry.colour, entry.style === 'dashed');
        if (dash.length && !['bars', 'stacked', 'band_low'].includes(entry.style)) swatch.classList.add('broken');
        entry.value = element('span', { class: 'value' });
        entry.button = element('button', { type: 'button', class: 'entry', 'aria-pressed': String(entry.on), title: 'Show or hide ' + entry.name, onclick: () => this.toggle(entry) },
          swatch, element('span', { class: 'name' }, short(entry.name)), entry.value);
        this.legend.append(entry.button);
      }
      for (const { label, value } of this.thresholds) {
        const text = format.value(value, this.unit);
        this.legend.append(element('span', { class: 'entry limit' }, element('i', { class: 'swatch threshold' }), element('span', { class: 'name', title: label }, short(label)), label.includes(text) ? null : element('span', { class: 'value' }, text)));
      }
      if (this.more.length) {
        const select = element('select', { 'aria-label': 'Add a line to ' + this.plot.title }, element('option', { value: '' }, `add one of ${this.more.length} lines …`));
        this.more.forEach((line, index) => select.append(element('option', { value: index }, line.name)));
        select.addEventListener('change', () => { if (select.value !== '') this.add(Number(select.value)); select.value = ''; });
        this.legend.append(select);
      }
      this.showValues(null);
    }
    // Shows the values at the cursor in the legend. Without a cursor: the maximum of the visible values, or the total of a
    // histogram.
    showValues(at) {
      const sums = this.bars && this.unit === 'count';
      const [from, to] = this.u ? [this.u.scales.x.min, this.u.scales.x.max] : [-Infinity, Infinity];
      const idle = (index) => {
        const visible = this.lines[index].y.filter((v, i) => v != null && this.x[i] >= from && this.x[i] <= to);
        return !visible.length ? null : sums ? visible.reduce((sum, v) => sum + v, 0) : largest(visible);
      };
      for (const entry of this.entries) {
        const values = (at == null ? entry.lines.slice(-1).map(idle) : entry.lines.map((index) => this.lines[index].y[at])).map((value) => format.value(value, this.unit));
        entry.value.textContent = (at == null ? (sums ? 'total ' : 'max ') : '') + values.join(' – ');
        entry.value.classList.toggle('idle', at == null);
      }
      const xLabel = this.time ? format.moment : format.seconds;
      let where = '';
      if (at != null && !this.bars) where = xLabel(this.x[at]);
      else if (at != null && at + 1 < this.x.length) where = xLabel(this.x[at]) + ' – ' + xLabel(this.x[at + 1]);
      this.where.textContent = where;
      return where;
    }
    toggle(entry) {
      entry.on = !entry.on;
      entry.button.setAttribute('aria-pressed', String(entry.on));
      if (!this.u) return;
      this.u.batch(() => {
        for (const index of entry.lines) this.u.setSeries(index + 1, { show: entry.on });
        this.u.setData(this.data(), false);
        this.u.setScale('x', { min: this.u.scales.x.min, max: this.u.scales.x.max });
      });
    }
    // Adds a line with x values of its own: at each x value of the plot it has its last value up to there.
    add(index) {
      const line = this.more[index];
      const xs = R.xValues(this.plot.more_x);
      let at = -1;
      const y = this.x.map((x) => {
        while (at + 1 < xs.length && xs[at + 1] <= x + 1e-9) at++;
        return at < 0 || line.y == null ? null : line.y[at];
      });
      const present = this.entries.find((entry) => entry.added === index);
      if (present) { if (!present.on) this.toggle(present); present.button.focus(); return; }
      const used = this.entries.map((entry) => entry.colour);
      let colour = line.colour || 0;
      while (used.includes(colour)) colour++;
      this.lines.push({ ...this.line(line, y), colour, hidden: false });
      this.entries.push({ lines: [this.lines.length - 1], on: true, name: line.name, colour, style: line.style || 'line', added: index });
      this.fillLegend();
      this.redraw();
      this.entries[this.entries.length - 1].button.focus();
    }

    // The index of the sample at the cursor: the bar under it, or the nearest point.
    cursorIndex(u) {
      const { left, idx } = u.cursor;
      if (!(left >= 0) || idx == null) return null;
      return this.bars && idx > 0 && this.x[idx] > u.posToVal(left, 'x') + 1e-9 ? idx - 1 : idx;
    }

    isShown(index) { return this.entries.some((entry) => entry.on && entry.lines.includes(index)); }
    // The data for uPlot. Values of stacked lines are added to those of the previous ones.
    data() {
      let base = null;
      this.bases = [];
      const ys = this.lines.map((line, index) => {
        if (!isStacked(line.style) || !this.isShown(index)) return line.y;
        const below = base;
        this.bases[index] = below;
        base = line.y.map((v, i) => v == null && below == null ? null : (v || 0) + (below ? below[i] || 0 : 0));
        return base;
      });
      return [this.x, ...ys];
    }
    series(line, index) {
      const stroke = colours.colour(line.colour);
      const dash = colours.dash(line.colour, line.style === 'dashed');
      const common = { label: line.name, show: this.isShown(index), stroke, width: 1.6, dash, points: { show: false }, spanGaps: false };
      const isolatedPoints = { show: (u, si, i0, i1) => i1 - i0 < 3 && line.style !== 'step', size: 5 };
      switch (line.style) {
        case 'step': return { ...common, paths: uPlot.paths.stepped({ align: 1 }) };
        case 'bars': return { ...common, width: 0, fill: faded(stroke, 0.85), paths: bars(() => this.bases[index]) };
        case 'band_low': return { ...common, width: 0.7, stroke: faded(stroke, 0.55), dash: [] };
        case 'band_high': return { ...common, width: 0.7, stroke: faded(stroke, 0.55), dash: [], fill: faded(stroke, 0.2), paths: between(() => index > 0 && this.lines[index - 1].style === 'band_low' ? this.lines[index - 1].y : null) };
        case 'stacked': return { ...common, width: 1, dash: [], fill: faded(stroke, colours.isDark() ? 0.5 : 0.55), paths: between(() => this.bases[index]) };
        default: return { ...common, points: isolatedPoints };
      }
    }
    // Whether the plot shows labels of spans: the first row of plots in a section does.
    get hasSpanLabels() { return this.labelSpans && this.time && spans.some((span) => span.label); }
    get width() { return Math.max(200, Math.floor(this.host.clientWidth)); }
    get height() { return innerWidth < 560 ? NARROW_HEIGHT : HEIGHT; }
    options() {
      const grid = { stroke: css('--grid'), width: 1 };
      const axis = { stroke: css('--muted'), font: '11px ' + css('--sans'), grid, ticks: { stroke: css('--grid'), width: 1, size: 4 }, gap: 4 };
      const { unit } = this;
      const xScale = this.time ? { time: false, auto: false, range: (u, min, max) => [min, max] }
        : { time: false, distr: 3, log: 10, auto: false, range: (u, min, max) => [min, max] };
      const xAxis = this.time
        ? { ...axis, size: 30, space: 62, incrs: format.timeIncrements, values: (u, splits, _, __, step) => format.clock(splits, step, u.scales.x.max) }
        : { ...axis, size: 30, space: 44, splits: (u) => logTicks(u.scales.x.min, u.scales.x.max, u.bbox.width / devicePixelRatio), filter: (u, splits) => splits, values: (u, splits) => format.logTickLabels(splits) };
      const yAxis = { ...axis, size: 58, space: 32, incrs: unit === 'seconds' ? format.timeIncrements : format.increments, values: (u, splits) => format.ticks(splits, unit) };
      return {
        width: this.width, height: this.height, pxAlign: 0, legend: { show: false },
        padding: [this.hasSpanLabels ? 20 : 10, 24, 0, 0],
        scales: { x: xScale, y: { range: (u, min, max) => this.yRange(min, max) } },
        series: [{}, ...this.lines.map((line, index) => this.series(line, index))],
        axes: [xAxis, yAxis],
        cursor: {
          y: false,
          points: { size: 7, width: 1.5 },
          drag: { x: true, y: false, dist: 5, setScale: true },
          bind: { dblclick: () => () => { this.time ? R.setRange(null) : this.applyXRange(); } },
          sync: this.time ? { key: 'time', setSeries: false, scales: ['x', null], filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } } : undefined,
        },
        hooks: {
          drawClear: [(u) => this.shade(u)],
          draw: [(u) => this.annotate(u)],
          setCursor: [(u) => this.showValues(this.cursorIndex(u))],
          setScale: [(u, key) => {
            if (key !== 'x' || !this.u) return;
            if (this.time) this.shareRange(u.scales.x.min, u.scales.x.max);
            this.showValues(this.cursorIndex(u));
          }],
        },
      };
    }
    // The range of the y axis: includes 0, all values, and reference lines near them.
    yRange(min, max) {
      let top = Math.max(max == null ? 0 : max, 0);
      const measured = top;
      for (const { value } of this.thresholds) if (value <= measured * 2.5 || measured === 0) top = Math.max(top, value);
      const withMargin = top * 1.06;
      top = this.plot.top != null && measured <= this.plot.top * 1.0001 ? Math.max(this.plot.top * 1.02, withMargin > this.plot.top * 1.07 ? withMargin : 0) : withMargin;
      if (!(top > 0)) top = 1;
      return [min < 0 ? min * 1.06 : 0, top];
    }
    // The range of the x axis.
    xRange() {
      if (this.time) return R.range || full.time;
      const first = this.x[0] > 0 ? this.x[0] : (this.x[1] || 1) / 2;
      const last = this.x[this.x.length - 1];
      return [first, last > first ? last : first * 10];
    }
    // Applies a range that the reader selected in this plot to all time plots. A range set by `setRange` is not applied again.
    shareRange(min, max) {
      const [from, to] = this.xRange();
      const same = (a, b) => Math.abs(a - b) <= (to - from) * 1e-9;
      if (!same(min, from) || !same(max, to)) R.setRange([min, max], this);
    }
    applyXRange() { const [min, max] = this.xRange(); this.u.setScale('x', { min, max }); }
    draw() {
      if (this.u || this.empty) return;
      const chart = new uPlot(this.options(), this.data(), this.host);
      const [min, max] = this.xRange();
      chart.setScale('x', { min, max });
      this.u = chart;
      R.drawn++;
    }
    redraw() {
      if (!this.u) return;
      this.u.destroy();
      this.u = null;
      R.drawn--;
      this.draw();
    }
    resize(width, height) {
      if (!this.u) return;
      const size = { width: width || this.width, height: height || this.height };
      if (size.width !== this.u.width || size.height !== this.u.height) this.u.setSize(size);
    }

    // Below the lines: spans of the scenario, and the time of the selected finding.
    shade(u) {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
      const box = (from, to, fill) => {
        const a = u.valToPos(from, 'x', true), b = u.valToPos(to, 'x', true);
        ctx.fillStyle = fill;
        ctx.fillRect(a, bbox.top, Math.max(b - a, 1), bbox.height);
        return [a, b];
      };
      if (this.time) {
        for (const span of shaded) box(span.from, span.to, css('--span'));
        for (const span of spans) box(span.from, span.from, css('--span'));
        if (highlight) {
          const [a, b] = box(highlight[0], highlight[1], css('--highlight'));
          ctx.fillStyle = css('--accent');
          for (const x of [a, b]) ctx.fillRect(x - devicePixelRatio / 2, bbox.top, devicePixelRatio, bbox.height);
        }
      }
      ctx.restore();
    }
    // On top of the lines: reference lines, and labels of spans.
    annotate(u) {
      const { ctx, bbox } = u;
      const px = devicePixelRatio;
      ctx.save();
      ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
      ctx.font = `${10.5 * px}px ${css('--sans')}`;
      ctx.lineWidth = px;
      const drawText = (text, x, y, fill) => {
        ctx.lineWidth = 3 * px; ctx.lineJoin = 'round'; ctx.strokeStyle = css('--card'); ctx.strokeText(text, x, y);
        ctx.fillStyle = fill; ctx.fillText(text, x, y);
      };
      ctx.textBaseline = 'bottom'; ctx.textAlign = 'right';
      for (const { value, label } of this.thresholds) {
        const y = u.valToPos(value, 'y', true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.strokeStyle = css('--limit'); ctx.lineWidth = 1.2 * px; ctx.setLineDash([5 * px, 4 * px]);
        ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke(); ctx.setLineDash([]);
        const above = y - bbox.top > 14 * px;
        ctx.textBaseline = above ? 'bottom' : 'top';
        const text = format.shortened(label, (text) => ctx.measureText(text).width <= bbox.width - 8 * px);
        drawText(text, bbox.left + bbox.width - 4 * px, above ? y - 2 * px : y + 3 * px, css('--limit'));
      }
      ctx.restore();
      if (this.hasSpanLabels) this.drawSpanLabels(u);
    }

    // Labels of spans: above the plot, or inside it where spans overlap.
    drawSpanLabels(u) {
      const { ctx, bbox } = u;
      const px = devicePixelRatio;
      const end = bbox.left + bbox.width;
      ctx.save();
      ctx.font = `${10.5 * px}px ${css('--sans')}`;
      ctx.textAlign = 'left'; ctx.textBaseline = 'alphabetic'; ctx.lineJoin = 'round';
      const rows = [];
      for (const span of spans) {
        const a = Math.max(u.valToPos(span.from, 'x', true), bbox.left), b = Math.min(u.valToPos(span.to, 'x', true), end);
        if (b <= bbox.left || a >= end || !span.label) continue;
        const text = format.shortened(span.label, (text) => ctx.measureText(text).width <= Math.max(b - a, Math.min(bbox.width, 240 * px)) - 4 * px);
        // A label that would cross the right edge is moved to the left.
        const width = ctx.measureText(text).width, left = Math.max(bbox.left, Math.min(a, end - width - 4 * px));
        let row = rows.findIndex((rowEnd) => rowEnd <= left);
        if (row < 0) row = rows.length;
        if (row > 2) continue;
        rows[row] = left + 10 * px + width;
        const x = left + (row ? 4 * px : 0), y = bbox.top + (row ? 13 * row - 1 : -6) * px;
        ctx.lineWidth = 3 * px; ctx.strokeStyle = css('--card'); ctx.strokeText(text, x, y);
        ctx.fillStyle = css('--span-text'); ctx.fillText(text, x, y);
      }
      ctx.restore();
    }

    key(event) {
      if (!this.u || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) this.moveCursor(step * (event.shiftKey ? 10 : 1));
      else if (event.key === '+' || event.key === '=') this.zoom(0.5);
      else if (event.key === '-') this.zoom(2);
      else if (event.key === 'Home' || event.key === 'End') this.moveCursor(event.key === 'Home' ? -Infinity : Infinity);
      else return;
      event.preventDefault();
    }
    moveCursor(by) {
      const { min, max } = this.u.scales.x;
      let lowest = this.x.findIndex((x) => x >= min), highest = this.x.length - 1;
      while (highest > lowest && this.x[highest] > max) highest--;
      if (lowest < 0) lowest = 0;
      const { left, idx } = this.u.cursor;
      const now = left >= 0 && idx != null ? this.cursorIndex(this.u) : by > 0 ? lowest - by : highest - by;
      const at = Math.min(highest, Math.max(lowest, Number.isFinite(by) ? now + by : by > 0 ? highest : lowest));
      this.u.setCursor({ left: this.u.valToPos(this.x[at], 'x') + 1e-6, top: this.u.over.clientHeight / 2 }, true, true);
      const values = this.entries.filter((entry) => entry.on).map((entry) => entry.name + ' ' + entry.value.textContent);
      document.getElementById('live').textContent = this.where.textContent + ': ' + values.join(', ');
    }
    zoom(factor) {
      const { min, max } = this.u.scales.x;
      const { left, idx } = this.u.cursor;
      if (!this.time) return;
      const centre = left >= 0 && idx != null ? this.x[idx] : (min + max) / 2;
      const half = (max - min) * factor / 2;
      R.setRange([centre - half, centre + half]);
    }
  }

  function logTicks(min, max, width) {
    const decades = Math.log10(max / min);
    const steps = width / Math.max(decades, 0.1) > 240 ? [1, 2, 5] : width / Math.max(decades, 0.1) > 110 ? [1, 3] : [1];
    const out = [];
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
      for (const step of steps) {
        const value = Number(step + 'e' + power);
        if (value >= min * 0.9999 && value <= max * 1.0001) out.push(value);
      }
    }
    return out;
  }
  // Draws bars between consecutive x values, stacked on a lower line. Narrow bars have no gap between them.
  function bars(lower) {
    return (u, si, i0, i1) => {
      const path = new Path2D();
      const [xs, ys, low] = [u.data[0], u.data[si], lower()];
      const logarithmic = u.scales.x.distr === 3;
      for (let i = Math.max(i0 - 1, 0); i <= i1; i++) {
        const bottom = (low && low[i]) || 0;
        if (ys[i] == null || i + 1 >= xs.length || ys[i] <= bottom) continue;
        const a = u.valToPos(logarithmic ? Math.max(xs[i], 1e-12) : xs[i], 'x', true), b = u.valToPos(xs[i + 1], 'x', true);
        const y = u.valToPos(ys[i], 'y', true);
        const gap = b - a > 5 ? 1 : 0;
        path.rect(a, y, Math.max(b - a - gap, 0.5), u.valToPos(bottom, 'y', true) - y);
      }
      return { stroke: path, fill: path, clip: null, band: null, gaps: null, flags: 0 };
    };
  }
  // Draws a line, and fills the area between a lower line, or 0, and the line.
  function between(lower) {
    return (u, si, i0, i1) => {
      const [xs, ys, low] = [u.data[0], u.data[si], lower()];
      const stroke = new Path2D(), fill = new Path2D();
      let run = [];
      const close = () => {
        if (run.length) {
          run.forEach(([x, y], i) => i ? (stroke.lineTo(x, y), fill.lineTo(x, y)) : (stroke.moveTo(x, y), fill.moveTo(x, y)));
          for (let i = run.length - 1; i >= 0; i--) fill.lineTo(run[i][0], run[i][2]);
          fill.closePath();
        }
        run = [];
      };
      for (let i = Math.max(i0 - 1, 0); i <= Math.min(i1 + 1, xs.length - 1); i++) {
        if (ys[i] == null || (low && low[i] == null)) { close(); continue; }
        run.push([u.valToPos(xs[i], 'x', true), u.valToPos(ys[i], 'y', true), u.valToPos(low ? low[i] : 0, 'y', true)]);
      }
      close();
      return { stroke, fill, clip: null, band: null, gaps: null, flags: 0 };
    };
  }

  // Sets the range of all time plots; null is the whole run. `from` is the plot in which the reader selected it.
  let applying = false;
  R.setRange = (range, from) => {
    if (applying) return;
    const [start, end] = full.time;
    if (range) {
      let [a, b] = range;
      const minLength = (end - start) * 1e-6;
      if (b - a < minLength) { const centre = (a + b) / 2; a = centre - minLength / 2; b = centre + minLength / 2; }
      a = Math.max(a, start); b = Math.min(b, end);
      range = b <= a || (a <= start && b >= end) ? null : [a, b];
    }
    if (!range) highlight = null;
    R.range = range;
    const [min, max] = range || full.time;
    applying = true;
    for (const chart of charts) if (chart.u && chart.time && chart !== from) chart.u.batch(() => chart.u.setScale('x', { min, max }));
    applying = false;
    // The plot in which the range was selected is still updating: if its range was clipped, it is corrected afterwards.
    if (from) queueMicrotask(() => from.u && (from.u.scales.x.min !== min || from.u.scales.x.max !== max) && from.applyXRange());
    document.getElementById('reset').hidden = !range;
  };
  R.highlight = (from, to) => {
    const margin = Math.max((to - from) * 0.35, (full.time[1] - full.time[0]) * 0.01);
    R.setRange([from - margin, to + margin]);
    highlight = [from, to];
    for (const chart of charts) if (chart.u && chart.time) chart.u.redraw(false);
  };
  R.show = (id) => {
    const chart = charts.find((chart) => chart.plot.id === id);
    if (!chart) return;
    const details = chart.element.closest('details');
    if (details) details.open = true;
    chart.draw();
    chart.element.scrollIntoView({ block: 'center', behavior: reducedMotion.matches ? 'auto' : 'smooth' });
    for (const other of charts) other.element.classList.toggle('chosen', other === chart);
    if (!chart.empty) chart.host.focus({ preventScroll: true });
  };
  R.drawAll = () => { for (const chart of charts) chart.draw(); return R.drawn; };
  R.redrawAll = () => { for (const chart of charts) { chart.fillLegend(); chart.redraw(); } };
  R.resizeAll = (width, height) => { for (const chart of charts) chart.resize(width, height); };
  R.charts = charts;

  // Plots are drawn when they approach the visible area, so that a page with fifty plots opens at once.
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) { near.unobserve(target); target.chart.draw(); }
  }, { rootMargin: '400px' });
  // Plots are resized in the next frame: resizing within the observer would trigger it again, in an endless loop.
  const sizes = new ResizeObserver((changed) => requestAnimationFrame(() => {
    if (!R.printing) for (const { target } of changed) target.chart.resize();
  }));
  // The times in at least one of these spans, without overlaps: shades would add up.
  function united(spans) {
    const all = [];
    for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
      const last = all[all.length - 1];
      if (last && from <= last.to) last.to = Math.max(last.to, to); else all.push({ from, to });
    }
    return all;
  }

  R.start = (page) => { spans = page.spans || []; shaded = united(spans); R.long = page.seconds > 300; };
  R.setSeconds = (seconds) => {
    const ends = charts.filter((chart) => chart.time && chart.x.length).map((chart) => chart.x[chart.x.length - 1]);
    full.time = [0, seconds > 0 ? seconds : Math.max(1e-9, ...ends)];
    if (!(full.time[1] > 1e-9)) full.time = [0, 1];
  };
  R.plot = (plot, labelSpans) => {
    const chart = new Chart(plot, labelSpans);
    charts.push(chart);
    if (!chart.empty) R.plots++;
    chart.host.chart = chart;
    return chart.element;
  };
  R.observe = () => { for (const chart of charts) { near.observe(chart.host); sizes.observe(chart.host); } };
})();
