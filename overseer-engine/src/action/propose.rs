//! Which actions would serve a recommendation on this host, and the command of each.

use super::catalogue::Resource;
use crate::room::PROCESS_MEMORY;
use overseer_core::{Actuator, Knob, KnobSetting, ProcessUsage, ProposedAction, Recommendation};

/// A niceness, and a weight, that leave a process what nobody else wants.
const NICE: i32 = 10;
const WEIGHT: u32 = 20;
const SWAPPINESS: u32 = 10;
const CACHE_PRESSURE: u32 = 200;
const DIRTY: (u32, u32) = (10, 5);
/// Processes that a host stands on are no candidates.
const SPARED: [&str; 6] = ["systemd", "init", "sshd", "dbus-daemon", "overseer", "containerd"];

/// The actions for a recommendation whose preconditions hold, in the order of the catalogue, and for a full disk what
/// could be cleaned up on `mount`. Reads knobs through the actuator and changes none.
pub fn propose(
    advice: &mut Recommendation,
    hands: &mut dyn Actuator,
    mount: Option<&str>,
) -> Vec<ProposedAction> {
    let Some(resource) = Resource::of(&advice.feature) else { return Vec::new() };
    let leads =
        advice.processes.first().filter(|p| p.pid > 2 && !SPARED.contains(&p.name.as_str()));
    let mut found = Vec::new();
    match resource {
        Resource::Cpu => {
            found.extend(leads.and_then(|p| nice(p, hands)));
            found.extend(leads.and_then(|p| cpu_weight(p, hands)));
        }
        // Of a leak it is known who it is; what helps a host that is short of memory would only hide it.
        Resource::Memory if advice.feature == PROCESS_MEMORY => {
            found.extend(leads.and_then(|p| memory_high(p, hands)));
            found.extend(leads.and_then(restart));
        }
        Resource::Memory => {
            found.extend(leads.and_then(|p| memory_high(p, hands)));
            found.extend(lower("swappiness", "vm.swappiness", SWAPPINESS, hands));
            found.extend(raise(
                "vfs-cache-pressure",
                "vm.vfs_cache_pressure",
                CACHE_PRESSURE,
                hands,
            ));
        }
        Resource::Io => {
            found.extend(leads.and_then(|p| ionice(p, hands)));
            found.extend(dirty_ratio(hands));
        }
        Resource::Disk => {
            if let Some(mount) = mount {
                advice.reclaimable = hands.reclaimable(mount).unwrap_or_default();
            }
            let paths: Vec<String> = advice.reclaimable.iter().map(|r| quoted(&r.path)).collect();
            if !paths.is_empty() {
                let command = format!("du -xsh -- {}", paths.join(" "));
                found.push(ProposedAction::new("clean-up", command, Vec::new()));
            }
        }
    }
    found
}

fn nice(p: &ProcessUsage, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let knob = Knob::Niceness { pid: p.pid };
    let now: i32 = hands.read(&knob).ok()?.parse().ok()?;
    let command = format!("renice -n {NICE} -p {}", p.pid);
    let setting = KnobSetting::new(knob, NICE.to_string());
    (p.cpu_cores >= 0.5 && now < NICE).then(|| ProposedAction::new("nice", command, vec![setting]))
}

fn ionice(p: &ProcessUsage, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let knob = Knob::IoClass { pid: p.pid };
    let now = hands.read(&knob).ok()?;
    let command = format!("ionice -c 3 -p {}", p.pid);
    let setting = KnobSetting::new(knob, "idle");
    (p.io_bytes_per_second >= 1e6 && now != "idle")
        .then(|| ProposedAction::new("ionice", command, vec![setting]))
}

/// A group is one's own if it is that of a service or a scope: a slice holds others.
fn own_group(p: &ProcessUsage) -> Option<&str> {
    let is_own = p.cgroup.ends_with(".service") || p.cgroup.ends_with(".scope");
    is_own.then_some(p.cgroup.as_str())
}

fn cgroup(group: &str, file: &str) -> Knob {
    Knob::Cgroup { group: group.to_owned(), file: file.to_owned() }
}

