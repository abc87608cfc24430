//! The schema of a host, version 1, and the performance score over it.
//!
//! Names are OpenTelemetry's where it has one (semantic conventions for system metrics); `overseer.` and `linux.`
//! mark the others. The order is part of every stored model and table.

use crate::{Feature, Schema, Unit};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Version of the schema that [`schema`] returns.
pub const SCHEMA_VERSION: u32 = 1;

/// Index of `system.cpu.utilization`: share of all logical CPUs busy, 0–1.
pub const CPU_UTILIZATION: usize = 0;
/// Index of `overseer.cpu.load_per_core`: 1-minute load average over logical CPUs.
pub const LOAD_PER_CORE: usize = 1;
/// Index of `system.memory.utilization`: share of memory not available, 0–1.
pub const MEMORY_UTILIZATION: usize = 2;
/// Index of `system.paging.utilization`: share of swap used, 0–1.
pub const PAGING_UTILIZATION: usize = 3;
/// Index of `system.filesystem.utilization`: share of the fullest local writable mount used, 0–1.
pub const FILESYSTEM_UTILIZATION: usize = 4;
/// Index of `system.disk.io.read`: whole devices, By/s.
pub const DISK_READ: usize = 5;
/// Index of `system.disk.io.write`: whole devices, By/s.
pub const DISK_WRITE: usize = 6;
/// Index of `system.network.io.receive`: without loopback, By/s.
pub const NETWORK_RECEIVE: usize = 7;
/// Index of `system.network.io.transmit`: without loopback, By/s.
pub const NETWORK_TRANSMIT: usize = 8;
/// Index of `system.process.count`.
pub const PROCESS_COUNT: usize = 9;
/// Index of `linux.pressure.cpu`: share of time some task waited for a CPU, 0–1.
pub const PRESSURE_CPU: usize = 10;
/// Index of `linux.pressure.io`: share of time some task waited for I/O, 0–1.
pub const PRESSURE_IO: usize = 11;
/// Index of `linux.pressure.memory`: share of time some task waited for memory, 0–1.
pub const PRESSURE_MEMORY: usize = 12;

/// The host's features in their fixed order.
#[must_use]
pub fn schema() -> Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA
        .get_or_init(|| {
            // The third column is the change a person would act on; see `Feature::resolution`.
            let features: [(&str, Unit, f64); 13] = [
                ("system.cpu.utilization", Unit::Ratio, 0.05),
                ("overseer.cpu.load_per_core", Unit::Dimensionless, 0.1),
                ("system.memory.utilization", Unit::Ratio, 0.02),
                ("system.paging.utilization", Unit::Ratio, 0.02),
                ("system.filesystem.utilization", Unit::Ratio, 0.01),
                ("system.disk.io.read", Unit::BytesPerSecond, 1.0e6),
                ("system.disk.io.write", Unit::BytesPerSecond, 1.0e6),
                ("system.network.io.receive", Unit::BytesPerSecond, 250.0e3),
                ("system.network.io.transmit", Unit::BytesPerSecond, 250.0e3),
                ("system.process.count", Unit::Processes, 5.0),
                ("linux.pressure.cpu", Unit::Ratio, 0.05),
                ("linux.pressure.io", Unit::Ratio, 0.05),
                ("linux.pressure.memory", Unit::Ratio, 0.05),
            ];
            let list = features
                .into_iter()
                .map(|(name, unit, r)| Feature::new(name, unit).with_resolution(r))
                .collect();
            match Schema::new(list) {
                Ok(schema) => schema,
                Err(_) => unreachable!("the constant names above are distinct"),
            }
        })
        .clone()
}

/// How saturated a host is, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PerformanceScore {
    /// 0 (idle) to 100 (saturated).
    pub value: f64,
    /// Index in [`schema`] of the feature that sets the value.
    pub driver: usize,
}

/// A score above which a host is warned about.
pub const SATURATION_WARNING: f64 = 80.0;
/// A score above which advice is given.
pub const SATURATION_ADVICE: f64 = 60.0;

