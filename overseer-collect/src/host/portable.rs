//! What `sysinfo` answers where the kernel's own files do not: made only when it is first needed.

use super::files::Reason;
use sysinfo::System;

/// The system as `sysinfo` sees it, if it is supported.
#[derive(Default)]
pub(super) struct Portable {
    asked: Option<Result<System, Reason>>,
}

impl Portable {
    /// The system, or why there is none.
    pub(super) fn system(&mut self) -> Result<&mut System, Reason> {
        let asked = self.asked.get_or_insert_with(|| {
            System::new().map_err(|e| format!("this platform is not supported ({e})").into())
        });
        asked.as_mut().map_err(|reason| reason.clone())
    }
}

impl std::fmt::Debug for Portable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the processes: there are hundreds.
        f.debug_struct("Portable").field("asked", &self.asked.is_some()).finish()
    }
}
