//! What the benches share: a made-up host, and budgets held against criterion's medians.

use overseer_engine::core::{Error, Frame, Result, Span, Timestamp};
use overseer_engine::host::collect::ScriptedHost;
use std::path::Path;

/// Time between the made-up samples.
pub const STEP: Span = Span::from_secs(5);

/// `rows` samples of a made-up host with seasons and noise, 5 s apart; the same for the same seed.
///
/// # Errors
/// Never for a scripted host; it is what collectors return.
pub fn host_frame(rows: usize, seed: u64) -> Result<Frame> {
    let mut host = ScriptedHost::builder(seed).build()?;
    host.frame(Timestamp::from_millis(1_700_000_000_000), STEP, rows)
}

/// The median time of one iteration of a finished bench, in microseconds.
///
/// # Errors
/// If criterion left no estimate under this name.
pub fn median_us(criterion_dir: &Path, name: &str) -> Result<f64> {
    let path = criterion_dir.join(name).join("new").join("estimates.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Error::other(format!("reading {}", path.display()), e))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::other("reading criterion's estimate", e))?;
    let nanoseconds = json["median"]["point_estimate"].as_f64();
    Ok(nanoseconds.ok_or_else(|| Error::corrupt("criterion's estimate", "no median in it"))?
        / 1000.0)
}
