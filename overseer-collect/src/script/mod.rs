//! A made-up host: a daily rhythm, noise with memory, small bursts, and faults when asked for.
//!
//! For tests, demonstrations and benchmarks that must come out the same every time. It never reads a clock: the time
//! passed in sets the rhythm, and the seed and the sequence of calls set the rest.

mod fault;
mod processes;

pub use fault::{Fault, ScheduledFault};

use overseer_core::{
    Collector, Error, Frame, HostInfo, MissingValue, Origin, ProcessUsage, Reading, Result, Sample,
    Schema, Span, Timestamp, host,
};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;

const LOGICAL_CPUS: usize = 8;
const MEMORY_BYTES: u64 = 16 << 30;
/// One noise for each feature of the schema and one that all share.
const NOISES: usize = 14;
/// The shared noise: how busy the host's users are just now.
const SHARED: usize = 13;
/// The seconds after which noise has forgotten all but a third of itself.
const NOISE_MEMORY: f64 = 90.0;
/// Memory and processes change more slowly than what uses them.
const SLOW_MEMORY: f64 = 1800.0;
/// Seconds between the starts of small bursts, on average.
const BURST_EVERY: f64 = 1500.0;
const DAY: f64 = 86_400.0;

/// Builds a [`ScriptedHost`].
#[derive(Debug, Clone)]
pub struct ScriptedHostBuilder {
    seed: u64,
    faults: Vec<ScheduledFault>,
}

impl ScriptedHostBuilder {
    /// Adds a fault that lasts from `from` until just before `to`. Faults may overlap; they add up in this order.
    #[must_use]
    pub fn fault(mut self, fault: Fault, from: Timestamp, to: Timestamp) -> Self {
        self.faults.push(ScheduledFault { fault, from, to });
        self
    }

    /// The host.
    ///
    /// # Errors
    /// If a fault ends before it has begun, or is about a feature that the host's schema does not have or about a
    /// size that is not finite.
    pub fn build(self) -> Result<ScriptedHost> {
        for scheduled in &self.faults {
            scheduled.fault.check()?;
            if scheduled.to <= scheduled.from {
                let message = format!("{} ends before it has begun", scheduled.fault);
                return Err(Error::invalid_parameter("fault", message));
            }
        }
        Ok(ScriptedHost {
            schema: host::schema(),
            begun: vec![false; self.faults.len()],
            faults: self.faults,
            rng: Pcg64Mcg::seed_from_u64(self.seed),
            last: None,
            noise: [0.0; NOISES],
            burst: Burst::default(),
            usual: Vec::new(),
            row: Vec::new(),
            active: Vec::new(),
        })
    }
}

/// A small burst of activity that a healthy host has.
#[derive(Debug, Clone, Copy, Default)]
struct Burst {
    seconds_left: f64,
    size: f64,
}

/// A made-up host of the host's schema; the same seed and the same calls give the same values.
///
/// Every call draws the same amount of chance whatever the faults, so two hosts of one seed differ only while a
/// fault lasts. It starts at once with all rates known, unlike a real host.
#[derive(Debug, Clone)]
pub struct ScriptedHost {
    schema: Schema,
    faults: Vec<ScheduledFault>,
    /// Whether a sample has been taken within each fault.
    begun: Vec<bool>,
    rng: Pcg64Mcg,
    last: Option<Timestamp>,
    /// First-order autoregressive, each of variance 1.
    noise: [f64; NOISES],
    burst: Burst,
    /// The row of the last call as it would be without faults.
    usual: Vec<f64>,
    /// The values of the last call that were not missing or repeated.
    row: Vec<f64>,
    /// The faults during the last call.
    active: Vec<Fault>,
}

impl ScriptedHost {
    /// A builder for a host of this seed.
    #[must_use]
    pub fn builder(seed: u64) -> ScriptedHostBuilder {
        ScriptedHostBuilder { seed, faults: Vec::new() }
    }

    /// What goes wrong and when: the truth to measure a detector against.
    #[must_use]
    pub fn faults(&self) -> &[ScheduledFault] {
        &self.faults
    }

    /// Takes `rows` samples, `step` apart, the first at `start`.
    ///
    /// # Errors
    /// Never for times that increase, which a step makes them.
    pub fn frame(&mut self, start: Timestamp, step: Span, rows: usize) -> Result<Frame> {
        let mut frame = Frame::new(self.schema.clone());
        for i in 0..rows {
            frame.push(&self.collect(start + step.times(i))?.sample)?;
        }
        Ok(frame)
    }

    /// Moves chance on by the time since the last call.
    fn advance(&mut self, now: Timestamp) {
        // The first sample starts from noise that has forgotten everything before; a clock that jumps back stands.
        let dt = self.last.map_or(f64::MAX, |last| now.since(last).as_secs_f64());
        self.last = Some(now);
        for (i, state) in self.noise.iter_mut().enumerate() {
            let slow = matches!(
                i,
                host::MEMORY_UTILIZATION
                    | host::PAGING_UTILIZATION
                    | host::FILESYSTEM_UTILIZATION
                    | host::PROCESS_COUNT
            );
            let keep = (-dt / if slow { SLOW_MEMORY } else { NOISE_MEMORY }).exp();
            let shock: f64 = self.rng.sample(StandardNormal);
            // This mixture keeps the variance at 1 for any step.
            *state = keep * *state + (1.0 - keep * keep).max(0.0).sqrt() * shock;
        }
        let [start, length, size]: [f64; 3] = self.rng.random();
        self.burst.seconds_left -= dt;
        if self.burst.seconds_left <= 0.0 {
            self.burst = Burst::default();
            if dt < DAY && start < -(-dt / BURST_EVERY).exp_m1() {
                self.burst = Burst { seconds_left: 10.0 + 50.0 * length, size: 0.2 + 0.4 * size };
            }
        }
    }

