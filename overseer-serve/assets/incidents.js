// Incidents that go on, and saying that one looks after one.

import { post } from './api.js';
import { by, el, fill, num, pill, table } from './dom.js';
import { openStored } from './detail.js';
import * as format from './format.js';

const STATES = { pending: 'not told yet', firing: 'told', acknowledged: 'somebody looks', resolved: 'over' };

export function showIncidents(incidents) {
  if (!incidents.length) return fill(by('incidents'), el('p', { className: 'dim' }, 'None goes on.'));
  const rows = incidents.map((incident) => [
    num(`#${incident.id}`), pill(incident.severity), num(format.moment(incident.began_at)),
    STATES[incident.state] + (incident.silenced ? ', silenced' : ''),
    incident.kind === 'anomaly'
      ? el('button', { type: 'button', className: 'link', onclick: () => openStored(incident.peak.at) }, incident.description || 'details')
      : el('span', {}, incident.description),
    incident.state === 'firing' ? acknowledge(incident) : '',
  ]);
  return fill(by('incidents'), table(['Number', 'Worst', 'Since', 'State', 'What', ''], rows));
}

function acknowledge({ id }) {
  const said = el('span', { className: 'dim', role: 'status' });
  const button = el('button', {
    type: 'button',
    onclick: async () => {
      try {
        await post('acknowledge', { incident: id });
        said.textContent = 'nobody is reminded any more';
        button.disabled = true;
      } catch (e) { said.textContent = e.message; }
    },
  }, 'I look after it');
  button.setAttribute('aria-label', `I look after incident ${id}`);
  return el('td', {}, button, said);
}
