//! What people read: reports as text, with colour only where it is wanted.

mod action;
mod ahead;
mod analytics;
mod incidents;
mod models;
mod replay;
mod report;
mod selection;
mod sinks;
mod style;
mod verify;
mod watch;

pub(crate) use action::{applied, dry_run, journal, records};
pub(crate) use analytics::{analytics, training};
#[cfg(feature = "top")]
pub(crate) use incidents::facts;
pub(crate) use incidents::{incident, incidents, labelled, silences};
pub(crate) use models::{models, one_model, pruned, verified};
pub(crate) use replay::replay;
pub(crate) use report::{Parts, report};
pub(crate) use selection::selection;
pub(crate) use sinks::{alerts, sinks};
pub(crate) use style::{Style, local};
#[cfg(feature = "top")]
pub(crate) use style::{before, clock, quality, short, stamp, wrap};
pub(crate) use verify::database_verified;
pub(crate) use watch::{Before, watch_end, watch_start};