/// The performance score of one row of the host's schema.
///
/// It is 100 times the largest of CPU utilisation, memory utilisation, half the load per core (at most 1) and the
/// three pressures. Missing values take no part; `None` if all of them are missing or the row is not the host's.
#[must_use]
pub fn performance_score(values: &[f64]) -> Option<PerformanceScore> {
    const PARTS: [(usize, f64); 6] = [
        (CPU_UTILIZATION, 1.0),
        (MEMORY_UTILIZATION, 1.0),
        (LOAD_PER_CORE, 0.5),
        (PRESSURE_CPU, 1.0),
        (PRESSURE_IO, 1.0),
        (PRESSURE_MEMORY, 1.0),
    ];
    PARTS
        .iter()
        .filter_map(|&(driver, weight)| {
            let x = *values.get(driver)?;
            x.is_finite()
                .then(|| PerformanceScore { value: 100.0 * (weight * x).clamp(0.0, 1.0), driver })
        })
        .reduce(|best, next| if next.value > best.value { next } else { best })
}

/// Whether CPU, memory and load are all at 0.95 or more, which is critical whatever was learned.
#[must_use]
pub fn is_saturated(values: &[f64]) -> bool {
    [CPU_UTILIZATION, MEMORY_UTILIZATION, LOAD_PER_CORE]
        .iter()
        .all(|&i| values.get(i).is_some_and(|&x| x >= 0.95))
}

/// The largest utilisation of a row, 0–1: what an anomaly could hurt.
///
/// Ratios of the schema and half the load per core; missing values take no part and nothing known gives 0.
#[must_use]
pub fn peak_utilization(values: &[f64]) -> f64 {
    let ratios = [
        CPU_UTILIZATION,
        MEMORY_UTILIZATION,
        PAGING_UTILIZATION,
        FILESYSTEM_UTILIZATION,
        PRESSURE_CPU,
        PRESSURE_IO,
        PRESSURE_MEMORY,
    ];
    let load = values.get(LOAD_PER_CORE).map_or(f64::NAN, |x| 0.5 * x);
    ratios
        .iter()
        .filter_map(|&i| values.get(i).copied())
        .chain([load])
        .fold(0.0, |a: f64, x| if x.is_finite() { a.max(x.min(1.0)) } else { a })
}

/// A feature's name as a person says it: `CPU`, `disk writes`; other names are returned as they are.
#[must_use]
pub fn plain_name(feature: &str) -> &str {
    match feature {
        "system.cpu.utilization" => "CPU",
        "overseer.cpu.load_per_core" => "load per core",
        "system.memory.utilization" => "memory",
        "system.paging.utilization" => "swap",
        "system.filesystem.utilization" => "fullest disk",
        "system.disk.io.read" => "disk reads",
        "system.disk.io.write" => "disk writes",
        "system.network.io.receive" => "network in",
        "system.network.io.transmit" => "network out",
        "system.process.count" => "processes",
        "linux.pressure.cpu" => "CPU pressure",
        "linux.pressure.io" => "I/O pressure",
        "linux.pressure.memory" => "memory pressure",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(usize, f64)]) -> Vec<f64> {
        let mut v = vec![f64::NAN; schema().len()];
        for &(i, x) in pairs {
            v[i] = x;
        }
        v
    }

    #[test]
    fn the_indices_name_the_features() {
        let s = schema();
        assert_eq!(s.len(), 13);
        assert_eq!(s.index_of("system.cpu.utilization"), Some(CPU_UTILIZATION));
        assert_eq!(s.index_of("system.process.count"), Some(PROCESS_COUNT));
        assert_eq!(s.index_of("linux.pressure.memory"), Some(PRESSURE_MEMORY));
        assert!(
            s.features().iter().all(|f| plain_name(&f.name) != f.name && f.resolution.is_some())
        );
    }

    #[test]
    fn the_score_is_the_tightest_resource() {
        let s = performance_score(&row(&[(CPU_UTILIZATION, 0.2), (LOAD_PER_CORE, 1.5)])).unwrap();
        assert_eq!((s.value, s.driver), (75.0, LOAD_PER_CORE));
        assert_eq!(performance_score(&row(&[(LOAD_PER_CORE, 9.0)])).unwrap().value, 100.0);
        assert_eq!(performance_score(&row(&[(FILESYSTEM_UTILIZATION, 0.99)])), None);
        assert_eq!(performance_score(&[]), None);
    }

    #[test]
    fn saturation_needs_all_three_and_missing_is_not_saturated() {
        let full = [(CPU_UTILIZATION, 1.0), (MEMORY_UTILIZATION, 0.99), (LOAD_PER_CORE, 0.95)];
        assert!(is_saturated(&row(&full)));
        assert!(!is_saturated(&row(&full[..2])));
    }
}
