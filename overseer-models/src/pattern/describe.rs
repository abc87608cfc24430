//! What was found, as sentences for a person. Nothing is said here that a test did not find significant, except how
//! far the values were seen to range.

use overseer_core::{
    ChangeKind, ChangePoint, Crossing, Feature, LocalTime, Periodicity, Span, Timestamp, Unit, host,
};

/// A feature and the window it was looked at in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description<'a> {
    pub(super) feature: &'a Feature,
    pub(super) window: (Timestamp, Timestamp),
    /// By which moments are said.
    pub(super) clocks: &'a dyn LocalTime,
}

const DAY_MS: i64 = 86_400_000;

impl Description<'_> {
    /// The feature's name at the start of a sentence; a technical name is left as it is.
    fn name(&self) -> String {
        let plain = host::plain_name(&self.feature.name);
        if plain == self.feature.name {
            return plain.to_owned();
        }
        let mut letters = plain.chars();
        letters.next().map_or_else(String::new, |l| l.to_uppercase().chain(letters).collect())
    }

    /// The word that goes with one, as with memory, or with several, as with disk reads.
    fn agree<'w>(&self, one: &'w str, several: &'w str) -> &'w str {
        match host::plain_name(&self.feature.name) {
            "disk reads" | "disk writes" | "processes" => several,
            _ => one,
        }
    }

    fn value(&self, value: f64) -> String {
        self.feature.unit.humanize(value)
    }

    fn length(&self) -> Span {
        self.window.1.since(self.window.0)
    }

    /// A difference: of percentages, points.
    fn amount(&self, amount: f64) -> String {
        match self.feature.unit {
            // A percentage of what would be unclear.
            Unit::Ratio => Unit::Ratio.humanize(amount).replace('%', "points"),
            unit => unit.humanize(amount),
        }
    }

    /// Hours that make a pace readable, and how they are called: an hour, or in windows of days a day.
    fn pace(&self) -> (f64, &'static str) {
        if self.length().as_secs_f64() < 48.0 * 3600.0 { (1.0, "an hour") } else { (24.0, "a day") }
    }

    /// `Memory rose from 40.0 % to 52.0 % over 10 h, about 1.2 points an hour (1.1 to 1.3).`
    ///
    /// The interval is that of the slope per second.
    pub(super) fn trend(&self, from: f64, to: f64, interval: Option<(f64, f64)>) -> String {
        let verb = if to > from { "rose" } else { "fell" };
        let length = self.length();
        let hours = length.as_secs_f64() / 3600.0;
        let (per, of) = self.pace();
        let mut pace = String::new();
        if hours >= 2.0 {
            let amount = self.amount((to - from).abs() / hours * per);
            // A pace that rounds to nothing tells nothing.
            if tells(&amount) {
                pace = format!(", about {amount} {of}");
                let sides = interval.map(|(low, high)| (low * 3600.0 * per, high * 3600.0 * per));
                // One that may be nothing is not significant, and not said.
                if let Some((low, high)) = sides.filter(|(low, high)| low * high > 0.0) {
                    let (least, most) = (low.abs().min(high.abs()), low.abs().max(high.abs()));
                    let most = self.amount(most);
                    let least = self.amount(least);
                    // Two that read the same tell nothing.
                    if least != most {
                        let least = least.strip_suffix(" points").unwrap_or(&least);
                        pace = format!("{pace} ({least} to {most})");
                    }
                }
            }
        }
        format!(
            "{} {verb} from {} to {} over {length}{pace}.",
            self.name(),
            self.value(from),
            self.value(to)
        )
    }

    /// `At that pace it reaches 100.0 % in about 6 h (5 h to 8 h).`
    pub(super) fn crossing(&self, crossing: &Crossing) -> String {
        let ahead = |t: Timestamp| t.since(self.window.1);
        let latest = crossing.latest.map_or_else(
            || format!("{} at the earliest", ahead(crossing.earliest)),
            |latest| format!("{} to {}", ahead(crossing.earliest), ahead(latest)),
        );
        format!(
            "At that pace {} {} in about {} ({latest}).",
            self.agree("it reaches", "they reach"),
            self.value(crossing.limit),
            ahead(crossing.expected)
        )
    }

    /// `CPU repeats every 24 h, peak about 09:10 local time, between about 20.0 % and 60.0 %; this explains 80 % of its
    /// variation.`
    pub(super) fn rhythm(&self, rhythm: &Periodicity, swing: (f64, f64), share: f64) -> String {
        let peak = rhythm.peak.and_then(|at| self.phase(rhythm.period, at)).unwrap_or_default();
        // A mean by phase about a trend may fall below what the quantity can be.
        let least = match self.feature.unit {
            Unit::Celsius | Unit::Dimensionless | Unit::Unknown => f64::NEG_INFINITY,
            _ => 0.0,
        };
        format!(
            "{} {} every {}{peak}, between about {} and {}; this explains {:.0} % of {} variation.",
            self.name(),
            self.agree("repeats", "repeat"),
            rhythm.period,
            self.value(swing.0.max(least)),
            self.value(swing.1),
            100.0 * share,
            self.agree("its", "their")
        )
    }

    /// When a rhythm peaks, by the clocks; nothing of one quicker than a person follows.
    fn phase(&self, period: Span, peak: Timestamp) -> Option<String> {
        const QUICK_MS: i64 = 20 * 60_000;
        let period = period.as_millis();
        if period < QUICK_MS {
            return None;
        }
        let ahead = 1000 * i64::from(self.clocks.utc_offset_seconds(peak));
        let local = peak.as_millis().checked_add(ahead)?;
        // No minute more exact than a hundredth of the period.
        let grain = if period >= DAY_MS / 4 { 10 } else { 1 };
        let time = |ms: i64| {
            let minutes = (ms.rem_euclid(DAY_MS) as f64 / 60_000.0 / grain as f64).round() as i64
                * grain
                % 1440;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        };
        let zone = if self.clocks.name() == "UTC" { "UTC" } else { "local time" };
        let is_about = |a: i64, b: i64| (a - b).abs() <= b / 200;
        let times_a_day = (DAY_MS as f64 / period as f64).round() as i64;
        if is_about(period, 7 * DAY_MS) {
            // 1 January 1970 was a Thursday.
            const DAYS: [&str; 7] = [
                "Thursdays",
                "Fridays",
                "Saturdays",
                "Sundays",
                "Mondays",
                "Tuesdays",
                "Wednesdays",
            ];
            let day = DAYS.get(local.div_euclid(DAY_MS).rem_euclid(7) as usize)?;
            return Some(format!(", peak on {day} about {} {zone}", time(local)));
        }
        if is_about(period, DAY_MS) {
            return Some(format!(", peak about {} {zone}", time(local)));
        }
        if (2..=4).contains(&times_a_day) && is_about(period * times_a_day, DAY_MS) {
            let mut times: Vec<String> =
                (0..times_a_day).map(|k| time(local + k * (DAY_MS / times_a_day))).collect();
            times.sort();
            let last = times.pop()?;
            return Some(format!(", peaks about {} and {last} {zone}", times.join(", ")));
        }
        if is_about(period, 3_600_000) {
            let minute = local.rem_euclid(3_600_000) / 60_000;
            return Some(format!(", peak about {minute} min past the hour"));
        }
        if period < 2 * DAY_MS {
            return Some(format!(", last peak about {} {zone}", time(local)));
        }
        Some(format!(", last peak {} before the end of the window", self.window.1.since(peak)))
    }

    /// `CPU stepped up from 20.0 % to 60.0 %, 3 h before the end of the window.`
    ///
    /// What the next change of its kind ended at `until` is not said to be so since.
    pub(super) fn change(&self, change: &ChangePoint, until: Option<Timestamp>) -> String {
        let when =
            format!("{} before the end of the window", self.window.1.since(change.timestamp));
        let name = self.name();
        let (its, it) = (self.agree("its", "their"), self.agree("it", "they"));
        let (before, after) = change.sizes.unwrap_or(change.levels);
        match change.kind {
            ChangeKind::Trend => {
                let (per, of) = self.pace();
                let pace = |slope: f64, rises: &str, falls: &str, keeps: &str| {
                    let amount = self.amount((slope * per).abs());
                    if !tells(&amount) {
                        return keeps.to_owned();
                    }
                    format!("{} by about {amount} {of}", if slope > 0.0 { rises } else { falls })
                };
                format!(
                    "{name} changed {its} direction {when}: until then {it} {}, since then {it} {}.",
                    pace(before, "rose", "fell", &format!("kept {its} level")),
                    pace(
                        after,
                        self.agree("rises", "rise"),
                        self.agree("falls", "fall"),
                        &format!("{} {its} level", self.agree("keeps", "keep"))
                    )
                )
            }
            ChangeKind::Variance => format!(
                "{name} {} {} {}: by {} about {its} course instead of {} (standard deviation).",
                if until.is_some() { "varied" } else { self.agree("varies", "vary") },
                if after > before { "more" } else { "less" },
                until.map_or_else(
                    || format!("since {when}"),
                    |until| {
                        let from = self.window.1.since(change.timestamp);
                        format!(
                            "from {from} to {} before the end of the window",
                            self.window.1.since(until)
                        )
                    }
                ),
                self.amount(after),
                self.amount(before)
            ),
            _ => format!(
                "{name} stepped {} from {} to {}, {when}.",
                if after > before { "up" } else { "down" },
                self.value(before),
                self.value(after)
            ),
        }
    }

    /// What "stable" is said of where the level stepped.
    pub(super) fn stable_beside_steps(&self) -> String {
        let (are, it) = (self.agree("is", "are"), self.agree("its", "their"));
        format!("{} {are} stable between {it} steps, not across them.", self.name())
    }

    /// How steady or restless the values were; `certain` if a test says so too.
    pub(super) fn spread(
        &self,
        level: f64,
        range: (f64, f64),
        relative: f64,
        volatile: bool,
        certain: bool,
    ) -> String {
        let name = self.name();
        let its = self.agree("its", "their");
        if range.0 == range.1 {
            return format!("{name} stayed at {}.", self.value(level));
        }
        let (low, high) = (self.value(range.0), self.value(range.1));
        let range = format!("nine in ten values lie between {low} and {high}");
        match (certain, volatile) {
            (true, true) => {
                let of_level = if relative.is_finite() && relative < 100.0 {
                    format!(", with a spread of {:.0} % of {its} level", 100.0 * relative)
                } else {
                    String::new()
                };
                let swings = self.agree("swings", "swing");
                format!("{name} {swings} widely without direction or rhythm{of_level}: {range}.")
            }
            (true, false) => {
                let keeps = self.agree("keeps", "keep");
                format!("{name} {keeps} {its} level of {}: {range}.", self.value(level))
            }
            (false, _) => format!("{name}: {range}."),
        }
    }
}

