//! What `sadf -j` writes from the daily files of sysstat (sadf(1), sar(1)), as rows of the host's schema; of several
//! days one after the other too.
//!
//! Its numbers have two decimals, so that a ratio is known to a ten-thousandth. It records the number of tasks and not
//! of processes, which therefore stays missing.

use crate::csv_rows::{ReadOptions, shown};
use crate::csv_time;
use overseer_core::{Error, Frame, Result, Timestamp, host};
use serde::Deserialize;
use std::io::Read;

/// Interfaces that pass on what others move, by how their names begin.
const PASSING_ON: [&str; 15] = [
    "veth", "docker", "br", "virbr", "cni", "flannel", "cali", "tun", "tap", "dummy", "ifb",
    "bond", "team", "wg", "vxlan",
];
/// As its statistics' table counts them.
const KILOBYTE: f64 = 1024.0;
const BLOCK: f64 = 512.0;

#[derive(Deserialize)]
struct File {
    sysstat: Sysstat,
}

#[derive(Deserialize)]
struct Sysstat {
    hosts: Vec<Host>,
}

#[derive(Deserialize)]
struct Host {
    #[serde(default)]
    nodename: String,
    #[serde(rename = "number-of-cpus", default)]
    cpus: u32,
    #[serde(default)]
    statistics: Vec<Statistics>,
}

#[derive(Deserialize)]
struct Statistics {
    timestamp: Option<When>,
    #[serde(rename = "cpu-load", alias = "cpu-load-all", default)]
    cpu: Vec<Cpu>,
    memory: Option<Memory>,
    queue: Option<Queue>,
    #[serde(default)]
    disk: Vec<Disk>,
    io: Option<Io>,
    network: Option<Network>,
    #[serde(default)]
    filesystems: Vec<Filesystem>,
    psi: Option<Psi>,
}

#[derive(Deserialize)]
struct When {
    date: String,
    time: String,
    #[serde(default)]
    utc: u8,
}

#[derive(Deserialize)]
struct Cpu {
    cpu: String,
    idle: Option<f64>,
    iowait: Option<f64>,
}

#[derive(Deserialize)]
struct Memory {
    memfree: Option<f64>,
    avail: Option<f64>,
    memused: Option<f64>,
    #[serde(rename = "memused-percent")]
    percent: Option<f64>,
    buffers: Option<f64>,
    cached: Option<f64>,
    slab: Option<f64>,
    swpfree: Option<f64>,
    swpused: Option<f64>,
}

#[derive(Deserialize)]
struct Queue {
    #[serde(rename = "ldavg-1")]
    load: Option<f64>,
}

#[derive(Deserialize)]
struct Disk {
    #[serde(rename = "disk-device")]
    name: String,
    #[serde(rename = "rkB")]
    read: Option<f64>,
    #[serde(rename = "wkB")]
    written: Option<f64>,
    rd_sec: Option<f64>,
    wr_sec: Option<f64>,
}

#[derive(Deserialize)]
struct Io {
    #[serde(rename = "io-reads")]
    reads: Option<Reads>,
    #[serde(rename = "io-writes")]
    writes: Option<Writes>,
}

#[derive(Deserialize)]
struct Reads {
    bread: Option<f64>,
}

#[derive(Deserialize)]
struct Writes {
    bwrtn: Option<f64>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "net-dev", default)]
    interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
struct Interface {
    iface: String,
    #[serde(rename = "rxkB")]
    received: Option<f64>,
    #[serde(rename = "txkB")]
    sent: Option<f64>,
}

#[derive(Deserialize)]
struct Filesystem {
    filesystem: String,
    #[serde(rename = "MBfsfree")]
    free: Option<f64>,
    #[serde(rename = "MBfsused")]
    used: Option<f64>,
    #[serde(rename = "%ufsused", alias = "ufsused-percent")]
    unprivileged: Option<f64>,
}

