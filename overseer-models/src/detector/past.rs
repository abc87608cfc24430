//! What is learned from the time before the rows, of which only least and greatest values are known.
//!
//! They serve where they mean what rows would have meant: how far a half hour of the week went, and between what the
//! features kept, they tell exactly. Everything else learns from rows alone; means of the time of day did more harm than
//! good. A point that stands for more than its own length of time, where finer ones are gone, tells of ranges only.

use super::model::ForestDetector;
use overseer_core::{Summary, SummaryCell, Timestamp};

/// A point's values may cover this much more than its length before they are taken to be of a longer time.
const LONGER: f64 = 1.5;

impl ForestDetector {
    /// Learns from the points that begin before `first`, the time of the first row to come; says from how many.
    pub(super) fn learn_past(&mut self, past: &Summary, first: Timestamp) -> usize {
        let name = |at: usize| self.schema.features()[at].name.as_str();
        let columns: Vec<Option<usize>> = self
            .order
            .iter()
            .map(|&at| past.features.iter().position(|feature| feature == name(at)))
            .collect();
        let length = past.resolution.as_millis() as f64;
        let step = self.metadata.interval_ms as f64;
        let state = &mut self.state;
        let (mut least, mut greatest) = (Vec::new(), Vec::new());
        let mut points = 0;
        for (index, &start) in past.starts.iter().enumerate().filter(|(_, start)| **start < first) {
            let cells = past.point(index);
            let of = |column: &Option<usize>| column.map_or(SummaryCell::EMPTY, |c| cells[c]);
            let known = || columns.iter().map(of).zip(&self.scales);
            least.clear();
            least.extend(known().map(|(cell, scale)| scale.units(cell.min)));
            greatest.clear();
            greatest.extend(known().map(|(cell, scale)| scale.units(cell.max)));
            let most = cells.iter().map(|cell| cell.count).max().unwrap_or(0);
            if most as f64 * step <= LONGER * length {
                state.inputs.learn_past(start, &mut least, &mut greatest);
            }
            for row in [&least, &greatest] {
                state.ranges.push(row);
                state.reach.push(row);
            }
            points += 1;
        }
        state.ranges.reset();
        state.reach.reset();
        points
    }
}

#[cfg(test)]
mod tests {
    use super::super::train::ForestDetectorTrainer;
    use super::*;
    use overseer_core::{Detector, DetectorTrainer, Frame, Schema, Span, SummaryBuilder};

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;
    const WEEK: i64 = 7 * DAY;
    /// When the rows begin.
    const FIRST: i64 = 4 * WEEK;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    /// Two features every five minutes from `from` on, of which the first is busy from six to eight on the first day of
    /// each week.
    fn rows(from: i64, to: i64) -> impl Iterator<Item = (Timestamp, [f64; 2])> {
        (from..to).step_by(5 * MINUTE as usize).map(|ms| {
            let n = ms / (5 * MINUTE);
            let is_busy = (6 * 60..8 * 60).contains(&(ms % WEEK / MINUTE));
            let job = if is_busy { 60.0 } else { 0.0 };
            (at(ms), [(n * 37 % 23) as f64 + job, (n * 53 % 31) as f64])
        })
    }

    fn frame() -> Frame {
        let mut frame = Frame::new(Schema::from_names(["busy", "calm"]).unwrap());
        for (time, row) in rows(FIRST - DAY, FIRST) {
            frame.push_row(time, &row).unwrap();
        }
        frame
    }

    fn past(names: [&str; 2], to: i64, resolution: i64) -> Summary {
        let names = names.map(str::to_owned).to_vec();
        let mut builder = SummaryBuilder::new(names, Span::from_millis(resolution));
        for (time, row) in rows(0, to) {
            builder.add(time, row.map(SummaryCell::of));
        }
        builder.build()
    }

    fn fit(past: &Summary) -> Box<dyn Detector> {
        let trainer = ForestDetectorTrainer::builder().trees(10).seed(1).build().unwrap();
        trainer.fit_after(past, &frame()).unwrap()
    }

    /// The least p-value of the job's next run.
    fn surprise(detector: &dyn Detector) -> f64 {
        let mut coming = Frame::new(frame().schema().clone());
        for (time, row) in rows(FIRST, FIRST + 9 * 60 * MINUTE) {
            coming.push_row(time, &row).unwrap();
        }
        let judged = detector.score(&coming).unwrap();
        judged.iter().map(|j| j.p_value).fold(1.0, f64::min)
    }

    #[test]
    fn what_recurred_in_the_past_is_no_surprise_and_what_is_of_other_features_says_nothing() {
        let known = fit(&past(["busy", "calm"], FIRST - DAY, 15 * MINUTE));
        assert!(surprise(known.as_ref()) > 1e-3, "{}", surprise(known.as_ref()));
        assert!(known.metadata().quality["weekly_readiness"].0 > 0.9);
        let foreign = fit(&past(["x", "y"], FIRST - DAY, 15 * MINUTE));
        assert!(surprise(foreign.as_ref()) < 1e-4, "{}", surprise(foreign.as_ref()));
    }

    #[test]
    fn the_order_of_the_features_does_not_matter() {
        let mut turned = past(["busy", "calm"], FIRST - DAY, 15 * MINUTE);
        let known = fit(&turned).to_bytes().unwrap();
        turned.features.reverse();
        turned.cells.chunks_mut(2).for_each(<[SummaryCell]>::reverse);
        assert_eq!(fit(&turned).to_bytes().unwrap(), known);
    }

    #[test]
    fn no_point_of_the_frames_time_or_later_is_looked_at() {
        let until_first = fit(&past(["busy", "calm"], FIRST - DAY, 15 * MINUTE));
        let beyond = fit(&past(["busy", "calm"], FIRST + WEEK, 15 * MINUTE));
        assert_eq!(until_first.to_bytes().unwrap(), beyond.to_bytes().unwrap());
    }

    #[test]
    fn a_point_that_stands_for_a_longer_time_teaches_nothing_of_the_week() {
        let mut hours = past(["busy", "calm"], FIRST - DAY, 60 * MINUTE);
        hours.resolution = Span::from_millis(15 * MINUTE);
        let taught = fit(&hours);
        assert_eq!(taught.metadata().quality["weekly_readiness"].0, 0.0);
        assert!(taught.metadata().quality["earlier_points"].0 > 600.0);
    }
}
