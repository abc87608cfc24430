//! All series on all cores, and what they come to.

use crate::data::{Entry, NAB};
use crate::detect::{Detection, detect, is_causal};
use crate::metrics::events::{AtBudget, Truth};
use crate::metrics::nab::{Curve, PROFILES, Score};
use crate::metrics::ranking::Ranking;
use crate::metrics::shipped::{Fate, Shipped, false_alarms_per_week, fates};
use crate::metrics::{labels, vus};
use overseer_engine::core::{DetectorTrainer, Error, Result, Span};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// The budgets of false alarms a day.
const ONE_A_DAY: f64 = 1.0;
const ONE_A_WEEK: f64 = 1.0 / 7.0;

/// All figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Results {
    /// Of series with a history to learn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mts: Option<Many>,
    /// Of single metrics that are learned from as they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nab: Option<Nab>,
}

/// The corpora of many metrics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Many {
    /// Whether cutting series off changed nothing before the cut; `None` if that was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causal: Option<bool>,
    /// By the corpora's names.
    #[serde(flatten)]
    pub corpora: BTreeMap<String, Corpus>,
    /// The mean over the corpora.
    pub vus_pr_mean: f64,
}

/// One corpus of many metrics. The first four are means over series that have an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Corpus {
    /// The volume under the precision-recall surface.
    pub vus_pr: f64,
    /// The area under the precision-recall curve, row by row.
    pub auc_pr: f64,
    /// The area under the receiver's operating characteristic, row by row.
    pub auc_roc: f64,
    /// The best F1 score, row by row.
    pub f1: f64,
    /// How many series there are.
    pub n: usize,
    /// Events found at a false alarm a day and host.
    #[serde(rename = "ev@1/day")]
    pub a_day: AtBudget,
    /// Events found at a false alarm a week and host.
    #[serde(rename = "ev@1/week")]
    pub a_week: AtBudget,
    /// With nothing chosen in hindsight.
    pub as_shipped: Shipped,
    /// Each series by itself.
    pub series: Vec<OfSeries>,
}

/// The Numenta Anomaly Benchmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nab {
    /// How many files there are.
    pub files: usize,
    /// As [`Many::causal`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causal: Option<bool>,
    /// By the profiles' names; empty if no file has a window.
    #[serde(flatten)]
    pub profiles: BTreeMap<&'static str, Score>,
    /// With nothing chosen in hindsight.
    pub as_shipped: Shipped,
    /// Each file by itself.
    pub series: Vec<OfSeries>,
}

/// One series by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfSeries {
    /// Its name.
    pub name: String,
    /// The volume under the precision-recall surface; `None` without an event and for NAB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vus_pr: Option<f64>,
    /// Its points of NAB's standard profile at the threshold of the other files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// What became of each event, as shipped.
    pub fates: Vec<Fate>,
    /// False alarms a week, as shipped.
    pub fa_per_week: f64,
}

impl Results {
    /// Whether no series that was cut off said anything else before the cut.
    #[must_use]
    pub fn is_causal(&self) -> bool {
        let of_many = self.mts.as_ref().and_then(|m| m.causal);
        let of_nab = self.nab.as_ref().and_then(|n| n.causal);
        of_many != Some(false) && of_nab != Some(false)
    }
}

/// Whether to score each series a second time, cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Causality {
    /// Score it twice and compare.
    Check,
    /// Trust it.
    Assume,
}

/// Measures what the detectors of `trainer` make of these series.
///
/// # Errors
/// For the first series that cannot be read or scored; the message names file and line.
pub fn measure<T>(entries: &[Entry], trainer: &T, causality: Causality) -> Result<Results>
where
    T: DetectorTrainer + Clone + Sync + 'static,
{
    let judged: Vec<Judged> =
        entries.par_iter().map(|e| judge(e, trainer, causality)).collect::<Result<_>>()?;
    let mut corpora: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for one in &judged {
        corpora.entry(&one.corpus).or_default().push(one);
    }
    let nab = corpora.remove(NAB).map(|files| of_nab(&files));
    let mts = (!corpora.is_empty()).then(|| {
        let causal = all_causal(corpora.values().flatten().copied());
        let corpora: BTreeMap<String, Corpus> =
            corpora.iter().map(|(name, all)| ((*name).to_owned(), of_corpus(all))).collect();
        let vus_pr_mean = mean(corpora.values().map(|c| c.vus_pr));
        Many { causal, corpora, vus_pr_mean }
    });
    Ok(Results { mts, nab })
}

