//! What can be done about what was found, what is known to help, and doing it.
//!
//! [`CATALOGUE`] lists every action. [`propose`] says which would serve a recommendation on this host, with the very
//! command; a [`Bandit`] ranks them by what came of them before ([`Experience`]); and a [`Trial`] applies one, watches
//! what it does, and takes it back unless it helps. Nothing is applied unless somebody asks for it and the
//! configuration allows that action by name.

mod advise;
mod bandit;
mod catalogue;
mod experience;
mod propose;
mod trial;

pub(crate) use advise::Advised;
pub use bandit::{Bandit, Belief, Context, reward};
pub use catalogue::{Action, CATALOGUE, Resource, Watched, action};
pub use experience::{ActionRecord, Experience};
pub use propose::propose;
pub use trial::{ActionRules, Checked, Trial, check, judge, recover};
