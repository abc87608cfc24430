//! The alarm budget on simulated hosts on which nothing is wrong: a short form of what the command measures.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
#![allow(clippy::print_stderr, reason = "the figures are what a person runs this test for")]

use overseer_engine::core::{Frame, Span};
use overseer_engine::host::models::detector::ForestDetectorTrainer;
use overseer_engine::offline::Scorer;
use overseer_simulation::hosts::{Host, Kind, View};
use overseer_simulation::plan::{Task, plan};
use overseer_simulation::report;
use overseer_simulation::run::{BUDGETS, WEEKLY, run, run_all};
use overseer_simulation::tally::{LEVELS, Tally};

/// Host-weeks measured here; the command measures 500. Each host is measured for twice as long as there: calibration
/// must not live on what it saw first.
const WEEKS: f64 = 150.0;
const LONGER: f64 = 2.0;
const SEED: u64 = 2;

/// What the mean number of alerts a host-week may be at a budget of one. Over 500 host-weeks a calibrated detector is
/// within a quarter of it; of these the standard error alone is a sixth.
const ALERTS_PER_WEEK: (f64, f64) = (0.5, 1.6);

/// What the share of rows may be whose p-value is at most each of [`LEVELS`]. The smaller the level, the fewer
/// independent rows there are below it; of the last there is only a bound above.
const SHARES: [(f64, f64); LEVELS.len()] =
    [(0.4, 0.6), (0.07, 0.14), (0.005, 0.02), (0.0003, 0.003), (0.0, 0.001)];

fn trainer() -> ForestDetectorTrainer {
    ForestDetectorTrainer::builder().build().unwrap()
}

#[test]
fn the_alarm_budget_is_kept_and_p_values_are_shares() {
    let mut tasks = plan(WEEKS / LONGER, SEED);
    tasks.iter_mut().for_each(|t| t.measured *= LONGER);
    let outcomes = run_all(&tasks, &trainer(), 2).unwrap();
    let tallies = Tally::by_all(&outcomes);
    eprintln!("{}{}", report::table(&tallies), report::by_age(&outcomes));
    let all = tallies.last().unwrap();
    let weekly = &all.kept[WEEKLY];
    let (least, most) = ALERTS_PER_WEEK;
    let mut wrong = Vec::new();
    if !(least..=most).contains(&weekly.alerts_per_week) {
        wrong.push(format!("{} alerts a week", weekly.alerts_per_week));
    }
    for ((share, level), (least, most)) in all.p_values.iter().zip(LEVELS).zip(SHARES) {
        if !(least..=most).contains(share) {
            wrong.push(format!("{share} of the rows have a p-value of at most {level}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn short(kind: Kind, view: View, seed: u64) -> Task {
    Task { kind, view, step: 300, learned: 0.5, measured: 1.0, seed }
}

#[test]
fn alerts_are_those_that_a_user_of_the_scorer_gets() {
    let mut found = 0;
    for (kind, view) in [(Kind::Bursty, View::Host), (Kind::Rebooting, View::Columns(5))] {
        let task = short(kind, view, 77);
        let outcome = run(task, &trainer()).unwrap();
        let mut host = Host::new(kind, view, 300.0, task.seed);
        let mut history = Frame::new(host.schema());
        (0..1008).for_each(|_| history.push(&host.sample()).unwrap());
        for (budget, text) in BUDGETS.iter().enumerate() {
            let mut host = host_after(task, 1008);
            let budget_of = text.parse().unwrap();
            let step = Span::from_secs(300);
            let mut scorer =
                Scorer::new(host.schema(), Box::new(trainer()), budget_of, step).unwrap();
            scorer.learn(&history).unwrap();
            let rows: Vec<usize> =
                (0..2016).filter(|_| scorer.observe(&host.sample()).unwrap().is_anomaly).collect();
            let ours = outcome.alerts.iter().filter(|a| a.budget == budget).map(|a| a.row);
            assert_eq!(rows, ours.collect::<Vec<_>>(), "{kind:?} at {text}");
            found += rows.len();
        }
    }
    assert!(found > 0, "without any alert nothing was compared");
}

fn host_after(task: Task, rows: usize) -> Host {
    let mut host = Host::new(task.kind, task.view, f64::from(task.step), task.seed);
    (0..rows).for_each(|_| drop(host.sample()));
    host
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let tasks: Vec<Task> =
        (0..4).map(|i| short(Kind::ALL[i], View::Columns(1), 5 + i as u64)).collect();
    let text = |threads| report::alerts(&run_all(&tasks, &trainer(), threads).unwrap());
    let (one, three) = (text(1), text(3));
    assert_eq!(one, three);
    assert!(one.lines().count() > 1, "without any alert nothing was compared");
}
