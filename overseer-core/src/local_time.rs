//! What the clocks on the wall show, which only those who can read a time zone database know.

use crate::Timestamp;
use std::fmt;

/// A time zone: how far its clocks are ahead of UTC, and when they are set to another time.
///
/// What recurs with people does so by their clocks: the working day, the nightly backup. Core and the models read no
/// time zone database; whoever can passes one in.
///
/// ```
/// use overseer_core::{LocalTime, Timestamp, Utc};
///
/// #[derive(Debug)]
/// struct Kathmandu;
///
/// impl LocalTime for Kathmandu {
///     fn name(&self) -> &str {
///         "Asia/Kathmandu"
///     }
///     fn utc_offset_seconds(&self, _: Timestamp) -> i32 {
///         5 * 3600 + 45 * 60
///     }
/// }
///
/// let here: &dyn LocalTime = &Kathmandu;
/// assert_eq!(here.utc_offset_seconds(Timestamp::default()), 20_700);
/// assert_eq!(Utc.utc_offset_seconds(Timestamp::default()), 0);
/// ```
pub trait LocalTime: fmt::Debug + Send + Sync {
    /// What tells it from other zones, such as the IANA name `Europe/Berlin`: what was learned by the clocks of one
    /// zone is not used by those of another.
    fn name(&self) -> &str;

    /// How many seconds its clocks are ahead of UTC at that moment, negative west of it; always the same for the same
    /// moment.
    fn utc_offset_seconds(&self, at: Timestamp) -> i32;
}

/// Clocks that show UTC, for want of better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Utc;

impl LocalTime for Utc {
    #[allow(clippy::unnecessary_literal_bound, reason = "the trait's signature")]
    fn name(&self) -> &str {
        "UTC"
    }

    fn utc_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}
