//! Kinds of load, which a host has several of.

use crate::demand::Demand;
use crate::draw::Draw;
use crate::interval::{DAY, Interval, WEEK};
use crate::noise::Noise;
use std::fmt::Debug;

/// Something that asks a host for work.
pub trait Load: Debug + Send {
    /// The demand over the next interval.
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand;
}

/// What is always there: a mean demand, around which each part wanders, partly together.
#[derive(Debug)]
pub struct Background {
    mean: Demand,
    sigma: f64,
    shared: Noise,
    own: [Noise; 5],
    memory: Noise,
    memory_sigma: f64,
    processes: Noise,
}

impl Background {
    /// Rates wander by lognormal factors of this `sigma` and `memory` seconds; held memory by `memory_sigma` of all.
    pub fn new(mean: Demand, sigma: f64, memory: f64, memory_sigma: f64, draw: &mut Draw) -> Self {
        Self {
            mean,
            sigma,
            shared: Noise::new(memory, draw),
            own: std::array::from_fn(|_| Noise::new(memory * draw.between(0.3, 1.0), draw)),
            memory: Noise::new(10.0 * memory, draw),
            memory_sigma,
            processes: Noise::new(3.0 * memory, draw),
        }
    }
}

impl Load for Background {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let elapsed = interval.seconds();
        let shared = self.shared.factor(elapsed, 0.7 * self.sigma, draw);
        let [cpu, read, write, receive, transmit] =
            self.own.each_mut().map(|n| shared * n.factor(elapsed, 0.7 * self.sigma, draw));
        Demand {
            cpu: cpu * self.mean.cpu,
            read: read * self.mean.read,
            write: write * self.mean.write,
            receive: receive * self.mean.receive,
            transmit: transmit * self.mean.transmit,
            memory: self.mean.memory + self.memory_sigma * self.memory.next(elapsed, draw),
            filesystem: self.mean.filesystem,
            // Counts of what comes and goes vary as their square root.
            processes: self.mean.processes
                + 0.3 * self.mean.processes.sqrt() * self.processes.next(elapsed, draw),
        }
    }
}

/// People at work: much by day, less at the weekend, and no two days the same.
#[derive(Debug)]
pub struct OfficeHours {
    peak: Demand,
    opens: f64,
    closes: f64,
    weekend: f64,
    sigma: f64,
    noise: Noise,
    today: (i64, f64),
}

impl OfficeHours {
    /// Of this demand at the busiest time, with lognormal noise of `sigma` on it.
    pub fn new(peak: Demand, sigma: f64, draw: &mut Draw) -> Self {
        let opens = draw.between(6.5, 9.5);
        Self {
            peak,
            opens,
            closes: opens + draw.between(8.0, 12.0),
            weekend: draw.between(0.05, 0.5),
            sigma,
            noise: Noise::new(draw.log_between(300.0, 2400.0), draw),
            today: (i64::MIN, 1.0),
        }
    }
}

impl Load for OfficeHours {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let day = interval.day();
        if day != self.today.0 {
            let weekend = if day.rem_euclid(7) >= 5 { self.weekend } else { 1.0 };
            self.today = (day, weekend * draw.lognormal(1.0, 0.08));
        }
        let hour = interval.hour_of_day();
        let rise = |at: f64, width: f64| 1.0 / (1.0 + (-(hour - at) / width).exp());
        let lunch = 1.0 - 0.25 * (-((hour - 12.5) / 0.7).powi(2)).exp();
        let course = 0.04 + rise(self.opens, 0.4) * (1.0 - rise(self.closes, 0.7)) * lunch;
        let noise = self.noise.factor(interval.seconds(), self.sigma, draw);
        self.peak.times(course * self.today.1 * noise)
    }
}

/// A job that comes again and again, a little later or earlier and longer or shorter each time.
#[derive(Debug)]
pub struct Job {
    demand: Demand,
    period: f64,
    phase: f64,
    jitter: f64,
    duration: f64,
    run: Option<(f64, f64, f64)>,
    next: i64,
}

