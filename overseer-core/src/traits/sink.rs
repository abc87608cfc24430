//! Who is told of incidents.

use crate::{Notification, Result, Span};
use std::fmt;

/// Somebody or something that is told of incidents: a log, a file, a webhook, a mailbox.
///
/// It is called by whoever delivers the stored outbox, never within a tick, and may block for some seconds. A message may
/// come twice, after a crash between delivering and noting it, and then with the same `id`.
pub trait Sink: Send + fmt::Debug {
    /// Its name, as the outbox and the configuration write it.
    fn name(&self) -> &str;

    /// Tells of `notification`, whose number in the outbox is `id`.
    ///
    /// # Errors
    /// If it did not arrive. [`Error::is_invalid_input`](crate::Error::is_invalid_input) says that it never will, so
    /// that trying again is of no use; anything else is tried again later.
    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()>;

    /// How often the newest message of an incident that goes on is to be delivered again, for a receiver that forgets
    /// what it is not reminded of; none for one that does not.
    fn repeats_every(&self) -> Option<Span> {
        None
    }
}
