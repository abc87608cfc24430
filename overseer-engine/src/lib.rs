//! Overseer's engine: it collects, stores, detects, predicts, finds patterns and advises, one `tick(now)` at a time.
//!
//! The engine is synchronous and reads no wall clock: whoever embeds it owns the loop and passes the time, so that
//! time can be replayed and tested. It knows collectors, stores and models only by the traits of [`core`]; the
//! module `host` is the one place that wires this host's collector, the SQLite store and our models together.
//!
//! # Example
//!
//! ```no_run
//! # #[cfg(feature = "host")] {
//! use overseer_engine::host;
//!
//! let mut engine = host::open(&host::Options::default())?;
//! host::look(&mut engine, |_done, _total| {}); // samples a new host for 15 s, a known one for an instant
//! let report = engine.analyze(host::now());
//! for advice in &report.recommendations {
//!     println!("{}: {}", advice.evidence, advice.action);
//! }
//! # }
//! # Ok::<(), overseer_engine::core::Error>(())
//! ```

pub use overseer_core as core;

pub mod action;
mod ahead;
mod alarm_rate;
pub mod analytics;
mod bank;
mod changes;
mod config;
mod detection;
mod digits;
mod engine;
mod farther;
pub mod feedback;
mod history;
#[cfg(feature = "host")]
pub mod host;
mod hours;
pub mod incident;
mod level;
mod model_keeping;
mod observation;
pub mod offline;
mod patterns;
pub mod policy;
mod prediction;
mod recommendation;
mod refit;
pub mod replay;
pub mod report;
mod room;
pub mod selection;
pub mod sentence;
mod similar;
mod storage;
mod stored_models;
mod tick;
mod training;
pub mod usual;
mod utc;

pub use alarm_rate::AlarmRate;
pub use config::Config;
pub use engine::{Engine, Parts, Role, SamplingPlan};
pub use prediction::shown_horizons;
pub use recommendation::said;
pub use refit::{RefitJob, Refitted};
pub use report::{Notice, Report, Stage};
pub use room::{series_name, time_to_full};
pub use selection::{Candidate, Contest, ContestJob, Progress};
pub use similar::{similar, similar_incidents};
pub use training::{TrainOutcome, TrainSummary};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
