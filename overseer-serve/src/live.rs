//! What the ticking thread and the requests share: the newest report, those who listen for the next, and what was
//! asked of the engine.
//!
//! The ticking thread never waits for a request: it hands over by replacing one pointer and one slot of a ring, and
//! takes what was asked from a channel that holds a single question.

use crate::api::Kept;
use crate::problem::Problem;
use crate::readers::Readers;
use axum::body::Bytes;
use overseer_engine::core::{AnomalyDetection, Timestamp};
use overseer_engine::host::{Options, now};
use overseer_engine::{AlarmRate, Engine, Report, Role, TrainSummary};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, broadcast, oneshot};

/// How many ticks a listener may be behind before it is dropped.
const BEHIND: usize = 16;
/// How many may listen.
const LISTENERS: usize = 256;
/// How often it is asked how many alerts there really were.
const RATED: Duration = Duration::from_secs(600);
/// How many exports may run.
const EXPORTS: usize = 2;

/// One tick as listeners are sent it, written once: a server-sent event whose data is the report as one line of JSON. All
/// listeners share its bytes.
pub(crate) type Event = Bytes;

/// How long ticks took, as a histogram has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Durations {
    /// How many took at most as long as the bound at the same place.
    pub(crate) counts: [u64; BOUNDS.len()],
    pub(crate) count: u64,
    pub(crate) sum: f64,
}

/// The upper bounds of [`Durations`], in seconds.
pub(crate) const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

impl Durations {
    fn add(&mut self, seconds: f64) {
        for (count, bound) in self.counts.iter_mut().zip(BOUNDS) {
            *count += u64::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }
}

/// What is known now.
#[derive(Debug, Clone)]
pub(crate) struct Latest {
    /// The newest report, with the predictions, patterns and room that were found last.
    pub(crate) report: Arc<Report>,
    pub(crate) is_sampler: bool,
    pub(crate) alerts_per_week: f64,
    pub(crate) step: Duration,
    pub(crate) ticks: u64,
    pub(crate) alerts: u64,
    pub(crate) alerts_last_week: usize,
    /// How many alerts there were and are allowed; `None` before that was looked at.
    pub(crate) alarm_rate: Option<AlarmRate>,
    pub(crate) durations: Durations,
    pub(crate) lateness: Durations,
}

/// What can be asked of the engine that ticks.
enum Question {
    Train { force: bool, answer: oneshot::Sender<Result<TrainSummary, Problem>> },
}

/// What requests see. Cloning is cheap; all clones are one.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) readers: Arc<Readers>,
    latest: Arc<RwLock<Option<Arc<Latest>>>>,
    ticks: broadcast::Sender<Event>,
    questions: SyncSender<Question>,
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) exports: Arc<Semaphore>,
    /// What was usual, as it was worked out for charts lately.
    pub(crate) usual: Arc<Kept>,
    pub(crate) started: Instant,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Train { force, .. } => f.debug_struct("Train").field("force", force).finish(),
        }
    }
}

/// What the thread that ticks the engine holds.
#[derive(Debug)]
pub struct EngineLink {
    latest: Arc<RwLock<Option<Arc<Latest>>>>,
    ticks: broadcast::Sender<Event>,
    questions: Receiver<Question>,
    readers: Arc<Readers>,
    /// When alerts of the last week were raised, the oldest first; `None` before the stored ones were read.
    week: Option<VecDeque<Timestamp>>,
    alarm_rate: Option<AlarmRate>,
    /// When that was looked at.
    rated: Option<Instant>,
}

/// Makes the two ends. `options` says where the database and the models are; opening is tried when something is asked.
#[must_use]
pub fn connect(options: Options) -> (Handle, EngineLink) {
    let (ticks, _) = broadcast::channel(BEHIND);
    let (asking, questions) = sync_channel(1);
    let latest = Arc::new(RwLock::new(None));
    let readers = Readers::new(options);
    let handle = Handle {
        readers: Arc::clone(&readers),
        latest: Arc::clone(&latest),
        ticks: ticks.clone(),
        questions: asking,
        listeners: Arc::new(Semaphore::new(LISTENERS)),
        exports: Arc::new(Semaphore::new(EXPORTS)),
        usual: Arc::default(),
        started: Instant::now(),
    };
    let link =
        EngineLink { latest, ticks, questions, readers, week: None, alarm_rate: None, rated: None };
    (handle, link)
}

