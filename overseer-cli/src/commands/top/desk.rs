//! Reads and writes the database, and looks at processes, in a thread of its own: a database that is busy, or months of
//! history, never keep the screen from answering a key.

use super::News;
use super::series::POINTS;
use overseer_engine::core::{
    Collector, Error, Incident, LabelKind, ProcessUsage, Result, Silence, SilenceKind, Span, Store,
    Summary, SummaryQuery, Timestamp, WhichIncidents,
};
use overseer_engine::feedback;
use overseer_engine::host::collect::HostCollector;
use overseer_engine::host::store::SqliteStore;
use overseer_engine::host::{Options, now, open_store};
use overseer_engine::usual::{UsualHours, usual_hours};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// How many incidents are listed.
const INCIDENTS: usize = 50;
/// No more alerts of a week than these are counted.
const MOST_ALERTS: usize = 10_000;
/// How many processes are looked at, by each measure.
const PROCESSES: usize = 15;
/// The connection is opened anew after so long, so that a database that was set aside meanwhile is let go.
const OLDEST: Duration = Duration::from_secs(60);
const WEEK: Span = Span::from_secs(7 * 86_400);
const HOUR: i64 = 3_600_000;

/// What can be asked.
#[derive(Debug, PartialEq)]
pub(super) enum Task {
    /// The past of so long, and the incidents.
    Read {
        now: Timestamp,
        span: Span,
    },
    Processes,
    /// Earlier incidents like the one of this number.
    Similar(i64),
    Acknowledge(i64),
    Label(i64, LabelKind),
    /// Tell nobody of these features (`of` in words), or of any if there are none.
    Silence {
        features: Vec<String>,
        of: String,
        lasting: Span,
    },
}

/// What comes back.
#[derive(Debug)]
pub(super) enum Answer {
    Read {
        summary: Summary,
        usual: Arc<UsualHours>,
        incidents: Vec<Incident>,
        alerts: usize,
        span: Span,
    },
    Unread(String),
    Similar(i64, Vec<Incident>),
    Processes(Vec<ProcessUsage>),
    NoProcesses(String),
    Done(String),
    Refused(String),
}

/// By what processes are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Cpu,
    Memory,
    Io,
}

impl Order {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Cpu => Self::Memory,
            Self::Memory => Self::Io,
            Self::Io => Self::Cpu,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::Io => "I/O",
        }
    }

    pub(super) fn of(self, p: &ProcessUsage) -> f64 {
        match self {
            Self::Cpu => p.cpu_cores,
            Self::Memory => p.memory_bytes,
            Self::Io => p.io_bytes_per_second,
        }
    }
}

/// Where tasks are handed in. Its thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Desk(Sender<Task>);

impl Desk {
    pub(super) fn start(options: Options, tell: Sender<News>) -> Result<Self> {
        let (ask, asked) = channel();
        let thread = std::thread::Builder::new().name("desk".to_owned());
        thread
            .spawn(move || {
                let clerk = Clerk { options, reader: None, usual: None, collector: None };
                clerk.work(&asked, &tell);
            })
            .map_err(|e| Error::other("starting the thread that reads the database", e))?;
        Ok(Self(ask))
    }

    /// Hands a task in; the answer comes with the other news.
    pub(super) fn ask(&self, task: Task) {
        // The thread only ends with this one, or with a panic that is told when the screen closes.
        let _ = self.0.send(task);
    }
}

struct Clerk {
    options: Options,
    reader: Option<(Instant, SqliteStore)>,
    /// What was usual at each hour from one to another; it changes by the hour.
    usual: Option<((i64, i64), Arc<UsualHours>)>,
    collector: Option<HostCollector>,
}

