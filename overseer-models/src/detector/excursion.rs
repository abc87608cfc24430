//! Since when each feature has been unlike itself.
//!
//! A feature's evidence is held against its own past. An excursion begins where it is far above, goes on while it is
//! still above, and is over after some rows that are not. The same is kept for values that are missing where there
//! usually is one.

use super::inputs::LONG;
use super::memory::bytes_of;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result, Timestamp};

/// An excursion begins this many deviations above a feature's usual evidence, and goes on above this many.
const BEGINS: f64 = 3.0;
const GOES_ON: f64 = 1.5;
/// It is over after so many rows below that.
const CALM: u32 = 5;
/// The newest row's share of what is usual, and what it counts for at most: so many deviations above it.
const NEWEST: f64 = 1.0 / 5000.0;
const MOST: f64 = 4.0;
/// Before so many rows a feature's usual evidence is not known.
const KNOWN: f64 = LONG as f64;
/// A feature known in this share of rows is missed where it is not.
const PRESENT: f64 = 0.9;

/// One feature's usual evidence and its excursion.
#[derive(Debug, Clone, Default)]
struct Course {
    rows: f64,
    mean: f64,
    variance: f64,
    /// The share of rows with a value.
    present: f64,
    begun: Option<Timestamp>,
    absent: Option<Timestamp>,
    calm: u32,
    /// The rows of the excursion, and how far they have been from what is usual at their time of day, summed.
    length: f64,
    unseasonal: f64,
}

/// The excursions of all features.
#[derive(Debug, Clone)]
pub(super) struct Excursions {
    courses: Vec<Course>,
}

impl Excursions {
    pub(super) fn new(features: usize) -> Self {
        Self { courses: vec![Course::default(); features] }
    }

    /// The bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.courses)
    }

    /// Takes each feature's evidence of the next row, and how far it is from what is usual at this time of day; NaN
    /// where it has no value.
    pub(super) fn push(&mut self, time: Timestamp, row: impl Iterator<Item = (f64, f64)>) {
        for (course, (evidence, unseasonal)) in self.courses.iter_mut().zip(row) {
            course.push(time, evidence);
            if course.begun.is_none() {
                (course.length, course.unseasonal) = (0.0, 0.0);
            } else if !unseasonal.is_nan() {
                course.length += 1.0;
                course.unseasonal += unseasonal;
            }
        }
    }

    /// How far a feature has been from what is usual at the time of day since it has been unlike itself, on average;
    /// 0 where it has not.
    pub(super) fn unseasonal(&self, feature: usize) -> f64 {
        let course = &self.courses[feature];
        course.unseasonal / course.length.max(1.0)
    }

    /// Since when a feature has been unlike itself: the first row of that.
    pub(super) fn since(&self, feature: usize) -> Option<Timestamp> {
        self.courses[feature].begun
    }

    /// Since when a feature that usually has a value has none.
    pub(super) fn absent_since(&self, feature: usize) -> Option<Timestamp> {
        let course = &self.courses[feature];
        course.absent.filter(|_| course.present >= PRESENT)
    }

    /// Nobody knows what happened in a gap.
    pub(super) fn reset(&mut self) {
        for course in &mut self.courses {
            (course.begun, course.absent, course.calm) = (None, None, 0);
        }
    }

    pub(super) fn write_to(&self, w: &mut Writer) {
        let column = |part: fn(&Course) -> f64| self.courses.iter().map(part);
        w.f64s(column(|c| c.rows));
        w.f64s(column(|c| c.mean));
        w.f64s(column(|c| c.variance));
        w.f64s(column(|c| c.present));
        w.f64s(column(|c| c.length));
        w.f64s(column(|c| c.unseasonal));
        for course in &self.courses {
            for time in [course.begun, course.absent] {
                w.u8(u8::from(time.is_some()));
                w.u64(time.unwrap_or_default().as_millis().cast_unsigned());
            }
            w.u32(course.calm);
        }
    }

    pub(super) fn read_from(r: &mut Reader<'_>, features: usize) -> Result<Self> {
        let wrong = || Error::corrupt("the detector's excursions", "a value is out of range");
        let mut list = || -> Result<Vec<f64>> {
            let list = r.f64s()?;
            let usable = list.len() == features && list.iter().all(|v| v.abs() < 1e15);
            if usable { Ok(list) } else { Err(wrong()) }
        };
        let (rows, mean, variance, present) = (list()?, list()?, list()?, list()?);
        let (length, unseasonal) = (list()?, list()?);
        let counted = [&rows, &mean, &variance, &present, &length];
        if counted.into_iter().flatten().any(|v| *v < 0.0) {
            return Err(wrong());
        }
        let mut courses = Vec::with_capacity(features);
        for j in 0..features {
            let mut time = || -> Result<Option<Timestamp>> {
                let is_some = r.u8()?;
                let time = Timestamp::from_millis(r.u64()?.cast_signed());
                if is_some > 1 { Err(wrong()) } else { Ok((is_some == 1).then_some(time)) }
            };
            let (begun, absent) = (time()?, time()?);
            let calm = r.u32()?;
            let (rows, mean, variance) = (rows[j], mean[j], variance[j]);
            let present = present[j];
            if calm > CALM {
                return Err(wrong());
            }
            let (length, unseasonal) = (length[j], unseasonal[j]);
            courses.push(Course {
                rows,
                mean,
                variance,
                present,
                begun,
                absent,
                calm,
                length,
                unseasonal,
            });
        }
        Ok(Self { courses })
    }
}

