// Making elements. Text always goes in as text, so that nothing a host says can become markup.

import * as format from './format.js';

export const by = (id) => document.getElementById(id);

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== 'list') made[name] = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

const shown = new WeakMap();

/** Replaces what is in an element, unless it would look the same. Whoever is at one of its buttons stays there. */
export function fill(element, ...children) {
  const key = children.map((c) => c?.outerHTML ?? String(c)).join('');
  if (shown.get(element) === key) return;
  shown.set(element, key);
  const buttons = () => [...element.querySelectorAll('button')];
  const place = buttons().indexOf(document.activeElement);
  element.replaceChildren(...children.filter(Boolean));
  if (place >= 0) buttons()[place]?.focus();
}

/** Changes a text only where it differs, so that a screen reader does not read it again. */
export const set = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export const say = (id, text) => set(by(id), text);

export function table(heads, rows) {
  const head = el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)));
  const cells = (row) => row.map((c) => (c instanceof HTMLElement && c.tagName === 'TD' ? c : el('td', {}, c)));
  return el('div', { className: 'scroll', tabIndex: 0, role: 'group', 'aria-label': heads.filter(Boolean).join(', ') },
    el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows.map((row) => el('tr', {}, ...cells(row))))));
}

export const num = (text) => el('td', { className: 'num' }, text);

export const pill = (severity) => {
  const made = el('span', { className: 'pill' }, severity === 'none' ? 'normal' : severity);
  made.dataset.severity = severity;
  return made;
};

/** Processes and what they use. */
export function processes(list) {
  const known = (x, say) => num(Number.isFinite(x) ? say(x) : '–');
  const rows = list.map((p) => [`${p.name} (${p.pid})`, known(p.cpu_cores, format.share),
    known(p.memory_bytes, (x) => format.value(x, 'bytes')), known(p.io_bytes_per_second, (x) => format.value(x, 'bytes_per_second'))]);
  return table(['Process', 'CPU, of a core', 'Memory', 'I/O'], rows);
}