#[derive(Deserialize)]
struct Psi {
    #[serde(rename = "psi-cpu")]
    cpu: Option<Stalled>,
    #[serde(rename = "psi-io")]
    io: Option<Stalled>,
    #[serde(rename = "psi-mem")]
    memory: Option<Stalled>,
}

#[derive(Deserialize)]
struct Stalled {
    some_avg: Option<f64>,
}

/// Reads all statistics of the one host of a file, or of several files of days one after the other.
pub(crate) fn read(name: &str, reader: impl Read, options: &ReadOptions) -> Result<Frame> {
    let mut frame = Frame::new(host::schema());
    let mut node = None;
    let days = serde_json::Deserializer::from_reader(reader).into_iter::<File>();
    for (day, file) in days.enumerate() {
        let file = file.map_err(|e| {
            Error::invalid_value(
                format!("{name}, line {}", e.line()),
                format!("not what sadf -j writes: {e}"),
            )
        })?;
        let place = if day == 0 { name.to_owned() } else { format!("{name}, file {}", day + 1) };
        let [one] = file.sysstat.hosts.as_slice() else {
            let message = format!("{} hosts, where one is expected", file.sysstat.hosts.len());
            return Err(Error::invalid_value(place, message));
        };
        if *node.get_or_insert_with(|| one.nodename.clone()) != one.nodename {
            let message =
                format!("`{}` is another host than above", shown(one.nodename.as_bytes()));
            return Err(Error::invalid_value(place, message));
        }
        add(&mut frame, one, &place, options)?;
    }
    if frame.is_empty() {
        return Err(Error::invalid_value(name, "there are no statistics in it"));
    }
    Ok(frame)
}

/// Adds the rows of one file, which is at `place`.
fn add(frame: &mut Frame, one: &Host, place: &str, options: &ReadOptions) -> Result<()> {
    for (i, statistics) in one.statistics.iter().enumerate() {
        // The last record of a file that is being written may have no time.
        let Some(when) = &statistics.timestamp else { continue };
        let place = format!("{place}, statistics {}", i + 1);
        let wrong = |what: &str| {
            let said = shown(format!("{} {}", when.date, when.time).as_bytes());
            Error::invalid_value(format!("{place}, `timestamp`"), format!("`{said}` {what}"))
        };
        let above = frame.timestamps().last().copied();
        let time = moment(when, options, above).map_err(wrong)?;
        if above.is_some_and(|above| time < above) {
            return Err(wrong("is before the one above"));
        }
        let row = row(statistics, one.cpus).map(|x| x.unwrap_or(f64::NAN));
        frame.push_row(time, &row).map_err(|e| Error::invalid_value(&place, e.to_string()))?;
    }
    Ok(())
}

/// Times are UTC unless sadf was told to give local ones.
fn moment(
    when: &When,
    options: &ReadOptions,
    above: Option<Timestamp>,
) -> std::result::Result<Timestamp, &'static str> {
    let utc = jiff::tz::TimeZone::UTC;
    let zone = if when.utc == 1 { &utc } else { &options.zone };
    csv_time::parse(&format!("{} {}", when.date, when.time), zone, above)
}

