// Everything about one anomaly, and saying what it was.

import { get, post } from './api.js';
import { by, el, num, pill, table } from './dom.js';
import * as format from './format.js';

const LABELS = { incident: 'It was an incident', expected: 'Unusual, but wanted', false_alarm: 'A false alarm' };

let onLabelled = () => {};
export const whenLabelled = (then) => { onLabelled = then; };

/** Opens the stored anomaly of a time. */
export async function openStored(time) {
  try {
    const { anomaly, labels } = await get(`anomalies/${time}`);
    open(anomaly, labels, true);
  } catch (e) {
    open(null, [], false, e.message);
  }
}

/** Opens what is unusual now, which need not be stored. */
export const openCurrent = (anomaly) => open(anomaly, [], false);

let units = new Map();
export const knowUnits = (map) => { units = map; };

function open(anomaly, labels, isStored, problem) {
  const dialog = by('detail');
  by('detail-title').textContent = anomaly ? format.moment(anomaly.timestamp) : 'Not found';
  const body = anomaly ? why(anomaly, labels, isStored) : [el('p', { className: 'problem' }, problem)];
  by('detail-body').replaceChildren(...body);
  if (!dialog.open) dialog.showModal();
}

function why(anomaly, labels, isStored) {
  const unit = (f) => units.get(f.feature) ?? 'unknown';
  const bar = (part) => {
    const made = el('div', { className: 'bar' });
    made.style.width = `${Math.max(2, Math.round(100 * Math.min(1, part)))}%`;
    return el('td', {}, made, el('small', { className: 'dim' }, format.share(part)));
  };
  const rows = anomaly.features.filter((f) => f.contribution > 0.005).map((f) => [
    format.nameOf(f.feature), num(format.value(f.observed, unit(f))), num(format.extent(...f.expected, unit(f))), bar(f.contribution),
    [f.kind?.replaceAll('_', ' '), f.since && `since ${format.moment(f.since)}`].filter(Boolean).join(', '),
  ]);
  return [
    el('p', { className: 'row' }, pill(anomaly.severity),
      el('span', { className: 'dim' }, `score ${anomaly.score.toFixed(2)} · as rare as ${format.rare(anomaly.p_value)} · confidence ${format.share(anomaly.confidence)}`)),
    el('p', { className: 'sentence' }, anomaly.description),
    table(['Feature', 'Seen', 'Expected', 'Share of the score', 'Change'], rows),
    anomaly.suggested_actions.length ? el('ul', { className: 'plain' }, ...anomaly.suggested_actions.map((a) => el('li', {}, `→ ${a}`))) : null,
    similar(anomaly),
    isStored ? feedback(anomaly, labels) : null,
  ].filter(Boolean);
}

function similar(anomaly) {
  if (!anomaly.similar.length) return el('p', { className: 'dim' }, 'Nothing like it is among the stored events.');
  const link = (t) => el('button', { type: 'button', className: 'link', onclick: () => openStored(t) }, format.moment(t));
  return el('p', { className: 'row' }, el('span', { className: 'dim' }, 'It was like this before:'), ...anomaly.similar.map(link));
}

function feedback(anomaly, labels) {
  const current = labels.at(-1);
  const note = el('input', { type: 'text', maxLength: 1000, placeholder: 'Why? (optional)', value: current?.note ?? '' });
  note.setAttribute('aria-label', 'Note');
  const said = el('span', { className: 'dim', role: 'status' });
  const button = (kind) => el('button', {
    type: 'button',
    'aria-pressed': String(current?.kind === kind),
    onclick: async () => {
      try {
        await post('label', { anomaly: anomaly.timestamp, kind, note: note.value });
        onLabelled();
        await openStored(anomaly.timestamp);
      } catch (e) { said.textContent = e.message; }
    },
  }, LABELS[kind]);
  return el('div', {}, el('h2', {}, 'What was it?'),
    el('p', { className: 'row' }, ...Object.keys(LABELS).map(button), note),
    said, current ? el('p', { className: 'dim' }, `Said ${format.ago(current.made_at)}.`) : null);
}
