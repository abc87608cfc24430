//! Room left: the quantities beside the samples are kept, forecast an hour ahead, and asked when they will be full.
//!
//! They move slowly, so they are looked at once a minute, and what follows from them once in five. Both come after a
//! tick's report, and the second for two milliseconds a tick: nothing that somebody waits for waits for it.

mod checked;
mod programs;
mod said;
mod series;

pub(crate) use programs::PROCESS_MEMORY;
pub(crate) use said::advice;
pub use said::{series_name, time_to_full};

use crate::ahead::Past;
use crate::engine::{Engine, Role};
use crate::report::{AuxiliaryValue, Notice, RoomLeft, Stage, TooLittleSeen, WithRoom};
use checked::Checked;
use overseer_core::{
    Auxiliary, AuxiliaryQuery, AuxiliarySeries, ErrorKind, FillOutlook, Prediction, Span,
    SummaryQuery, Timestamp, Unit, host,
};
use programs::{MOST_PROGRAMS, Programs};
use series::{FINE, Watched};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the series are looked at.
const KEEP_EVERY: Span = Span::from_secs(60);
/// How often it is asked when they are full.
const LOOK_EVERY: Span = Span::from_secs(300);
/// How long a tick may spend on that.
const LOOK_FOR: Duration = Duration::from_millis(2);
/// What was not seen for so long is gone: an unmounted disk will not be full.
const GONE: Span = Span::from_secs(300);
/// How far ahead the series are forecast.
const AHEAD: Span = Span::from_secs(3600);
/// How often it is measured whether ranges of a series that fills held: it takes as long as sixteen looks at it, so a
/// tick does only a part of it.
const CHECK_EVERY: Span = Span::from_secs(3600);
/// More series than any host is told about.
const MOST_SERIES: usize = 128;
/// What could not be stored waits for about a day.
const MOST_UNSAVED: usize = 1440;
/// Features of the samples that are asked when they are full, as the auxiliary series are.
const SAMPLED: [(usize, &str); 2] = [
    (host::MEMORY_UTILIZATION, "system.memory.utilization"),
    (host::PAGING_UTILIZATION, "system.paging.utilization"),
];
const FILESYSTEM: &str = "system.filesystem.utilization";

/// What was found of one series when it was looked at last.
#[derive(Debug, Clone)]
struct Found {
    outlook: Option<FillOutlook>,
    /// Whether such ranges held, and when that was measured; `None` while it does not fill.
    checked: Option<(Timestamp, Checked)>,
    /// None of a program, of which only growth is told.
    value: Option<AuxiliaryValue>,
}

/// All series, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Room {
    series: Vec<(Watched, Option<Found>)>,
    /// Whether what was stored was read.
    is_read: bool,
    kept_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    /// The series that are still to be looked at, by index.
    waiting: VecDeque<usize>,
    unsaved: VecDeque<(Timestamp, Vec<Auxiliary>)>,
    programs: Programs,
    /// What is said of them now; taken by a report once it is new.
    pub(crate) left: Option<RoomLeft>,
    pub(crate) values: Vec<AuxiliaryValue>,
    is_new: bool,
}

impl Room {
    fn push(&mut self, at: Timestamp, of: &Auxiliary, memory: Span) {
        if !of.value.is_finite() {
            return;
        }
        let found = self.series.iter().position(|(w, _)| w.is(&of.name, &of.instance));
        let index = match found {
            Some(index) => index,
            None if self.series.len() >= MOST_SERIES => return,
            None => {
                self.series.push((Watched::new(of), None));
                self.series.len() - 1
            }
        };
        let watched = &mut self.series[index].0;
        watched.capacity = of.capacity;
        watched.push(at, of.value, memory);
    }

    /// How full each mount was when it was looked at last.
    pub(crate) fn fullness(&self) -> Vec<(&str, f64)> {
        let newest = self.series.iter().filter_map(|(w, _)| Some((w, w.newest()?.0)));
        let latest = newest.clone().map(|(_, at)| at).max();
        let mounts = newest.filter(|(w, at)| w.name == FILESYSTEM && Some(*at) == latest);
        mounts.filter_map(|(w, _)| Some((w.instance.as_str(), w.newest()?.1))).collect()
    }

    /// Whether a report has something new to tell, which it then has told.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }
}

fn is_due(last: Option<Timestamp>, now: Timestamp, every: Span) -> bool {
    last.is_none_or(|t| now < t || now.since(t) >= every)
}

impl Engine {
    /// For after a tick: keeps the series once a minute, and looks a little at when they are full.
    pub(crate) fn keep_room(&mut self, now: Timestamp) {
        if is_due(self.room.kept_at, now, KEEP_EVERY) {
            self.read_room(now);
            let values = self.look_beside(now);
            self.incidents.take_mounts(&values, &self.schema);
            if self.role == Role::Sampler && !values.is_empty() {
                if self.room.unsaved.len() >= MOST_UNSAVED {
                    self.room.unsaved.pop_front();
                }
                self.room.unsaved.push_back((now, values));
                self.flush_auxiliary();
            }
        }
        if is_due(self.room.looked_at, now, LOOK_EVERY) && self.room.waiting.is_empty() {
            self.begin_look(now);
        }
        self.look_on(now, LOOK_FOR);
    }

