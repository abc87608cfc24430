// Asking the service: JSON, and the stream of ticks.

const KEY = 'overseer-token';

export class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

export const setToken = (token) => sessionStorage.setItem(KEY, token);

function headers(more = {}) {
  const token = sessionStorage.getItem(KEY);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function answer(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail ?? `the service answered ${response.status}`);
}

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, v]) => v !== undefined);
  const search = given.length ? `?${new URLSearchParams(given)}` : '';
  return answer(await fetch(`api/v1/${path}${search}`, { headers: headers() }));
}

export async function post(path, body) {
  return answer(await fetch(`api/v1/${path}`, {
    method: 'POST',
    headers: headers({ 'Content-Type': 'application/json', 'X-Overseer': '1' }),
    body: JSON.stringify(body),
  }));
}

/** Calls `onTick` with each report, for ever; an EventSource could not send the token. */
export async function listen(onTick, onState) {
  for (let wait = 1; ; wait = Math.min(30, wait * 2)) {
    try {
      const response = await fetch('api/v1/events', { headers: headers(), cache: 'no-store' });
      if (!response.ok) throw new Refused(response.status, 'no events');
      onState(true);
      wait = 1;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (rest + value).split('\n\n');
        rest = events.pop();
        for (const event of events) {
          const data = event.split('\n').filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim());
          if (data.length) onTick(JSON.parse(data.join('\n')));
        }
      }
    } catch (e) {
      if (e.status === 401) throw e;
    }
    onState(false);
    await new Promise((next) => { setTimeout(next, wait * 1000); });
  }
}
