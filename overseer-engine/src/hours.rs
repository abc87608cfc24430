//! Hours and days ahead: every feature, and the performance score where its forecaster's ranges held too little.
//!
//! The samples in memory are of hours at most and know no day. So what is half an hour away or more is answered by the
//! [bank](crate::bank) from the means that the store keeps: of ten minutes up to a day ahead, of hours beyond. They are
//! read once and then added to, and each answer is kept until the next mean is whole, so that a tick seldom pays.

use crate::ahead::Ahead;
use crate::bank::Bank;
use crate::engine::Engine;
use crate::prediction::limits;
use overseer_core::{
    Frame, Interval, Prediction, Probability, Result, Span, SummaryQuery, Timestamp, host,
};
use std::collections::HashMap;

/// What is nearer is answered from the samples in memory.
pub(crate) const FAR: Span = Span::from_secs(1800);
const DAY: Span = Span::from_secs(86_400);
/// Means over so long, for horizons up to so far, and how many of them are kept: fifteen days, and sixty.
const TIERS: [(Span, Span, usize); 2] = [
    (Span::from_secs(600), DAY, 15 * 144),
    (Span::from_secs(3600), Span::from_secs(14 * 86_400), 60 * 24),
];
/// Means that ended longer ago than so many of them say nothing of now.
const FRESH: usize = 3;
/// A forecaster whose ranges held less than this is asked no more, if the bank's held more.
const KEPT_PROMISE: f64 = 0.85;

/// And whose ranges held less than this is not believed, whoever else knows nothing.
const BROKEN_PROMISE: f64 = 0.8;

/// How the bank's answers are told.
pub(crate) const BY_MEANS: &str =
    "this is what means over minutes or hours came to after moments before";

/// Of what a bank is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    Column(usize),
    Score,
}

/// The means of one tier.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    cell: Span,
    /// When the first mean begins.
    start: Timestamp,
    /// One series a feature, and that of the performance score; all of one length, NaN where nothing is known.
    columns: Vec<Vec<f64>>,
    score: Vec<f64>,
    /// What was said since the newest mean is whole, by of what and how many means ahead.
    said: HashMap<(Of, usize), Option<Ahead>>,
}

impl Means {
    fn new(cell: Span, columns: usize) -> Self {
        let columns = vec![Vec::new(); columns];
        Self { cell, start: Timestamp::default(), columns, score: Vec::new(), said: HashMap::new() }
    }

    fn end(&self) -> Timestamp {
        self.start + self.cell.times(self.score.len())
    }

    /// Adds a mean that begins at `start`; what lies between is not known.
    fn push(&mut self, start: Timestamp, means: &[f64], most: usize) {
        if self.score.is_empty() || start.since(self.end()) > self.cell.times(most) {
            *self = Self { start, ..Self::new(self.cell, self.columns.len()) };
        }
        while self.end() <= start {
            let is_it = self.end() == start;
            for (column, &mean) in self.columns.iter_mut().zip(means) {
                column.push(if is_it { mean } else { f64::NAN });
            }
            let score = host::performance_score(means).filter(|_| is_it);
            self.score.push(score.map_or(f64::NAN, |s| s.value));
        }
        // In great parts, so that it is seldom done.
        if self.score.len() > most + most / 8 {
            let old = self.score.len() - most;
            self.start = self.start + self.cell.times(old);
            self.columns.iter_mut().chain([&mut self.score]).for_each(|c| drop(c.drain(..old)));
        }
        self.said.clear();
    }

    fn of(&self, of: Of) -> &[f64] {
        match of {
            Of::Column(column) => &self.columns[column],
            Of::Score => &self.score,
        }
    }

    /// How many means after the newest the one is that holds `at`.
    fn steps_to(&self, at: Timestamp) -> usize {
        let whole = at.since(self.end()).as_millis() / self.cell.as_millis();
        usize::try_from(whole).unwrap_or(0) + 1
    }
}

/// What a bank says of something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said {
    /// It is not for the bank to say: too near, or too little is stored.
    NotAsked,
    /// Nothing that would hold is known.
    Nothing,
    Ahead(Ahead),
}

impl Engine {
    /// What the bank says of a value `horizon` after the newest sample.
    pub(crate) fn hours_ahead(&mut self, of: Of, horizon: Span) -> Result<Said> {
        let Some((tier, steps)) = self.tier_for(horizon)? else { return Ok(Said::NotAsked) };
        if let Some(said) = self.means[tier].said.get(&(of, steps)) {
            return Ok(said.map_or(Said::Nothing, Said::Ahead));
        }
        let means = &self.means[tier];
        let limits = match of {
            Of::Column(column) => limits(self.schema.features()[column].unit),
            Of::Score => (0.0, 100.0),
        };
        let around = self.around(of, means.cell)?;
        let bank = Bank::new(means.of(of), DAY.steps(means.cell), &around);
        let said = bank.ahead(steps, limits);
        self.means[tier].said.insert((of, steps), said);
        Ok(said.map_or(Said::Nothing, Said::Ahead))
    }