fn set_group(p: &ProcessUsage, property: &str, value: &str, file: &str, group: &str) -> String {
    if p.unit.is_empty() {
        format!("echo {value} > {}", quoted(&format!("/sys/fs/cgroup{group}/{file}")))
    } else {
        format!("systemctl set-property --runtime {} {property}={value}", quoted(&p.unit))
    }
}

fn cpu_weight(p: &ProcessUsage, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let group = own_group(p)?;
    let knob = cgroup(group, "cpu.weight");
    let now: u32 = hands.read(&knob).ok()?.parse().ok()?;
    let value = WEIGHT.to_string();
    let command = set_group(p, "CPUWeight", &value, "cpu.weight", group);
    (p.cpu_cores >= 0.5 && now > WEIGHT)
        .then(|| ProposedAction::new("cpu-weight", command, vec![KnobSetting::new(knob, value)]))
}

/// A tenth below what the group holds, in whole mebibytes, as the kernel rounds to pages.
fn memory_high(p: &ProcessUsage, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let group = own_group(p)?;
    let held: u64 = hands.read(&cgroup(group, "memory.current")).ok()?.parse().ok()?;
    let knob = cgroup(group, "memory.high");
    let now: u64 = hands.read(&knob).ok()?.parse().unwrap_or(u64::MAX);
    let limit = held / 10 * 9 / (1 << 20) * (1 << 20);
    let value = limit.to_string();
    let command = set_group(p, "MemoryHigh", &value, "memory.high", group);
    (limit >= 64 << 20 && limit < now)
        .then(|| ProposedAction::new("memory-high", command, vec![KnobSetting::new(knob, value)]))
}

fn sysctl(name: &str) -> Knob {
    Knob::Sysctl { name: name.to_owned() }
}

fn lower(action: &str, name: &str, to: u32, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let now: u32 = hands.read(&sysctl(name)).ok()?.parse().ok()?;
    (now > to).then(|| of_sysctl(action, name, to))
}

fn raise(action: &str, name: &str, to: u32, hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let now: u32 = hands.read(&sysctl(name)).ok()?.parse().ok()?;
    (now < to).then(|| of_sysctl(action, name, to))
}

fn of_sysctl(action: &str, name: &str, to: u32) -> ProposedAction {
    let setting = KnobSetting::new(sysctl(name), to.to_string());
    ProposedAction::new(action, format!("sysctl -w {name}={to}"), vec![setting])
}

fn dirty_ratio(hands: &mut dyn Actuator) -> Option<ProposedAction> {
    let (most, background) = ("vm.dirty_ratio", "vm.dirty_background_ratio");
    let now: u32 = hands.read(&sysctl(most)).ok()?.parse().ok()?;
    hands.read(&sysctl(background)).ok()?;
    let command = format!("sysctl -w {background}={} {most}={}", DIRTY.1, DIRTY.0);
    let settings = vec![
        KnobSetting::new(sysctl(background), DIRTY.1.to_string()),
        KnobSetting::new(sysctl(most), DIRTY.0.to_string()),
    ];
    (now > DIRTY.0).then(|| ProposedAction::new("dirty-ratio", command, settings))
}

fn restart(p: &ProcessUsage) -> Option<ProposedAction> {
    let command = format!("systemctl restart {}", quoted(&p.unit));
    p.unit.ends_with(".service").then(|| ProposedAction::new("restart", command, Vec::new()))
}

