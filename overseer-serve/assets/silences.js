// The silences that hold, and ending one before its time.

import { post } from './api.js';
import { by, el, fill } from './dom.js';
import * as format from './format.js';

export function showSilences(silences) {
  const items = silences.map((silence) => {
    const about = silence.features.length ? silence.features.map(format.nameOf).join(', ') : 'anything';
    const when = silence.recurrence ? 'at its times of the week' : `until ${format.moment(silence.ends_at)}`;
    const end = el('button', { type: 'button', className: 'quiet', onclick: () => lift(silence.id) }, 'End it');
    end.setAttribute('aria-label', `End silence ${silence.id}`);
    return el('li', { className: 'row' }, el('span', {}, `Nothing about ${about} is sent ${when}${silence.reason ? ` (${silence.reason})` : ''}.`), end);
  });
  fill(by('silences'), items.length ? el('ul', { className: 'plain' }, ...items) : null);
}

async function lift(id) {
  try {
    const left = await post(`silence/${id}/lift`, {});
    showSilences(left.items);
  } catch (e) {
    by('silences').append(el('p', { className: 'problem', role: 'alert' }, e.message));
  }
}
