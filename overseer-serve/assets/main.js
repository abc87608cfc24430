// The page: what is shown, when it is asked for, and how it stays up to date.

import { whenChanged } from './acts.js';
import { get, listen, post, setToken } from './api.js';
import { hover, showCharts, showValues } from './charts.js';
import { knowUnits, onShow, openCurrent, openIncident, openStored } from './detail.js';
import { by, el, say } from './dom.js';
import * as format from './format.js';
import { showHead } from './head.js';
import { showIncidents } from './incidents.js';
import { showFound, showHappened, showProcesses } from './lists.js';
import { showSilences } from './silences.js';
import { startTheme } from './theme.js';

const RANGES = [['5m', 300], ['15m', 900], ['1h', 3600], ['6h', 21600], ['24h', 86400], ['7d', 604800], ['30d', 2592000], ['90d', 7776000], ['1y', 31536000]];
const POINTS = 300;
const LONGEST_USUAL = 400 * 86400e3;
const state = {
  length: 3600e3, zoom: null, report: null, serving: null, points: null, usual: null, usualOf: '', asked: 0, busy: false, again: false,
  happened: { incidents: [], anomalies: [], labels: [], more: false },
};

const gestures = {
  hover,
  pick: (mark) => (mark.incident ? openIncident(mark.incident) : openStored(mark.t)),
  zoom: (from, to) => look({ from: Math.round(from), to: Math.round(to) }),
  back: () => look(null),
};

/** Looks at a stretch of the past, or with `null` at what goes on. The address says which, so that it can be shared. */
function look(zoom) {
  state.zoom = zoom;
  const name = RANGES.find(([, seconds]) => seconds * 1000 === state.length)?.[0];
  history.replaceState(null, '', `#${zoom ? `${zoom.from}-${zoom.to}` : name}`);
  chosen();
  refresh();
}

/** As long a stretch, earlier or later; where that reaches now, what goes on. */
function pan(by) {
  const { from, to } = state.zoom ?? { from: Date.now() - state.length, to: Date.now() };
  const move = Math.round(by * (to - from));
  look(to + move >= Date.now() ? null : { from: Math.round(from + move), to: Math.round(to + move) });
}

/** The axis of time: what was, and as much of what comes as is worth the room. */
function view() {
  const step = state.serving?.step ?? 0;
  if (state.zoom) return { ...state.zoom, step, now: Math.min(Date.now(), state.zoom.to) };
  const now = state.report?.timestamp ?? Date.now();
  const from = now - state.length;
  const ahead = Math.max(0, ...(state.report?.predictions ?? []).map((p) => p.timestamp + p.horizon - now));
  const shown = Math.min(ahead, 0.25 * state.length);
  return { from, to: now + (shown > 0.02 * state.length ? shown : 0), now, step };
}

function draw() {
  if (state.points) showCharts(state.points, state.usual, state.report, state.happened, view(), gestures);
}

/** What is usual changes by the hour, so it is asked for no more often. */
async function askUsual(from, to) {
  const range = { from: Math.round(Math.max(from, to - LONGEST_USUAL)), to: Math.round(to) };
  const hours = [range.from, range.to].map((t) => Math.floor(t / 3600e3)).join();
  if (hours !== state.usualOf) Object.assign(state, { usual: await get('usual', { ...range, points: POINTS }), usualOf: hours });
}

async function refresh() {
  // Whatever was chosen meanwhile is asked for next.
  if (state.busy) { state.again = true; return; }
  state.busy = true;
  try {
    const { from, to, now } = view();
    const until = state.zoom ? to : now;
    const range = { from: Math.round(from), to: Math.round(until) };
    const [points, found, incidents, labels, silences] = await Promise.all([
      get('metrics', { ...range, points: POINTS }),
      get('anomalies', { ...range, limit: 200 }),
      get('incidents', { ...range, which: 'all', limit: 200 }),
      get('label', { from: range.from }),
      get('silence'),
      askUsual(from, to),
    ]);
    state.happened = {
      incidents: incidents.items, anomalies: found.items, labels: labels.items, more: found.next !== null || incidents.items.length === 200,
    };
    Object.assign(state, { points, asked: Date.now() });
    knowUnits(new Map(points.features.map((f) => [f.feature, f.unit])));
    draw();
    showHappened(state.happened, Boolean(state.report));
    showSilences(silences.items);
  } catch (e) {
    refused(e);
  } finally {
    state.busy = false;
    if (state.again) { state.again = false; refresh(); }
  }
}

/** A tick's report tells only what it looked for; the rest stays as it was found last. */
function merge(tick) {
  const before = state.report ?? {};
  for (const part of ['predictions', 'patterns', 'auxiliary', 'processes']) {
    if (!tick[part]?.length) tick[part] = before[part] ?? [];
  }
  tick.room ??= before.room ?? null;
  if (!tick.notices.length) tick.notices = before.notices ?? [];
  return tick;
}