impl Handle {
    /// What the last tick left.
    pub(crate) fn latest(&self) -> Option<Arc<Latest>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every tick from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Event> {
        self.ticks.subscribe()
    }

    /// Has the ticking engine train between two ticks.
    pub(crate) async fn train(&self, force: bool) -> Result<TrainSummary, Problem> {
        let (answer, done) = oneshot::channel();
        self.questions.try_send(Question::Train { force, answer }).map_err(|e| match e {
            TrySendError::Full(_) => Problem::conflict("a training is asked for already"),
            TrySendError::Disconnected(_) => nobody(),
        })?;
        done.await.unwrap_or_else(|_| Err(nobody()))
    }
}

fn nobody() -> Problem {
    Problem::conflict("no engine runs in this process, so there is none to train")
}

impl EngineLink {
    /// Hands a tick's report over; `lateness` is by how much the tick began after it was due.
    pub fn publish(&mut self, engine: &Engine, report: &Report, lateness: Duration) {
        let before = self.latest.read().unwrap_or_else(PoisonError::into_inner).clone();
        let alerts_last_week = self.count_alerts(report);
        let mut merged = report.clone();
        let mut latest = match before {
            None => Latest {
                report: Arc::new(report.clone()),
                is_sampler: false,
                alerts_per_week: 0.0,
                step: Duration::ZERO,
                ticks: 0,
                alerts: 0,
                alerts_last_week: 0,
                alarm_rate: None,
                durations: Durations::default(),
                lateness: Durations::default(),
            },
            Some(before) => {
                merged.keep_found(&before.report);
                (*before).clone()
            }
        };
        latest.is_sampler = engine.role() == Role::Sampler;
        latest.alerts_per_week = engine.config().alarm_budget.per_week();
        latest.step = Duration::from(engine.config().step);
        latest.ticks += 1;
        latest.alerts += u64::from(report.alert);
        latest.alerts_last_week = alerts_last_week;
        latest.alarm_rate.clone_from(&self.alarm_rate);
        latest.durations.add(report.tick_ms / 1000.0);
        latest.lateness.add(lateness.as_secs_f64());
        latest.report = Arc::new(merged);
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(latest));
        if self.ticks.receiver_count() == 0 {
            return;
        }
        match serde_json::to_string(report) {
            // An error says that everybody left just now.
            Ok(json) => {
                let id = report.timestamp.as_millis();
                let event = format!("event: tick\nid: {id}\ndata: {json}\n\n");
                drop(self.ticks.send(event.into()));
            }
            Err(e) => tracing::error!("a report could not be written as JSON: {e}"),
        }
    }

    /// Does what was asked of the engine since the last tick, and now and then asks it how many alerts there really were:
    /// to be called right after a tick, when the time until the next is longest. Mostly it returns at once.
    pub fn attend(&mut self, engine: &mut Engine) {
        if self.rated.is_none_or(|at| at.elapsed() >= RATED) {
            self.rated = Some(Instant::now());
            self.alarm_rate = engine.measured_alarm_rate(now());
        }
        while let Ok(question) = self.questions.try_recv() {
            match question {
                Question::Train { force, answer } => {
                    let done = if engine.role() == Role::Sampler {
                        Ok(engine.train(force, now()))
                    } else {
                        Err(Problem::conflict(
                            "another process samples this host and trains its models itself",
                        ))
                    };
                    // Whoever asked may have left.
                    drop(answer.send(done));
                }
            }
        }
    }

    /// How many alerts there were in the last seven days, the stored ones included.
    fn count_alerts(&mut self, report: &Report) -> usize {
        let since = Timestamp::from_millis(report.timestamp.as_millis().saturating_sub(WEEK_MS));
        let week = self.week.get_or_insert_with(|| {
            let stored = self.readers.apart().ok().and_then(|mut store| {
                let to = Timestamp::from_millis(report.timestamp.as_millis().saturating_sub(1));
                overseer_engine::core::Store::anomalies_between(&mut store, since, to, MOST_ALERTS)
                    .ok()
            });
            stored
                .unwrap_or_default()
                .iter()
                .rev()
                .map(|a: &AnomalyDetection| a.timestamp)
                .collect()
        });
        if report.alert {
            week.push_back(report.timestamp);
        }
        while week.front().is_some_and(|&t| t < since) || week.len() > MOST_ALERTS {
            week.pop_front();
        }
        week.len()
    }
}

const WEEK_MS: i64 = 7 * 86_400_000;
/// No more alerts of a week than these are counted.
const MOST_ALERTS: usize = 10_000;