    /// The row of a healthy host at `now`, from the rhythm of the day and the state of chance.
    fn healthy(&self, now: Timestamp) -> Vec<f64> {
        let seconds = now.as_secs_f64();
        // Lowest at 3 in the morning, highest at 3 in the afternoon, UTC.
        let season = 0.5 - 0.5 * (TAU * (seconds - 3.0 * 3600.0) / DAY).cos();
        let week = (seconds / (7.0 * DAY)).rem_euclid(1.0);
        let n = &self.noise;
        let activity = (0.25 + 0.75 * season) * (0.25 * n[SHARED]).exp() + self.burst.size;
        let ratio = |x: f64| x.clamp(0.0, 1.0);
        let heavy = |usual: f64, i: usize, spread: f64| usual * activity * (spread * n[i]).exp();
        let cpu = ratio(0.04 + 0.26 * activity + 0.012 * n[host::CPU_UTILIZATION]);
        let mut row = vec![0.0; self.schema.len()];
        row[host::CPU_UTILIZATION] = cpu;
        row[host::LOAD_PER_CORE] = (1.1 * cpu + 0.03 * n[host::LOAD_PER_CORE]).max(0.0);
        row[host::MEMORY_UTILIZATION] =
            ratio(0.46 + 0.04 * season + 0.008 * n[host::MEMORY_UTILIZATION]);
        row[host::PAGING_UTILIZATION] = ratio(0.03 + 0.002 * n[host::PAGING_UTILIZATION]);
        // Logs grow through the week and are then rotated.
        row[host::FILESYSTEM_UTILIZATION] =
            ratio(0.55 + 0.015 * week + 0.0003 * n[host::FILESYSTEM_UTILIZATION]);
        row[host::DISK_READ] = heavy(0.8e6, host::DISK_READ, 0.5);
        row[host::DISK_WRITE] = heavy(1.5e6, host::DISK_WRITE, 0.4);
        row[host::NETWORK_RECEIVE] = heavy(0.5e6, host::NETWORK_RECEIVE, 0.3);
        row[host::NETWORK_TRANSMIT] = heavy(1.2e6, host::NETWORK_TRANSMIT, 0.3);
        row[host::PROCESS_COUNT] =
            (210.0 + 25.0 * season + 2.0 * n[host::PROCESS_COUNT]).round().max(1.0);
        row[host::PRESSURE_CPU] = ratio(0.02 * activity * (0.4 * n[host::PRESSURE_CPU]).exp());
        row[host::PRESSURE_IO] = ratio(0.01 * activity * (0.5 * n[host::PRESSURE_IO]).exp());
        row[host::PRESSURE_MEMORY] = ratio(0.001 * (0.5 * n[host::PRESSURE_MEMORY]).exp());
        row
    }
}

impl Collector for ScriptedHost {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        self.advance(now);
        self.usual = self.healthy(now);
        self.active.clear();
        let mut row = self.usual.clone();
        let (mut frozen, mut gap, mut restarted) = (false, false, false);
        for (scheduled, begun) in self.faults.iter().zip(&mut self.begun) {
            if !scheduled.covers(now) {
                *begun = false;
                continue;
            }
            if scheduled.fault == Fault::Reboot && scheduled.is_down(now) {
                gap = true;
                continue;
            }
            let first = !std::mem::replace(begun, true);
            if scheduled.fault != Fault::CronJob || scheduled.job_runs(now) {
                self.active.push(scheduled.fault);
            }
            scheduled.apply(now, first, &mut row);
            match scheduled.fault {
                Fault::Frozen => frozen = true,
                Fault::Gap => gap = true,
                Fault::CounterReset | Fault::Reboot => restarted |= first,
                _ => {}
            }
        }
        if frozen && !self.row.is_empty() {
            row.clone_from(&self.row);
        } else {
            self.row.clone_from(&row);
        }
        let mut reading = Reading::new(Sample::new(now, row));
        reading.origin = Origin::Script;
        reading.fullest_mount = (!gap).then(|| "/var".to_owned());
        let rates = host::DISK_READ..=host::NETWORK_TRANSMIT;
        for (i, feature) in self.schema.features().iter().enumerate() {
            let reason = match () {
                () if gap => "the script has a gap here",
                () if restarted && rates.contains(&i) => "the counters restarted",
                () => continue,
            };
            reading.sample.values[i] = f64::NAN;
            reading.missing.push(MissingValue::new(feature.name.as_str(), reason));
        }
        Ok(reading)
    }

    /// The processes of the last sample; none before the first.
    fn processes(&mut self, top: usize) -> Result<Vec<ProcessUsage>> {
        if self.row.is_empty() {
            return Ok(Vec::new());
        }
        Ok(processes::choose(processes::usage(&self.usual, &self.row, &self.active), top))
    }

    fn host(&self) -> HostInfo {
        let mut info = HostInfo::default();
        "scripted".clone_into(&mut info.name);
        "Scripted host".clone_into(&mut info.system);
        info.logical_cpus = LOGICAL_CPUS;
        info.memory_bytes = MEMORY_BYTES;
        info
    }
}

#[cfg(test)]
mod tests;