    /// The middle of what a feature will be about `horizon` after the newest sample, which costs less.
    pub(crate) fn near_hours_ahead(&mut self, column: usize, horizon: Span) -> Result<Option<f64>> {
        let Some((tier, steps)) = self.tier_for(horizon)? else { return Ok(None) };
        let means = &self.means[tier];
        Ok(Bank::new(&means.columns[column], DAY.steps(means.cell), &[]).near(steps))
    }

    /// The tier that answers for a horizon, brought up to date, and how many of its means ahead that is.
    fn tier_for(&mut self, horizon: Span) -> Result<Option<(usize, usize)>> {
        if horizon < FAR || self.schema != host::schema() {
            return Ok(None);
        }
        let Some(newest) = self.newest().map(|s| s.timestamp) else { return Ok(None) };
        let Some(tier) = TIERS.iter().position(|t| horizon <= t.1) else { return Ok(None) };
        self.refresh_means(tier, newest)?;
        let means = &self.means[tier];
        if means.score.is_empty() || newest.since(means.end()) > means.cell.times(FRESH) {
            return Ok(None);
        }
        let steps = means.steps_to(newest + horizon);
        // Twice to see what becomes of something, and once more to see whether that held.
        Ok((means.score.len() >= 3 * steps + 60).then_some((tier, steps)))
    }

    fn refresh_means(&mut self, tier: usize, newest: Timestamp) -> Result<()> {
        let (cell, _, most) = TIERS[tier];
        let columns = self.schema.len();
        while self.means.len() <= tier {
            let (cell, _, _) = TIERS[self.means.len()];
            self.means.push(Means::new(cell, columns));
        }
        // The clock was set back: what is there is not of the past any more.
        if self.means[tier].end() > newest {
            self.means[tier] = Means::new(cell, columns);
        }
        let means = &self.means[tier];
        let earliest = newest - cell.times(most);
        let from = if means.score.is_empty() { earliest } else { earliest.max(means.end()) };
        if newest.since(from) < cell {
            return Ok(());
        }
        let Some(store) = &mut self.parts.store else { return Ok(()) };
        let summary = store.summary(&SummaryQuery::new(from, newest, cell))?;
        for (index, &start) in summary.starts.iter().enumerate() {
            if start < self.means[tier].end() && !self.means[tier].score.is_empty() {
                continue;
            }
            if start + cell > newest {
                break;
            }
            let row: Vec<f64> = summary.point(index).iter().map(|c| c.mean).collect();
            self.means[tier].push(start, &row, most);
        }
        Ok(())
    }

    /// How far the samples in memory were from the means over `cell` that they are part of.
    fn around(&self, of: Of, cell: Span) -> Result<Vec<f64>> {
        let frame = self.active().frame(&self.schema, usize::MAX)?;
        let values = known_of(&frame, of);
        let mut all = Vec::with_capacity(values.len());
        let whole = |at: &Timestamp| at.as_millis().div_euclid(cell.as_millis());
        for part in values.chunk_by(|a, b| whole(&a.0) == whole(&b.0)) {
            let mean = part.iter().map(|p| p.1).sum::<f64>() / part.len() as f64;
            all.extend(part.iter().map(|p| p.1 - mean));
        }
        Ok(all)
    }

    /// Replaces those predictions of the performance score hours ahead whose ranges lately held too little, by the
    /// bank's where its ranges held; where none did, the range is that of all that is known, and said to be unchecked.
    pub(crate) fn keep_promises(&mut self, predictions: &mut [Prediction]) -> Result<()> {
        for p in predictions.iter_mut() {
            if p.horizon < FAR || p.confidence.get() >= KEPT_PROMISE {
                continue;
            }
            match self.hours_ahead(Of::Score, p.horizon)? {
                Said::Ahead(a) if a.held > p.confidence => {
                    let caveat = format!(
                        "a forecaster's ranges so far ahead held too little lately or could not be checked, so {BY_MEANS}"
                    );
                    *p = self.finding(a.median, a.interval, Some(a.held), p.horizon, Some(&caveat));
                }
                // Not one of them kept its word.
                Said::Nothing | Said::Ahead(_)
                    if p.confidence > Probability::ZERO && p.confidence.get() < BROKEN_PROMISE =>
                {
                    let caveat = "no ranges so far ahead held what they claimed lately, so this one is widened to all but the rarest scores that are known";
                    let interval = self.widest(p.interval);
                    *p = self.finding(p.value, interval, None, p.horizon, Some(caveat));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An interval that holds this one, and all but the rarest scores of the means that are kept.
    fn widest(&self, of: Interval) -> Interval {
        let known = self.means.iter().flat_map(|m| &m.score).copied().filter(|s| s.is_finite());
        let mut known: Vec<f64> = known.collect();
        known.sort_unstable_by(f64::total_cmp);
        let Some(last) = known.len().checked_sub(1) else { return of };
        let at = |q: f64| known[(q * last as f64).round() as usize];
        Interval::new(of.lower.min(at(0.02)), of.upper.max(at(0.98)), of.level)
    }
}

fn known_of(frame: &Frame, of: Of) -> Vec<(Timestamp, f64)> {
    let value = |row: &[f64]| match of {
        Of::Column(column) => row[column],
        Of::Score => host::performance_score(row).map_or(f64::NAN, |s| s.value),
    };
    frame.rows().map(|(at, row)| (at, value(row))).filter(|p| p.1.is_finite()).collect()
}