impl Job {
    /// Every `period` seconds, `phase` after its beginning and up to `jitter` later, for about `duration` seconds.
    #[must_use]
    pub fn new(demand: Demand, period: f64, phase: f64, jitter: f64, duration: f64) -> Self {
        Self { demand, period, phase, jitter, duration, run: None, next: 0 }
    }
}

impl Load for Job {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let mut share = 0.0;
        loop {
            let (start, end, size) = *self.run.get_or_insert_with(|| {
                let start =
                    self.next as f64 * self.period + self.phase + draw.between(0.0, self.jitter);
                (start, start + draw.lognormal(self.duration, 0.15), draw.lognormal(1.0, 0.08))
            });
            share += size * interval.share(start, end);
            if end > interval.to {
                return self.demand.times(share);
            }
            self.next += 1;
            self.run = None;
        }
    }
}

/// How large bursts are, as a factor of the usual.
#[derive(Debug, Clone, Copy)]
pub enum Size {
    /// Lognormal of median 1 with this standard deviation of the logarithm.
    Lognormal(f64),
    /// Pareto of least 1 with this shape.
    Pareto(f64),
}

/// Bursts that come when they come: a Poisson process with heavy-tailed sizes.
#[derive(Debug)]
pub struct Bursts {
    demand: Demand,
    every: f64,
    duration: f64,
    size: Size,
    active: Vec<(f64, f64, f64)>,
    next: Option<f64>,
}

impl Bursts {
    /// Of this usual demand, on average `every` seconds apart and `duration` seconds long.
    #[must_use]
    pub fn new(demand: Demand, every: f64, duration: f64, size: Size) -> Self {
        Self { demand, every, duration, size, active: Vec::new(), next: None }
    }
}

impl Load for Bursts {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let mut next = match self.next {
            Some(next) => next,
            None => interval.from + draw.exponential(self.every),
        };
        while next < interval.to {
            let size = match self.size {
                Size::Lognormal(sigma) => draw.lognormal(1.0, sigma),
                Size::Pareto(shape) => draw.pareto(1.0, shape),
            };
            self.active.push((next, next + draw.exponential(self.duration), size));
            next += draw.exponential(self.every);
        }
        self.next = Some(next);
        let share: f64 = self.active.iter().map(|&(s, e, size)| size * interval.share(s, e)).sum();
        self.active.retain(|&(_, end, _)| end > interval.to);
        self.demand.times(share)
    }
}

/// Two ways of being: on for a while, off for a while, as a test bench or a renderer is.
#[derive(Debug)]
pub struct Switch {
    on: Demand,
    stays_on: f64,
    stays_off: f64,
    is_on: bool,
    until: Option<f64>,
    noise: Noise,
}

impl Switch {
    /// Of this demand while on; stays on and off for so many seconds on average.
    pub fn new(on: Demand, stays_on: f64, stays_off: f64, draw: &mut Draw) -> Self {
        let is_on = draw.chance(0.5);
        Self { on, stays_on, stays_off, is_on, until: None, noise: Noise::new(600.0, draw) }
    }
}

impl Load for Switch {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let mut at = interval.from;
        let mut share = 0.0;
        while at < interval.to {
            let stays = if self.is_on { self.stays_on } else { self.stays_off };
            let until = *self.until.get_or_insert_with(|| at + draw.exponential(stays));
            if self.is_on {
                share += interval.share(at, until);
            }
            if until > interval.to {
                break;
            }
            at = until;
            self.is_on = !self.is_on;
            self.until = None;
        }
        self.on.times(share * self.noise.factor(interval.seconds(), 0.1, draw))
    }
}

/// What grows: files until they are cleaned up, and memory until the service that leaks it restarts.
#[derive(Debug)]
pub struct Growth {
    /// Share of the file system a second, and what of it a cleanup once a day or a week leaves.
    files: f64,
    kept: f64,
    cleaned_every: f64,
    /// Share of memory a second.
    leak: f64,
    restarts_at: f64,
    grown: Demand,
    noise: Noise,
}

