// What is below the charts: anomalies, advice, room, patterns, models, notes.

import { by, el, fill, num, pill, table } from './dom.js';
import { openStored } from './detail.js';
import * as format from './format.js';

const nothing = (text) => el('p', { className: 'dim' }, text);

const SAID = { incident: 'incident', expected: 'expected', false_alarm: 'false alarm' };

export function showAnomalies(anomalies, labels, more) {
  const said = new Map(labels.map((l) => [l.anomaly, l.kind]));
  by('anomalies-in').textContent = anomalies.length ? `${anomalies.length}${more ? '+' : ''} in this range` : '';
  if (!anomalies.length) return fill(by('anomalies'), nothing('None in this range.'));
  const rows = anomalies.slice(0, 12).map((a) => [
    num(format.moment(a.timestamp)), pill(a.severity),
    el('button', { type: 'button', className: 'link', onclick: () => openStored(a.timestamp) }, a.description || 'details'),
    SAID[said.get(a.timestamp)] ?? '',
  ]);
  return fill(by('anomalies'), table(['When', 'Severity', 'What', 'Label'], rows));
}

export function showFound(report) {
  advice(report);
  room(report.room);
  if (report.processes.length || !by('processes').hasChildNodes()) showProcesses(report.processes);
  patterns(report.patterns);
  models(report.learned.models);
  const notes = report.notices.map((n) => el('li', { className: n.warning ? 'warn' : '' }, n.message));
  const missing = (report.current?.missing ?? []).map((m) => el('li', { className: 'dim' }, `${format.nameOf(m.feature)}: ${m.reason}`));
  fill(by('notices'), notes.length || missing.length ? el('ul', { className: 'plain' }, ...notes, ...missing) : nothing('Nothing to note.'));
}

function advice(report) {
  const items = report.recommendations.map((r) => el('li', {},
    el('strong', {}, r.action), ' ', el('span', { className: 'dim' }, `${r.priority} · ${r.evidence}`),
    r.processes.length ? el('div', { className: 'dim' }, `busiest: ${r.processes.slice(0, 3).map((p) => p.name).join(', ')}`) : null));
  fill(by('advice'), items.length ? el('ul', { className: 'plain' }, ...items) : nothing('Nothing needs doing.'));
}

export function showProcesses(found) {
  const rows = found.map((p) => [`${p.name} (${p.pid})`, num(Number.isFinite(p.cpu_cores) ? format.share(p.cpu_cores) : '–'),
    num(Number.isFinite(p.memory_bytes) ? format.value(p.memory_bytes, 'bytes') : '–'),
    num(Number.isFinite(p.io_bytes_per_second) ? format.value(p.io_bytes_per_second, 'bytes_per_second') : '–')]);
  fill(by('processes'), rows.length ? table(['Process', 'CPU, of a core', 'Memory', 'I/O'], rows) : nothing('Measured when an event begins, or when asked.'));
}

function room(left) {
  if (!left) return fill(by('room'), nothing('Looked at every five minutes; not yet.'));
  const filling = left.filling.map((p) => el('li', {}, el('strong', {}, p.explanation)));
  const fine = left.with_room.map((w) => [w.what, num(`not within ${format.span(w.within)}`)]);
  const soon = left.not_known.map((w) => [w.what, num(`seen ${format.span(w.seen)} of ${format.span(w.needed)}`)]);
  return fill(by('room'), filling.length ? el('ul', { className: 'plain' }, ...filling) : null,
    fine.length || soon.length ? table(['What', 'Full'], [...fine, ...soon]) : nothing('Nothing that can be full is known.'));
}

function patterns(found) {
  const told = found.filter((p) => p.pattern_type !== 'stable' || p.change_points.length);
  const stable = found.length - told.length;
  const items = told.slice(0, 12).map((p) => el('li', {}, el('span', { className: 'pill' }, p.pattern_type), ' ',
    p.insights.length ? p.insights.join(' ') : p.features.map(format.nameOf).join(', ')));
  const rest = stable ? nothing(`${stable} more without a shape worth telling.`) : null;
  fill(by('patterns'), items.length ? el('ul', { className: 'plain' }, ...items) : nothing(found.length ? 'Nothing but steady features.' : 'Not looked for yet.'), items.length ? rest : null);
}

const GOOD = {
  heldout_rows: ['checked on', (x) => `${x.toFixed(0)} rows`], interval_coverage: ['intervals held', format.share],
  mae_ratio_to_last_value: ['error against the last value', format.share], flagged_share: ['flagged when normal', format.share],
  weekly_readiness: ['week learned', format.share],
};

function models(list) {
  const rows = list.map((m) => {
    const quality = Object.entries(m.quality).filter(([k, v]) => GOOD[k] && Number.isFinite(v))
      .map(([k, v]) => `${GOOD[k][0]} ${GOOD[k][1](v)}`).join(', ');
    return [`${m.name.replaceAll('_', ' ')} (${m.algorithm})${m.provisional ? ', provisional' : ''}`,
      num(format.ago(m.trained_at)), num(m.rows.toLocaleString('en')), quality];
  });
  fill(by('models'), rows.length ? table(['Model', 'Trained', 'Rows', 'Quality'], rows) : nothing('None yet.'));
}
