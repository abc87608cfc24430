// Incidents that go on: a card each, which stays the same element while its words change, so that whoever is about to
// press one of its buttons can.

import { acknowledge, answerLine, label, silence } from './acts.js';
import { by, el, pill, set } from './dom.js';
import { openIncident } from './detail.js';
import * as format from './format.js';

const STATES = { pending: 'not told yet', firing: 'told', acknowledged: 'acknowledged', resolved: 'over' };
export const stateOf = (incident) => STATES[incident.state] + (incident.silenced ? ', silenced' : '');

const cards = new Map();

export function showIncidents(incidents) {
  const open = incidents.filter((i) => i.state !== 'resolved');
  by('incidents-card').hidden = !open.length;
  const known = new Set(open.map((i) => i.id));
  for (const [id, card] of cards) {
    if (!known.has(id)) { card.root.remove(); cards.delete(id); }
  }
  for (const incident of open) {
    if (!cards.has(incident.id)) {
      cards.set(incident.id, made(incident));
      by('incidents').prepend(cards.get(incident.id).root);
    }
    update(cards.get(incident.id), incident);
  }
}

function made(incident) {
  const said = answerLine();
  const [worst, when, what] = [el('span'), el('span', { className: 'dim' }), el('p')];
  const why = el('button', { type: 'button', onclick: () => openIncident(incident.id) }, 'Why?');
  why.setAttribute('aria-label', `Why? Incident ${incident.id}`);
  const acknowledging = acknowledge(incident, said);
  const labels = label({ incident: incident.id }, incident.label?.kind, said);
  const asked = el('span', { className: 'dim' }, 'It is:');
  const root = el('li', { className: 'incident' },
    el('p', { className: 'row' }, worst, el('strong', {}, `#${incident.id}`), when), what,
    el('p', { className: 'row' }, why, acknowledging, silence(incident, 1, said), silence(incident, 8, said), asked, ...labels), said);
  return { root, worst, when, what, acknowledging, labels };
}

function update(card, incident) {
  card.root.dataset.severity = incident.severity;
  if (card.worst.firstChild?.dataset?.severity !== incident.severity) card.worst.replaceChildren(pill(incident.severity));
  set(card.when, `since ${format.moment(incident.began_at)} · ${stateOf(incident)}`);
  set(card.what, incident.description);
  card.acknowledging.hidden = incident.state === 'acknowledged';
  for (const button of card.labels) {
    button.setAttribute('aria-pressed', String(incident.label?.kind === button.dataset.kind));
  }
}
