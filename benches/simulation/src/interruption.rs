//! What keeps samples from coming evenly and whole, on hosts on which nothing is wrong.

use crate::demand::Demand;
use crate::draw::Draw;

/// How often a host is interrupted, in seconds on average; infinite for never.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Between pauses of the collector, and the median pause.
    pub gap_every: f64,
    /// How long a pause usually is.
    pub gap: f64,
    /// Between reboots.
    pub reboot_every: f64,
    /// Between losses of one feature.
    pub loss_every: f64,
    /// How long a feature usually stays lost.
    pub loss: f64,
    /// The chance that a single value is missing.
    pub holes: f64,
    /// By which share of the step samples come early or late.
    pub jitter: f64,
}

impl Habits {
    /// Of a host that is sampled evenly and never interrupted.
    #[must_use]
    pub fn none() -> Self {
        Self {
            gap_every: f64::INFINITY,
            gap: 0.0,
            reboot_every: f64::INFINITY,
            loss_every: f64::INFINITY,
            loss: 0.0,
            holes: 0.0,
            jitter: 0.0,
        }
    }
}

/// The seconds in which a rebooted host has started most of its processes and filled most of its memory.
const PROCESSES_BACK: f64 = 300.0;
const MEMORY_BACK: f64 = 5400.0;
/// How long starting keeps CPU and disk busy.
const STARTING: f64 = 180.0;

/// The interruptions of one host as time goes on.
#[derive(Debug)]
pub struct Interruptions {
    habits: Habits,
    features: usize,
    next_gap: f64,
    next_reboot: f64,
    next_loss: f64,
    away_until: f64,
    started: f64,
    rates_known: bool,
    lost: (usize, f64),
}

impl Interruptions {
    /// Of a host with these habits and so many features, from second `now` on.
    pub fn new(habits: Habits, features: usize, now: f64, draw: &mut Draw) -> Self {
        Self {
            habits,
            features,
            next_gap: now + draw.exponential(habits.gap_every),
            next_reboot: now + draw.exponential(habits.reboot_every),
            next_loss: now + draw.exponential(habits.loss_every),
            away_until: now,
            started: f64::NEG_INFINITY,
            rates_known: true,
            lost: (0, now),
        }
    }

    /// When the sample after the one at `now` is due, if the step is `step`.
    pub fn due(&self, now: f64, step: f64, draw: &mut Draw) -> f64 {
        let early = self.habits.jitter * draw.between(-1.0, 1.0);
        now + step * (1.0 + early)
    }

    /// Whether a sample at `now` is taken.
    pub fn is_taken(&mut self, now: f64, draw: &mut Draw) -> bool {
        if now >= self.next_gap {
            self.next_gap = now + draw.exponential(self.habits.gap_every);
            self.away_until = now + draw.lognormal(self.habits.gap, 0.8);
        }
        if now >= self.next_reboot {
            self.next_reboot = now + draw.exponential(self.habits.reboot_every);
            self.away_until = now + draw.between(60.0, 600.0);
            self.started = self.away_until;
            self.rates_known = false;
        }
        if now >= self.next_loss {
            self.next_loss = now + draw.exponential(self.habits.loss_every);
            self.lost =
                (draw.whole(0, self.features - 1), now + draw.lognormal(self.habits.loss, 0.8));
        }
        now >= self.away_until
    }

    /// What a host that started not long ago asks for and holds, in place of what it would if it were long up.
    #[must_use]
    pub fn changed(&self, now: f64, mut demand: Demand) -> Demand {
        let up = now - self.started;
        if up.is_infinite() {
            return demand;
        }
        demand.processes *= 1.0 - 0.4 * (-up / PROCESSES_BACK).exp();
        demand.memory *= 1.0 - 0.5 * (-up / MEMORY_BACK).exp();
        let starting = (-up / STARTING).exp();
        demand.cpu += 0.3 * starting;
        demand.read += 2e7 * starting;
        demand
    }

    /// Whether rates are known in the next sample taken: not in the first after a start.
    pub fn rates_known(&mut self) -> bool {
        std::mem::replace(&mut self.rates_known, true)
    }

    /// Takes out of a row what is lost.
    pub fn lose(&self, now: f64, row: &mut [f64], draw: &mut Draw) {
        if now < self.lost.1 {
            row[self.lost.0] = f64::NAN;
        }
        if self.habits.holes > 0.0 {
            for value in row {
                if draw.chance(self.habits.holes) {
                    *value = f64::NAN;
                }
            }
        }
    }
}
