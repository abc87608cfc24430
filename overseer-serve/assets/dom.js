// Making elements. Text always goes in as text, so that nothing a host says can become markup.

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

/** Replaces what is in an element, unless it would look the same: a reader's place in it stays then. */
export function fill(element, ...children) {
  const key = children.map((c) => c?.outerHTML ?? String(c)).join('');
  if (element.dataset.key === String(key.length) && element.lastKey === key) return;
  element.lastKey = key;
  element.dataset.key = key.length;
  element.replaceChildren(...children.filter(Boolean));
}

export const say = (id, text) => {
  const element = by(id);
  if (element.textContent !== text) element.textContent = text;
};

export function table(heads, rows) {
  const head = el('tr', {}, ...heads.map((h) => el('th', { scope: 'col' }, h)));
  const cells = (row) => row.map((c) => (c instanceof HTMLElement && c.tagName === 'TD' ? c : el('td', {}, c)));
  return el('div', { className: 'scroll' },
    el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows.map((row) => el('tr', {}, ...cells(row))))));
}

export const num = (text) => el('td', { className: 'num' }, text);

export const pill = (severity) => {
  const made = el('span', { className: 'pill' }, severity === 'none' ? 'normal' : severity);
  made.dataset.severity = severity;
  return made;
};
