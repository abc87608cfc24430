//! The models of Overseer, from scratch on `ndarray`: they learn from frames and know nothing of hosts, files or
//! clocks.
//!
//! | module | what it answers |
//! |---|---|
//! | [`isolation_forest`] | how easily is a row separated from the others? |
//! | [`random_forest`] | what value do rows like this one lead to? |
//! | [`trend`] | which polynomial does a window follow? |
//! | [`detector`] | how unusual is this sample, and because of which feature? |
//! | [`forecaster`] | what comes next, and how far off may that be? |
//! | [`pattern`] | is a feature stable, trending, volatile or periodic? |
//! | [`time_to_full`] | when is something full that grows? |
//! | [`mod@file`] | the stored form of detectors and forecasters; a trend or pattern is found anew each time |

pub mod detector;
pub mod file;
pub mod forecaster;
mod goertzel;
pub mod isolation_forest;
pub mod pattern;
pub mod random_forest;
#[cfg(test)]
mod simulated;
pub mod stats;
pub mod time_to_full;
pub mod trend;
mod walk;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
