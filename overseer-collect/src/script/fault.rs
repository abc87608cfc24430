//! What can go wrong with a scripted host, and what it does to a row.

use overseer_core::{Error, Result, Span, Timestamp, host};
use std::fmt;
use std::str::FromStr;

/// Something that goes wrong on a [`ScriptedHost`](crate::ScriptedHost) for a span of time.
///
/// Displays as, and parses from, the word its documentation begins with; a parsed spike or level shift is one of
/// CPU utilisation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// `cpu_saturation`: a process takes all CPUs; load and CPU pressure rise with it.
    CpuSaturation,
    /// `memory_leak`: memory fills steadily to 97 % at the end of the span; above 90 % swap and pressure rise.
    MemoryLeak,
    /// `disk_fill`: the fullest mount fills steadily to 99 % at the end of the span, by fast writes.
    DiskFill,
    /// `network_burst`: tens of megabytes a second come in.
    NetworkBurst,
    /// `spike`: one sample, the first in the span, is off.
    Spike {
        /// Index in the host's schema.
        feature: usize,
        /// What is added, in the feature's unit.
        size: f64,
    },
    /// `level_shift`: every sample of the span is off by the same.
    LevelShift {
        /// Index in the host's schema.
        feature: usize,
        /// What is added, in the feature's unit.
        size: f64,
    },
    /// `frozen`: every sample of the span repeats the last one before it.
    Frozen,
    /// `gap`: no value is known.
    Gap,
    /// `counter_reset`: counters of disks and network restart, so the first sample of the span has no rates.
    CounterReset,
    /// `noisy_neighbour`: another guest of the same machine takes half of the CPU time (steal) and of the disk's and
    /// network's speed; no process of this host is to blame.
    NoisyNeighbour,
    /// `cron_job`: a backup at each full hour takes five minutes of CPU and disk.
    CronJob,
    /// `reboot`: nothing is known for half a minute, then counters have restarted, few processes run, and memory and
    /// processes come back over the rest of the span.
    Reboot,
}

/// Seconds that a reboot takes.
const DOWN: i64 = 30;
/// Milliseconds of an hour, and how many of them the job of [`Fault::CronJob`] runs.
const HOUR: i64 = 3_600_000;
const JOB: i64 = 300_000;

impl Fault {
    /// Checks what the type cannot.
    pub(super) fn check(&self) -> Result<()> {
        if let Self::Spike { feature, size } | Self::LevelShift { feature, size } = *self {
            if feature >= host::schema().len() {
                let message = format!("the host's schema has no feature {feature}");
                return Err(Error::invalid_parameter("fault", message));
            }
            if !size.is_finite() {
                return Err(Error::invalid_parameter("fault", format!("its size is {size}")));
            }
        }
        Ok(())
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::CpuSaturation => "cpu_saturation",
            Self::MemoryLeak => "memory_leak",
            Self::DiskFill => "disk_fill",
            Self::NetworkBurst => "network_burst",
            Self::Spike { .. } => "spike",
            Self::LevelShift { .. } => "level_shift",
            Self::Frozen => "frozen",
            Self::Gap => "gap",
            Self::CounterReset => "counter_reset",
            Self::NoisyNeighbour => "noisy_neighbour",
            Self::CronJob => "cron_job",
            Self::Reboot => "reboot",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let all = [
            Self::CpuSaturation,
            Self::MemoryLeak,
            Self::DiskFill,
            Self::NetworkBurst,
            Self::Spike { feature: host::CPU_UTILIZATION, size: 0.6 },
            Self::LevelShift { feature: host::CPU_UTILIZATION, size: 0.3 },
            Self::Frozen,
            Self::Gap,
            Self::CounterReset,
            Self::NoisyNeighbour,
            Self::CronJob,
            Self::Reboot,
        ];
        all.into_iter().find(|f| f.as_str() == word).ok_or_else(|| {
            let words = all.map(|f| f.as_str()).join(", ");
            Error::invalid_parameter("fault", format!("`{word}` is none of {words}"))
        })
    }
}