impl Course {
    fn push(&mut self, time: Timestamp, evidence: f64) {
        self.rows += 1.0;
        let share = NEWEST.max(1.0 / self.rows);
        if evidence.is_nan() {
            self.absent = self.absent.or(Some(time));
            // A value that goes missing for long is usual in the end.
            self.present -= share * self.present;
            return;
        }
        self.absent = None;
        self.present += share * (1.0 - self.present);
        let deviation = self.variance.sqrt();
        let is_known = self.rows > KNOWN;
        if is_known && evidence > self.mean + BEGINS * deviation {
            self.begun = self.begun.or(Some(time));
            self.calm = 0;
        } else if evidence > self.mean + GOES_ON * deviation {
            self.calm = 0;
        } else if self.begun.is_some() {
            self.calm += 1;
            if self.calm == CALM {
                (self.begun, self.calm) = (None, 0);
            }
        }
        // An excursion must not become what is usual at once.
        let learned = if is_known { evidence.min(self.mean + MOST * deviation) } else { evidence };
        let apart = learned - self.mean;
        self.mean += share * apart;
        self.variance += share * (apart * apart * (1.0 - share) - self.variance);
        self.variance = self.variance.max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(row: i64) -> Timestamp {
        Timestamp::from_millis(row * 1000)
    }

    fn usual(row: i64) -> f64 {
        0.5 + 0.1 * (row * 37 % 11) as f64
    }

    #[test]
    fn an_excursion_begins_at_its_first_row_and_ends_after_some_calm_ones() {
        let mut excursions = Excursions::new(1);
        let mut push = |row: i64, evidence: f64| {
            excursions.push(at(row), std::iter::once((evidence, 0.0)));
            excursions.since(0)
        };
        assert!((0..200).all(|row| push(row, usual(row)).is_none()));
        assert!((200..260).all(|row| push(row, 4.0) == Some(at(200))));
        // One calm row does not end it.
        assert_eq!(push(260, 0.5), Some(at(200)));
        assert!((261..300).all(|row| push(row, 4.0) == Some(at(200))));
        assert!((300..310).map(|row| push(row, 0.5)).any(|since| since.is_none()));
    }

    #[test]
    fn a_value_is_missed_only_where_there_usually_is_one() {
        let mut excursions = Excursions::new(2);
        for row in 0..100 {
            let sometimes = if row % 2 == 0 { f64::NAN } else { 0.5 };
            excursions.push(at(row), [(usual(row), 0.0), (sometimes, 0.0)].into_iter());
        }
        let nothing = [(f64::NAN, f64::NAN); 2];
        excursions.push(at(100), nothing.into_iter());
        excursions.push(at(101), nothing.into_iter());
        assert_eq!(excursions.absent_since(0), Some(at(100)));
        assert_eq!(excursions.absent_since(1), None);
    }
}
