//! Where samples come from.

use crate::{Auxiliary, ProcessUsage, ProgramMemory, Reading, Result, Schema, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known about the host besides its samples.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostInfo {
    /// A name that tells this host from others in one store; empty if unknown.
    pub name: String,
    /// Operating system and version as a person says it; empty if unknown.
    pub system: String,
    /// Logical CPUs; 0 if unknown.
    pub logical_cpus: usize,
    /// Memory in bytes; 0 if unknown.
    pub memory_bytes: u64,
}

/// A source of samples of one schema: this host, a recording, or a script.
///
/// ```
/// use overseer_core::{Collector, Reading, Result, Sample, Schema, Timestamp};
///
/// /// Reports the number of seconds in the current minute.
/// #[derive(Debug)]
/// struct Seconds(Schema);
///
/// impl Collector for Seconds {
///     fn schema(&self) -> &Schema {
///         &self.0
///     }
///     fn collect(&mut self, now: Timestamp) -> Result<Reading> {
///         Ok(Reading::new(Sample::new(now, vec![now.as_secs_f64() % 60.0])))
///     }
/// }
/// # let mut s = Seconds(Schema::from_names(["seconds"])?);
/// # assert_eq!(s.collect(Timestamp::from_millis(61_000))?.sample.values, [1.0]);
/// # Ok::<(), overseer_core::Error>(())
/// ```
pub trait Collector: Send + fmt::Debug {
    /// The features of every sample, fixed for the collector's life.
    fn schema(&self) -> &Schema;

    /// Takes a sample, stamped `now`.
    ///
    /// Rates are over the time since the previous call by the collector's own steady clock; the first call gives
    /// missing rates. A value that cannot be had is NaN and named in [`Reading::missing`]; a sample is never padded
    /// with zeros.
    ///
    /// # Errors
    /// Only if no sample can be taken at all, such as at the end of a recording.
    fn collect(&mut self, now: Timestamp) -> Result<Reading>;

    /// The quantities that are kept beside the samples and not scored, as they are now; by default none.
    ///
    /// Only what can be had is given.
    ///
    /// # Errors
    /// If none can be read at all.
    fn auxiliary(&mut self) -> Result<Vec<Auxiliary>> {
        Ok(Vec::new())
    }

    /// The processes that use the most, by CPU, memory and I/O, at most `top` of each; each process once.
    ///
    /// Measured since an earlier call that is not long ago, else over a short span that the call then takes. With a
    /// `top` of zero nothing is given and nothing waited for: the span of the next call begins. A source without
    /// processes gives none.
    ///
    /// # Errors
    /// If the processes cannot be read at all.
    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        let _ = top;
        Ok(Vec::new())
    }

    /// The programs with the most memory, at most `top`, the most first. It is cheap enough for once a minute, and waits
    /// for nothing. A source without processes gives none.
    ///
    /// # Errors
    /// If the processes cannot be read at all.
    fn memory(&mut self, top: usize) -> Result<Vec<ProgramMemory>> {
        let _ = top;
        Ok(Vec::new())
    }

    /// What is known about the host.
    fn host(&self) -> HostInfo {
        HostInfo::default()
    }
}