fn row(s: &Statistics, cpus: u32) -> [Option<f64>; 13] {
    // Percentages are rounded, which may lead a little out of their range; what is far out, or a rate below zero, was
    // taken over a counter that restarted.
    let ratio =
        |percent: f64| (-1.0..=101.0).contains(&percent).then(|| (percent / 100.0).clamp(0.0, 1.0));
    let rate = |x: Option<f64>| x.filter(|x| *x >= 0.0);
    let mut row = [None; 13];
    let all = s.cpu.iter().find(|c| c.cpu == "all");
    row[host::CPU_UTILIZATION] = all.and_then(|c| ratio(100.0 - c.idle? - c.iowait?));
    let load = s.queue.as_ref().and_then(|q| q.load);
    row[host::LOAD_PER_CORE] = rate(load).filter(|_| cpus > 0).map(|load| load / f64::from(cpus));
    if let Some(memory) = &s.memory {
        row[host::MEMORY_UTILIZATION] = memory.utilization();
        row[host::PAGING_UTILIZATION] = memory.swap();
    }
    row[host::FILESYSTEM_UTILIZATION] =
        s.filesystems.iter().filter_map(Filesystem::utilization).reduce(f64::max);
    [row[host::DISK_READ], row[host::DISK_WRITE]] = s.disks().map(rate);
    [row[host::NETWORK_RECEIVE], row[host::NETWORK_TRANSMIT]] = s.interfaces().map(rate);
    if let Some(psi) = &s.psi {
        let stalled = |p: &Option<Stalled>| p.as_ref().and_then(|p| p.some_avg).and_then(ratio);
        row[host::PRESSURE_CPU] = stalled(&psi.cpu);
        row[host::PRESSURE_IO] = stalled(&psi.io);
        row[host::PRESSURE_MEMORY] = stalled(&psi.memory);
    }
    row
}

impl Memory {
    /// Share of memory not available. What counts as used changed from version to version, so the total is the sum
    /// that agrees with the percentage.
    fn utilization(&self) -> Option<f64> {
        let (free, used, percent) = (self.memfree?, self.memused?, self.percent?);
        let new = || Some(free + used + self.buffers? + self.cached? + self.slab?);
        let agrees = |total: &f64| (100.0 * used / total - percent).abs() < 0.011;
        let total = new().filter(agrees).or_else(|| Some(free + used).filter(agrees))?;
        let share = 1.0 - self.avail? / total;
        share.is_finite().then(|| share.clamp(0.0, 1.0))
    }

    /// Share of swap used; none where there is no swap.
    fn swap(&self) -> Option<f64> {
        let share = self.swpused? / (self.swpused? + self.swpfree?);
        share.is_finite().then(|| share.clamp(0.0, 1.0))
    }
}

impl Filesystem {
    /// Used over used and available, as `df` has it; sysstat's `%ufsused` counts what is reserved for root as used.
    fn utilization(&self) -> Option<f64> {
        if ["/dev/loop", "/dev/sr"].iter().any(|image| self.filesystem.starts_with(image)) {
            return None;
        }
        let (free, used) = (self.free?, self.used?);
        let available = (free + used) * (1.0 - self.unprivileged? / 100.0);
        let share = used / (used + available);
        share.is_finite().then(|| share.clamp(0.0, 1.0))
    }
}

impl Statistics {
    /// Bytes per second read and written by whole disks.
    fn disks(&self) -> [Option<f64>; 2] {
        let part = |d: &&Disk| {
            let whole = |other: &Disk| {
                let rest = d.name.strip_prefix(&other.name).unwrap_or_default();
                let rest = rest.strip_prefix('p').unwrap_or(rest);
                !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
            };
            self.disk.iter().any(whole)
        };
        let disks: Vec<&Disk> = self
            .disk
            .iter()
            .filter(|d| !crate::host::is_virtual_disk(&d.name) && !part(d))
            .collect();
        if disks.is_empty() {
            let reads = self.io.as_ref().and_then(|io| io.reads.as_ref()?.bread);
            let writes = self.io.as_ref().and_then(|io| io.writes.as_ref()?.bwrtn);
            return [reads, writes].map(|blocks| blocks.map(|b| BLOCK * b));
        }
        let bytes = |kilobytes: Option<f64>, sectors: Option<f64>| {
            kilobytes.map(|k| KILOBYTE * k).or_else(|| sectors.map(|s| BLOCK * s))
        };
        [
            disks.iter().map(|d| bytes(d.read, d.rd_sec)).sum(),
            disks.iter().map(|d| bytes(d.written, d.wr_sec)).sum(),
        ]
    }