/// A word for a shell: names come from the host and may hold anything.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('-') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{Error, Priority, Reclaimable, Result};
    use std::collections::HashMap;

    /// A host of knobs that are read and never set.
    #[derive(Debug)]
    struct Knobs(HashMap<String, String>);

    impl Knobs {
        fn new(knobs: &[(Knob, &str)]) -> Self {
            Self(knobs.iter().map(|(k, v)| (k.to_string(), (*v).to_owned())).collect())
        }
    }

    impl Actuator for Knobs {
        fn read(&mut self, knob: &Knob) -> Result<String> {
            let found = self.0.get(&knob.to_string()).cloned();
            found.ok_or_else(|| Error::unsupported(knob.to_string()))
        }
        fn probe(&mut self, _: &Knob) -> Result<()> {
            panic!("a proposal probes nothing")
        }
        fn apply(&mut self, _: &KnobSetting) -> Result<()> {
            panic!("a proposal sets nothing")
        }
        fn reclaimable(&mut self, mount: &str) -> Result<Vec<Reclaimable>> {
            assert_eq!(mount, "/data");
            Ok(vec![Reclaimable::new("/data/cache/it's big", 5 << 30, false)])
        }
    }

    fn advice(feature: &str, process: ProcessUsage) -> Recommendation {
        let mut r = Recommendation::new(feature, Priority::High, "", "");
        r.processes = vec![process];
        r
    }

    fn commands(r: &mut Recommendation, knobs: &mut Knobs) -> Vec<(String, String)> {
        let found = propose(r, knobs, Some("/data"));
        found.into_iter().map(|p| (p.action, p.command)).collect()
    }

    #[test]
    fn a_busy_process_is_made_to_wait_by_itself_or_with_its_service() {
        let group = "/system.slice/batch.service";
        let mut knobs = Knobs::new(&[
            (Knob::Niceness { pid: 4711 }, "0"),
            (cgroup(group, "cpu.weight"), "100"),
        ]);
        let mut p = ProcessUsage::new(4711, "batch");
        p.cpu_cores = 1.9;
        let cpu = "system.cpu.utilization";
        let nice = ("nice".to_owned(), "renice -n 10 -p 4711".to_owned());
        assert_eq!(commands(&mut advice(cpu, p.clone()), &mut knobs), std::slice::from_ref(&nice));
        p.cgroup = group.to_owned();
        p.unit = "batch.service".to_owned();
        let weight = "systemctl set-property --runtime batch.service CPUWeight=20".to_owned();
        let both = [nice, ("cpu-weight".to_owned(), weight)];
        assert_eq!(commands(&mut advice(cpu, p.clone()), &mut knobs), both);
        // Nothing is proposed that is so already, of a process that the host stands on, or that does little.
        let mut done = Knobs::new(&[(Knob::Niceness { pid: 4711 }, "15")]);
        assert!(commands(&mut advice(cpu, p.clone()), &mut done).is_empty());
        p.cpu_cores = 0.1;
        assert!(commands(&mut advice(cpu, p.clone()), &mut knobs).is_empty());
        (p.cpu_cores, p.name) = (1.9, "sshd".to_owned());
        assert!(commands(&mut advice(cpu, p), &mut knobs).is_empty());
    }

    #[test]
    fn memory_is_limited_a_tenth_below_what_is_held() {
        let group = "/system.slice/db.service";
        let mut knobs = Knobs::new(&[
            (cgroup(group, "memory.current"), "2000000000"),
            (cgroup(group, "memory.high"), "max"),
            (sysctl("vm.swappiness"), "60"),
            (sysctl("vm.vfs_cache_pressure"), "200"),
        ]);
        let mut p = ProcessUsage::new(9, "db");
        p.cgroup = group.to_owned();
        let mut r = advice("system.memory.utilization", p);
        let found = propose(&mut r, &mut knobs, None);
        assert_eq!(found[0].settings[0].value, (1716_u64 << 20).to_string());
        assert_eq!(
            found[0].command,
            "echo 1799356416 > /sys/fs/cgroup/system.slice/db.service/memory.high"
        );
        assert_eq!(found[1].command, "sysctl -w vm.swappiness=10");
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_full_disk_is_told_what_lies_on_it_and_names_are_quoted() {
        let mut r = advice("system.filesystem.utilization", ProcessUsage::new(9, "x"));
        let found = commands(&mut r, &mut Knobs::new(&[]));
        assert_eq!(found[0].1, r"du -xsh -- '/data/cache/it'\''s big'");
        assert_eq!(r.reclaimable[0].bytes, 5 << 30);
        let net = &mut advice("system.network.io.receive", ProcessUsage::new(9, "x"));
        assert!(commands(net, &mut Knobs::new(&[])).is_empty());
    }
}
