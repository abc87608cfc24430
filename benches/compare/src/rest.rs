//! What surrounds the models: one look at the host, one row into the database, and the models' files.

use crate::clock::Bench;
use crate::data::{Data, THIRD, top};
use crate::{OURS, Result, boxed};
use ndarray::Axis;
use overseer_collect::HostCollector;
use overseer_core::{Collector, Sample, Span, Store, Timestamp, host};
use overseer_models::file::Writer;
use overseer_models::isolation_forest::IsolationForest;
use overseer_models::random_forest::{FeaturesPerSplit, RandomForest};
use overseer_store::SqliteStore;
use procfs::{Current, CurrentSI};
use rusqlite::{Connection, TransactionBehavior};
use std::cell::Cell;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;
use sysinfo::{Disks, Networks, ProcessesToUpdate, System};

/// Time between stored samples.
const STEP: Span = Span::from_secs(5);
/// Rows that one transaction takes at most in these benches.
const BATCH: usize = 1000;

/// Measures every row but those of the whole cycle, which is a process of its own.
pub fn run(bench: &Bench, data: &Data) {
    let failed = |part: &str, result: Result<()>| {
        if let Err(e) = result {
            crate::clock::write(part, OURS, None, 0, Some(&format!("failed: {e}")));
        }
    };
    failed("rest.snapshot", snapshots(bench));
    failed("rest.insert_1", inserts(bench));
    failed("rest.file", files(bench, data));
}

/// Looks at the host as it is and with 2,000 processes more or less; those do nothing but be there.
fn snapshots(bench: &Bench) -> Result<()> {
    for (row, processes) in SNAPSHOTS {
        let crowd = Crowd::of(processes)?;
        looks(bench, row)?;
        drop(crowd);
    }
    // A look at the processes themselves, which nobody takes unasked; ours alone knows who did what in between.
    let mut ours = HostCollector::new()?;
    ours.processes(0)?;
    sleep(Duration::from_millis(300));
    bench.time_noted("rest.processes", OURS, Some(SCAN), |i| {
        // Sleeping takes no processor time: a span of a quarter of a second is waited for in any case.
        Ok(ours.processes(usize::from(i > 0) * 3)?)
    });
    let mut system = System::new()?;
    bench.time("rest.processes", "sysinfo", |_| {
        system.refresh_processes(ProcessesToUpdate::All, true);
        Ok(system.processes().len())
    });
    Ok(())
}

/// The rows, and how many processes each is of.
const SNAPSHOTS: [(&str, usize); 2] = [("rest.snapshot", 75), ("rest.snapshot_2000", 2000)];
const SCAN: &str =
    "a scan, with the command line, control group and unit of those that use the most";

/// Processes that sleep, so that there are as many as asked.
struct Crowd(Vec<Child>);

