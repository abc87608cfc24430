//! Who may ask, and what every answer says about itself.

mod headers;
mod limits;
mod who;

pub(crate) use headers::secure;
pub(crate) use limits::{Limits, limited};
pub(crate) use who::{answered_host, intended, known};