    /// Bytes per second received and sent by interfaces that do not pass on what others move, or by all but loopback.
    fn interfaces(&self) -> [Option<f64>; 2] {
        let Some(network) = &self.network else { return [None; 2] };
        let all: Vec<&Interface> =
            network.interfaces.iter().filter(|i| !crate::host::is_loopback(&i.iface)).collect();
        let passes_on = |i: &&&Interface| {
            // A VLAN is named `eth0.100`.
            PASSING_ON.iter().any(|p| i.iface.starts_with(p)) || i.iface.contains(['.', '@'])
        };
        let own: Vec<&Interface> = all.iter().filter(|i| !passes_on(i)).copied().collect();
        let counted = if own.is_empty() { all } else { own };
        if counted.is_empty() {
            return [None; 2];
        }
        [
            counted.iter().map(|i| i.received.map(|k| KILOBYTE * k)).sum(),
            counted.iter().map(|i| i.sent.map(|k| KILOBYTE * k)).sum(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_frame_from;
    use proptest::prelude::*;

    /// Five records of a real host that wrote 30 MB now and then, by sadf 12.6.1.
    const REAL: &str = include_str!("../tests/data/sadf.json");

    fn frame(text: &str) -> Result<Frame> {
        read_frame_from("sa.json", text.as_bytes(), &ReadOptions::default())
    }

    #[test]
    fn a_real_file_is_read_as_the_host_was() {
        let f = frame(REAL).unwrap();
        assert_eq!(f.len(), 5);
        assert_eq!(f.timestamps()[0], Timestamp::from_millis(1_795_620_465_000));
        assert_eq!(f.timestamps()[4].since(f.timestamps()[0]).as_millis(), 8000);
        let first = f.row(0);
        let near = |feature: usize, wanted: f64| {
            let value = first[feature];
            assert!((value - wanted).abs() < 1e-4 * wanted.abs().max(1.0), "{feature}: {value}");
        };
        near(host::CPU_UTILIZATION, 0.9875);
        near(host::LOAD_PER_CORE, 0.695);
        // 23,753,024 kB of 24,684,096 kB are available.
        near(host::MEMORY_UTILIZATION, 0.037_72);
        // `df` says 16 %, sysstat's own column 70 %.
        near(host::FILESYSTEM_UTILIZATION, 0.1565);
        near(host::DISK_READ, 7148.0 * 1024.0);
        near(host::DISK_WRITE, 15_392.0 * 1024.0);
        near(host::NETWORK_RECEIVE, 0.0);
        near(host::PRESSURE_CPU, 0.6255);
        assert!(first[host::PAGING_UTILIZATION].is_nan(), "there is no swap");
        assert!(first[host::PROCESS_COUNT].is_nan(), "sysstat counts tasks");
    }

    #[test]
    fn days_one_after_the_other_are_one_history_of_one_host() {
        let next = REAL.replace("2026-11-25", "2026-11-26");
        let days = frame(&format!("{REAL}\n{next}")).unwrap();
        assert_eq!(days.len(), 10);
        assert_eq!(days.row(5)[..3], days.row(0)[..3]);
        assert_eq!(days.timestamps()[5].since(days.timestamps()[0]).as_secs_f64(), 86_400.0);
        let said = |text: String| frame(&text).unwrap_err().to_string();
        assert!(said(format!("{REAL}{REAL}")).contains("file 2, statistics 1, `timestamp`"));
        let other = next.replace("\"lab\"", "\"den\"");
        assert!(said(format!("{REAL}{other}")).contains("file 2: `den` is another host"));
        assert!(said(format!("{REAL}x")).contains("not what sadf -j writes"));
    }

    #[test]
    fn parts_mappers_and_bridges_do_not_count_twice() {
        let text = r#"{"sysstat":{"hosts":[{"number-of-cpus":4,"statistics":[
            {"timestamp":{"date":"2024-03-31","time":"02:30:00","utc":0},
             "disk":[{"disk-device":"nvme0n1","rkB":1,"wkB":2},{"disk-device":"nvme0n1p2","rkB":1,"wkB":2},
                     {"disk-device":"dm-0","rkB":1,"wkB":2},{"disk-device":"sda","rd_sec":4,"wr_sec":0}],
             "network":{"net-dev":[{"iface":"lo","rxkB":9,"txkB":9},{"iface":"eth0","rxkB":1,"txkB":3},
                     {"iface":"docker0","rxkB":1,"txkB":3},{"iface":"eth0.7","rxkB":1,"txkB":3}]}},
            {"timestamp":{"date":"2024-03-31","time":"03:30:00","utc":0}}, {}]}]}}"#;
        let options = ReadOptions::default().with_time_zone("Europe/Berlin").unwrap();
        let f = read_frame_from("sa.json", text.as_bytes(), &options).unwrap();
        let row = f.row(0);
        assert_eq!((row[host::DISK_READ], row[host::DISK_WRITE]), (3072.0, 2048.0));
        assert_eq!((row[host::NETWORK_RECEIVE], row[host::NETWORK_TRANSMIT]), (1024.0, 3072.0));
        assert!(row[host::CPU_UTILIZATION].is_nan());
        assert!(f.row(1).iter().all(|x| x.is_nan()));
    }

    #[test]
    fn what_a_restarted_counter_left_is_missing() {
        let text = r#"{"sysstat":{"hosts":[{"number-of-cpus":2,"statistics":[
            {"timestamp":{"date":"2024-01-01","time":"00:00:00","utc":1},
             "cpu-load":[{"cpu":"all","idle":-250.0,"iowait":0.0}],
             "disk":[{"disk-device":"sda","rkB":-5,"wkB":2}]}]}]}}"#;
        let f = frame(text).unwrap();
        let row = f.row(0);
        assert!(row[host::CPU_UTILIZATION].is_nan() && row[host::DISK_READ].is_nan());
        assert_eq!(row[host::DISK_WRITE], 2048.0);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let said = |text: &str| frame(text).unwrap_err().to_string();
        assert!(said(&REAL[..2000]).contains("sa.json, line"));
        assert!(said(r#"{"sysstat":{"hosts":[]}}"#).contains("0 hosts"));
        assert!(said(r#"{"sysstat":{"hosts":[{}]}}"#).contains("no statistics"));
        let huge = r#"{"sysstat":{"hosts":[{"statistics":[{
            "timestamp":{"date":"2024-01-01","time":"00:00:00","utc":1},
            "network":{"net-dev":[{"iface":"eth0","rxkB":1e308,"txkB":1}]}}]}]}}"#;
        assert!(said(huge).starts_with("sa.json, statistics 1"), "{}", said(huge));
        let swapped = REAL.replacen("15:27:47", "15:27:40", 1);
        assert!(said(&swapped).contains("statistics 2, `timestamp`"));
        assert!(
            said(&REAL.replacen("2026-11-25\", \"time", "x\", \"time", 1)).contains("not a time")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_file_never_panics_and_values_stay_in_range(
            at in any::<prop::sample::Index>(), text in "[0-9a-z\",:{}.-]{1,8}",
        ) {
            let mut i = at.index(REAL.len());
            while !REAL.is_char_boundary(i) {
                i -= 1;
            }
            let end = (i + text.len()).min(REAL.len());
            let damaged = format!("{}{text}{}", &REAL[..i], &REAL[end..]);
            if let Ok(f) = frame(&damaged) {
                for row in 0..f.len() {
                    for (feature, value) in f.schema().features().iter().zip(f.row(row)) {
                        prop_assert!(value.is_nan() || *value >= 0.0, "{} {}", feature, value);
                        let ratio = feature.unit == overseer_core::Unit::Ratio;
                        prop_assert!(!ratio || value.is_nan() || *value <= 1.0);
                    }
                }
            }
        }
    }
}
