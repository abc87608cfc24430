#[cfg(feature = "host")]
use super::trial::{Fold, Outcome};
use super::*;
use overseer_core::{
    Forecast, Forecaster, Interval, ModelKind, ModelMetadata, Probability, Sample, Schema, Span,
    Timestamp,
};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const STEP: i64 = 5_000;
const TARGET: [ForecastTarget; 1] = [ForecastTarget::Column(0)];

/// Says a value for `ahead` steps behind the values seen so far.
type Says = fn(&[f64], usize) -> f64;

/// A forecaster of the first column that says what it is told to, give or take 1.645.
#[derive(Debug, Clone)]
struct Saying {
    says: Says,
    schema: Schema,
    seen: Vec<f64>,
    metadata: ModelMetadata,
    horizon: usize,
}

#[derive(Debug, Clone)]
struct SayingTrainer(Says);

impl ForecasterTrainer for SayingTrainer {
    fn min_rows(&self, horizon: usize) -> usize {
        20 + horizon
    }

    fn fit(&self, frame: &Frame, _: ForecastTarget, horizon: usize) -> Result<Box<dyn Forecaster>> {
        Ok(Box::new(Saying {
            says: self.0,
            schema: frame.schema().clone(),
            seen: frame.column(0).collect(),
            metadata: ModelMetadata::new("x", ModelKind::Forecaster, "saying"),
            horizon,
        }))
    }

    fn load(&self, _: &[u8], _: &Schema) -> Result<Box<dyn Forecaster>> {
        Err(Error::unsupported("loading"))
    }
}

impl Forecaster for Saying {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn target(&self) -> ForecastTarget {
        TARGET[0]
    }

    fn max_horizon(&self) -> usize {
        self.horizon
    }

    fn observe(&mut self, sample: &Sample) -> Result<()> {
        self.seen.push(sample.values[0]);
        Ok(())
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        if self.seen.is_empty() {
            return Err(Error::not_enough_data("samples", 1, 0));
        }
        let one = |step| {
            let value = (self.says)(&self.seen, step);
            let interval =
                Interval::new(value - 1.645, value + 1.645, Probability::saturating(0.9));
            Forecast::new(step, value, interval)
        };
        Ok((1..=horizon).map(one).collect())
    }

    fn reset_lags(&mut self) {
        self.seen.clear();
    }

