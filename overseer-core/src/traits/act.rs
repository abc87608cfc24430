//! What changes a host.

use crate::{Knob, KnobSetting, Reclaimable, Result};
use std::fmt;

/// The hands of Overseer: reads and sets what the catalogue of actions knows. It decides nothing.
pub trait Actuator: Send + fmt::Debug {
    /// What the knob is set to now, as it would be written back to undo a change.
    ///
    /// # Errors
    /// If there is no such knob on this host, such as of a process that has ended, or it cannot be read.
    fn read(&mut self, knob: &Knob) -> Result<String>;

    /// Whether the knob can be set here, without setting it.
    ///
    /// # Errors
    /// Says why not: no such knob, no permission.
    fn probe(&mut self, knob: &Knob) -> Result<()>;

    /// Sets the knob.
    ///
    /// # Errors
    /// If it could not be set; it then is as it was.
    fn apply(&mut self, setting: &KnobSetting) -> Result<()>;

    /// Sets the knob back to what [`Actuator::read`] said before.
    ///
    /// # Errors
    /// As [`Actuator::apply`].
    fn undo(&mut self, before: &KnobSetting) -> Result<()> {
        self.apply(before)
    }

    /// What may be cleaned up on the file system mounted at `mount`, the largest first. A bounded look; by default
    /// nothing.
    ///
    /// # Errors
    /// If nothing could be looked at.
    fn reclaimable(&mut self, _mount: &str) -> Result<Vec<Reclaimable>> {
        Ok(Vec::new())
    }
}
