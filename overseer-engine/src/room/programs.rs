//! Programs whose memory grows: a leak, and when it meets its limit.
//!
//! The memory of the programs that hold the most is a series beside the samples, as a mount's fullness is, and is full at
//! what it holds and what it has left together. So the same is asked of it: growth that was even, lasted, goes on, and
//! did not end by itself before. A cache that warms up slows down, and one that grew and stopped stands still; what is
//! started anew falls back, and its name stays the same, so that what recurs with each start is known for what it is.

use super::checked::Checked;
use super::series::Watched;
use super::{GONE, Room, said};
use crate::engine::Engine;
use crate::report::{Growing, Notice, Stage};
use overseer_core::{
    Auxiliary, Filling, Interval, Prediction, ProgramMemory, Span, Timestamp, Unit,
};
use std::collections::HashMap;

/// The series' name, as OpenTelemetry calls it; its instance is the program.
pub(crate) const PROCESS_MEMORY: &str = "process.memory.usage";
/// So many programs are asked for at a time.
const TOP: usize = 20;
/// So many are watched: those of a day, of which each must have been gone for a day before another takes its place.
pub(super) const MOST_PROGRAMS: usize = 32;
/// A program must be among those with the most memory so many times in a row before it is watched: names are told by
/// processes, and one that ends or changes its name is none to keep.
const LASTING: u32 = 10;
/// What grew by less since its growth was seen is no leak worth a word.
const LEAST_RISE: f64 = 16.0 * 1024.0 * 1024.0;

/// A program that has grown for less may only be starting, or doing one large thing; one that runs away faster is told as
/// memory that fills.
const LEAST_GROWN: Span = Span::from_secs(8 * 3600);

/// A leak grows as fast lately as all along, but for noise; a cache that warms up has slowed down by then.
const STILL: f64 = 0.85;

/// The programs as they were looked at last.
#[derive(Debug, Default)]
pub(super) struct Programs {
    newest: Vec<ProgramMemory>,
    at: Timestamp,
    /// How many times in a row each was seen that is not watched yet.
    waiting: HashMap<String, u32>,
}

impl Programs {
    fn get(&self, name: &str, now: Timestamp) -> Option<&ProgramMemory> {
        let is_fresh = self.at <= now && now.since(self.at) <= GONE;
        self.newest.iter().find(|p| is_fresh && p.name == name)
    }
}

impl Engine {
    /// Looks which programs hold the most memory now.
    pub(super) fn look_at_programs(&mut self, now: Timestamp) {
        match self.parts.collector.memory(TOP) {
            Ok(newest) => {
                self.room.programs.newest = newest;
                self.room.programs.at = now;
            }
            Err(e) => self.note(Notice::warning(Stage::Collect, format!("programs: {e}"))),
        }
    }
}

impl Room {
    /// The newest values of the programs that are watched, letting in those that lasted.
    pub(super) fn program_values(&mut self) -> Vec<Auxiliary> {
        let is_watched = |series: &[(Watched, Option<super::Found>)], name: &str| {
            series.iter().any(|(w, _)| w.is(PROCESS_MEMORY, name))
        };
        let watched = self.series.iter().filter(|(w, _)| w.name == PROCESS_MEMORY).count();
        let mut free = MOST_PROGRAMS.saturating_sub(watched);
        let mut waiting = HashMap::new();
        let mut values = Vec::new();
        for program in &self.programs.newest {
            if !is_watched(&self.series, &program.name) {
                let seen = self.programs.waiting.get(&program.name).map_or(1, |n| n + 1);
                if seen < LASTING || free == 0 {
                    waiting.insert(program.name.clone(), seen.min(LASTING));
                    continue;
                }
                free -= 1;
            }
            let held = program.memory_bytes;
            let of = Auxiliary::new(PROCESS_MEMORY, &program.name, Unit::Bytes, held);
            values.push(match program.left_bytes {
                Some(left) => of.of_capacity(held + left),
                None => of,
            });
        }
        self.programs.waiting = waiting;
        values
    }

    /// That a program leaks, as a prediction of when it meets its limit and as how it grows; none where it is no leak.
    pub(super) fn leak(
        &self,
        watched: &Watched,
        filling: &Filling,
        checked: Checked,
        now: Timestamp,
    ) -> Option<(Prediction, Growing)> {
        let mut prediction = said::finding(watched, filling, checked)?;
        let growing = self.growing(watched, filling, &prediction, now)?;
        prediction.explanation = explanation(&growing, checked);
        prediction.recommendations = vec![action(&growing)];
        Some((prediction, growing))
    }

