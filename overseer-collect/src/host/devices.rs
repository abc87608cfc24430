//! Bytes moved by devices, two ways: the kernel's table of all devices, and the files of each.
//!
//! `/proc/diskstats` and `/proc/net/dev` tell of every loop device, partition and container's interface, and cost in
//! proportion. The files of one device in sysfs hold the same counters and cost next to nothing, so that those few
//! devices that count are read there. Which ones count is found out anew every ten seconds; at that time each
//! device's files are held to the table, read before and after, and where they disagree the table is used.

use super::files::{Files, Reason, Source, Value};
use super::hardware::Hardware;
use super::rate::Rates;
use super::text::{number, whole_lines, words};
use crate::clock::Clock;
use std::path::Path;
use std::time::Duration;

/// How long devices are believed to be those that count.
const RELIST: Duration = Duration::from_secs(10);

/// What a device is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Served by a driver.
    Real,
    /// Counts only where no device is real.
    Stand,
    /// Never counts: it passes on what others move.
    Not,
}

/// Name and counters of a line of a table.
pub(super) type ParseLine = fn(&[u8]) -> Option<(&[u8], [u64; 2])>;

/// Where one kind of device is found, and how to read it.
#[derive(Debug)]
pub(super) struct Kind {
    /// Beneath the root: the table of all of them.
    pub(super) table: &'static str,
    /// Beneath the root: a directory with an entry for each.
    pub(super) directory: &'static str,
    /// Within a device's directory: files and the columns of its counters, two together.
    pub(super) files: &'static [(&'static str, &'static [usize])],
    /// Bytes that a counter's unit stands for.
    pub(super) scale: u64,
    pub(super) line: ParseLine,
    pub(super) class: fn(&mut Hardware, &str) -> Class,
    /// Said where none counts.
    pub(super) none: &'static str,
}

/// A device that is read through its own files.
#[derive(Debug)]
struct Device {
    name: String,
    sources: Vec<Source>,
}

/// The devices of one kind and their counters.
#[derive(Debug)]
pub(super) struct Devices {
    kind: &'static Kind,
    table: Source,
    hardware: Hardware,
    rates: Rates,
    /// Those that count, with their files if all of them agreed with the table.
    fast: Option<Vec<Device>>,
    listed: Option<Duration>,
}

impl Devices {
    pub(super) fn new(files: &Files, kind: &'static Kind) -> Self {
        Self {
            kind,
            table: files.source(kind.table),
            hardware: Hardware::new(files.path(kind.directory)),
            rates: Rates::default(),
            fast: None,
            listed: None,
        }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.rates.reset();
    }

    /// The rates, for counters that came from elsewhere.
    pub(super) fn rates_mut(&mut self) -> &mut Rates {
        &mut self.rates
    }

    /// Bytes per second each way; an error if the table cannot be read.
    pub(super) fn rates(
        &mut self,
        files: &mut Files,
        clock: &dyn Clock,
    ) -> Result<[Value; 2], Reason> {
        let at = clock.awake();
        self.rates.begin();
        let relist = self.listed.is_none_or(|l| at.saturating_sub(l) >= RELIST);
        if relist || !self.read_files(files) {
            self.list(files, at, relist)?;
        }
        let rates = self.rates.finish(at);
        Ok(rates)
    }

    /// Reads the devices' own files; whether that went well.
    fn read_files(&mut self, files: &mut Files) -> bool {
        let Some(devices) = &mut self.fast else { return false };
        for device in devices {
            let Some(bytes) = counters(self.kind, &mut device.sources, files) else {
                self.fast = None;
                return false;
            };
            self.rates.observe(device.name.as_bytes(), bytes);
        }
        true
    }

    /// Reads the table, and if it is time finds out which devices have files of their own that agree with it.
    fn list(&mut self, files: &mut Files, at: Duration, relist: bool) -> Result<(), Reason> {
        if relist {
            self.hardware.forget();
            self.listed = Some(at);
        }
        let counting = self.read_table(files)?;
        if counting.is_empty() {
            self.fast = None;
            self.rates.reset();
            return Err(self.kind.none.into());
        }
        for (name, bytes) in &counting {
            self.rates.observe(name.as_bytes(), *bytes);
        }
        if relist {
            self.fast = self.agreeing(&counting, files)?;
        }
        Ok(())
    }

    /// Those that count, with their bytes.
    fn read_table(&mut self, files: &mut Files) -> Result<Vec<(String, [u64; 2])>, Reason> {
        let text = files.whole(&mut self.table)?;
        let mut known = Vec::new();
        let mut real = false;
        for (name, counts) in whole_lines(text).filter_map(self.kind.line) {
            let name = String::from_utf8_lossy(name).into_owned();
            let class = (self.kind.class)(&mut self.hardware, &name);
            real |= class == Class::Real;
            let bytes = counts.map(|n| n.saturating_mul(self.kind.scale));
            known.push((name, bytes, class));
        }
        let wanted = if real { Class::Real } else { Class::Stand };
        Ok(known.into_iter().filter(|d| d.2 == wanted).map(|d| (d.0, d.1)).collect())
    }

    /// The files of all `before`, if what they say lies between what the table said before and says now.
    fn agreeing(
        &mut self,
        before: &[(String, [u64; 2])],
        files: &mut Files,
    ) -> Result<Option<Vec<Device>>, Reason> {
        let mut devices = Vec::with_capacity(before.len());
        let mut read = Vec::with_capacity(before.len());
        for (name, _) in before {
            let place = self.hardware.place(name);
            let open = |&(file, _): &(&str, _)| Source::new(place.join(Path::new(file)));
            let mut sources: Vec<Source> = self.kind.files.iter().map(open).collect();
            let Some(bytes) = counters(self.kind, &mut sources, files) else { return Ok(None) };
            devices.push(Device { name: name.clone(), sources });
            read.push(bytes);
        }
        let after = self.read_table(files)?;
        let agree = before.iter().zip(&read).all(|((name, low), bytes)| {
            let high = after.iter().find(|a| a.0 == *name).map(|a| a.1);
            high.is_some_and(|high| (0..2).all(|d| low[d] <= bytes[d] && bytes[d] <= high[d]))
        });
        Ok(agree.then_some(devices))
    }
}

/// The two counters of a device, in bytes.
fn counters(kind: &Kind, sources: &mut [Source], files: &mut Files) -> Option<[u64; 2]> {
    let mut bytes = [None; 2];
    let mut next = 0;
    for (source, (_, columns)) in sources.iter_mut().zip(kind.files) {
        // What does not end in a newline was cut off.
        let line = files.head(source).ok()?.strip_suffix(b"\n")?;
        for (i, word) in words(line).enumerate() {
            if columns.contains(&i) {
                *bytes.get_mut(next)? = Some(number(word)?.saturating_mul(kind.scale));
                next += 1;
            }
        }
    }
    Some([bytes[0]?, bytes[1]?])
}
