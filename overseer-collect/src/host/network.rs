//! Bytes received and sent, without loopback.
//!
//! On Linux the kernel counts them for every interface of this network namespace; only interfaces served by a driver
//! count, so that a bridge, a bond or a container's pair and the card beneath them are not one transfer counted twice.
//! In a container no interface is real, and all but loopback count. Elsewhere `sysinfo` counts.

use super::devices::{Class, Devices, Kind};
use super::files::{Files, Value};
use super::hardware::Hardware;
use super::text::{number, words};
use crate::clock::Clock;
use sysinfo::Networks;

static INTERFACES: Kind = Kind {
    table: "proc/net/dev",
    directory: "sys/class/net",
    files: &[("statistics/rx_bytes", &[0]), ("statistics/tx_bytes", &[0])],
    scale: 1,
    line: parse_line,
    class,
    none: "no network interface",
};

/// Name and bytes received and sent.
fn parse_line(line: &[u8]) -> Option<(&[u8], [u64; 2])> {
    let colon = line.iter().rposition(|&b| b == b':')?;
    let mut columns = words(&line[colon + 1..]);
    let received = number(columns.next()?)?;
    let sent = number(columns.nth(7)?)?;
    Some((line[..colon].trim_ascii(), [received, sent]))
}

fn class(hardware: &mut Hardware, name: &str) -> Class {
    if name == "lo" {
        Class::Not
    } else if hardware.is_real(name) {
        Class::Real
    } else {
        Class::Stand
    }
}

/// The interfaces and their counters.
pub(super) struct Network {
    devices: Devices,
    interfaces: Option<Networks>,
}

impl Network {
    pub(super) fn new(files: &Files) -> Self {
        Self { devices: Devices::new(files, &INTERFACES), interfaces: None }
    }

    /// Forgets every reading, so that the next one is a first.
    pub(super) fn reset(&mut self) {
        self.devices.reset();
    }

    /// Bytes received per second, then bytes sent per second.
    pub(super) fn rates(&mut self, files: &mut Files, clock: &dyn Clock) -> [Value; 2] {
        match self.devices.rates(files, clock) {
            Ok(rates) => rates,
            Err(reason) if reason == INTERFACES.none || !files.is_native() => {
                [Err(reason.clone()), Err(reason)]
            }
            Err(_) => self.ask(clock),
        }
    }

    fn ask(&mut self, clock: &dyn Clock) -> [Value; 2] {
        if self.interfaces.is_none() {
            self.interfaces = Networks::new().ok();
        }
        let Some(interfaces) = &mut self.interfaces else {
            let reason = "the system lists no network interfaces";
            return [Err(reason.into()), Err(reason.into())];
        };
        interfaces.refresh(true);
        let rates = self.devices.rates_mut();
        for (name, data) in interfaces.iter() {
            let name = name.to_string_lossy();
            if !is_loopback(&name) {
                let bytes = [data.total_received(), data.total_transmitted()];
                rates.observe(name.as_bytes(), bytes);
            }
        }
        rates.finish(clock.awake())
    }
}

/// `lo0` on macOS and the BSDs, and Windows' `Loopback Pseudo-Interface 1`.
pub(crate) fn is_loopback(name: &str) -> bool {
    name.strip_prefix("lo").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
        || name.to_ascii_lowercase().contains("loopback")
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("devices", &self.devices).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use proptest::prelude::*;
    use std::fs;
    use std::time::Duration;

    const DEV: &str = "Inter-|   Receive                  |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0:97173261    4854    0    0    0     0          0         0   446606    3702    0    0    0     0       0          0
docker0: 500 4 0 0 0 0 0 0 600 3 0 0 0 0 0 0
";

    #[test]
    fn the_first_and_the_ninth_column_are_bytes() {
        let lines: Vec<_> = DEV.lines().filter_map(|l| parse_line(l.as_bytes())).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], (&b"eth0"[..], [97_173_261, 446_606]));
    }

    #[test]
    fn real_interfaces_count_and_in_a_container_all_but_loopback() {
        for real in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir_all(dir.path().join("proc/net")).unwrap();
            if real {
                fs::create_dir_all(dir.path().join("sys/class/net/eth0/device")).unwrap();
            }
            fs::write(dir.path().join("proc/net/dev"), DEV).unwrap();
            let mut files = Files::new(dir.path().to_owned());
            let mut network = Network::new(&files);
            let clock = ManualClock::new();
            let _ = network.rates(&mut files, &clock);
            clock.advance(Duration::from_secs(1));
            let later = DEV.replace("97173261", "97173361").replace(" 500 ", " 507 ");
            fs::write(dir.path().join("proc/net/dev"), later.replace("3193", "9999")).unwrap();
            let received = if real { 100.0 } else { 107.0 };
            assert_eq!(network.rates(&mut files, &clock), [Ok(received), Ok(0.0)]);
        }
        assert!(is_loopback("lo0") && is_loopback("Loopback Pseudo-Interface 1"));
        assert!(!is_loopback("long0") && !is_loopback("eth0"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn garbage_never_panics(text in "([a-z]{0,3}:? ?[0-9]{0,21} ?\n?){0,30}") {
            let _ = text.lines().filter_map(|l| parse_line(l.as_bytes())).count();
        }
    }
}
