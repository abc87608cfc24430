//! Opens an engine on this host and prints what it finds.

use overseer_engine::host;

fn main() -> Result<(), overseer_engine::core::Error> {
    let mut engine = host::open(&host::Options::default())?;
    host::look(&mut engine, |done, total| eprint!("\r{done} of {total} samples"));
    let report = engine.analyze(host::now());
    println!("{}", report.anomaly.map_or("nothing learned yet".into(), |a| a.description));
    for finding in report.recommendations {
        println!("{}: {}", finding.evidence, finding.action);
    }
    Ok(())
}
