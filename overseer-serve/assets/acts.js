// What a person can do about an incident or an anomaly: look after it, keep it quiet, say what it was.

import { post } from './api.js';
import { el } from './dom.js';
import * as format from './format.js';

const LABELS = {
  incident: ['An incident', 'It was real: learn nothing from it'],
  expected: ['Expected', 'Unusual but wanted: the like of it is no news'],
  false_alarm: ['A false alarm', 'Nothing was wrong: the like of it is no news'],
};

/** What an incident or anomaly was called, in words. */
export const labelled = (kind) => ({ incident: 'incident', expected: 'expected', false_alarm: 'false alarm' })[kind] ?? '';

let onChange = () => {};
export const whenChanged = (then) => { onChange = then; };

/** A line that says what came of a button, also to who does not see it. */
export const answerLine = () => el('span', { className: 'dim', role: 'status' });

function act(text, title, said, doing) {
  const button = el('button', { type: 'button', title }, text);
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      said.textContent = (await doing(button)) ?? '';
      onChange();
    } catch (e) {
      said.textContent = e.message;
    }
    button.disabled = false;
  });
  return button;
}

/** That somebody looks after an incident: nobody is reminded of it any more. */
export function acknowledge({ id }, said) {
  const button = act('Acknowledge', 'I look after it: nobody is reminded of it any more', said, async () => {
    await post('acknowledge', { incident: id });
    return 'acknowledged: nobody is reminded any more';
  });
  button.setAttribute('aria-label', `Acknowledge incident ${id}`);
  return button;
}

/** The feature that leads an incident; by it a silence knows its like. */
export const leadOf = (incident) => incident.features[0]?.feature;

/** Nothing is sent of an incident's like for some hours. */
export function silence(incident, hours, said) {
  const lead = leadOf(incident);
  const about = lead ? format.nameOf(lead) : 'everything';
  const button = act(`Silence ${hours} h`, `Send nothing about ${about} for ${hours} hours; it is recorded all the same`, said, async () => {
    const made = await post('silence', { duration: hours * 3600e3, features: lead ? [lead] : [], reason: `incident ${incident.id}, from the dashboard` });
    return `nothing about ${about} is sent until ${format.moment(made.ends_at)}`;
  });
  button.setAttribute('aria-label', `Silence incident ${incident.id} for ${hours} hours`);
  return button;
}

/** Buttons that say what it was. `of` is `{anomaly: time}` or `{incident: number}`, `note()` the words beside it. */
export function label(of, current, said, note = () => '') {
  const buttons = Object.entries(LABELS).map(([kind, [text, title]]) => {
    const button = act(text, title, said, async (pressed) => {
      await post('label', { ...of, kind, note: note() });
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === pressed));
      return `called ${labelled(kind)}`;
    });
    button.dataset.kind = kind;
    button.setAttribute('aria-pressed', String(current === kind));
    return button;
  });
  return buttons;
}