    /// The finding that a program grows, beside the prediction of when it meets its limit; none where that is no leak.
    fn growing(
        &self,
        watched: &Watched,
        filling: &Filling,
        p: &Prediction,
        now: Timestamp,
    ) -> Option<Growing> {
        let (limit, (_, held)) = (watched.capacity?, watched.newest()?);
        let (low, high) = filling.per_hour_between;
        let hours = filling.grown_for.as_secs_f64() / 3600.0;
        let per_hour = filling.per_hour * limit;
        let slows = filling.lately_per_hour < STILL * filling.per_hour;
        if slows || filling.grown_for < LEAST_GROWN || per_hour * hours < LEAST_RISE {
            return None;
        }
        let program = self.programs.get(&watched.instance, now);
        Some(Growing {
            program: watched.instance.clone(),
            processes: program.map(|p| p.processes),
            largest: program.map(|p| p.largest.clone()),
            memory_bytes: held,
            bytes_per_hour: per_hour,
            interval: Interval::new((low * limit).max(0.0), high * limit, filling.level),
            grown_for: filling.grown_for,
            limit_bytes: limit,
            limited_by: program.map(|p| p.limited_by.clone()).unwrap_or_default(),
            reached_in: p.value,
            reached_between: p.interval,
        })
    }
}

/// The finding in words.
fn explanation(g: &Growing, checked: Checked) -> String {
    let bytes = |x: f64| Unit::Bytes.humanize(x);
    let span = |seconds: f64| Span::from_millis((1000.0 * seconds) as i64).to_string();
    let who = match (&g.largest, g.processes) {
        (Some(p), Some(1)) => format!(" (pid {})", p.pid),
        (Some(p), Some(n)) => format!(" ({n} processes, the largest of pid {})", p.pid),
        _ => String::new(),
    };
    let limit = match g.limited_by.as_str() {
        "" => "all that the host has left".to_owned(),
        group => format!("the limit of {group}"),
    };
    let limit = format!("{limit} (at {})", bytes(g.limit_bytes));
    let level = g.reached_between.level;
    let (from, to) = (span(g.reached_between.lower), span(g.reached_between.upper));
    let when = match (g.reached_in.is_nan(), g.reached_between.upper.is_nan()) {
        (true, _) => format!("in {from} or later ({level})"),
        (false, true) => format!("in about {} ({from} or later, {level})", span(g.reached_in)),
        (false, false) => format!("in about {} ({from} to {to}, {level})", span(g.reached_in)),
    };
    format!(
        "Memory of {}{who} is {} and has grown by {} an hour ({} to {}, {}) for {}: it reaches {limit} {when}, if it \
         goes on so; {}.",
        g.program,
        bytes(g.memory_bytes),
        bytes(g.bytes_per_hour),
        bytes(g.interval.lower),
        bytes(g.interval.upper),
        g.interval.level,
        g.grown_for,
        said::held(checked),
    )
}

/// What to do about it.
fn action(g: &Growing) -> String {
    let unit = g.largest.as_ref().map_or("", |p| p.unit.as_str());
    if unit.ends_with(".service") {
        format!(
            "Restart {unit} before then, which gives back what it leaked, and find what it keeps."
        )
    } else {
        format!(
            "Restart {} before then, which gives back what it leaked, and find what it keeps.",
            g.program
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::ProcessUsage;

    fn room_with(names: &[String]) -> Room {
        let mut room = Room::default();
        room.programs.newest = names
            .iter()
            .map(|name| {
                let mut largest = ProcessUsage::new(9, name);
                largest.memory_bytes = 1e9;
                ProgramMemory::new(name, largest)
            })
            .collect();
        room
    }

    /// One look after another; what is let in becomes a series.
    fn look(room: &mut Room, minute: i64) -> usize {
        let values = room.program_values();
        for value in &values {
            room.push(Timestamp::from_millis(60_000 * minute), value, Span::from_secs(86_400));
        }
        values.len()
    }

    #[test]
    fn a_program_is_watched_once_it_lasted_and_only_so_many_are() {
        let names: Vec<String> = (0..20).map(|i| format!("p{i}")).collect();
        let mut room = room_with(&names);
        let counts: Vec<usize> = (0..11).map(|m| look(&mut room, m)).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 20]);
        // A host whose processes take a new name each minute fills nothing.
        for minute in 11..200 {
            room.programs.newest = room_with(&[format!("random {minute}")]).programs.newest;
            assert_eq!(look(&mut room, minute), 0);
        }
        let more: Vec<String> = (20..40).map(|i| format!("p{i}")).collect();
        room.programs.newest = room_with(&more).programs.newest;
        let last = (200..300).map(|m| look(&mut room, m)).last();
        assert_eq!((last, room.series.len()), (Some(12), MOST_PROGRAMS));
    }
}
