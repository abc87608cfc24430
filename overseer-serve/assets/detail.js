// Everything about one incident or anomaly: why, what ran then, what was like it, and what can be done about it.

import { acknowledge, answerLine, label, labelled, silence } from './acts.js';
import { get } from './api.js';
import { by, el, num, pill, processes, table } from './dom.js';
import * as format from './format.js';

let units = new Map();
let show = () => {};
/** What is done to show a stretch of time in the charts. */
export const onShow = (look) => { show = look; };
export const knowUnits = (map) => { units = map; };

/** Opens an incident by its number. */
export const openIncident = (id) => open(async () => {
  const { incident, similar } = await get(`incidents/${id}`);
  return [`Incident #${incident.id}`, aboutIncident(incident, similar)];
});

/** Opens the stored anomaly of a time. */
export const openStored = (time) => open(async () => {
  const { anomaly, labels, incident } = await get(`anomalies/${time}`);
  return [`Anomaly of ${format.moment(time)}`, aboutAnomaly(anomaly, labels, incident)];
});

/** Opens what is unusual now, which need not be stored. */
export const openCurrent = (anomaly) => open(() => [`Now, ${format.moment(anomaly.timestamp)}`, aboutAnomaly(anomaly)]);

async function open(read) {
  let title = 'This cannot be shown';
  let body;
  try {
    [title, body] = await read();
  } catch (e) {
    body = [el('p', { className: 'problem' }, e.message)];
  }
  const dialog = by('detail');
  by('detail-title').textContent = title;
  by('detail-body').replaceChildren(...body.filter(Boolean));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function aboutIncident(incident, similar) {
  const { peak } = incident;
  const length = (incident.ended_at ?? Date.now()) - incident.began_at;
  const times = [`began ${format.moment(incident.began_at)}`,
    incident.fired_at && `told ${format.moment(incident.fired_at)}`, `worst ${format.moment(peak.at)}`,
    incident.ended_at ? `over ${format.moment(incident.ended_at)}, after ${format.span(length)}` : `goes on, for ${format.span(length)} so far`];
  const score = Number.isFinite(peak.score) ? ` · worst score ${peak.score.toFixed(2)}, as rare as ${format.rare(peak.p_value)}` : '';
  const said = answerLine();
  const goesOn = incident.state !== 'resolved';
  const link = (i) => el('li', {}, el('button', { type: 'button', className: 'link', onclick: () => openIncident(i.id) },
    `#${i.id}, ${format.moment(i.began_at)}${i.label ? `, called ${labelled(i.label.kind)}` : ''}`));
  return [
    el('p', { className: 'row' }, pill(incident.severity), el('span', { className: 'dim' }, times.filter(Boolean).join(' · ') + score)),
    el('p', { className: 'sentence' }, incident.description),
    ...why(incident.features), actions(incident.suggested_actions),
    ...ran(incident.processes),
    el('h3', {}, 'It was like this before'),
    similar.length ? el('ul', { className: 'plain' }, ...similar.map(link)) : nothing('Nothing like it is among the stored incidents.'),
    incident.acknowledged && el('p', { className: 'dim' }, `Acknowledged ${format.ago(incident.acknowledged.at)}${incident.acknowledged.note ? `: ${incident.acknowledged.note}` : '.'}`),
    el('h3', {}, 'What to do with it'),
    el('p', { className: 'row' }, inCharts(incident.began_at, length), goesOn && !incident.acknowledged ? acknowledge(incident, said) : null,
      ...[1, 8, 24].map((hours) => silence(incident, hours, said))),
    said, ...wasIt({ incident: incident.id }, incident.label),
  ];
}

function aboutAnomaly(anomaly, labels, incident) {
  const score = `score ${anomaly.score.toFixed(2)} · as rare as ${format.rare(anomaly.p_value)} · confidence ${format.share(anomaly.confidence)}`;
  const link = (t) => el('button', { type: 'button', className: 'link', onclick: () => openStored(t) }, format.moment(t));
  return [
    el('p', { className: 'row' }, pill(anomaly.severity), el('span', { className: 'dim' }, score)),
    el('p', { className: 'sentence' }, anomaly.description),
    ...why(anomaly.features), actions(anomaly.suggested_actions), ...ran(incident?.processes),
    anomaly.similar.length ? el('p', { className: 'row' }, el('span', { className: 'dim' }, 'It was like this before:'), ...anomaly.similar.map(link))
      : nothing('Nothing like it is among the stored events.'),
    el('p', { className: 'row' }, inCharts(anomaly.timestamp, 0)),
    incident && el('p', {}, el('button', { type: 'button', className: 'link', onclick: () => openIncident(incident.id) }, `It belongs to incident #${incident.id}.`)),
    ...(labels ? wasIt({ anomaly: anomaly.timestamp }, labels.at(-1)) : []),
  ];
}

const nothing = (text) => el('p', { className: 'dim' }, text);

/** What was seen, what was expected, and how much of the score each feature made. */
function why(features) {
  const unit = (f) => units.get(f.feature) ?? 'unknown';
  const bar = (part) => {
    const made = el('div', { className: 'bar' });
    made.style.width = `${Math.max(2, Math.round(100 * Math.min(1, part)))}%`;
    return el('td', { className: 'share' }, made, el('small', { className: 'dim' }, format.share(part)));
  };
  const shown = features.filter((f) => f.contribution >= 0.02 || features.length === 1);
  if (!shown.length) return [];
  const change = (f) => [f.kind?.replaceAll('_', ' '), f.since && `since ${format.moment(f.since)}`].filter(Boolean).join(', ');
  const rows = shown.map((f) => [
    el('td', {}, format.nameOf(f.feature), el('small', { className: 'dim under' }, change(f))),
    num(format.value(f.observed, unit(f))), num(format.extent(...f.expected, unit(f))), bar(f.contribution),
  ]);
  return [table(['Feature', 'Seen', 'Expected', 'Share of the score'], rows)];
}

/** Looks at it in the charts, with as much again before and after. */
function inCharts(begin, length) {
  const around = Math.max(length, 300e3);
  return el('button', { type: 'button', onclick: () => { by('detail').close(); show({ from: begin - around, to: Math.min(Date.now(), begin + length + around) }); } }, 'Show in the charts');
}

const actions = (list) => (list.length ? el('ul', { className: 'plain' }, ...list.map((a) => el('li', {}, `→ ${a}`))) : null);

const ran = (list) => (list?.length ? [el('h3', {}, 'What ran then'), processes(list)] : []);

function wasIt(of, current) {
  const note = el('input', { type: 'text', maxLength: 1000, placeholder: 'Why? (optional)', value: current?.note ?? '' });
  note.setAttribute('aria-label', 'Why it was that');
  const said = answerLine();
  if (current) said.textContent = `called ${labelled(current.kind)} ${format.ago(current.made_at)}`;
  return [el('h3', {}, 'What was it?'),
    el('p', { className: 'row' }, ...label(of, current?.kind, said, () => note.value), note), said];
}