impl Growth {
    /// Grows by so much of the file system and of memory a week; the service restarts once a week at night.
    pub fn new(files: f64, leak: f64, draw: &mut Draw) -> Self {
        Self {
            files: files / WEEK,
            kept: draw.between(0.3, 1.0),
            cleaned_every: if draw.chance(0.5) { DAY } else { WEEK },
            leak: leak / WEEK,
            restarts_at: draw.whole(0, 6) as f64 * DAY + draw.between(1.0, 5.0) * 3600.0,
            grown: Demand { memory: draw.between(0.0, leak), ..Demand::default() },
            noise: Noise::new(1800.0, draw),
        }
    }
}

impl Load for Growth {
    fn next(&mut self, interval: Interval, draw: &mut Draw) -> Demand {
        let passes = |period: f64, phase: f64| {
            ((interval.from - phase) / period).floor() < ((interval.to - phase) / period).floor()
        };
        let speed = self.noise.factor(interval.seconds(), 0.4, draw) * interval.seconds();
        self.grown.filesystem += self.files * speed;
        self.grown.memory += self.leak * speed;
        if passes(self.cleaned_every, 4.0 * 3600.0) {
            // A cleanup takes some of what came since the last one; the rest stays, so that it fills in the long run.
            let since = self.files * self.cleaned_every;
            self.grown.filesystem -= (1.0 - self.kept) * since;
        }
        if passes(WEEK, self.restarts_at) {
            self.grown.memory = 0.0;
        }
        self.grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_cpu() -> Demand {
        Demand { cpu: 1.0, ..Demand::default() }
    }

    fn series(load: &mut dyn Load, step: f64, n: usize) -> Vec<f64> {
        let mut draw = Draw::new(2, 0);
        let at = |i: usize| Interval { from: i as f64 * step, to: (i + 1) as f64 * step };
        (0..n).map(|i| load.next(at(i), &mut draw).cpu).collect()
    }

    #[test]
    fn a_job_runs_once_in_each_period_for_its_duration() {
        let mut job = Job::new(one_cpu(), 3600.0, 600.0, 300.0, 450.0);
        let x = series(&mut job, 300.0, 12 * 200);
        for hour in x.chunks(12) {
            let seconds = 300.0 * hour.iter().sum::<f64>();
            assert!((200.0..900.0).contains(&seconds), "{seconds}");
            assert!(hour[..2].iter().chain(&hour[7..]).all(|v| *v == 0.0), "{hour:?}");
        }
    }

    #[test]
    fn bursts_and_switches_ask_for_the_same_whatever_the_step() {
        let mean = |x: Vec<f64>| x.iter().sum::<f64>() / x.len() as f64;
        for step in [5.0, 60.0, 600.0] {
            let n = (4e6 / step) as usize;
            let bursts = &mut Bursts::new(one_cpu(), 1000.0, 50.0, Size::Pareto(3.0));
            let busy = mean(series(bursts, step, n));
            assert!((busy - 0.05 * 1.5).abs() < 0.01, "{busy}");
            let mut switch = Switch::new(one_cpu(), 2000.0, 6000.0, &mut Draw::new(3, 0));
            let on = mean(series(&mut switch, step, n));
            assert!((on - 0.25).abs() < 0.05, "{on}");
        }
    }

    #[test]
    fn office_hours_are_busy_by_day_and_calm_at_night_and_at_the_weekend() {
        let mut office = OfficeHours::new(one_cpu(), 0.05, &mut Draw::new(5, 0));
        let x = series(&mut office, 3600.0, 14 * 24);
        for day in 0..14 {
            let (noon, night) = (x[day * 24 + 14], x[day * 24 + 3]);
            assert!(noon > 3.0 * night, "day {day}: {noon} {night}");
        }
        assert!(x[14] > 1.5 * x[5 * 24 + 14]);
    }
}