/// A series that was scored.
#[derive(Debug)]
struct Judged {
    corpus: String,
    name: String,
    truth: Truth,
    detection: Detection,
    step: Span,
    causal: Option<bool>,
}

fn judge<T>(entry: &Entry, trainer: &T, causality: Causality) -> Result<Judged>
where
    T: DetectorTrainer + Clone + 'static,
{
    let series = entry.read()?;
    let named = |e| Error::other(format!("{} {}", entry.corpus, entry.name), e);
    let detection = detect(&series, trainer).map_err(named)?;
    let causal = match causality {
        Causality::Check => Some(is_causal(&series, trainer, &detection).map_err(named)?),
        Causality::Assume => None,
    };
    let truth = Truth::new(series.rows.len(), &series.events, series.step);
    let (corpus, name, step) = (series.corpus, series.name, series.step);
    Ok(Judged { corpus, name, truth, detection, step, causal })
}

impl Judged {
    fn rows(&self) -> usize {
        self.detection.score.len()
    }

    fn vus_pr(&self) -> Option<f64> {
        vus::vus_pr(&self.detection.score, self.truth.events(), longest_buffer(self.step))
    }

    fn by_itself(&self) -> OfSeries {
        OfSeries {
            name: self.name.clone(),
            vus_pr: None,
            points: None,
            fates: fates(&self.truth, &self.detection.alert, &self.detection.state),
            fa_per_week: false_alarms_per_week(&self.truth, &self.detection.alert),
        }
    }
}

/// The longest buffer around events: the rows of two hours, at most 100.
fn longest_buffer(step: Span) -> usize {
    ((7200.0 / step.as_secs_f64()) as usize).min(100)
}

fn of_corpus(all: &[&Judged]) -> Corpus {
    let rankings: Vec<Ranking> = all
        .iter()
        .filter_map(|j| Ranking::of(&j.detection.score, &labels(j.rows(), j.truth.events())))
        .collect();
    let series: Vec<OfSeries> =
        all.par_iter().map(|j| OfSeries { vus_pr: j.vus_pr(), ..j.by_itself() }).collect();
    let scored: Vec<(&Truth, &[f64])> =
        all.iter().map(|j| (&j.truth, j.detection.score.as_slice())).collect();
    Corpus {
        vus_pr: mean(series.iter().filter_map(|s| s.vus_pr)),
        auc_pr: mean(rankings.iter().map(|r| r.auc_pr)),
        auc_roc: mean(rankings.iter().map(|r| r.auc_roc)),
        f1: mean(rankings.iter().map(|r| r.f1)),
        n: all.len(),
        a_day: AtBudget::of(&scored, ONE_A_DAY),
        a_week: AtBudget::of(&scored, ONE_A_WEEK),
        as_shipped: shipped(all),
        series,
    }
}

fn of_nab(files: &[&Judged]) -> Nab {
    let mut series: Vec<OfSeries> = files.iter().map(|j| j.by_itself()).collect();
    let mut profiles = BTreeMap::new();
    for (i, profile) in PROFILES.iter().enumerate() {
        let curves: Vec<Curve> = files
            .iter()
            .map(|j| Curve::new(&j.detection.onset, j.truth.events(), profile))
            .collect();
        let Some(score) = Score::of(&curves, profile) else { continue };
        if i == 0 {
            for (of_series, points) in series.iter_mut().zip(&score.points) {
                of_series.points = Some(*points);
            }
        }
        profiles.insert(profile.name, score);
    }
    Nab {
        files: files.len(),
        causal: all_causal(files.iter().copied()),
        profiles,
        as_shipped: shipped(files),
        series,
    }
}

fn shipped(all: &[&Judged]) -> Shipped {
    let series: Vec<(&Truth, &[bool], &[bool])> = all
        .iter()
        .map(|j| (&j.truth, j.detection.alert.as_slice(), j.detection.state.as_slice()))
        .collect();
    Shipped::of(&series)
}

fn all_causal<'a>(mut judged: impl Iterator<Item = &'a Judged>) -> Option<bool> {
    judged.try_fold(true, |all, j| j.causal.map(|c| all && c))
}

/// The mean, NaN of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), v| (sum + v, n + 1));
    sum / n as f64
}
