// One card a feature: its chart, its value, and what is usual.

import { Chart } from './chart.js';
import { by, el, set } from './dom.js';
import * as format from './format.js';
import { isOf } from './lists.js';

const SCORE = 'performance_score';
const cards = new Map();

/** Makes the cards once, and hands every chart's gestures on. */
function card(feature, unit, on) {
  const known = cards.get(feature);
  if (known) return known;
  const title = el('h3', {}, format.nameOf(feature));
  title.title = feature;
  const now = el('output', {}, '…');
  const usual = el('span');
  const when = el('span');
  const canvas = el('canvas', { tabIndex: 0, role: 'img' });
  const root = el('article', { className: feature === SCORE ? 'card chart lead' : 'card chart' },
    el('header', {}, title, now), el('div', { className: 'sub' }, usual, when),
    el('div', { className: 'plot' }, canvas));
  by('charts').append(root);
  const chart = new Chart(canvas, unit, {
    hover: (t, byKey) => on.hover(t, byKey ? feature : null), pick: on.pick, zoom: on.zoom, back: on.back,
  });
  const made = { root, now, usual, when, canvas, chart, unit, feature };
  cards.set(feature, made);
  return made;
}

/** All features with the same axis of time. `view`: from, to, now. */
export function showCharts(points, usual, report, happened, view, on) {
  const lists = points.features.map((f) => ({ ...f, marks: marksOf(f.feature, happened, view) }));
  if (points.performance_score) {
    const s = points.performance_score;
    lists.unshift({ feature: SCORE, unit: 'score', mean: s, min: s, max: s, limit: 80, marks: marksOf(null, happened, view) });
  }
  const half = points.resolution / 2;
  const xs = points.starts.map((t) => Math.min(t + half, Math.max(t, view.now)));
  for (const list of lists) {
    const c = card(list.feature, list.unit, on);
    const current = report?.current?.values.find((v) => v.feature === list.feature);
    const isMissing = !list.mean.some(Number.isFinite) && !Number.isFinite(current?.value);
    c.root.hidden = isMissing && list.feature !== SCORE;
    c.chart.set({
      ...view, xs, resolution: points.resolution, mean: list.mean, min: list.min, max: list.max, limit: list.limit, marks: list.marks,
      band: current?.usual ?? null, usual: usualOf(list.feature, usual), forecast: forecastOf(list.feature, report, view.now),
    });
  }
  by('usual-now').hidden = usual ? !usual.basis.includes('unknown') : false;
  showValues(report);
  describe(view);
}

/** What was usual of a feature at each hour, from middle to middle. */
function usualOf(feature, usual) {
  const found = feature === SCORE ? usual?.performance_score : usual?.features.find((f) => f.feature === feature);
  return found ? { ...found, ts: usual.starts.map((t) => t + usual.resolution / 2) } : null;
}

/** Whether a feature made a good part of a finding. */
const leads = (features, feature) => features.slice(0, 3).some((f) => f.feature === feature && f.contribution >= 0.1);

/** A finding is marked where a feature made a good part of it; on the score, every one is. An incident has a length, and
 * is hollow where nobody was told of it. */
function marksOf(feature, { incidents, anomalies }, view) {
  const counts = (of) => feature === null || of.subject === feature || leads(of.features, feature);
  const lone = anomalies.filter((a) => counts(a) && !incidents.some((i) => isOf(a.timestamp, i)));
  return [
    ...incidents.filter(counts).map((i) => ({
      t: i.began_at, until: i.ended_at ?? (i.state === 'resolved' ? i.last_seen : view.now), severity: i.severity, hollow: !i.fired_at, incident: i.id, what: i.description,
    })),
    ...lone.map((a) => ({ t: a.timestamp, until: a.timestamp, severity: a.severity, what: a.description })),
  ];
}

