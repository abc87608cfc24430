// What is below the charts: what happened, advice, room, patterns, models, notes.

import { labelled } from './acts.js';
import { openIncident, openStored } from './detail.js';
import { by, el, fill, num, pill, processes, table } from './dom.js';
import * as format from './format.js';
import { stateOf } from './incidents.js';

const SHOWN = 20;
const nothing = (text) => el('p', { className: 'dim' }, text);

/** Incidents of the range, and what was stored of anomalies that belong to none of them; the newest first. */
export function showHappened({ incidents, anomalies, labels, more }, isJudged) {
  const said = new Map(labels.map((l) => [l.anomaly, l.kind]));
  const lone = anomalies.filter((a) => !incidents.some((i) => isOf(a.timestamp, i)));
  by('anomalies-in').textContent = incidents.length + lone.length ? `${incidents.length + lone.length}${more ? '+' : ''} in this range` : '';
  const rows = [
    ...incidents.map((i) => [i.began_at, format.span((i.ended_at ?? Date.now()) - i.began_at), i.severity, stateOf(i),
      i.description, () => openIncident(i.id), labelled(i.label?.kind)]),
    ...lone.map((a) => [a.timestamp, '', a.severity, '', a.description, () => openStored(a.timestamp), labelled(said.get(a.timestamp))]),
  ].sort((a, b) => b[0] - a[0]).slice(0, SHOWN).map(([at, length, severity, state, what, onclick, called]) => [
    num(format.moment(at)), num(length), pill(severity), state,
    el('button', { type: 'button', className: 'link', onclick }, what || 'details'), called]);
  return fill(by('anomalies'), rows.length ? table(['When', 'How long', 'Worst', 'State', 'What', 'Called'], rows) : nothing(isJudged ? 'Nothing unusual in this range.' : 'Nothing is judged before the first look is over.'));
}

/** Whether a time lies within an incident. */
export const isOf = (time, incident) => incident.began_at <= time && time <= incident.last_seen;

export function showFound(report) {
  advice(report);
  room(report.room);
  if (report.processes.length) showProcesses(report.processes);
  patterns(report.patterns);
  models(report.learned.models);
  const notes = report.notices.map((n) => el('li', { className: n.warning ? 'warn' : '' }, n.message));
  const missing = (report.current?.missing ?? []).map((m) => el('li', { className: 'dim' }, `${format.nameOf(m.feature)}: ${m.reason}`));
  fill(by('notices'), notes.length || missing.length ? el('ul', { className: 'plain' }, ...notes, ...missing) : nothing('Nothing to note.'));
}

function advice(report) {
  const items = report.recommendations.map((r) => el('li', {},
    el('strong', {}, r.action), ' ', pill(r.priority), el('div', { className: 'dim' }, `Because: ${r.evidence}`),
    ...(r.actions ?? []).slice(0, 2).map((a) => el('div', {}, el('code', {}, a.command))),
    r.processes.length ? el('div', { className: 'dim' }, `busiest: ${r.processes.slice(0, 3).map((p) => p.name).join(', ')}`) : null));
  fill(by('advice'), items.length ? el('ul', { className: 'plain' }, ...items) : nothing('Nothing needs doing.'));
}

export function showProcesses(found) {
  fill(by('processes'), found.length ? processes(found) : nothing('Measured when an event begins, or when asked.'));
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

/** Measures of quality that tell a person something, in words. */
const GOOD = {
  heldout_rows: (x) => `checked on ${x.toFixed(0)} held-back samples`, interval_coverage: (x) => `its intervals held ${format.share(x)} of them`,
  mae_ratio_to_last_value: (x) => `its error is ${format.share(x)} of saying "as now"`, flagged_share: (x) => `called ${format.share(x)} of normal ones unusual`,
  weekly_readiness: (x) => `knows ${format.share(x)} of the week`,
};

function models(list) {
  const items = list.map((m) => {
    const quality = Object.keys(GOOD).filter((k) => Number.isFinite(m.quality[k])).map((k) => GOOD[k](m.quality[k]));
    return el('li', {}, el('strong', {}, m.name.replaceAll('_', ' ')), ` ${m.algorithm}${m.provisional ? ', provisional' : ''}`,
      el('div', {}, `trained ${format.ago(m.trained_at)} on ${m.rows.toLocaleString('en')} samples`),
      el('div', { className: 'dim' }, quality.join('; ') || 'not checked yet'));
  });
  fill(by('models'), items.length ? el('ul', { className: 'plain' }, ...items) : nothing('None yet.'));
}