/** Samples finer than the points are added as they come; else the points are asked for when there is a new one. */
function append(report) {
  const { points } = state;
  if (!points || !report.current || state.zoom) return;
  const last = points.starts.at(-1) ?? 0;
  if (points.resolution > 2 * state.serving.step || report.current.timestamp <= last) return;
  points.starts.push(report.current.timestamp);
  points.performance_score?.push(report.current.performance_score);
  for (const f of points.features) {
    const v = report.current.values.find((c) => c.feature === f.feature)?.value ?? null;
    for (const list of [f.mean, f.min, f.max]) list.push(v);
  }
}

let drawn = 0;
function onTick(tick) {
  state.report = merge(tick);
  if (tick.alert && state.serving) state.serving.alerts_last_week += 1;
  append(tick);
  if (document.hidden) return;
  // Ticks may come faster than anybody looks.
  if (performance.now() - drawn < 250) return;
  drawn = performance.now();
  showHead(state.report, state.serving);
  showFound(state.report);
  showIncidents(state.report.incidents);
  showValues(state.report);
  const due = Math.max(15e3, state.points?.resolution ?? 0);
  // An incident that begins or ends is asked for at once, with what there is to say of it.
  const known = tick.incidents.map((i) => `${i.id}${i.state}${i.severity}`).join();
  const isNews = tick.alert || known !== state.known;
  state.known = known;
  if (isNews || Date.now() - state.asked > due) refresh();
  else if (!state.zoom) draw();
}

function refused(error) {
  if (error.status === 401) {
    by('login').hidden = false;
    by('token').focus();
    return;
  }
  say('sentence', `The service does not answer as it should: ${error.message}`);
}

function chosen() {
  const { zoom } = state;
  by('moving').hidden = !zoom;
  by('later').disabled = !zoom;
  say('zoomed', zoom ? `${format.moment(zoom.from)} – ${format.moment(zoom.to)}` : '');
  for (const button of by('ranges').children) {
    button.setAttribute('aria-pressed', String(!state.zoom && Number(button.value) * 1000 === state.length));
  }
}

function startRanges() {
  const button = ([name, seconds]) => el('button', {
    type: 'button', value: String(seconds), title: `The last ${format.span(seconds * 1000)}`,
    onclick: () => { state.length = seconds * 1000; look(null); },
  }, name);
  by('ranges').append(...RANGES.map(button));
  const linked = RANGES.find(([name]) => `#${name}` === location.hash);
  if (linked) state.length = linked[1] * 1000;
  const past = /^#(\d+)-(\d+)$/.exec(location.hash);
  if (past && Number(past[1]) < Number(past[2])) state.zoom = { from: Number(past[1]), to: Number(past[2]) };
  by('earlier').addEventListener('click', () => pan(-1));
  by('later').addEventListener('click', () => pan(1));
  by('now').addEventListener('click', () => look(null));
  chosen();
}

by('why').addEventListener('click', () => openCurrent(state.report.anomaly));
by('silence').addEventListener('click', async () => {
  try {
    const silence = await post('silence', { duration: 3600e3, reason: 'from the dashboard' });
    say('silence-said', `nothing is sent until ${format.clock(silence.ends_at)}`);
    refresh();
  } catch (e) { say('silence-said', e.message); }
});
by('look').addEventListener('click', async () => {
  say('look-said', 'looking…');
  try {
    const report = await post('analyze', {});
    showProcesses(report.processes);
    say('look-said', `as of ${format.clockSeconds(report.timestamp)}`);
  } catch (e) { say('look-said', e.message); }
});
by('login').addEventListener('submit', (event) => {
  event.preventDefault();
  setToken(by('token').value.trim());
  by('login').hidden = true;
  start();
});
whenChanged(refresh);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });

async function start() {
  try {
    const status = await get('status');
    state.serving = status.serving;
    if (status.report) {
      state.report = status.report;
      showHead(state.report, state.serving);
      showFound(state.report);
      showIncidents(state.report.incidents);
    } else {
      say('sentence', 'Getting to know this host: the first look at a new one takes a quarter of a minute.');
    }
    await refresh();
    document.body.dataset.ready = 'yes';
    await listen(async (tick) => {
      if (!state.report || state.serving.step === null) state.serving = (await get('status')).serving;
      onTick(tick);
    }, (on) => {
      const live = by('live');
      live.dataset.on = on ? 'yes' : 'no';
      say('live', on ? 'live' : 'connecting again');
    });
  } catch (e) {
    refused(e);
    if (e.status !== 401) setTimeout(start, 5000);
  }
}

/** During the first look at a host there are samples and no tick that would tell of them. */
const firstLook = setInterval(() => {
  if (state.report) clearInterval(firstLook);
  else if (document.body.dataset.ready && !document.hidden) refresh();
}, 2000);

onShow(look);
startTheme(draw);
startRanges();
start();