/// A fault and when it lasts: from `from` until just before `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ScheduledFault {
    /// What goes wrong.
    pub fault: Fault,
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl ScheduledFault {
    /// Whether it lasts at `time`.
    #[must_use]
    pub fn covers(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }

    /// How much of it is over, 0–1.
    fn progress(&self, time: Timestamp) -> f64 {
        let whole: Span = self.to.since(self.from);
        (time.since(self.from).as_secs_f64() / whole.as_secs_f64()).clamp(0.0, 1.0)
    }

    /// Whether the host is not there at all just now.
    pub(super) fn is_down(&self, time: Timestamp) -> bool {
        match self.fault {
            Fault::Gap => true,
            Fault::Reboot => time.since(self.from) < Span::from_secs(DOWN),
            _ => false,
        }
    }

    /// Whether the job of [`Fault::CronJob`] runs just now.
    pub(super) fn job_runs(&self, time: Timestamp) -> bool {
        self.fault == Fault::CronJob && time.as_millis().rem_euclid(HOUR) < JOB
    }

    /// Changes a row as this fault does while it lasts; `first` on the first sample within it.
    ///
    /// [`Fault::Frozen`], [`Fault::Gap`] and [`Fault::CounterReset`] concern the whole reading and are not done here.
    pub(super) fn apply(&self, time: Timestamp, first: bool, row: &mut [f64]) {
        let done = self.progress(time);
        // From what is usual to `end` along the span.
        let toward = |usual: f64, end: f64| usual.max(usual + (end - usual) * done);
        match self.fault {
            Fault::CpuSaturation => {
                let busy = 1.0 - 0.02 * (1.0 - row[host::CPU_UTILIZATION]);
                row[host::CPU_UTILIZATION] = busy;
                // The load average follows with its own time constant of a minute.
                let risen = 1.0 - (-time.since(self.from).as_secs_f64() / 60.0).exp();
                row[host::LOAD_PER_CORE] += (2.4 - row[host::LOAD_PER_CORE]).max(0.0) * risen;
                row[host::PRESSURE_CPU] = (row[host::PRESSURE_CPU] + 0.65).min(1.0);
                row[host::PROCESS_COUNT] += 9.0;
            }
            Fault::MemoryLeak => {
                let memory = toward(row[host::MEMORY_UTILIZATION], 0.97);
                row[host::MEMORY_UTILIZATION] = memory;
                let short = ((memory - 0.90) / 0.07).clamp(0.0, 1.0);
                row[host::PAGING_UTILIZATION] =
                    (row[host::PAGING_UTILIZATION] + 0.6 * short).min(1.0);
                row[host::PRESSURE_MEMORY] = (row[host::PRESSURE_MEMORY] + 0.4 * short).min(1.0);
            }
            Fault::DiskFill => {
                row[host::FILESYSTEM_UTILIZATION] = toward(row[host::FILESYSTEM_UTILIZATION], 0.99);
                row[host::DISK_WRITE] += 60.0e6;
                row[host::PRESSURE_IO] = (row[host::PRESSURE_IO] + 0.15).min(1.0);
            }
            Fault::NetworkBurst => {
                row[host::NETWORK_RECEIVE] = 40.0e6 + 20.0 * row[host::NETWORK_RECEIVE];
                row[host::NETWORK_TRANSMIT] = 2.0e6 + 5.0 * row[host::NETWORK_TRANSMIT];
                row[host::CPU_UTILIZATION] = (row[host::CPU_UTILIZATION] + 0.1).min(1.0);
            }
            Fault::Spike { feature, size } if first => shift(row, feature, size),
            Fault::LevelShift { feature, size } => shift(row, feature, size),
            Fault::NoisyNeighbour => {
                // Stolen time is busy time, and what waits for a CPU waits longer.
                row[host::CPU_UTILIZATION] = 0.5 + 0.5 * row[host::CPU_UTILIZATION];
                row[host::LOAD_PER_CORE] = 0.4 + 1.6 * row[host::LOAD_PER_CORE];
                row[host::PRESSURE_CPU] = (row[host::PRESSURE_CPU] + 0.3).min(1.0);
                row[host::DISK_READ..=host::NETWORK_TRANSMIT].iter_mut().for_each(|x| *x *= 0.5);
                row[host::PRESSURE_IO] = (row[host::PRESSURE_IO] + 0.1).min(1.0);
            }
            Fault::CronJob if self.job_runs(time) => {
                row[host::CPU_UTILIZATION] = (row[host::CPU_UTILIZATION] + 0.3).min(1.0);
                row[host::LOAD_PER_CORE] += 0.35;
                row[host::DISK_READ] += 40.0e6;
                row[host::DISK_WRITE] += 15.0e6;
                row[host::PRESSURE_IO] = (row[host::PRESSURE_IO] + 0.2).min(1.0);
                row[host::PROCESS_COUNT] += 4.0;
            }
            Fault::Reboot => {
                let back = |fresh: f64| fresh + (1.0 - fresh) * done;
                row[host::MEMORY_UTILIZATION] *= back(0.3);
                row[host::PAGING_UTILIZATION] *= back(0.0);
                row[host::PROCESS_COUNT] = (row[host::PROCESS_COUNT] * back(0.6)).round();
                let starting = 0.5 * (-time.since(self.from).as_secs_f64() / 60.0).exp();
                row[host::CPU_UTILIZATION] = (row[host::CPU_UTILIZATION] + starting).min(1.0);
                row[host::LOAD_PER_CORE] = row[host::LOAD_PER_CORE] * back(0.1) + starting;
            }
            Fault::Spike { .. }
            | Fault::CronJob
            | Fault::Frozen
            | Fault::Gap
            | Fault::CounterReset => {}
        }
    }
}

/// Adds within the feature's range: a ratio stays one, and nothing is negative.
fn shift(row: &mut [f64], feature: usize, size: f64) {
    let top = match host::schema().get(feature).map(|f| f.unit) {
        Some(overseer_core::Unit::Ratio) => 1.0,
        _ => f64::MAX,
    };
    if let Some(value) = row.get_mut(feature) {
        *value = (*value + size).clamp(0.0, top);
    }
}
