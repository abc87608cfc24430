//! How well Overseer detects, measured on public host data with labels.
//!
//! Labelled series are found and read (`data`), scored row by row with what `overseer score` runs (`detect`), and
//! judged by the definitions of the papers (`metrics`). `measure` does so for all of them on all cores; `against` holds
//! the figures beside those of another implementation, `ablation` takes parts of the detector away, and `report` writes
//! it all down. `forecast` measures forecasts the same way, and `automl` what choosing among them is worth.

pub mod ablation;
pub mod against;
pub mod automl;
pub mod data;
pub mod detect;
pub mod forecast;
pub mod measure;
pub mod metrics;
pub mod report;
