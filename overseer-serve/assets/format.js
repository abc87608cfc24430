// Numbers, times and names as people read them.

const NAMES = {
  'system.cpu.utilization': 'CPU', 'overseer.cpu.load_per_core': 'Load per core',
  'system.memory.utilization': 'Memory', 'system.paging.utilization': 'Swap',
  'system.filesystem.utilization': 'Fullest disk', 'system.disk.io.read': 'Disk reads',
  'system.disk.io.write': 'Disk writes', 'system.network.io.receive': 'Network in',
  'system.network.io.transmit': 'Network out', 'system.process.count': 'Processes',
  'linux.pressure.cpu': 'CPU pressure', 'linux.pressure.io': 'I/O pressure',
  'linux.pressure.memory': 'Memory pressure', performance_score: 'Performance score',
};

export const nameOf = (feature) => NAMES[feature] ?? feature;

const known = (x) => typeof x === 'number' && Number.isFinite(x);

function scaled(value, units, base) {
  let unit = 0;
  let x = value;
  while (Math.abs(x) >= base * 0.9995 && unit + 1 < units.length) { x /= base; unit += 1; }
  const digits = unit === 0 || Math.abs(x) >= 100 ? 0 : 1;
  return `${x.toFixed(digits)} ${units[unit]}`;
}

/** A value of a unit, as findings name units. */
export function value(x, unit) {
  if (!known(x)) return 'no value';
  switch (unit) {
    case 'ratio': return `${(100 * x).toFixed(x !== 0 && Math.abs(x) < 0.1 ? 1 : 0)} %`;
    case 'bytes_per_second': return `${scaled(x, ['B', 'kB', 'MB', 'GB', 'TB'], 1000)}/s`;
    case 'bytes': return scaled(x, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);
    case 'celsius': return `${x.toFixed(1)} °C`;
    case 'processes': case 'count': return x.toFixed(0);
    case 'score': return x.toFixed(0);
    default: return Math.abs(x) >= 100 ? x.toFixed(0) : x.toFixed(2);
  }
}

export const extent = (low, high, unit) => {
  if (!known(low) || !known(high)) return 'not known';
  const [a, b] = [value(low, unit), value(high, unit)];
  return a === b ? a : `${a} – ${b}`;
};

export const share = (x) => (known(x) ? `${Math.round(100 * x)} %` : 'not known');

export function rare(p) {
  if (!known(p)) return 'not known';
  if (p >= 0.01) return p.toFixed(2);
  return `1 in ${Math.round(1 / Math.max(p, 1e-12)).toLocaleString('en')}`;
}

export function span(ms) {
  if (!known(ms)) return 'not known';
  const s = ms / 1000;
  const say = (x, unit) => `${x < 10 && x % 1 ? x.toFixed(1) : Math.round(x)} ${unit}`;
  if (s > 0 && s < 1) return `${Math.round(ms)} ms`;
  if (s < 120) return say(s, 's');
  if (s < 7200) return say(s / 60, 'min');
  if (s < 172800) return say(s / 3600, 'h');
  return say(s / 86400, 'days');
}

const at = (options) => {
  const f = new Intl.DateTimeFormat(undefined, options);
  return (ms) => f.format(new Date(ms));
};
export const clock = at({ hour: '2-digit', minute: '2-digit', hour12: false });
export const clockSeconds = at({ hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
export const day = at({ month: 'short', day: 'numeric' });
export const month = at({ month: 'short', year: 'numeric' });
export const moment = at({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
export const ago = (ms) => `${span(Math.max(0, Date.now() - ms))} ago`;
