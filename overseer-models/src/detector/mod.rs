//! How unusual is this sample, and because of which feature? A detector for any schema.
//!
//! 1. Each feature is measured in units of its own usual variation, never smaller than its resolution (`scale`), now
//!    and as a short average (`inputs`).
//! 2. Three scores look at that: an [isolation forest](crate::isolation_forest), which knows combinations, and the
//!    distance of the row, and of the last few rows, from the range of everything before (`range`), which the forest
//!    cannot tell beyond its training rows.
//! 3. Each score becomes a tail probability against its own past on rows it was not fitted on (`tail`), and the
//!    smallest times three is the p-value. With `L = -log10 p` the score is `L / (L + 5)`, in every file the same.
//!
//! While it runs it goes on learning in bounded memory: ranges give way slowly, so that a new level that lasts some
//! hundred rows becomes usual, and calibration goes on, one in ten rows of an incident being learned. The forest and
//! the scales stay as trained. Calibration is complete, and readiness 1, after 1000 rows learned. Averages start anew
//! where [more than three usual intervals](overseer_core::Timestamp::is_gap) lie between two rows or time goes back.
//!
//! ```
//! use overseer_core::{DetectorTrainer, Frame, Sample, Schema, Timestamp};
//! use overseer_models::detector::ForestDetectorTrainer;
//!
//! let mut history = Frame::new(Schema::from_names(["requests", "errors"])?);
//! for i in 0..300_i64 {
//!     let row = [100.0 + ((i * 37) % 11) as f64, ((i * 53) % 7) as f64];
//!     history.push_row(Timestamp::from_millis(i * 5000), &row)?;
//! }
//! let mut detector = ForestDetectorTrainer::builder().seed(1).build()?.fit(&history)?;
//! let judged = detector.observe(&Sample::new(Timestamp::from_millis(1_500_000), vec![104.0, 90.0]))?;
//! assert!(judged.p_value < 1e-5);
//! assert_eq!(detector.explain()[0].feature, "errors");
//! # Ok::<(), overseer_core::Error>(())
//! ```

mod combine;
mod evidence;
mod groups;
mod inputs;
mod linear;
mod model;
mod novelty;
mod range;
mod reach;
mod reservoir;
mod scale;
mod season;
mod store;
mod tail;
#[cfg(test)]
mod tests;
mod train;

pub use model::ForestDetector;
pub use train::{ForestDetectorTrainer, ForestDetectorTrainerBuilder};
