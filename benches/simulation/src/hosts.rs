//! Hosts of many kinds that behave normally for ever.

use crate::demand::Demand;
use crate::draw::Draw;
use crate::interruption::{Habits, Interruptions};
use crate::interval::{DAY, HOUR, Interval, WEEK};
use crate::load::{Background, Bursts, Growth, Job, Load, OfficeHours, Size, Switch};
use crate::machine::{Columns, HostMachine, Machine};
use overseer_engine::core::{Sample, Schema, Timestamp};

/// What kind of life a host leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Next to nothing to do.
    Idle,
    /// A web server of people who work by day, and less at the weekend.
    Office,
    /// Jobs every hour, every night and every week.
    Batch,
    /// Traffic in bursts of heavy-tailed size at any time.
    Bursty,
    /// A disk that fills and memory that leaks until the weekly restart.
    Growing,
    /// Restarts every week or two.
    Rebooting,
    /// Pauses, and features that are missing now and then.
    Gappy,
    /// Load that wanders slowly and takes all features along.
    Wandering,
    /// Coarsely rounded and constant features.
    Coarse,
    /// On for hours and off for hours.
    Switching,
    /// Sampled at uneven times.
    Uneven,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Idle,
        Self::Office,
        Self::Batch,
        Self::Bursty,
        Self::Growing,
        Self::Rebooting,
        Self::Gappy,
        Self::Wandering,
        Self::Coarse,
        Self::Switching,
        Self::Uneven,
    ];

    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Office => "office",
            Self::Batch => "batch",
            Self::Bursty => "bursty",
            Self::Growing => "growing",
            Self::Rebooting => "rebooting",
            Self::Gappy => "gappy",
            Self::Wandering => "wandering",
            Self::Coarse => "coarse",
            Self::Switching => "switching",
            Self::Uneven => "uneven",
        }
    }

    fn habits(self, draw: &mut Draw) -> Habits {
        let none = Habits::none();
        match self {
            Self::Rebooting => Habits { reboot_every: WEEK * draw.between(0.5, 1.5), ..none },
            Self::Gappy => Habits {
                gap_every: DAY * draw.between(0.5, 4.0),
                gap: HOUR * draw.log_between(0.2, 4.0),
                loss_every: DAY * draw.between(0.5, 3.0),
                loss: HOUR * draw.log_between(0.5, 6.0),
                holes: draw.log_between(1e-4, 0.02),
                ..none
            },
            Self::Uneven => Habits { jitter: draw.between(0.1, 0.8), ..none },
            _ => none,
        }
    }
}

/// What is measured of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The host's schema.
    Host,
    /// So many columns of unknown unit.
    Columns(usize),
}

/// One host: samples without end.
#[derive(Debug)]
pub struct Host {
    loads: Vec<Box<dyn Load>>,
    machine: Box<dyn Machine>,
    interruptions: Interruptions,
    step: f64,
    /// Seconds of the host's own clock, and what to add to it for UTC in milliseconds.
    now: f64,
    epoch: i64,
    draw: Draw,
}

/// A Monday at midnight UTC.
const MONDAY: i64 = 1_704_067_200_000;

impl Host {
    /// The host of a seed, with a sample every `step` seconds; it lives in some time zone and starts on some day.
    #[must_use]
    pub fn new(kind: Kind, view: View, step: f64, seed: u64) -> Self {
        let mut draw = Draw::new(seed, 1);
        let usual = usual(kind, &mut draw);
        let loads = loads(kind, usual, &mut draw);
        let is_coarse = kind == Kind::Coarse;
        let machine: Box<dyn Machine> = match view {
            View::Host => Box::new(HostMachine::new(is_coarse, &mut draw)),
            View::Columns(n) => Box::new(Columns::new(n, usual, is_coarse, &mut draw)),
        };
        let features = machine.schema().len();
        let now = draw.whole(0, 6) as f64 * DAY;
        let zone = draw.whole(0, 23) as i64 - 11;
        let habits = kind.habits(&mut draw);
        let interruptions = Interruptions::new(habits, features, now, &mut draw);
        Self {
            loads,
            machine,
            interruptions,
            step,
            now,
            epoch: MONDAY - zone * 3_600_000,
            draw: Draw::new(seed, 2),
        }
    }

