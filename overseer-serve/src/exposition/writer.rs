//! The two text formats: Prometheus' own, and OpenMetrics 1.0.

use std::fmt::Write;

/// How the page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus text, version 0.0.4.
    Text,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What kind of numbers a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Gauge,
    Counter,
    Histogram,
}

/// Labels, in the order in which they are written.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page that grows family by family.
#[derive(Debug)]
pub(super) struct Page {
    format: Format,
    text: String,
}

/// One family of metrics: what its samples have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// Without `_total`, and with the unit at its end if it has one.
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// `seconds`, `bytes`, `ratio`; empty for none.
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(8 * 1024) }
    }

    /// Adds a family with these samples. A value that is not known is left out; a family without any is told of all the
    /// same, so that whoever reads a page knows what there can be.
    pub(super) fn family<'a>(
        &mut self,
        family: Family,
        samples: impl IntoIterator<Item = (Vec<(&'a str, String)>, f64)>,
    ) {
        self.begin(family);
        for (labels, value) in samples {
            if value.is_nan() {
                continue;
            }
            let labels: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let suffix = if family.kind == Type::Counter { "_total" } else { "" };
            self.sample(family.name, suffix, &labels, value);
        }
    }

    /// Adds a histogram: how many observations were at most each bound, how many in all, and their sum.
    pub(super) fn histogram(
        &mut self,
        family: Family,
        bounds: &[f64],
        counts: &[u64],
        count: u64,
        sum: f64,
    ) {
        self.begin(family);
        for (bound, &below) in bounds.iter().zip(counts) {
            self.sample(family.name, "_bucket", &[("le", &number(*bound))], below as f64);
        }
        self.sample(family.name, "_bucket", &[("le", "+Inf")], count as f64);
        self.sample(family.name, "_sum", &[], sum);
        self.sample(family.name, "_count", &[], count as f64);
    }

    /// The page. OpenMetrics ends with a mark, so that one that was cut off is noticed.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn begin(&mut self, family: Family) {
        let Family { name, kind, unit, help } = family;
        // Prometheus' own format calls a counter by the name of its sample.
        let of_counter = self.format == Format::Text && kind == Type::Counter;
        let suffix = if of_counter { "_total" } else { "" };
        let kind = match kind {
            Type::Gauge => "gauge",
            Type::Counter => "counter",
            Type::Histogram => "histogram",
        };
        let help = escaped(help, self.format == Format::OpenMetrics);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name}{suffix} {help}");
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {kind}");
        if self.format == Format::OpenMetrics && !unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: Labels<'_>, value: f64) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        if !labels.is_empty() {
            self.text.push('{');
            for (i, (key, text)) in labels.iter().enumerate() {
                let comma = if i > 0 { "," } else { "" };
                let _ = write!(self.text, "{comma}{key}=\"{}\"", escaped(text, true));
            }
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {}", number(value));
    }
}

/// A number as both formats write it.
fn number(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// Text within a line, and within quotes where `quotes` says so.
fn escaped(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Family =
        Family { name: "room_bytes", kind: Type::Gauge, unit: "bytes", help: "Say \"hi\"." };

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        let mounts = [("/", 1.5), ("a\"b\\c\nd", f64::INFINITY), ("/none", f64::NAN)];
        page.family(ROOM, mounts.map(|(m, v)| (vec![("mount", m.to_owned())], v)));
        page.family(Family { name: "empty", ..ROOM }, [(Vec::new(), f64::NAN)]);
        let ticks = Family { name: "ticks", kind: Type::Counter, unit: "", help: "Ticks." };
        page.family(ticks, [(Vec::new(), 3.0)]);
        let took =
            Family { name: "took_seconds", kind: Type::Histogram, unit: "seconds", help: "T." };
        page.histogram(took, &[0.5, 1.0], &[1, 2], 3, 4.5);
        page.finish()
    }

    #[test]
    fn both_formats_are_written_as_their_specifications_have_it() {
        assert_eq!(
            page(Format::Text),
            "# HELP room_bytes Say \"hi\".\n# TYPE room_bytes gauge\nroom_bytes{mount=\"/\"} 1.5\n\
             room_bytes{mount=\"a\\\"b\\\\c\\nd\"} +Inf\n\
             # HELP empty Say \"hi\".\n# TYPE empty gauge\n\
             # HELP ticks_total Ticks.\n# TYPE ticks_total counter\nticks_total 3\n\
             # HELP took_seconds T.\n# TYPE took_seconds histogram\n\
             took_seconds_bucket{le=\"0.5\"} 1\ntook_seconds_bucket{le=\"1\"} 2\n\
             took_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_sum 4.5\ntook_seconds_count 3\n"
        );
        let open = page(Format::OpenMetrics);
        assert!(open.contains("# UNIT room_bytes bytes\n") && open.contains("Say \\\"hi\\\"."));
        assert!(open.contains("# TYPE ticks counter\nticks_total 3\n"));
        assert!(open.ends_with("# EOF\n") && !open.contains("/none") && !open.contains("\nempty"));
    }
}
