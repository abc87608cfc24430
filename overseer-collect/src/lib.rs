//! Where Overseer's samples come from: this host, a recording, or a script.
//!
//! | collector | gives |
//! |---|---|
//! | [`HostCollector`] | the running host, through the kernel's files on Linux and `sysinfo` elsewhere |
//! | [`CsvReplay`] | a CSV file row by row; [`CsvRows`] streams it without a collector |
//! | [`FrameReplay`] | what [`read_frame`] reads: CSV, JSON Lines, or months of history from sysstat's `sadf -j` |
//! | [`ScriptedHost`] | a made-up host with a daily rhythm and the faults one asks for |
//!
//! On Linux `LinuxActuator` is what changes the host, where it is allowed to.
//!
//! All implement [`overseer_core::Collector`]; [`SystemZone`] tells local time. A value that cannot be had is NaN with a reason, never zero. No
//! collector reads a clock to stamp a sample: the caller passes the time in.
//!
//! # Example
//!
//! ```
//! use overseer_collect::{Fault, ScriptedHost};
//! use overseer_core::{Collector, Span, Timestamp, host};
//!
//! let noon = Timestamp::from_millis(1_700_049_600_000);
//! let mut machine = ScriptedHost::builder(7)
//!     .fault(Fault::CpuSaturation, noon, noon + Span::from_secs(600))
//!     .build()?;
//! let before = machine.collect(noon - Span::from_secs(60))?.sample;
//! let during = machine.collect(noon + Span::from_secs(60))?.sample;
//! assert!(before.values[host::CPU_UTILIZATION] < 0.8);
//! assert!(during.values[host::CPU_UTILIZATION] > 0.9);
//! assert_eq!(machine.processes(3)?[0].name, "stress");
//! # Ok::<(), overseer_core::Error>(())
//! ```

#[cfg(target_os = "linux")]
mod actuator;
mod clock;
mod csv_rows;
mod csv_time;
mod host;
mod json_lines;
mod newlines;
mod recording;
mod replay;
mod script;
mod sysstat;
mod zone;

#[cfg(target_os = "linux")]
pub use actuator::LinuxActuator;
pub use clock::{Clock, ManualClock, SystemClock};
pub use csv_rows::{CsvRows, ReadOptions};
pub use host::{HostCollector, HostCollectorBuilder};
pub use recording::{read_frame, read_frame_from};
pub use replay::{CsvReplay, FrameReplay};
pub use script::{Fault, ScheduledFault, ScriptedHost, ScriptedHostBuilder};
pub use zone::SystemZone;
