//! One bench after another: prepared only if it is wanted, timed by criterion, checked to have done its work, and held
//! against its budget.

use crate::clock::{ProcessorTime, processor_time};
use crate::table::{BUDGETS, budget_of, line};
use criterion::Criterion;
use overseer_engine::core::{Error, Result};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// What the calls of one bench gave: real work succeeds, with numbers that are finite and not always the same.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    calls: u64,
    first: f64,
    vary: bool,
    unreal: bool,
    error: Option<Error>,
}

impl Answers {
    #[inline]
    pub(crate) fn take(&mut self, answer: Result<f64>) {
        match answer {
            Ok(v) => {
                if self.calls == 0 {
                    self.first = v;
                }
                self.calls += 1;
                self.vary |= v != self.first;
                self.unreal |= !v.is_finite();
                black_box(v);
            }
            Err(e) => self.error = self.error.take().or(Some(e)),
        }
    }

    fn check(self, name: &str) -> Result<()> {
        let refuse = |why: &str| Err(Error::invalid_value(name.to_owned(), why.to_owned()));
        match self.error {
            Some(e) => Err(Error::other(format!("bench {name}"), e)),
            None if self.unreal => refuse("an answer is not a finite number"),
            // A single call is criterion trying out whether it runs at all.
            None if self.calls > 1 && !self.vary => {
                refuse("every answer is the same: nothing is done")
            }
            None => Ok(()),
        }
    }
}

/// All benches of a run.
pub(crate) struct Benches {
    criterion: Criterion<ProcessorTime>,
    directory: PathBuf,
    /// `OVERSEER_BENCH_SHORT`: a second each, and slow ones not at all.
    short: bool,
    known: Vec<&'static str>,
    ran: Vec<&'static str>,
}

impl Benches {
    pub(crate) fn new() -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
        let short = std::env::var_os("OVERSEER_BENCH_SHORT").is_some();
        let criterion = Criterion::default()
            .with_measurement(ProcessorTime)
            .without_plots()
            .output_directory(&directory)
            .sample_size(10)
            .warm_up_time(Duration::from_millis(if short { 300 } else { 1000 }))
            .measurement_time(Duration::from_secs(if short { 1 } else { 4 }))
            .configure_from_args();
        Self { criterion, directory, short, known: Vec::new(), ran: Vec::new() }
    }

    /// Times calls of `work` on what `prepare` made. It returns a number that it came to, different ones for different
    /// calls, and gives all else that it came to to `black_box`.
    ///
    /// # Errors
    /// What `prepare` or `work` fail with, or if the numbers are not those of real work.
    pub(crate) fn bench<S>(
        &mut self,
        name: &'static str,
        prepare: impl FnOnce() -> Result<S>,
        mut work: impl FnMut(&mut S) -> Result<f64>,
    ) -> Result<()> {
        self.bench_custom(name, prepare, |state, calls, answers| {
            let start = processor_time();
            for _ in 0..calls {
                answers.take(work(state));
            }
            processor_time().saturating_sub(start)
        })
    }

    /// The same for what takes too long for the short form.
    pub(crate) fn bench_slow<S>(
        &mut self,
        name: &'static str,
        prepare: impl FnOnce() -> Result<S>,
        work: impl FnMut(&mut S) -> Result<f64>,
    ) -> Result<()> {
        if self.short {
            self.known.push(name);
            return Ok(());
        }
        self.bench(name, prepare, work)
    }

    /// The same for a bench that takes its own time of so many calls.
    pub(crate) fn bench_custom<S>(
        &mut self,
        name: &'static str,
        prepare: impl FnOnce() -> Result<S>,
        mut work: impl FnMut(&mut S, u64, &mut Answers) -> Duration,
    ) -> Result<()> {
        let mut prepare = Some(prepare);
        let mut state = None;
        let mut answers = Answers::default();
        let estimate = estimate_path(&self.directory, name);
        // Criterion calls this many times, or never if a filter leaves it out.
        self.criterion.bench_function(name, |b| {
            if let Some(prepare) = prepare.take() {
                // What an earlier run left must not be taken for a figure of this one.
                let _ = fs::remove_file(&estimate);
                state = Some(prepare());
            }
            b.iter_custom(|calls| match &mut state {
                Some(Ok(state)) => work(state, calls, &mut answers),
                // Any time will do: the error is returned below.
                _ => Duration::from_micros(calls),
            });
        });
        self.known.push(name);
        if let Some(prepared) = state {
            prepared.map_err(|e| Error::other(format!("preparing bench {name}"), e))?;
            answers.check(name)?;
            self.ran.push(name);
        }
        Ok(())
    }

    /// Holds the medians against the budgets.
    ///
    /// # Errors
    /// If one is exceeded, a bench has no budget, or a budget no bench.
    pub(crate) fn judge(self) -> Result<(), String> {
        self.criterion.final_summary();
        if let Some((name, _)) = BUDGETS.iter().find(|(name, _)| !self.known.contains(name)) {
            return Err(format!("there is a budget for {name}, but no such bench"));
        }
        let args: Vec<String> = std::env::args().collect();
        let has = |flag: &str| args.iter().any(|a| a == flag);
        // Tried out, listed or profiled, benches leave no figures.
        if !has("--bench") || has("--test") || has("--list") || has("--profile-time") {
            return Ok(());
        }
        let mut figures = Vec::new();
        for &name in &self.ran {
            let micros = median_micros(&self.directory, name).map_err(|e| e.to_string())?;
            figures.push((name, micros));
        }
        if std::env::var_os("OVERSEER_BENCH_PRINT_BUDGETS").is_some() {
            print_budgets(&figures);
            return Ok(());
        }
        let mut exceeded = Vec::new();
        for (name, micros) in figures {
            let Some((_, budget)) = BUDGETS.iter().find(|(known, _)| *known == name) else {
                return Err(format!("{name} takes {micros:.2} µs and has no budget"));
            };
            let figure = format!("{name}: {micros:.2} µs of {budget} µs");
            say(&figure);
            if micros > *budget {
                exceeded.push(figure);
            }
        }
        if exceeded.is_empty() {
            Ok(())
        } else {
            Err(format!("over budget: {}", exceeded.join("; ")))
        }
    }
}

/// Prints the table as these medians would set it.
fn print_budgets(figures: &[(&str, f64)]) {
    for &(name, budget) in BUDGETS {
        let figure = figures.iter().find(|(ran, _)| *ran == name);
        say(&line(name, figure.map_or(budget, |&(_, micros)| budget_of(name, micros))));
    }
    for &(name, micros) in figures {
        if !BUDGETS.iter().any(|(known, _)| *known == name) {
            say(&line(name, budget_of(name, micros)));
        }
    }
}

/// Prints the error and makes of it how the program ends.
pub(crate) fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn estimate_path(directory: &Path, name: &str) -> PathBuf {
    directory.join(name).join("new").join("estimates.json")
}

/// The median time of one call in a bench that ran, in microseconds.
fn median_micros(directory: &Path, name: &str) -> Result<f64> {
    let path = estimate_path(directory, name);
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::other(format!("reading {}", path.display()), e))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::other("reading criterion's estimate", e))?;
    let nanoseconds = json["median"]["point_estimate"].as_f64();
    Ok(nanoseconds.ok_or_else(|| Error::corrupt("criterion's estimate", "no median in it"))?
        / 1000.0)
}

#[allow(clippy::print_stdout, reason = "this is what a bench is run for")]
fn say(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "this is what a bench is run for")]
fn complain(message: &str) {
    eprintln!("{message}");
}