    /// All of it at once, for a command that asks and ends; nothing is stored.
    pub(crate) fn look_at_room(&mut self, now: Timestamp) {
        self.timed(Stage::Room, |e| {
            e.read_room(now);
            e.look_beside(now);
            e.begin_look(now);
            e.look_on(now, Duration::MAX);
        });
    }

    /// Takes in what the collector and the newest sample say now, and returns what of it is not stored with samples.
    fn look_beside(&mut self, now: Timestamp) -> Vec<Auxiliary> {
        self.room.kept_at = Some(now);
        self.look_at_programs(now);
        if self.role == Role::Reader {
            return Vec::new();
        }
        let mut values = match self.parts.collector.auxiliary() {
            Ok(values) => values,
            Err(e) => {
                self.note(Notice::warning(Stage::Collect, format!("beside the samples: {e}")));
                Vec::new()
            }
        };
        values.extend(self.room.program_values());
        let memory = self.parts.fill_forecaster.memory();
        for value in &values {
            self.room.push(now, value, memory);
        }
        let Some(sampled) = self.host_values().map(<[f64]>::to_vec) else { return values };
        let ratio = |name: &str, at: usize| {
            Auxiliary::new(name, "", Unit::Ratio, sampled[at]).of_capacity(1.0)
        };
        for (at, name) in SAMPLED {
            self.room.push(now, &ratio(name, at), memory);
        }
        // A source that tells no mounts tells the fullness of the fullest.
        if !values.iter().any(|a| a.name == FILESYSTEM) {
            self.room.push(now, &ratio(FILESYSTEM, host::FILESYSTEM_UTILIZATION), memory);
        }
        values
    }

    /// Stores what waits; what cannot be stored goes on waiting.
    pub(crate) fn flush_auxiliary(&mut self) {
        while let Some((at, values)) = self.room.unsaved.front() {
            let Some(store) = &mut self.parts.store else { return };
            match store.append_auxiliary(*at, values) {
                Ok(()) => {}
                Err(e) if matches!(e.kind(), ErrorKind::Unsupported(_)) => {}
                Err(e) => {
                    self.note(Notice::warning(Stage::Store, e.to_string()));
                    return;
                }
            }
            self.room.unsaved.pop_front();
        }
    }

    /// Reads what was stored: the sampler once, everybody else each time.
    fn read_room(&mut self, now: Timestamp) {
        if self.room.is_read && self.role == Role::Sampler {
            return;
        }
        self.room.is_read = true;
        let memory = self.parts.fill_forecaster.memory();
        let Some(store) = &mut self.parts.store else { return };
        let query = AuxiliaryQuery::new(now - memory, now - FINE, now);
        let mut all = match store.auxiliary(&query) {
            Ok(all) => all,
            Err(e) => {
                self.note(Notice::warning(Stage::Store, e.to_string()));
                Vec::new()
            }
        };
        if self.schema == host::schema() {
            match self.sampled_series(now, memory) {
                Ok(sampled) => all.extend(sampled),
                Err(e) => self.note(Notice::warning(Stage::Store, e.to_string())),
            }
        }
        // Programs that are gone are many over weeks, and must not crowd out what is there.
        let is_kept = |s: &AuxiliarySeries| {
            s.name != PROCESS_MEMORY || s.points.last().is_some_and(|p| now.since(p.0) <= FINE)
        };
        all.retain(is_kept);
        all.sort_by_key(|s| s.name == PROCESS_MEMORY);
        let programs = all.partition_point(|s| s.name != PROCESS_MEMORY);
        all.truncate(programs + MOST_PROGRAMS);
        let read = all.iter().take(MOST_SERIES).map(|s| (Watched::read(s, memory), None));
        self.room.series = read.collect();
        self.room.waiting.clear();
    }

    /// Memory and swap as the samples' summaries have them.
    fn sampled_series(
        &mut self,
        now: Timestamp,
        memory: Span,
    ) -> overseer_core::Result<Vec<AuxiliarySeries>> {
        let Some(store) = &mut self.parts.store else { return Ok(Vec::new()) };
        let mut all: Vec<AuxiliarySeries> = SAMPLED
            .iter()
            .map(|(_, name)| {
                let of = Auxiliary::new(*name, "", Unit::Ratio, 0.0).of_capacity(1.0);
                AuxiliarySeries::of(&of)
            })
            .collect();
        let features: Vec<String> = SAMPLED.iter().map(|(_, name)| (*name).to_owned()).collect();
        let hour = Span::from_secs(3600);
        let fine = (now - FINE).as_millis();
        let fine = Timestamp::from_millis(fine - fine.rem_euclid(hour.as_millis()));
        let before = fine - Span::from_millis(1);
        for (from, to, resolution) in [(now - memory, before, hour), (fine, now, KEEP_EVERY)] {
            let query = SummaryQuery::new(from, to, resolution).of(features.clone());
            let summary = store.summary(&query)?;
            let half = Span::from_millis(resolution.as_millis() / 2);
            for (index, &start) in summary.starts.iter().enumerate() {
                for (series, cell) in all.iter_mut().zip(summary.point(index)) {
                    if cell.mean.is_finite() {
                        series.points.push(((start + half).min(now), cell.mean));
                    }
                }
            }
        }
        all.retain(|series| !series.points.is_empty());
        Ok(all)
    }