    /// What its samples are of.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.machine.schema()
    }

    /// The next sample.
    pub fn sample(&mut self) -> Sample {
        loop {
            let from = self.now;
            let to = self.interruptions.due(from, self.step, &mut self.draw);
            self.now = to;
            let interval = Interval { from, to };
            let mut demand = Demand::default();
            for load in &mut self.loads {
                demand += load.next(interval, &mut self.draw);
            }
            let demand = self.interruptions.changed(to, demand);
            if self.interruptions.is_taken(to, &mut self.draw) {
                let rates_known = self.interruptions.rates_known();
                let elapsed = interval.seconds();
                let mut row = self.machine.row(demand, elapsed, rates_known, &mut self.draw);
                self.interruptions.lose(to, &mut row, &mut self.draw);
                let time = Timestamp::from_millis(self.epoch + (1000.0 * to).round() as i64);
                return Sample::new(time, row);
            }
        }
    }
}

/// What a host of this kind does on average when it is not busy.
fn usual(kind: Kind, draw: &mut Draw) -> Demand {
    let busy = match kind {
        Kind::Idle => draw.log_between(0.1, 1.0),
        Kind::Wandering => draw.log_between(10.0, 30.0),
        _ => draw.log_between(0.5, 8.0),
    };
    let traffic = draw.log_between(2e3, 2e5) * busy;
    Demand {
        cpu: 0.01 * busy,
        read: draw.log_between(1e3, 1e5) * busy,
        write: draw.log_between(1e4, 5e5) * busy,
        receive: traffic,
        transmit: traffic * draw.log_between(0.2, 5.0),
        memory: draw.between(0.15, 0.6),
        filesystem: draw.between(0.2, 0.6),
        processes: draw.between(80.0, 500.0).round(),
    }
}