/// Whether anything is left of an amount once rounded.
fn tells(amount: &str) -> bool {
    amount.chars().any(|c| ('1'..='9').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Utc;

    #[derive(Debug)]
    struct HourAhead;

    impl LocalTime for HourAhead {
        fn name(&self) -> &str {
            "Europe/Berlin"
        }

        fn utc_offset_seconds(&self, _: Timestamp) -> i32 {
            3600
        }
    }

    fn over(feature: &Feature, hours: i64) -> Description<'_> {
        let end = Timestamp::default() + Span::from_secs(3600 * hours);
        Description { feature, window: (Timestamp::default(), end), clocks: &Utc }
    }

    fn hours(hours: f64) -> Timestamp {
        Timestamp::from_millis((3.6e6 * hours) as i64)
    }

    #[test]
    fn trends_read_as_people_say_them() {
        let memory = Feature::new("system.memory.utilization", Unit::Ratio);
        let d = over(&memory, 10);
        let pace = 0.012 / 3600.0;
        assert_eq!(
            d.trend(0.4, 0.52, Some((0.9 * pace, 1.1 * pace))),
            "Memory rose from 40.0 % to 52.0 % over 10 h, about 1.2 points an hour (1.1 to 1.3 points)."
        );
        assert_eq!(
            over(&memory, 1).trend(0.52, 0.4, Some((-pace, -pace))),
            "Memory fell from 52.0 % to 40.0 % over 60 min."
        );
        let crossing = Crossing::new(1.0, hours(16.0), hours(15.0), Some(hours(18.5)));
        assert_eq!(
            d.crossing(&crossing),
            "At that pace it reaches 100.0 % in about 6 h (5 h to 8.5 h)."
        );
        let open = Crossing::new(1.0, hours(16.0), hours(15.0), None);
        assert_eq!(
            d.crossing(&open),
            "At that pace it reaches 100.0 % in about 6 h (5 h at the earliest)."
        );
    }

    #[test]
    fn changes_read_as_people_say_them() {
        let memory = Feature::new("system.memory.utilization", Unit::Ratio);
        let d = over(&memory, 10);
        let step = ChangePoint::new(hours(7.0), 0.2, 0.6);
        assert_eq!(
            d.change(&step, None),
            "Memory stepped up from 20.0 % to 60.0 %, 3 h before the end of the window."
        );
        assert_eq!(
            d.change(&step.of_kind(ChangeKind::Trend, -1e-6, 0.02), None),
            "Memory changed its direction 3 h before the end of the window: until then it kept its \
             level, since then it rises by about 2.0 points an hour."
        );
        assert_eq!(
            d.change(&step.of_kind(ChangeKind::Variance, 0.01, 0.042), None),
            "Memory varies more since 3 h before the end of the window: by 4.2 points about its \
             course instead of 1.0 points (standard deviation)."
        );
        // Only the last change can hold until now.
        assert_eq!(
            d.change(&step.of_kind(ChangeKind::Variance, 0.01, 0.042), Some(hours(9.0))),
            "Memory varied more from 3 h to 60 min before the end of the window: by 4.2 points about \
             its course instead of 1.0 points (standard deviation)."
        );
    }

    #[test]
    fn rhythms_peak_by_the_clocks_of_the_place() {
        let cpu = Feature::new("system.cpu.utilization", Unit::Ratio);
        let d = over(&cpu, 240);
        let said = |d: &Description<'_>, period: f64, peak: f64| {
            let mut rhythm = Periodicity::new(Span::from_secs((3600.0 * period) as i64), 0.8);
            rhythm.peak = Some(hours(peak));
            d.rhythm(&rhythm, (0.2, 0.6), 0.804)
        };
        let below = d.rhythm(&Periodicity::new(Span::from_secs(60), 0.8), (-0.1, 0.6), 0.804);
        assert!(below.contains("between about 0.0 % and 60.0 %"), "{below}");
        assert_eq!(
            said(&d, 24.0, 200.1),
            "CPU repeats every 24 h, peak about 08:10 UTC, between about 20.0 % and 60.0 %; this \
             explains 80 % of its variation."
        );
        let away = Description { clocks: &HourAhead, ..d };
        for (period, peak, expected) in [
            (24.0, 200.1, ", peak about 09:10 local time,"),
            (12.0, 200.1, ", peaks about 09:10 and 21:10 local time,"),
            (8.0, 23.9, ", peaks about 00:50, 08:50 and 16:50 local time,"),
            (168.0, 96.0 + 11.5, ", peak on Mondays about 12:30 local time,"),
            (1.0, 200.2, ", peak about 12 min past the hour,"),
            (5.0, 200.2, ", last peak about 09:12 local time,"),
            (72.0, 200.0, ", last peak 40 h before the end of the window,"),
            (0.1, 200.0, "every 6 min, between"),
        ] {
            let sentence = said(&away, period, peak);
            assert!(sentence.contains(expected), "{period} h: {sentence}");
        }
    }

    #[test]
    fn spreads_read_as_people_say_them() {
        let reads = Feature::new("system.disk.io.read", Unit::BytesPerSecond);
        assert_eq!(
            over(&reads, 1).spread(3e6, (1e6, 9e6), 0.8, true, true),
            "Disk reads swing widely without direction or rhythm, with a spread of 80 % of their \
             level: nine in ten values lie between 1.0 MB/s and 9.0 MB/s."
        );
        let plain = Feature::new("queue.depth", Unit::Unknown);
        let d = over(&plain, 1);
        assert_eq!(d.spread(3.0, (3.0, 3.0), 0.0, false, true), "queue.depth stayed at 3.");
        assert_eq!(
            d.spread(3.0, (1.0, 9.0), 0.8, true, true),
            "queue.depth swings widely without direction or rhythm, with a spread of 80 % of its \
             level: nine in ten values lie between 1 and 9."
        );
        assert_eq!(
            d.spread(3.0, (1.0, 9.0), 0.3, true, false),
            "queue.depth: nine in ten values lie between 1 and 9."
        );
    }
}
