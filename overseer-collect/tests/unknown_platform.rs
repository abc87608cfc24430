//! Built as for a platform about which nothing is known, every value is missing with a reason and nothing panics:
//! `cargo test -p overseer-collect --features unknown-ci --test unknown_platform`.

#![cfg(feature = "unknown-ci")]

use overseer_collect::HostCollector;
use overseer_core::{Collector, Timestamp, host};

#[test]
fn on_an_unknown_platform_everything_is_missing_with_a_reason() {
    let mut collector = HostCollector::new().unwrap();
    for i in 0..3 {
        let reading = collector.collect(Timestamp::from_millis(5000 * i)).unwrap();
        assert!(reading.sample.is_blank(), "{:?}", reading.sample);
        assert_eq!(reading.missing.len(), host::schema().len());
        assert!(reading.missing.iter().all(|m| !m.reason.is_empty()), "{:?}", reading.missing);
        assert_eq!(reading.fullest_mount, None);
    }
    assert!(collector.auxiliary().unwrap().is_empty());
    let refused = collector.processes(3).unwrap_err();
    assert!(refused.is_unavailable(), "{refused}");
    assert_eq!(collector.host().memory_bytes, 0);
}