    fn begin_look(&mut self, now: Timestamp) {
        self.room.looked_at = Some(now);
        // What is gone for a day is forgotten.
        let is_kept = |(w, _): &(Watched, Option<Found>)| {
            w.newest().is_some_and(|(at, _)| now.since(at) <= FINE)
        };
        self.room.series.retain(is_kept);
        self.room
            .series
            .sort_by(|(a, _), (b, _)| (&a.name, &a.instance).cmp(&(&b.name, &b.instance)));
        self.room.waiting = (0..self.room.series.len()).collect();
        if self.room.waiting.is_empty() {
            self.say_room(now);
        }
    }

    /// Looks at the series that wait, for about so long; after the last of them it is said what was found.
    fn look_on(&mut self, now: Timestamp, budget: Duration) {
        let start = Instant::now();
        while let Some(index) = self.room.waiting.pop_front() {
            let (watched, before) = &self.room.series[index];
            let before = before.as_ref().and_then(|found| found.checked);
            let found = watched.newest().filter(|(at, _)| now.since(*at) <= GONE).map(|newest| {
                let fills = &*self.parts.fill_forecaster;
                let shares = watched.shares();
                let outlook = shares.as_ref().map(|shares| fills.outlook(shares));
                let checked = match (&outlook, &shares) {
                    (Some(FillOutlook::Filling(_)), Some(shares)) => {
                        let (at, mut checked) = before
                            .filter(|(at, c)| {
                                !c.is_complete() || !is_due(Some(*at), now, CHECK_EVERY)
                            })
                            .unwrap_or((now, Checked::default()));
                        checked.go_on(fills, shares, || start.elapsed() < budget);
                        Some((at, checked))
                    }
                    _ => None,
                };
                let value = (watched.name != PROCESS_MEMORY).then(|| ahead(watched, newest.1));
                Found { outlook, checked, value }
            });
            let was_cut_short =
                found.as_ref().and_then(|f| f.checked).is_some_and(|(_, c)| !c.is_complete());
            self.room.series[index].1 = found;
            if was_cut_short {
                self.room.waiting.push_front(index);
            }
            if self.room.waiting.is_empty() {
                self.say_room(now);
            } else if start.elapsed() >= budget {
                return;
            }
        }
    }

    fn say_room(&mut self, now: Timestamp) {
        let mut left = RoomLeft::new(now);
        let mut values = Vec::new();
        for (watched, found) in &self.room.series {
            let Some(found) = found else { continue };
            values.extend(found.value.clone());
            let checked = found.checked.map(|(_, checked)| checked).unwrap_or_default();
            if watched.name == PROCESS_MEMORY {
                if let Some(FillOutlook::Filling(filling)) = &found.outlook
                    && let Some((prediction, growing)) =
                        self.room.leak(watched, filling, checked, now)
                {
                    left.filling.push(prediction);
                    left.growing.push(growing);
                }
                continue;
            }
            let what = series_name(&watched.name, &watched.instance);
            match &found.outlook {
                Some(FillOutlook::Filling(filling)) => {
                    left.filling.extend(said::finding(watched, filling, checked));
                }
                Some(FillOutlook::Room { within }) => {
                    left.with_room.push(WithRoom { what, within: *within });
                }
                Some(FillOutlook::Unknown { seen, needed }) => {
                    left.not_known.push(TooLittleSeen { what, seen: *seen, needed: *needed });
                }
                _ => {}
            }
        }
        let soon = |p: &Prediction| if p.value.is_nan() { p.interval.lower } else { p.value };
        left.filling.sort_by(|a, b| soon(a).total_cmp(&soon(b)));
        self.room.left = Some(left);
        self.room.values = values;
        self.room.is_new = true;
    }
}

/// The newest value of a series and what it will be in an hour.
fn ahead(watched: &Watched, newest: f64) -> AuxiliaryValue {
    let (times, values) = watched.minutes();
    let past = Past { times: &times, values: &values, interval: KEEP_EVERY };
    let limits = match watched.unit {
        Unit::Ratio => (0.0, 1.0),
        Unit::Celsius => (f64::NEG_INFINITY, f64::INFINITY),
        _ => (0.0, f64::INFINITY),
    };
    let mut of = Auxiliary::new(&watched.name, &watched.instance, watched.unit, newest);
    of.capacity = watched.capacity;
    let found = past.ahead(newest, AHEAD.steps(KEEP_EVERY), limits);
    AuxiliaryValue {
        auxiliary: of,
        horizon: AHEAD,
        median: found.map_or(f64::NAN, |a| a.median),
        interval: found.map(|a| a.interval),
        confidence: found.map_or(overseer_core::Probability::ZERO, |a| a.held),
    }
}
