// The API's description, readable: every operation with its parameters and answers, every structure with its fields.

import { by, el, table } from './dom.js';
import { startTheme } from './theme.js';

const code = (text) => el('code', {}, text);
const nameOf = (ref) => ref.split('/').at(-1);

/** A schema in a few words; a structure of its own is a link. */
function type(schema) {
  if (!schema) return 'anything';
  if (schema.$ref) return el('a', { href: `#${nameOf(schema.$ref)}` }, nameOf(schema.$ref));
  const variants = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (variants) {
    return el('span', {}, ...variants.flatMap((v, i) => (i ? [' or ', type(v)] : [type(v)])));
  }
  if (schema.type === 'array' && schema.prefixItems) return el('span', {}, 'list of ', String(schema.prefixItems.length));
  if (schema.type === 'array') return el('span', {}, 'list of ', type(schema.items));
  if (schema.enum) return schema.enum.join(' | ');
  const types = [schema.type ?? 'object'].flat().join(' or ');
  return schema.pattern ? `${types} ${schema.pattern}` : types;
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, s]) => [
    el('td', {}, code(name), required.has(name) ? '' : ' (may be absent or null)'), type(s), s.description ?? '']);
  return rows.length ? table(['Field', 'Type', 'What'], rows) : el('p', {}, type(schema));
}

function operation(path, method, op) {
  const parameters = (op.parameters ?? []).map((p) => [
    el('td', {}, code(p.name), p.required ? ' (needed)' : ''), `${p.in}: ${[p.schema?.type].flat().join(' or ')}`, p.description ?? '']);
  const body = op.requestBody?.content?.['application/json']?.schema;
  const answers = Object.entries(op.responses).flatMap(([status, r]) => Object.entries(r.content ?? {})
    .map(([kind, c]) => [status, kind, el('td', {}, type(c.schema))]));
  return el('details', { id: op.operationId },
    el('summary', {}, el('span', { className: `method ${method}` }, method.toUpperCase()), code(path), el('span', { className: 'dim' }, op.summary ?? op.description ?? '')),
    op.description ? el('p', {}, op.description) : null,
    parameters.length ? table(['Parameter', 'Where', 'What'], parameters) : null,
    body ? el('p', {}, 'Body: ', type(body)) : null,
    table(['Status', 'Type', 'Answer'], answers));
}

startTheme(() => {});
try {
  const api = await (await fetch('v1/openapi.json')).json();
  by('about').textContent = api.info.description;
  const groups = api.tags.map((tag) => {
    const of = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item)
      .filter(([, op]) => op.tags?.includes(tag.name)).map(([method, op]) => operation(path, method, op)));
    return el('section', {}, el('h2', {}, tag.description), ...of);
  });
  by('operations').replaceChildren(...groups);
  const schemas = Object.entries(api.components.schemas).map(([name, s]) => el('details', { id: name },
    el('summary', {}, code(name), el('span', { className: 'dim' }, s.description ?? '')), fields(s)));
  by('schemas').replaceChildren(...schemas);
  addEventListener('hashchange', () => { const found = document.getElementById(location.hash.slice(1)); if (found) found.open = true; });
} catch (e) {
  by('operations').textContent = `The description cannot be read: ${e.message}`;
}
