// What is at the top: the state and why, the score, how much was learned, how many alerts there were.

import { by, el, fill, say } from './dom.js';
import * as format from './format.js';

const HOURS = 168;

export function showHead(report, serving) {
  say('host', report.host.name || 'this host');
  const { system, logical_cpus: cpus, memory_bytes: memory } = report.host;
  say('system', [system, cpus && `${cpus} CPUs`, memory && format.value(memory, 'bytes')].filter(Boolean).join(' · '));
  state(report);
  score(report);
  readiness(report.learned);
  const alerts = serving.alerts_last_week ?? 0;
  const budget = serving.alarm_budget_per_week;
  say('alerts', String(alerts));
  if (budget) say('budget', ` · budget ${budget < 10 ? Number(budget.toFixed(2)) : Math.round(budget)} a week`);
  const rate = serving.alarm_rate;
  say('rate', !rate ? '' : Number.isFinite(rate.measured_per_week)
    ? `${rate.measured_per_week.toFixed(1)} a week on normal behaviour, over the ${format.span(rate.watched)} watched`
    : `the true rate is known after a day; ${format.span(rate.watched)} were watched`);
  say('watching', serving.role === 'sampler'
    ? `A sample every ${format.span(serving.step)}; the last look took ${report.tick_ms.toFixed(1)} ms`
    : 'Samples of another process are shown');
}

function state(report) {
  const { anomaly } = report;
  const severity = anomaly?.severity ?? 'unknown';
  by('state').dataset.severity = severity;
  const words = { none: 'normal', unknown: 'learning' };
  say('severity', words[severity] ?? severity);
  say('sentence', anomaly ? anomaly.description : 'Too little is known yet to say what is usual here.');
  const shown = anomaly?.is_anomaly ? anomaly.suggested_actions : [];
  fill(by('actions'), ...shown.slice(0, 3).map((a) => el('li', { className: 'dim' }, `→ ${a}`)));
  by('why').hidden = !anomaly?.features.length;
  document.title = `${severity === 'none' || severity === 'unknown' ? '' : `${severity}: `}${report.host.name || 'Overseer'}`;
}

function score(report) {
  const { current } = report;
  say('score', Number.isFinite(current?.performance_score) ? current.performance_score.toFixed(0) : '–');
  say('driver', current?.driver ? `set by ${format.nameOf(current.driver)}` : '');
  const ahead = report.predictions.filter((p) => p.prediction_type === 'performance_score');
  const last = ahead.reduce((a, b) => (!a || b.horizon > a.horizon ? b : a), null);
  say('ahead', last && Number.isFinite(last.value)
    ? `in ${format.span(last.horizon)}: ${last.value.toFixed(0)} (${last.interval.lower?.toFixed(0) ?? '?'} – ${last.interval.upper?.toFixed(0) ?? '?'})`
    : 'no forecast yet');
}

function readiness(learned) {
  say('ready', format.share(learned.readiness));
  by('ready-bar').value = learned.readiness;
  const detector = learned.models.find((m) => m.kind === 'detector');
  const weekly = detector?.quality.weekly_readiness;
  const week = Number.isFinite(weekly) ? `; learned ${Math.round(HOURS * weekly)} of ${HOURS} hours of the week` : '';
  say('ready-week', `of a full calibration${learned.provisional ? ', provisional' : ''}${week}`);
}