/** From the value now through each predicted median. */
function forecastOf(feature, report, now) {
  if (!report?.current) return [];
  const isOf = (p) => (feature === SCORE ? p.prediction_type === SCORE : p.prediction_type?.feature === feature);
  const found = report.predictions.filter((p) => isOf(p) && p.timestamp + p.horizon > now && Number.isFinite(p.value))
    .map((p) => ({ t: p.timestamp + p.horizon, mid: p.value, low: p.interval.lower, high: p.interval.upper }))
    .sort((a, b) => a.t - b.t);
  const value = feature === SCORE ? report.current.performance_score
    : report.current.values.find((v) => v.feature === feature)?.value;
  if (!found.length || !Number.isFinite(value)) return [];
  return [{ t: report.current.timestamp, mid: value, low: value, high: value }, ...found];
}

/** The values now, and what is usual. */
export function showValues(report) {
  const severity = report?.anomaly?.severity ?? 'none';
  for (const c of cards.values()) {
    const current = report?.current?.values.find((v) => v.feature === c.feature);
    const value = c.feature === SCORE ? report?.current?.performance_score : current?.value;
    // During the first look at a host there is no report, but samples are.
    c.value = report ? value : c.chart.data.mean.findLast(Number.isFinite);
    if (c.chart.at === null) set(c.now, format.value(c.value, c.unit));
    const reason = report?.current?.missing.find((m) => m.feature === c.feature)?.reason;
    const hour = report && c.chart.usualAt(report.timestamp);
    const usual = [current?.usual && `usual ${format.extent(...current.usual, c.unit)}`, hour && `at this hour ${format.extent(...hour, c.unit)}`];
    set(c.usual, reason ?? usual.filter(Boolean).join(', '));
    const isOdd = severity !== 'none' && leads(report?.anomaly?.features ?? [], c.feature);
    c.root.classList.toggle('odd', isOdd);
    c.root.dataset.severity = isOdd ? severity : 'none';
  }
}

/** The same moment in every chart; `null` for now. After now it is what is predicted. */
export function hover(time, speaking) {
  for (const c of cards.values()) {
    c.chart.show(time);
    const at = time === null ? null : c.chart.pointAt(time) ?? c.chart.forecastAt(time);
    set(c.now, format.value(time === null ? c.value : at?.mean, c.unit));
    const spread = at && at.max - at.min > 0 ? ` · ${at.isAhead ? '90 %: ' : ''}${format.extent(at.min, at.max, c.unit)}` : '';
    const hour = at && c.chart.usualAt(at.t);
    const usual = hour ? ` · usual then ${format.extent(...hour, c.unit)}` : '';
    set(c.when, time === null ? '' : `${format.moment(at?.t ?? time)}${at?.isAhead ? ', forecast' : ''}${spread}${usual}`);
    c.usual.hidden = time !== null;
    if (speaking === c.feature && at) {
      c.canvas.setAttribute('aria-label', `${format.nameOf(c.feature)} at ${format.moment(at.t)}: ${format.value(at.mean, c.unit)}`);
    }
  }
}

/** What a chart shows, for who does not see it. */
function describe(view) {
  for (const c of cards.values()) {
    // While somebody moves along it, it says that moment.
    if (c.chart.at !== null) continue;
    const { mean, marks, forecast } = c.chart.data;
    const seen = mean.filter(Number.isFinite);
    const low = seen.length ? Math.min(...seen) : NaN;
    const high = seen.length ? Math.max(...seen) : NaN;
    const ahead = forecast.at(-1);
    c.canvas.setAttribute('aria-label', [
      `${format.nameOf(c.feature)}, last ${format.span(view.now - view.from)}: ${format.extent(low, high, c.unit)}`,
      `now ${format.value(c.value, c.unit)}`, c.usual.textContent,
      ahead && `forecast ${format.value(ahead.mid, c.unit)}`,
      marks.length ? `${marks.length} marked, Enter opens the nearest` : '', 'arrow keys move along it',
    ].filter(Boolean).join('; '));
  }
}