    fn boxed_clone(&self) -> Box<dyn Forecaster> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(vec![0; self.seen.len()])
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

fn last(seen: &[f64], _: usize) -> f64 {
    seen[seen.len() - 1]
}

fn zero(_: &[f64], _: usize) -> f64 {
    0.0
}

fn saying(name: &str, says: Says) -> Candidate {
    Candidate::new(name, SayingTrainer(says))
}

fn frame_of(values: impl IntoIterator<Item = f64>) -> Frame {
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    for (i, v) in values.into_iter().enumerate() {
        frame.push_row(Timestamp::from_millis(STEP * i as i64), &[v]).unwrap();
    }
    frame
}

fn noise(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    frame_of((0..n).map(|_| rng.sample::<f64, _>(StandardNormal)))
}

/// White noise on a rhythm of twelve steps.
fn rhythm(n: usize, seed: u64) -> Frame {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    frame_of((0..n).map(|i| (i % 12) as f64 + rng.sample::<f64, _>(StandardNormal)))
}

fn a_period_before(seen: &[f64], ahead: usize) -> f64 {
    seen[seen.len() - 12 + (ahead - 1) % 12]
}

/// The mean of the last ten values at this place of the rhythm.
fn rhythms_mean(seen: &[f64], ahead: usize) -> f64 {
    (1..=10).map(|k| seen[seen.len() - 12 * k + (ahead - 1) % 12]).sum::<f64>() / 10.0
}

fn contest() -> Contest {
    Contest::new(saying("usual", a_period_before), saying("last value", last)).seed(3)
}

fn run(contest: &Contest, frame: &Frame) -> Selection {
    contest.run(frame, &TARGET, 12, |_| true).unwrap()
}

#[test]
fn what_is_clearly_better_is_chosen_and_its_margin_is_told() {
    let contest = contest()
        .challenger(saying("mean of the rhythm", rhythms_mean))
        .challenger(saying("nothing", zero))
        .challenger(saying("last again", last).with("value", "last"));
    let selection = run(&contest, &rhythm(1_200, 1));
    assert_eq!(selection.chosen, "mean of the rhythm");
    assert!(selection.is_other());
    let board: Vec<&str> = selection.leaderboard.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(board[..2], ["mean of the rhythm", "usual"]);
    let [best, usual] = [0, 1].map(|i| &selection.leaderboard[i]);
    assert!(best.better && best.loss.0 < 0.5 && best.error.0 < 0.1, "{best:?}");
    assert!((best.gain.0 - (usual.loss.0 - best.loss.0)).abs() < 1e-9, "{best:?} {usual:?}");
    assert!((selection.margin.0 - (1.0 - best.loss.0)).abs() < 1e-12);
    assert_eq!(selection.standing("last value").unwrap().loss.0, 1.0);
    let again = selection.standing("last again").unwrap();
    assert!((again.loss.0 - 1.0).abs() < 1e-9 && !again.better);
    assert_eq!(again.parameters["value"], "last");
    assert_eq!((selection.rows, selection.horizon), (1_200, 12));
    assert_eq!(selection.span.1, Timestamp::from_millis(STEP * 1_199));
}

#[test]
fn a_contest_that_is_clear_ends_early_and_one_that_is_not_goes_on() {
    let many = |says: [Says; 4]| {
        let names = ["a", "b", "c", "d"];
        names.iter().zip(says).fold(contest(), |c, (name, says)| c.challenger(saying(name, says)))
    };
    let clear = run(&many([rhythms_mean, zero, zero, last]), &rhythm(1_200, 1));
    assert_eq!((clear.end, clear.chosen.as_str()), (SelectionEnd::Decided, "a"));
    let hopeless = run(&many([zero, last, zero, last]), &rhythm(1_200, 1));
    assert_eq!((hopeless.end, hopeless.chosen.as_str()), (SelectionEnd::Decided, "usual"));
    let twins = run(&many([rhythms_mean, rhythms_mean, zero, last]), &rhythm(1_200, 1));
    assert_eq!(twins.end, SelectionEnd::Completed, "two are alike");
    assert!(twins.folds > clear.folds && ["a", "b"].contains(&twins.chosen.as_str()));
}

#[test]
fn what_is_no_better_beyond_noise_leaves_the_default() {
    // All are wrong by a little, each in its own direction: as good as each other in the long run.
    let mut chosen = Vec::new();
    for seed in 0..40 {
        let contest = Contest::new(saying("usual", |_, _| 0.05), saying("last value", last))
            .challenger(saying("lower", |_, _| -0.05))
            .challenger(saying("by turns", |_, h| if h % 2 == 0 { 0.05 } else { -0.05 }))
            .challenger(saying("other turns", |_, h| if h % 2 == 0 { -0.05 } else { 0.05 }))
            .seed(seed);
        chosen.push(run(&contest, &noise(800, seed)).chosen);
    }
    let others = chosen.iter().filter(|name| *name != "usual").count();
    assert!(others <= 4, "{others} of 40 at one in twenty: {chosen:?}");
}

#[test]
fn the_same_seed_gives_the_same_leaderboard() {
    let of = |seed| {
        let contest = contest()
            .challenger(saying("mean of the rhythm", rhythms_mean))
            .challenger(saying("nothing", zero))
            .challenger(saying("always one", |_, _| 1.0))
            .seed(seed);
        run(&contest, &rhythm(900, 2))
    };
    assert_eq!(of(7), of(7));
    assert_ne!(of(7).leaderboard, of(8).leaderboard, "other stretches came first");
}

#[test]
fn what_was_stopped_counts_its_completed_rounds_only() {
    let contest = contest()
        .challenger(saying("a", rhythms_mean))
        .challenger(saying("b", rhythms_mean))
        .challenger(saying("c", |seen, h| rhythms_mean(seen, h) + 0.01))
        .challenger(saying("d", zero));
    let frame = rhythm(1_200, 3);
    let mut fits = Vec::new();
    let whole = contest.run(&frame, &TARGET, 12, |p| {
        fits.push((p.done, p.rung));
        assert!(p.done < p.total && p.rung <= p.rungs, "{p:?}");
        true
    });
    assert!(whole.unwrap().rungs >= 1);
    let first_of_second = fits.iter().find(|(_, rung)| *rung == 2).map(|(done, _)| *done);
    let one_round = first_of_second.unwrap();
    let stopped = contest.run(&frame, &TARGET, 12, |p| p.done < one_round + 3).unwrap();
    assert_eq!((stopped.end, stopped.rungs), (SelectionEnd::Stopped, 1));
    // The same in work instead of somebody's patience.
    let limited = contest.clone().work(one_round + 3);
    assert_eq!(run(&limited, &frame), stopped);
    // And stopped before anything is known, the default stays.
    let at_once = contest.run(&frame, &TARGET, 12, |_| false).unwrap();
    assert_eq!((at_once.end, at_once.rungs), (SelectionEnd::Stopped, 0));
    assert!(!at_once.is_other() && at_once.margin.0.is_nan());
}

/// On a busy machine the time may be up in the very first round: who was played by then is compared, and nobody chosen.
#[test]
fn what_was_played_of_the_first_round_is_shown() {
    let contest = contest()
        .challenger(saying("a", rhythms_mean))
        .challenger(saying("b", |seen, h| rhythms_mean(seen, h) + 0.01))
        .challenger(saying("c", zero));
    let stopped = run(&contest.work(3), &rhythm(1_200, 3));
    assert_eq!((stopped.end, stopped.rungs, stopped.folds), (SelectionEnd::Stopped, 0, 1));
    assert!(!stopped.is_other() && !stopped.margin.0.is_nan());
    let known = |name: &str| stopped.standing(name).unwrap().loss.0.is_finite();
    assert_eq!(["usual", "last value", "a", "b", "c"].map(known), [true, true, true, false, false]);
    // Who was compared stands before who was not.
    let names: Vec<&str> = stopped.leaderboard.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names[0], "a", "{names:?}");
    assert!(names[3..].contains(&"b") && names[3..].contains(&"c"), "{names:?}");
}

