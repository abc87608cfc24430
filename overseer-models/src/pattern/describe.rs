//! What was found, as sentences for a person. Nothing is said here that a test did not find significant, except how
//! far the values were seen to range.

use overseer_core::{ChangePoint, Feature, Span, Timestamp, Unit, host};

/// A feature and the window it was looked at in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description<'a> {
    pub(super) feature: &'a Feature,
    pub(super) window: (Timestamp, Timestamp),
}

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

    fn value(&self, value: f64) -> String {
        self.feature.unit.humanize(value)
    }

    fn length(&self) -> Span {
        self.window.1.since(self.window.0)
    }

    /// `Memory rose from 40.0 % to 52.0 % over 10 h, about 1.2 points an hour.`
    pub(super) fn trend(&self, from: f64, to: f64) -> String {
        let verb = if to > from { "rose" } else { "fell" };
        let length = self.length();
        let hours = length.as_secs_f64() / 3600.0;
        let pace = if hours < 2.0 {
            String::new()
        } else {
            let (per, of) = if hours < 48.0 { (hours, "an hour") } else { (hours / 24.0, "a day") };
            let amount = (to - from).abs() / per;
            let amount = match self.feature.unit {
                // A percentage of what would be unclear.
                Unit::Ratio => format!("{:.1} points", 100.0 * amount),
                unit => unit.humanize(amount),
            };
            // A pace that rounds to nothing tells nothing.
            let tells = amount.chars().any(|c| ('1'..='9').contains(&c));
            if tells { format!(", about {amount} {of}") } else { String::new() }
        };
        format!(
            "{} {verb} from {} to {} over {length}{pace}.",
            self.name(),
            self.value(from),
            self.value(to)
        )
    }

    /// `CPU repeats every 24 h, between about 20.0 % and 60.0 %; this explains 80 % of its variation.`
    pub(super) fn rhythm(&self, period: Span, swing: (f64, f64), share: f64) -> String {
        format!(
            "{} repeats every {period}, between about {} and {}; this explains {:.0} % of its \
             variation.",
            self.name(),
            self.value(swing.0),
            self.value(swing.1),
            100.0 * share
        )
    }

    /// `CPU stepped up from 20.0 % to 60.0 %, 3 h before the end of the window.`
    pub(super) fn change(&self, change: &ChangePoint) -> String {
        let (before, after) = change.levels;
        format!(
            "{} stepped {} from {} to {}, {} before the end of the window.",
            self.name(),
            if after > before { "up" } else { "down" },
            self.value(before),
            self.value(after),
            self.window.1.since(change.timestamp)
        )
    }

    /// How steady or restless the values were; `certain` if a test says so too.
    pub(super) fn spread(
        &self,
        level: f64,
        range: (f64, f64),
        volatile: bool,
        certain: bool,
    ) -> String {
        let name = self.name();
        if range.0 == range.1 {
            return format!("{name} stayed at {}.", self.value(level));
        }
        let (low, high) = (self.value(range.0), self.value(range.1));
        let range = format!("nine in ten values lie between {low} and {high}");
        match (certain, volatile) {
            (true, true) => format!("{name} swings widely without direction or rhythm: {range}."),
            (true, false) => format!("{name} keeps its level of {}: {range}.", self.value(level)),
            (false, _) => format!("{name}: {range}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(feature: &Feature, hours: i64) -> Description<'_> {
        let end = Timestamp::default() + Span::from_secs(3600 * hours);
        Description { feature, window: (Timestamp::default(), end) }
    }

    #[test]
    fn sentences_read_as_people_say_them() {
        let memory = Feature::new("system.memory.utilization", Unit::Ratio);
        let d = over(&memory, 10);
        assert_eq!(
            d.trend(0.4, 0.52),
            "Memory rose from 40.0 % to 52.0 % over 10 h, about 1.2 points an hour."
        );
        assert_eq!(
            over(&memory, 1).trend(0.52, 0.4),
            "Memory fell from 52.0 % to 40.0 % over 60 min."
        );
        let step = ChangePoint::new(Timestamp::default() + Span::from_secs(7 * 3600), 0.2, 0.6);
        assert_eq!(
            d.change(&step),
            "Memory stepped up from 20.0 % to 60.0 %, 3 h before the end of the window."
        );
        assert_eq!(
            d.rhythm(Span::from_secs(86_400), (0.2, 0.6), 0.804),
            "Memory repeats every 24 h, between about 20.0 % and 60.0 %; this explains 80 % of its variation."
        );
        let plain = Feature::new("queue.depth", Unit::Unknown);
        assert_eq!(
            over(&plain, 1).spread(3.0, (3.0, 3.0), false, true),
            "queue.depth stayed at 3."
        );
        assert_eq!(
            over(&plain, 1).spread(3.0, (1.0, 9.0), true, true),
            "queue.depth swings widely without direction or rhythm: nine in ten values lie between 1 and 9."
        );
    }
}
