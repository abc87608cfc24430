//! Stored history once more through detection and policy, as it would have happened: what another configuration would
//! have alerted on.
//!
//! A [`Replay`] reads the store some rows at a time and writes nothing. It is causal: what it says of a time was known
//! then. It runs the detection that `score` runs and the engine's one policy; where two configurations differ in the
//! policy alone, the detector judges each row once for both. What people said of incidents and the silences they made
//! are obeyed, each from the time on at which it was given.

mod compare;
mod decided;
mod player;
mod report;
mod source;

pub use report::{Change, Played, REPLAY_VERSION, ReplayReport, ReplayedAlert, ReplayedSpan};

use crate::incident::{ZoneByName, only_utc};
use crate::policy::AlarmBudget;
use decided::Decided;
use overseer_core::{
    DetectorTrainer, Error, Incident, IncidentKind, Result, Span, Store, Timestamp, WhichIncidents,
};
use player::{Player, Rule};
use source::{Source, spans};

/// Incidents that are looked through for those of hard rules.
const MOST_INCIDENTS: usize = 10_000;

/// Makes the trainer of a configuration's detector, once for each span that is replayed.
pub type MakeTrainer<'a> = &'a dyn Fn() -> Result<Box<dyn DetectorTrainer>>;

/// Which history to replay, and by which configurations.
#[allow(missing_debug_implementations, reason = "it borrows functions")]
pub struct Replay<'a> {
    since: Timestamp,
    until: Timestamp,
    detectors: Vec<MakeTrainer<'a>>,
    rules: Vec<Rule>,
    zones: ZoneByName,
}

impl<'a> Replay<'a> {
    /// The history from `since` to `until`, by the configuration in force.
    ///
    /// # Errors
    /// If the time ends before it begins.
    pub fn new(
        since: Timestamp,
        until: Timestamp,
        trainer: MakeTrainer<'a>,
        budget: AlarmBudget,
    ) -> Result<Self> {
        if since >= until {
            return Err(Error::invalid_parameter("since", "must be before the end of the replay"));
        }
        let rules = vec![Rule { budget, min_duration: Span::default() }];
        Ok(Self { since, until, detectors: vec![trainer], rules, zones: only_utc })
    }

    /// And by another configuration, of another budget; `trainer` where its detector is another one too, which takes
    /// twice the time.
    #[must_use]
    pub fn beside(mut self, budget: AlarmBudget, trainer: Option<MakeTrainer<'a>>) -> Self {
        self.detectors.truncate(1);
        self.rules.truncate(1);
        self.detectors.extend(trainer);
        self.rules.push(Rule { budget, min_duration: Span::default() });
        self
    }

    /// How long an event must last before it is told, by the configuration in force and by the other. Without it, it
    /// is told at once.
    ///
    /// An event that goes on after a pause counts from its return here, and from its beginning in a running engine.
    #[must_use]
    pub fn min_durations(mut self, in_force: Span, new: Span) -> Self {
        for (rule, min_duration) in self.rules.iter_mut().zip([in_force, new]) {
            rule.min_duration = min_duration;
        }
        self
    }

    /// Finds the zones of silences that recur this way; without it, only UTC is known.
    #[must_use]
    pub fn zones(mut self, zones: ZoneByName) -> Self {
        self.zones = zones;
        self
    }

    /// Replays it. `progress` is told how many steps of how many are done.
    ///
    /// Samples are replayed where there are any; the time before the first of them from one-minute means, which is
    /// marked approximate. Where rows precede a span, they are learned from first; else it is learned from as it comes.
    ///
    /// # Errors
    /// If nothing is stored of that time, or the store cannot be read.
    pub fn run(
        &self,
        store: &mut dyn Store,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ReplayReport> {
        let step = store.step()?.ok_or_else(|| Error::not_enough_data("a replay", 1, 0))?;
        let found = spans(store, step, self.since, self.until)?;
        let schema = source::schema(store, step)?;
        let decided = Decided::read(store, (self.since, self.until), self.zones)?;
        let (labels, silences) = decided.counts();
        let mut player = Player::new(&self.rules, schema, decided);
        let begin = found.first().map_or(self.since, |s| s.from);
        let end = found.last().map_or(self.until, |s| s.to);
        let steps = |from: Timestamp, to: Timestamp| {
            (to.since(from).as_millis() / step.as_millis().max(1)).unsigned_abs()
        };
        let total = steps(begin, end);
        progress(0, total);
        let mut replayed = Vec::new();
        for source in &found {
            player.begin(source, &self.detectors, store)?;
            let mut from = source.from;
            while from < source.to {
                let to = source.chunk_end(from);
                let rows = source.read(store, from, to)?;
                for (timestamp, values) in rows.rows() {
                    player.row(timestamp, values)?;
                }
                from = to;
                progress(steps(begin, to), total);
            }
            replayed.extend(player.end());
        }
        if replayed.is_empty() {
            return Err(Error::not_enough_data("a replay of that time", 1, 0));
        }
        let (played, notes) = player.played();
        let mut played = played.into_iter();
        let in_force = played.next().unwrap_or_default();
        let new = played.next();
        let mut report = ReplayReport::new((self.since, self.until), step, replayed, in_force, new);
        report.note_decisions(labels, silences);
        report.note_rules(ruled(store, self.since, self.until)?);
        report.notes.extend(notes);
        Ok(report)
    }
}

/// How many incidents of that time hard rules opened, of the newest that are stored.
fn ruled(store: &mut dyn Store, since: Timestamp, until: Timestamp) -> Result<usize> {
    let all = store.incidents(WhichIncidents::All, MOST_INCIDENTS)?;
    let is_of = |i: &&Incident| i.began_at <= until && i.last_seen >= since;
    Ok(all.iter().filter(is_of).filter(|i| i.kind != IncidentKind::Anomaly).count())
}

impl Source {
    /// Rows read at once are so many, to bound the memory.
    fn chunk_end(&self, from: Timestamp) -> Timestamp {
        (from + self.interval.times(source::AT_ONCE)).min(self.to)
    }
}
