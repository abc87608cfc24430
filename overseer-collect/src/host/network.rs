//! Bytes received and sent, without loopback.
//!
//! On Linux `/proc/net/dev` counts them for every interface of this network namespace; only interfaces served by a
//! driver count, so that a bridge, a bond or a container's pair and the card beneath them are not one transfer
//! counted twice. In a container no interface is real, and all but loopback count. Elsewhere `sysinfo` counts.

use super::files::{Files, Value, whole_lines};
use super::hardware::Hardware;
use super::rate::{Counter, Rates};
use std::path::PathBuf;
use std::time::Instant;
use sysinfo::Networks;

/// Name and bytes of every interface; lines that make no sense are left out.
fn parse_net_dev(text: &str) -> Vec<Counter> {
    let interface = |line: &str| {
        let (name, columns) = line.rsplit_once(':')?;
        let mut words = columns.split_ascii_whitespace();
        let received = words.next()?.parse().ok()?;
        let sent = words.nth(7)?.parse().ok()?;
        Some(Counter { name: name.trim().to_owned(), bytes: [received, sent] })
    };
    whole_lines(text).filter_map(interface).collect()
}

/// The interfaces' counters at the previous reading, and which of them are real.
pub(super) struct Network {
    dev: PathBuf,
    hardware: Hardware,
    rates: Rates,
    interfaces: Option<Networks>,
}

impl Network {
    pub(super) fn new(files: &Files) -> Self {
        Self {
            dev: files.path("proc/net/dev"),
            hardware: Hardware::new(files.path("sys/class/net")),
            rates: Rates::default(),
            interfaces: None,
        }
    }

    /// Bytes received per second, then bytes sent per second.
    pub(super) fn rates(&mut self, files: &mut Files) -> [Value; 2] {
        let at = Instant::now();
        let native = files.is_native();
        let counters = match files.text(&self.dev) {
            Ok(text) => {
                let counters = parse_net_dev(&text);
                self.hardware.expire(at);
                self.real(counters)
            }
            Err(_) if native => match self.ask() {
                Some(counters) => counters,
                None => {
                    let reason = "the system lists no network interfaces";
                    return [Err(reason.into()), Err(reason.into())];
                }
            },
            Err(reason) => return [Err(reason.clone()), Err(reason)],
        };
        if counters.is_empty() {
            self.rates = Rates::default();
            return [Err("no network interface".into()), Err("no network interface".into())];
        }
        self.rates.update(at, counters)
    }

    fn real(&mut self, mut counters: Vec<Counter>) -> Vec<Counter> {
        counters.retain(|c| c.name != "lo");
        if counters.iter().any(|c| self.hardware.is_real(&c.name)) {
            counters.retain(|c| self.hardware.is_real(&c.name));
        }
        counters
    }

    fn ask(&mut self) -> Option<Vec<Counter>> {
        if self.interfaces.is_none() {
            self.interfaces = Networks::new().ok();
        }
        let interfaces = self.interfaces.as_mut()?;
        interfaces.refresh(true);
        let mut counters: Vec<Counter> = interfaces
            .iter()
            .map(|(name, data)| Counter {
                name: name.to_string_lossy().into_owned(),
                bytes: [data.total_received(), data.total_transmitted()],
            })
            .filter(|c| !is_loopback(&c.name))
            .collect();
        // A map's order changes from time to time; the rates look a device up at its place first.
        counters.sort_by(|a, b| a.name.cmp(&b.name));
        Some(counters)
    }
}

/// `lo0` on macOS and the BSDs, and Windows' `Loopback Pseudo-Interface 1`.
fn is_loopback(name: &str) -> bool {
    name.strip_prefix("lo").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
        || name.to_ascii_lowercase().contains("loopback")
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("hardware", &self.hardware).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEV: &str = "Inter-|   Receive                  |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0:97173261    4854    0    0    0     0          0         0   446606    3702    0    0    0     0       0          0
docker0: 500 4 0 0 0 0 0 0 600 3 0 0 0 0 0 0
";

    fn names(dir: &std::path::Path) -> Vec<String> {
        let mut network = Network::new(&Files::new(dir.to_owned()));
        network.real(parse_net_dev(DEV)).into_iter().map(|c| c.name).collect()
    }

    #[test]
    fn the_first_and_the_ninth_column_are_bytes() {
        let all = parse_net_dev(DEV);
        assert_eq!(all.len(), 3);
        assert_eq!(all[1], Counter { name: "eth0".into(), bytes: [97_173_261, 446_606] });
    }

    #[test]
    fn real_interfaces_count_and_in_a_container_all_but_loopback() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(names(dir.path()), ["eth0", "docker0"]);
        std::fs::create_dir_all(dir.path().join("sys/class/net/eth0/device")).unwrap();
        assert_eq!(names(dir.path()), ["eth0"]);
        assert!(is_loopback("lo0") && is_loopback("Loopback Pseudo-Interface 1"));
        assert!(!is_loopback("long0") && !is_loopback("eth0"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn garbage_never_panics(text in "([a-z]{0,3}:? ?[0-9]{0,21} ?\n?){0,30}") {
            let _ = parse_net_dev(&text);
        }
    }
}
