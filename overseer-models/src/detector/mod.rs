//! How unusual is this sample, and because of which feature? A detector for any schema.
//!
//! 1. Each feature is measured in units of its own usual variation (`scale`), without what recurs at this time of the
//!    week (`week`), in windows of 5, 15 and 45 rows and against its time of day (`inputs`, `season`).
//! 2. What the features say is told apart from what they usually say together: whitened, in groups of correlated ones,
//!    and held against a short autoregression (`groups`, `linear`, `evidence`). The result is eleven numbers a feature
//!    that are never negative and larger the more unusual they are.
//! 3. An isolation forest whose splits look at means of random subsets of these (`isolation_forest::pooled`) carries
//!    the judgement, of the row and of the last hours. Beside it stand what it is slow or blind to: one feature far out, a
//!    spike in one row, a value outside everything before (`range`), features that stopped changing (`frozen`). A single
//!    metric is judged by whether it has ever been where it is now (`novelty`).
//! 4. Each becomes a tail probability against its own past (`tail`), and the root of their mean square is the evidence `C`
//!    (`combine`): the score is `C / (C + 2)`, in every file the same. The p-value is the share of the last third of the
//!    host's own past that had as much evidence; where that is too rare to count, the predictive distribution of a tail
//!    that is known by the few there were. While that past is short, how far the row lies outside the range of everything
//!    before, in units that matter, stands in for it (`reach`).
//!
//! It goes on learning in bounded memory from every row, slowly: gating slow statistics hurt more than it helped. What
//! follows from them is brought up to date every 50 to 500 rows, and some trees grow anew from a fair sample of all past
//! rows without the unusual ones (`reservoir`), the fewer the longer the past is. Fitting is going through the frame the
//! same way, so that all at once and one by one are the same. Readiness is 1 after 1000 rows judged. Windows start anew
//! where [more than three usual intervals](overseer_core::Timestamp::is_gap) lie between two rows or time goes back.
//!
//! Features are handled in the order of their names, so that the schema's order does not matter, and those that never
//! varied have no part in how others are judged, until they vary.
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

mod clock;
mod combine;
mod conditional;
mod evidence;
mod excursion;
mod explain;
mod frozen;
mod groups;
mod inputs;
mod kind;
mod linear;
mod memory;
mod model;
mod novelty;
mod past;
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
mod week;

pub use combine::Branch;
pub use memory::Kept;
pub use model::ForestDetector;
pub use train::{ForestDetectorTrainer, ForestDetectorTrainerBuilder};
