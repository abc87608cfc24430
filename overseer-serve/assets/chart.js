// A chart of one quantity over time, on a canvas: mean, lowest to highest, the usual band, a forecast with its
// interval, and anomalies. It knows nothing of where its data comes from.

import * as format from './format.js';

const LEFT = 58;
const BOTTOM = 18;
const TOP = 16;
const RIGHT = 6;
const NEAR = 9; // How near, in pixels, a pointer must be to hit an anomaly.

const STEPS = [1, 2, 5, 10, 15, 30].map((s) => s * 1000)
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * 60e3), [1, 2, 3, 6, 12].map((h) => h * 3600e3),
    [1, 2, 7, 14, 30, 60, 90, 180, 365].map((d) => d * 86400e3));

/** A round number at or above `x`, so that the axis has round labels. */
function roundUp(x, unit) {
  if (!(x > 0)) return unit === 'ratio' ? 0.05 : 1;
  const power = 10 ** Math.floor(Math.log10(x));
  const top = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((m) => m * power >= x * 0.999) * power;
  return unit === 'ratio' && x <= 1 ? Math.min(1, top) : top;
}

export class Chart {
  /** `on` has `hover(time|null)`, `pick(mark)`, `zoom(from, to)` and `back()`. */
  constructor(canvas, unit, on) {
    this.canvas = canvas;
    this.unit = unit;
    this.on = on;
    this.data = null;
    this.at = null;
    this.drag = null;
    const time = (event) => this.timeAt(event.offsetX);
    canvas.addEventListener('pointermove', (event) => {
      if (this.drag) this.drag.to = event.offsetX;
      canvas.style.cursor = this.markAt(event.offsetX, event.offsetY) ? 'pointer' : '';
      on.hover(time(event));
    });
    canvas.addEventListener('pointerleave', () => { this.drag = null; on.hover(null); });
    canvas.addEventListener('pointerdown', (event) => {
      if (event.pointerType === 'mouse') this.drag = { from: event.offsetX, to: event.offsetX };
    });
    canvas.addEventListener('pointerup', (event) => {
      const { drag } = this;
      this.drag = null;
      if (drag && Math.abs(event.offsetX - drag.from) > 12) {
        const [a, b] = [this.timeAt(drag.from), time(event)].sort((x, y) => x - y);
        if (b - a >= 2000) on.zoom(a, b);
        return;
      }
      const mark = this.markAt(event.offsetX, event.offsetY);
      if (mark) on.pick(mark);
    });
    canvas.addEventListener('dblclick', () => on.back());
    canvas.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Arrow keys move along the points, Enter opens the anomaly nearest to where they are. */
  key(event) {
    if (!this.data?.xs.length) return;
    const { xs, marks } = this.data;
    const here = this.at === null ? xs.length - 1 : this.nearest(this.at);
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -xs.length, End: xs.length }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      this.on.hover(xs[Math.min(xs.length - 1, Math.max(0, here + by))], true);
    } else if (event.key === 'Enter' && marks.length) {
      const t = xs[here];
      this.on.pick(marks.reduce((a, b) => (Math.abs(b.t - t) < Math.abs(a.t - t) ? b : a)));
    } else if (event.key === 'Escape') {
      this.on.hover(null);
    }
  }

  /** `data`: from, to, now, step (the time between samples), resolution, xs, mean, min, max, limit, forecast [{t, mid, low, high}],
   * usual {ts, lower, upper} or null, band [low, high] or null for where that is not known,
   * marks [{t, until, severity, hollow}]. */
  set(data) {
    this.data = data;
    const seen = [0];
    for (const list of [data.mean, data.max]) for (const v of list) if (Number.isFinite(v)) seen.push(v);
    for (const f of data.forecast) seen.push(f.mid ?? 0);
    // The upper edge of what is usual is shown too, unless what was seen would be flat below it.
    const most = Math.max(...seen);
    const edges = data.usual ? data.usual.upper.filter((v, i) => Number.isFinite(v) && data.usual.ts[i] >= data.from && data.usual.ts[i] <= data.to) : [data.band?.[1] ?? 0];
    const edge = Math.max(0, ...edges);
    if (edge <= 2 * most) seen.push(edge);
    this.top = this.unit === 'score' ? 100 : roundUp(Math.max(...seen), this.unit);
    this.draw();
  }

  show(time) { this.at = time; this.draw(); }

  size() { return { w: this.canvas.clientWidth, h: this.canvas.clientHeight }; }

  x(t) { const { from, to } = this.data; return LEFT + ((t - from) / (to - from)) * (this.size().w - LEFT - RIGHT); }

  y(v) { const { h } = this.size(); return h - BOTTOM - (Math.max(0, Math.min(v, this.top)) / this.top) * (h - BOTTOM - TOP); }

  timeAt(px) {
    if (!this.data) return null;
    const { from, to } = this.data;
    return from + ((px - LEFT) / (this.size().w - LEFT - RIGHT)) * (to - from);
  }

  nearest(time) {
    const { xs } = this.data;
    let [low, high] = [0, xs.length - 1];
    while (low < high) {
      const mid = (low + high) >> 1;
      if (xs[mid] < time) low = mid + 1; else high = mid;
    }
    return low > 0 && time - xs[low - 1] < xs[low] - time ? low - 1 : low;
  }

  /** The point under a time, if there is one near it. */
  pointAt(time) {
    if (!this.data?.xs.length || time === null) return null;
    const i = this.nearest(time);
    const { xs, mean, min, max } = this.data;
    if (Math.abs(xs[i] - time) > this.gap() || (i === xs.length - 1 && time > xs[i] + this.gap() / 3)) return null;
    return { t: xs[i], mean: mean[i], min: min[i], max: max[i] };
  }

  /** What was usual at a time: on the line between the middles of two hours; null where it is not known. */
  usualAt(time) {
    const { ts, lower, upper } = this.data?.usual ?? { ts: [] };
    const length = ts.length > 1 ? ts[1] - ts[0] : 3600e3;
    if (!ts.length || time < ts[0] - length / 2 || time > ts.at(-1) + length / 2) return null;
    const place = Math.min(ts.length - 1, Math.max(0, (time - ts[0]) / length));
    const [a, b] = [Math.floor(place), Math.ceil(place)];
    const known = [a, b].filter((i) => Number.isFinite(upper[i]));
    // Where only one side is known, up to the middle.
    if (known.length < 2) return known[0] === Math.round(place) ? [lower[known[0]], upper[known[0]]] : null;
    return [lower, upper].map((list) => list[a] + (place - a) * (list[b] - list[a]));
  }

  /** What is predicted for a time after now: between two predictions on the line from one to the other. */
  forecastAt(time) {
    const ahead = this.data?.forecast ?? [];
    const after = ahead.findIndex((f) => f.t >= time);
    if (after < 1) return null;
    const [a, b] = [ahead[after - 1], ahead[after]];
    const part = (time - a.t) / (b.t - a.t);
    const at = (x, y) => x + part * (y - x);
    return { t: time, mean: at(a.mid, b.mid), min: at(a.low ?? 0, b.low ?? 0), max: at(a.high ?? this.top, b.high ?? this.top), isAhead: true };
  }

  /** The mark under a pointer: its dot, or anywhere within the strip of one that lasts. */
  markAt(px, py) {
    if (!this.data) return null;
    const { marks } = this.data;
    const dot = marks.find((m) => Math.hypot(this.x(m.t) - px, TOP / 2 - py) <= NEAR);
    return dot ?? marks.find((m) => py <= TOP && px >= this.x(m.t) && px <= this.x(m.until)) ?? null;
  }

  draw() {
    const { w, h } = this.size();
    if (!this.data || !w) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(w * ratio);
    this.canvas.height = Math.round(h * ratio);
    const g = this.canvas.getContext('2d');
    g.scale(ratio, ratio);
    const css = getComputedStyle(this.canvas);
    const color = (name) => css.getPropertyValue(`--${name}`).trim();
    g.font = '11px system-ui, sans-serif';
    this.axes(g, color, w, h);
    g.save();
    g.beginPath();
    g.rect(LEFT, 0, w - LEFT - RIGHT, h - BOTTOM + 1);
    g.clip();
    this.band(g, color, w);
    this.limit(g, color, w);
    this.series(g, color);
    this.ahead(g, color);
    g.restore();
    this.marks(g, color, h);
    this.cross(g, color, h);
  }

  axes(g, color, w, h) {
    g.fillStyle = color('dim');
    g.strokeStyle = color('grid');
    g.lineWidth = 1;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(this.y(part * this.top)) + 0.5;
      g.beginPath(); g.moveTo(LEFT, y); g.lineTo(w - RIGHT, y); g.stroke();
      g.fillText(format.value(part * this.top, this.unit).replace('.0 ', ' '), LEFT - 5, y);
    }
    const { from, to } = this.data;
    const length = to - from;
    const most = Math.max(2, Math.floor((w - LEFT) / 70));
    const step = STEPS.find((s) => length / s <= most) ?? STEPS.at(-1);
    const say = step < 60e3 ? format.clockSeconds : step < 86400e3 ? format.clock : step < 60 * 86400e3 ? format.day : format.month;
    const zone = new Date(from).getTimezoneOffset() * 60e3;
    g.textAlign = 'center';
    g.textBaseline = 'alphabetic';
    for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, h - BOTTOM); g.stroke();
      // At midnight the date says more than the time.
      const label = say === format.clock && format.clock(t) === '00:00' ? format.day(t) : say(t);
      if (x > LEFT + 12 && x < w - 20) g.fillText(label, x, h - 4);
    }
  }

  /** What was usual at each time; where that is not known, what is usual now, with broken edges. */
  band(g, color, w) {
    let run = [];
    let flat = [];
    const flush = () => { this.filled(g, color, run); this.flat(g, color, flat); [run, flat] = [[], []]; };
    for (let x = LEFT; x <= w - RIGHT; x += 2) {
      const usual = this.usualAt(this.timeAt(x));
      if (usual ? flat.length : run.length) flush();
      if (usual) run.push([x, ...usual]); else flat.push(x);
    }
    flush();
  }

  filled(g, color, run) {
    if (run.length < 2) return;
    g.fillStyle = color('band');
    g.beginPath();
    for (const [x, low, high] of run) g.lineTo(x, Math.min(this.y(high), this.y(low) - 2));
    for (const [x, low] of run.toReversed()) g.lineTo(x, this.y(low));
    g.fill();
    g.strokeStyle = color('band-edge');
    g.lineWidth = 1;
    for (const edge of [1, 2]) {
      g.beginPath();
      for (const point of run) if (point[edge] > this.top) g.moveTo(point[0], this.y(this.top)); else g.lineTo(point[0], this.y(point[edge]));
      g.stroke();
    }
  }

  flat(g, color, xs) {
    const { band } = this.data;
    if (!band || !xs.length) return;
    const [left, right] = [xs[0], xs.at(-1) + 2];
    const [low, high] = [this.y(band[0]), this.y(band[1])];
    g.fillStyle = color('band');
    g.fillRect(left, high, right - left, Math.max(2, low - high));
    g.strokeStyle = color('band-edge');
    g.setLineDash([4, 3]);
    g.lineWidth = 1;
    for (const [v, y] of [[band[0], low], [band[1], high]]) {
      if (v > this.top) continue;
      g.beginPath(); g.moveTo(left, Math.round(y) + 0.5); g.lineTo(right, Math.round(y) + 0.5); g.stroke();
    }
    g.setLineDash([]);
  }

  /** Above this line somebody should look. */
  limit(g, color, w) {
    if (!this.data.limit) return;
    const y = Math.round(this.y(this.data.limit)) + 0.5;
    g.strokeStyle = color('high');
    g.globalAlpha = 0.6;
    g.setLineDash([2, 4]);
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(LEFT, y); g.lineTo(w, y); g.stroke();
    g.setLineDash([]);
    g.globalAlpha = 1;
  }

  /** Points farther apart than this have a gap between them. Where points are finer than samples, most have none. */
  gap() { return 3 * Math.max(this.data.resolution, this.data.step ?? 0); }

  /** Stretches without a gap; a missing value is a gap too. */
  runs() {
    const { xs, mean } = this.data;
    const runs = [];
    let run = [];
    for (let i = 0; i < xs.length; i += 1) {
      const ok = Number.isFinite(mean[i]);
      if (run.length && (!ok || xs[i] - xs[i - 1] > this.gap())) { runs.push(run); run = []; }
      if (ok) run.push(i);
    }
    if (run.length) runs.push(run);
    return runs;
  }

  series(g, color) {
    const { xs, mean, min, max } = this.data;
    for (const run of this.runs()) {
      g.fillStyle = color('range');
      g.beginPath();
      for (const i of run) g.lineTo(this.x(xs[i]), this.y(max[i] ?? mean[i]));
      for (const i of [...run].reverse()) g.lineTo(this.x(xs[i]), this.y(min[i] ?? mean[i]));
      g.fill();
      g.strokeStyle = color('line');
      g.lineWidth = 1.6;
      g.lineJoin = 'round';
      g.beginPath();
      for (const i of run) g.lineTo(this.x(xs[i]), this.y(mean[i]));
      if (run.length === 1) g.lineTo(this.x(xs[run[0]]) + 2, this.y(mean[run[0]]));
      g.stroke();
    }
  }

  ahead(g, color) {
    const { forecast, now, to } = this.data;
    if (!forecast.length || now >= to) return;
    const x = Math.round(this.x(now)) + 0.5;
    g.strokeStyle = color('dim');
    g.setLineDash([2, 3]);
    g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, this.y(0)); g.stroke();
    g.setLineDash([]);
    g.fillStyle = color('ahead-fill');
    g.beginPath();
    for (const f of forecast) g.lineTo(this.x(f.t), this.y(f.high ?? this.top));
    for (const f of [...forecast].reverse()) g.lineTo(this.x(f.t), this.y(f.low ?? 0));
    g.fill();
    g.strokeStyle = color('ahead');
    g.lineWidth = 1.6;
    g.beginPath();
    for (const f of forecast) g.lineTo(this.x(f.t), this.y(f.mid));
    g.stroke();
  }

  /** A dot where something began, a strip and a shade for as long as it lasted. */
  marks(g, color, h) {
    const { from, to } = this.data;
    for (const mark of this.data.marks) {
      if (mark.until < from || mark.t > to) continue;
      const [x, end] = [Math.max(LEFT, this.x(mark.t)), this.x(Math.min(mark.until, to))];
      g.fillStyle = color(mark.severity);
      g.strokeStyle = color(mark.severity);
      if (end - x > 1) {
        g.globalAlpha = mark.hollow ? 0.07 : 0.13;
        g.fillRect(x, TOP, end - x, h - BOTTOM - TOP);
        g.globalAlpha = 0.8;
        g.fillRect(x, TOP / 2 - 1, end - x, 2);
        g.globalAlpha = 1;
      }
      g.lineWidth = 1;
      g.setLineDash([3, 3]);
      g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, h - BOTTOM); g.stroke();
      g.setLineDash([]);
      g.beginPath(); g.arc(x, TOP / 2, 5, 0, 7);
      if (mark.hollow) {
        g.fillStyle = color('card');
        g.lineWidth = 2;
        g.fill(); g.stroke();
      } else g.fill();
    }
  }

  cross(g, color, h) {
    if (this.drag && Math.abs(this.drag.to - this.drag.from) > 3) {
      g.fillStyle = color('band');
      g.fillRect(this.drag.from, TOP, this.drag.to - this.drag.from, h - BOTTOM - TOP);
    }
    if (this.at === null || this.at < this.data.from || this.at > this.data.to) return;
    const x = Math.round(this.x(this.at)) + 0.5;
    g.strokeStyle = color('dim');
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, h - BOTTOM); g.stroke();
    const point = this.pointAt(this.at);
    const shown = point ?? this.forecastAt(this.at);
    if (!shown || !Number.isFinite(shown.mean)) return;
    g.fillStyle = color(shown.isAhead ? 'ahead' : 'line');
    g.beginPath(); g.arc(this.x(shown.t), this.y(shown.mean), 3.5, 0, 7); g.fill();
  }
}
