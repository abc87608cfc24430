//! Time of the processor, so that other work on the machine makes nothing slower.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Processor time that this process has used so far.
pub(crate) fn processor_time() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or_default())
}