/// A host's loads, all of them drawn in proportion to what it usually does.
fn loads(kind: Kind, usual: Demand, draw: &mut Draw) -> Vec<Box<dyn Load>> {
    let sigma = match kind {
        Kind::Wandering => draw.between(0.3, 0.6),
        Kind::Coarse => draw.between(0.05, 0.2),
        _ => draw.between(0.1, 0.4),
    };
    // At five minutes between samples these are coefficients from 0.9 to 0.99.
    let memory = match kind {
        Kind::Wandering => draw.log_between(2850.0, 29_850.0),
        _ => draw.log_between(60.0, 1200.0),
    };
    let held = draw.log_between(0.0005, 0.01);
    let mut loads: Vec<Box<dyn Load>> =
        vec![Box::new(Background::new(usual, sigma, memory, held, draw))];
    let cpu = draw.between(0.1, 0.4);
    let busy = Demand {
        cpu,
        read: usual.read * draw.log_between(2.0, 20.0),
        write: usual.write * draw.log_between(2.0, 20.0),
        receive: usual.receive * draw.log_between(5.0, 50.0),
        transmit: usual.transmit * draw.log_between(5.0, 50.0),
        memory: draw.between(0.0, 0.1),
        filesystem: 0.0,
        processes: draw.between(0.0, 40.0),
    };
    let local = Demand { receive: 0.0, transmit: 0.0, ..busy };
    match kind {
        Kind::Idle | Kind::Wandering | Kind::Coarse => {}
        Kind::Office => {
            let noise = draw.between(0.1, 0.3);
            loads.push(Box::new(OfficeHours::new(busy, noise, draw)));
        }
        Kind::Batch => {
            let mut job = |size: f64, period: f64, jitter: f64, duration: f64, draw: &mut Draw| {
                let phase = draw.between(0.0, period - jitter - 2.0 * duration);
                loads.push(Box::new(Job::new(local.times(size), period, phase, jitter, duration)));
            };
            job(0.4, HOUR, draw.between(5.0, 120.0), draw.log_between(30.0, 600.0), draw);
            job(1.0, DAY, draw.between(30.0, 900.0), draw.log_between(600.0, 7200.0), draw);
            job(1.3, WEEK, draw.between(30.0, 900.0), draw.log_between(1800.0, 14_400.0), draw);
        }
        Kind::Bursty => {
            let size = if draw.chance(0.5) {
                Size::Lognormal(draw.between(0.5, 1.2))
            } else {
                Size::Pareto(draw.between(1.6, 3.0))
            };
            let every = draw.log_between(600.0, 7200.0);
            let duration = draw.log_between(20.0, 600.0);
            loads.push(Box::new(Bursts::new(busy.times(0.4), every, duration, size)));
        }
        Kind::Growing => {
            let files = draw.between(0.005, 0.03);
            let leak = draw.between(0.05, 0.25);
            loads.push(Box::new(Growth::new(files, leak, draw)));
            loads.push(Box::new(OfficeHours::new(busy.times(0.4), 0.2, draw)));
        }
        Kind::Rebooting | Kind::Gappy | Kind::Uneven => {
            loads.push(Box::new(OfficeHours::new(busy.times(0.5), 0.2, draw)));
            let every = draw.log_between(3000.0, 20_000.0);
            loads.push(Box::new(Bursts::new(busy.times(0.3), every, 120.0, Size::Lognormal(0.6))));
        }
        Kind::Switching => {
            let (on, off) = (draw.log_between(1.0, 12.0), draw.log_between(1.0, 12.0));
            loads.push(Box::new(Switch::new(busy, on * HOUR, off * HOUR, draw)));
        }
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::{Frame, Span, host};

    fn samples(kind: Kind, view: View, n: usize, seed: u64) -> Vec<Sample> {
        let mut host = Host::new(kind, view, 300.0, seed);
        (0..n).map(|_| host.sample()).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_host_and_another_is_another() {
        for kind in Kind::ALL {
            let one = samples(kind, View::Host, 300, 7);
            assert!(one == samples(kind, View::Host, 300, 7), "{kind:?}");
            assert!(one != samples(kind, View::Host, 300, 8), "{kind:?}");
        }
    }

    #[test]
    fn every_kind_makes_frames_within_what_its_features_can_be() {
        for (kind, seed) in Kind::ALL.into_iter().zip(0..) {
            for view in [View::Host, View::Columns(1), View::Columns(20)] {
                let host = Host::new(kind, view, 300.0, seed);
                let rows = samples(kind, view, 2016, seed);
                let frame = Frame::from_samples(host.schema(), &rows).unwrap();
                if view == View::Host {
                    for ratio in [host::CPU_UTILIZATION, host::MEMORY_UTILIZATION] {
                        assert!(
                            frame.column(ratio).all(|v| v.is_nan() || (0.0..=1.0).contains(&v))
                        );
                    }
                    assert!(frame.column(host::PROCESS_COUNT).all(|v| v.is_nan() || v >= 1.0));
                }
            }
        }
    }

    #[test]
    fn only_the_interrupted_kinds_are_interrupted() {
        let step = Span::from_secs(300);
        for (kind, seed) in Kind::ALL.into_iter().zip(40..) {
            let rows = samples(kind, View::Columns(5), 6048, seed);
            let gaps =
                rows.windows(2).filter(|w| w[1].timestamp.since(w[0].timestamp) != step).count();
            let missing = rows.iter().flat_map(|r| &r.values).filter(|v| v.is_nan()).count();
            assert_eq!(gaps > 0, matches!(kind, Kind::Rebooting | Kind::Gappy | Kind::Uneven));
            assert_eq!(missing > 0, matches!(kind, Kind::Rebooting | Kind::Gappy), "{kind:?}");
        }
    }
}