impl Crowd {
    fn of(processes: usize) -> Result<Self> {
        let missing = processes.saturating_sub(count_processes()?);
        let mut crowd = Self(Vec::with_capacity(missing));
        for _ in 0..missing {
            crowd.0.push(Command::new("sleep").arg("3600").spawn()?);
        }
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that cannot be ended ends by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn count_processes() -> Result<usize> {
    let entries = std::fs::read_dir("/proc")?.filter_map(std::result::Result::ok);
    Ok(entries.filter(|e| e.file_name().as_encoded_bytes()[0].is_ascii_digit()).count())
}

fn looks(bench: &Bench, row: &str) -> Result<()> {
    let mut ours = HostCollector::new()?;
    let mut reading = ours.collect(Timestamp::default())?;
    let processes = count_processes()?;
    bench.time_noted(row, OURS, Some(&format!("{processes} processes")), |i| {
        ours.collect_into(Timestamp::from_millis(i as i64 / 20), &mut reading);
        Ok(reading.sample.values[host::MEMORY_UTILIZATION])
    });

    let mut system = System::new_all()?;
    let mut disks = Disks::new_with_refreshed_list()?;
    let mut networks = Networks::new_with_refreshed_list()?;
    let slow = "a look every 200 ms: sysinfo leaves the CPUs out of an earlier one";
    for (peer, processes) in [("sysinfo with processes", true), ("sysinfo", false)] {
        bench.time_noted(row, peer, Some(slow), |i| {
            // Sleeping takes no processor time. The first call warms up and sizes the batch.
            if i > 0 {
                sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
            }
            system.refresh_memory();
            system.refresh_cpu_usage();
            if processes {
                system.refresh_processes(ProcessesToUpdate::All, true);
            }
            disks.refresh(true);
            networks.refresh(true);
            Ok((system.used_memory(), system.global_cpu_usage(), System::load_average()))
        });
    }
    bench.time(row, "procfs", |_| {
        let pressure = (
            procfs::CpuPressure::current().ok(),
            procfs::IoPressure::current().ok(),
            procfs::MemoryPressure::current().ok(),
        );
        Ok((
            procfs::KernelStats::current()?,
            procfs::Meminfo::current()?,
            procfs::LoadAverage::current()?,
            procfs::diskstats()?,
            procfs::net::dev_status()?,
            rustix::fs::statvfs("/")?,
            std::fs::read_dir("/proc")?.count(),
            pressure,
        ))
    });
    Ok(())
}

fn inserts(bench: &Bench) -> Result<()> {
    let place = tempfile::tempdir()?;
    let schema = host::schema();
    let open = |name: &str| SqliteStore::open(&place.path().join(name), &schema, "compare");
    let values: Vec<f64> = (0..schema.len()).map(|i| 0.1 * (i + 1) as f64).collect();
    let clock = Cell::new(0);
    let samples = |n: usize| -> Vec<Sample> {
        let next = |_| {
            clock.set(clock.get() + STEP.as_millis());
            Sample::new(Timestamp::from_millis(clock.get()), values.clone())
        };
        (0..n).map(next).collect()
    };

    let mut ours = open("ours.db")?;
    // The same tables and settings, but only what SQLite itself must do.
    drop(open("bare.db")?);
    let mut bare = Bare::open(&place.path().join("bare.db"), &schema)?;
    for (row, rows) in [("rest.insert_1", 1), ("rest.insert_1000", BATCH)] {
        let mut store = |_| Ok(ours.append(STEP, &samples(rows)).map(drop)?);
        let mut rusqlite = |_| bare.append(&samples(rows));
        bench.by_turns(row, &mut [(OURS, &mut store), ("rusqlite", &mut rusqlite)]);
    }
    Ok(())
}

/// `rusqlite` with nothing around it.
struct Bare {
    connection: Connection,
    sql: String,
}

impl Bare {
    fn open(path: &Path, schema: &overseer_core::Schema) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let names: Vec<String> =
            schema.features().iter().map(|f| format!(", \"{}\"", f.name)).collect();
        let sql = format!(
            "INSERT INTO system_metrics (host_id, interval_ms, timestamp{}) VALUES (1, ?, ?{})",
            names.concat(),
            ", ?".repeat(names.len())
        );
        Ok(Self { connection, sql })
    }

    fn append(&mut self, samples: &[Sample]) -> Result<()> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut statement = transaction.prepare_cached(&self.sql)?;
        for sample in samples {
            statement.raw_bind_parameter(1, STEP.as_millis())?;
            statement.raw_bind_parameter(2, sample.timestamp.as_millis())?;
            for (i, value) in sample.values.iter().enumerate() {
                statement.raw_bind_parameter(i + 3, value)?;
            }
            statement.raw_execute()?;
        }
        drop(statement);
        Ok(transaction.commit()?)
    }
}

fn files(bench: &Bench, data: &Data) -> Result<()> {
    let isolation = IsolationForest::builder()
        .trees(data.sizes.trees)
        .seed(1)
        .build()?
        .fit(data.host.view())?;
    let mut w = Writer::default();
    isolation.write_to(&mut w);
    bench.note("rest.file_iforest", OURS, w.into_bytes().len() as f64);

    let x = top(&data.x, data.sizes.forest_small);
    let y = data.y.view().split_at(Axis(0), data.sizes.forest_small).0.insert_axis(Axis(1));
    let params = RandomForest::builder()
        .trees(data.sizes.trees)
        .features_per_split(FeaturesPerSplit::Count(THIRD))
        .seed(1);
    let forest = params.build()?.fit(x, y).map_err(boxed)?;
    let mut w = Writer::default();
    forest.write_to(&mut w);
    bench.note("rest.file_forest", OURS, w.into_bytes().len() as f64);
    Ok(())
}