#[test]
fn stopping_is_heeded_within_a_fold() {
    let asked = AtomicUsize::new(0);
    let stopped = contest().run(&rhythm(2_000, 3), &TARGET, 120, |p| {
        assert_eq!(p.done, 0);
        asked.fetch_add(1, Ordering::Relaxed) < 3
    });
    assert_eq!(stopped.unwrap().end, SelectionEnd::Stopped);
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

/// Fails in a way of its own.
#[derive(Debug)]
struct Broken(&'static str);

impl ForecasterTrainer for Broken {
    fn min_rows(&self, _: usize) -> usize {
        1
    }

    fn fit(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<Box<dyn Forecaster>> {
        if self.0 == "fit" {
            return Err(Error::unavailable("the weights", "the file is gone"));
        }
        SayingTrainer(|_, h| if h == 3 { f64::NAN } else { 0.0 }).fit(frame, target, horizon)
    }

    fn load(&self, _: &[u8], _: &Schema) -> Result<Box<dyn Forecaster>> {
        Err(Error::unsupported("loading"))
    }
}

#[test]
fn who_fails_drops_out_with_the_reason_and_stops_nobody() {
    let contest = contest()
        .challenger(Candidate::new("no fit", Broken("fit")))
        .challenger(Candidate::new("no number", Broken("forecast")))
        .challenger(saying("mean of the rhythm", rhythms_mean));
    let selection = run(&contest, &rhythm(1_200, 1));
    assert_eq!(selection.chosen, "mean of the rhythm");
    let reason = |name: &str| selection.standing(name).unwrap().failed.clone().unwrap();
    assert!(reason("no fit").contains("the file is gone"), "{}", reason("no fit"));
    assert!(reason("no number").contains("step 3"), "{}", reason("no number"));
    let last_two: Vec<bool> =
        selection.leaderboard.iter().rev().take(2).map(|s| s.failed.is_some()).collect();
    assert_eq!(last_two, [true, true], "who failed comes last");

    // A model that takes too much memory drops out as well; without a default there is no contest.
    let tight = contest.clone().model_bytes(1);
    assert!(tight.run(&rhythm(1_200, 1), &TARGET, 12, |_| true).is_err());
    let broken = Contest::new(Candidate::new("broken", Broken("fit")), saying("last value", last));
    let error = broken.run(&rhythm(1_200, 1), &TARGET, 12, |_| true).unwrap_err();
    assert!(error.to_string().contains("the file is gone"), "{error}");
}

#[test]
fn where_a_candidate_has_no_lags_the_simplest_one_stands_in() {
    // Every tenth step a gap: lags are forgotten, and for twelve steps there is no rhythm to go by.
    let mut frame = Frame::new(Schema::from_names(["x"]).unwrap());
    let mut time = 0;
    for (i, (_, row)) in rhythm(1_500, 4).rows().enumerate() {
        time += if i % 100 == 0 { 60 * STEP } else { STEP };
        frame.push_row(Timestamp::from_millis(time), row).unwrap();
    }
    fn patient(seen: &[f64], ahead: usize) -> f64 {
        if seen.len() < 12 { last(seen, ahead) } else { a_period_before(seen, ahead) }
    }
    let contest = Contest::new(saying("usual", patient), saying("last value", last));
    let selection = run(&contest, &frame);
    let usual = selection.standing("usual").unwrap();
    assert!(usual.loss.0 < 1.0 && usual.failed.is_none(), "{usual:?}");
}

#[test]
fn a_history_too_short_and_a_name_given_twice_are_errors() {
    let error = contest().run(&rhythm(60, 1), &TARGET, 12, |_| true).unwrap_err();
    assert!(error.is_not_enough_data(), "{error}");
    let twice = contest().challenger(saying("usual", zero));
    let error = twice.run(&rhythm(900, 1), &TARGET, 12, |_| true).unwrap_err();
    assert!(error.to_string().contains("`usual`"), "{error}");
    assert!(contest().run(&rhythm(900, 1), &[], 12, |_| true).is_err());
    assert!(contest().run(&rhythm(900, 1), &TARGET, 0, |_| true).is_err());
    // A short history is forecast less far.
    assert!(contest().run(&rhythm(160, 1), &TARGET, 12, |_| true).unwrap().horizon < 12);
}

#[test]
fn a_history_that_never_moves_and_one_that_is_missing_choose_nothing_and_panic_nowhere() {
    for value in [7.0, 0.0, f64::NAN] {
        let contest = contest().challenger(saying("nothing", zero)).challenger(saying("l", last));
        if let Ok(selection) = contest.run(&frame_of(vec![value; 900]), &TARGET, 12, |_| true) {
            assert_eq!(selection.chosen, "usual", "{value}");
        }
    }
}

/// What each forecast could know: the last time learned from, the last time seen.
static SEEN: Mutex<Vec<(Timestamp, Timestamp)>> = Mutex::new(Vec::new());

#[derive(Debug, Clone)]
struct Spy {
    inner: Saying,
    learned: Timestamp,
    now: Timestamp,
}

#[derive(Debug)]
struct SpyTrainer;

impl ForecasterTrainer for SpyTrainer {
    fn min_rows(&self, _: usize) -> usize {
        1
    }

    fn fit(&self, frame: &Frame, _: ForecastTarget, horizon: usize) -> Result<Box<dyn Forecaster>> {
        let learned = *frame.timestamps().last().unwrap();
        let inner = Saying {
            says: last,
            schema: frame.schema().clone(),
            seen: frame.column(0).collect(),
            metadata: ModelMetadata::new("x", ModelKind::Forecaster, "spy"),
            horizon,
        };
        Ok(Box::new(Spy { inner, learned, now: learned }))
    }

    fn load(&self, _: &[u8], _: &Schema) -> Result<Box<dyn Forecaster>> {
        Err(Error::unsupported("loading"))
    }
}

impl Forecaster for Spy {
    fn schema(&self) -> &Schema {
        &self.inner.schema
    }
    fn target(&self) -> ForecastTarget {
        TARGET[0]
    }
    fn max_horizon(&self) -> usize {
        self.inner.horizon
    }
    fn observe(&mut self, sample: &Sample) -> Result<()> {
        assert_eq!(sample.timestamp.since(self.now), Span::from_millis(STEP), "row after row");
        self.now = sample.timestamp;
        self.inner.observe(sample)
    }
    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        SEEN.lock().unwrap().push((self.learned, self.now));
        self.inner.forecast(horizon)
    }
    fn reset_lags(&mut self) {}
    fn boxed_clone(&self) -> Box<dyn Forecaster> {
        Box::new(self.clone())
    }
    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
    fn metadata(&self) -> &ModelMetadata {
        &self.inner.metadata
    }
}

#[test]
fn nothing_learned_from_lies_within_the_horizon_of_a_truth_that_counts() {
    let selection = run(&contest().challenger(Candidate::new("spy", SpyTrainer)), &rhythm(900, 1));
    let seen = SEEN.lock().unwrap();
    assert!(seen.len() > 100, "{}", seen.len());
    for (learned, origin) in seen.iter() {
        // The first truth is a step behind the origin.
        let apart = origin.since(*learned).steps(Span::from_millis(STEP)) + 1;
        assert!(apart > selection.horizon, "{apart} steps");
    }
}

#[cfg(feature = "host")]
#[test]
fn a_fold_hangs_on_nothing_that_comes_after_it() {
    // The real forest beside a rule, over a history whose rows from some time on are other ones.
    let contest = crate::host::forecaster_contest().unwrap();
    let frame = rhythm(700, 5);
    let plan = Plan::new(&contest, frame.len(), 12).unwrap();
    let start = *plan.folds.iter().min().unwrap();
    let end = start + plan.fold_rows;
    let values: Vec<f64> = frame.column(0).collect();
    let changed =
        frame_of(values.iter().enumerate().map(|(i, &v)| if i < end { v } else { 1e6 - v }));
    let within =
        frame_of(values.iter().enumerate().map(|(i, &v)| if i < end - 1 { v } else { 99.0 }));
    for candidate in contest.candidates().iter().take(2) {
        let losses = |frame: &Frame| {
            let fold = Fold {
                frame,
                train: frame.slice(start - plan.train, start),
                start,
                interval: Span::from_millis(STEP),
                plan: &plan,
                targets: &TARGET,
                model_bytes: usize::MAX,
            };
            match fold.trial(candidate, None, &mut || true) {
                Outcome::Done(losses) => losses,
                other => panic!("{other:?}"),
            }
        };
        let known = losses(&frame);
        assert_eq!(known, losses(&changed), "{}", candidate.name());
        let other = losses(&within);
        assert_ne!(known, other, "the last row of the fold is a truth");
        assert_eq!(known[0], other[0], "and no truth of the first origin");
        assert_eq!(known[0].len(), plan.steps.len());
    }
}