impl Clerk {
    fn work(mut self, asked: &Receiver<Task>, tell: &Sender<News>) {
        while let Ok(task) = asked.recv() {
            if tell.send(News::Answered(self.answer(task))).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, task: Task) -> Answer {
        match task {
            Task::Read { now, span } => self.read(now, span).unwrap_or_else(|e| {
                self.reader = None;
                Answer::Unread(e.to_string())
            }),
            Task::Processes => match self.processes() {
                Ok(found) => Answer::Processes(found),
                Err(e) => Answer::NoProcesses(e.to_string()),
            },
            Task::Similar(id) => self.similar(id).unwrap_or_else(|e| {
                self.reader = None;
                Answer::Refused(format!("What was like it before cannot be read: {e}."))
            }),
            other => match self.decide(other) {
                Ok(said) => Answer::Done(said),
                Err(e) => Answer::Refused(format!("Nothing was done: {e}.")),
            },
        }
    }

    fn read(&mut self, now: Timestamp, span: Span) -> Result<Answer> {
        let usual = self.usual(now, span)?;
        let store = self.store()?;
        let summary = store.summary(&SummaryQuery::in_points(now - span, now, POINTS))?;
        let incidents = store.incidents(WhichIncidents::Notable, INCIDENTS)?;
        let alerts = store.anomalies_between(now - WEEK, now, MOST_ALERTS)?.len();
        Ok(Answer::Read { summary, usual, incidents, alerts, span })
    }

    fn store(&mut self) -> Result<&mut SqliteStore> {
        let is_old = |at: &Instant| at.elapsed() > OLDEST;
        if self.reader.as_ref().is_none_or(|(at, _)| is_old(at)) {
            self.reader = Some((Instant::now(), open_store(&self.options, false)?));
        }
        match &mut self.reader {
            Some((_, store)) => Ok(store),
            None => Err(Error::unavailable("the database", "it is not open")),
        }
    }

    /// What was usual over a span, and will be while what is to come is shown.
    fn usual(&mut self, now: Timestamp, span: Span) -> Result<Arc<UsualHours>> {
        let range = (now - span, now + Span::from_millis(span.as_millis() / 4));
        let hour = |t: Timestamp| t.as_millis().div_euclid(HOUR);
        let hours = (hour(range.0), hour(range.1));
        if let Some((known, usual)) = &self.usual
            && *known == hours
        {
            return Ok(Arc::clone(usual));
        }
        let found = Arc::new(usual_hours(self.store()?, range, POINTS, Vec::new())?);
        self.usual = Some((hours, Arc::clone(&found)));
        Ok(found)
    }

    fn similar(&mut self, id: i64) -> Result<Answer> {
        let store = self.store()?;
        let similar = match store.incident(id)? {
            Some(incident) => overseer_engine::similar_incidents(store, &incident)?,
            None => Vec::new(),
        };
        Ok(Answer::Similar(id, similar))
    }

    fn processes(&mut self) -> Result<Vec<ProcessUsage>> {
        let collector = match self.collector.take() {
            Some(known) => self.collector.insert(known),
            None => self.collector.insert(HostCollector::new()?),
        };
        collector.processes(PROCESSES)
    }

    /// Writes what a person decided; whoever samples obeys by its next tick.
    fn decide(&mut self, task: Task) -> Result<String> {
        // Nothing is made here: where nothing is stored there is nothing to decide about.
        drop(open_store(&self.options, false)?);
        let mut store = open_store(&self.options, true)?;
        match task {
            Task::Acknowledge(id) => {
                feedback::acknowledge(&mut store, id, "", now())?;
                Ok(format!("You look after incident #{id}; nobody is reminded of it any more."))
            }
            Task::Label(id, kind) => {
                feedback::label(&mut store, id, kind, "", now())?;
                let word = kind.as_str().replace('_', " ");
                Ok(format!("Incident #{id} is labelled: {word}."))
            }
            Task::Silence { features, of, lasting } => {
                let now = now();
                let mut silence = Silence::new(SilenceKind::Silence, now, now + lasting, now);
                silence.features = features;
                silence.reason = "from overseer top".to_owned();
                let id = store.put_silence(&silence)?;
                Ok(format!(
                    "Silence #{id}: nobody is told of {of} for {lasting}; `overseer silence lift {id}` ends it."
                ))
            }
            Task::Read { .. } | Task::Processes | Task::Similar(_) => Ok(String::new()),
        }
    }
}
