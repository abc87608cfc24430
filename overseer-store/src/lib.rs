//! The memory of Overseer: samples and findings in SQLite, model files in a directory.
//!
//! | type | what it keeps |
//! |---|---|
//! | [`DataDir`] | where everything of an installation lies |
//! | [`SqliteStore`] | samples, findings and what is known of the models: [`overseer_core::Store`] |
//! | [`ModelDirectory`] | model files and the versions before them: [`overseer_core::ModelRepository`] |
//! | [`transfer`] | exports to CSV, JSON Lines and Parquet, and imports of them |
//! | [`Lease`] | that one process samples an installation at a time |
//!
//! What a method acknowledged with `Ok` survives `kill -9`. What cannot be read is moved aside and never deleted. A
//! missing value is NaN in memory and NULL in a table.
//!
//! # Example
//!
//! ```
//! use overseer_core::{Sample, SampleQuery, Span, Store, Timestamp, host};
//! use overseer_store::{DataDir, LeaseOutcome, SqliteStore};
//!
//! # let place = tempfile::tempdir()?;
//! let dir = DataDir::new(place.path().join("overseer"));
//! dir.create()?;
//! let now = Timestamp::from_millis(1_700_000_000_000);
//! let LeaseOutcome::Held(_lease) = dir.lease(now, "watch")? else { return Ok(()) };
//!
//! let opened = SqliteStore::open_or_set_aside(&dir.database(), &host::schema(), "web-1")?;
//! assert_eq!(opened.set_aside, None);
//! let mut store = opened.store;
//!
//! let step = Span::from_secs(5);
//! let mut values = vec![f64::NAN; host::schema().len()];
//! values[host::CPU_UTILIZATION] = 0.25;
//! store.append(step, &[Sample::new(now, values)])?;
//! let frame = store.samples(&SampleQuery::latest(step, 100))?;
//! assert_eq!(frame.column(host::CPU_UTILIZATION).next(), Some(0.25));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aside;
mod data_dir;
mod error;
mod in_place;
mod lease;
mod models;
mod sqlite;
pub mod transfer;

pub use data_dir::DataDir;
pub use lease::{Lease, LeaseOutcome};
pub use models::{MAX_MODEL_BYTES, ModelDirectory, ModelFiles, ModelVersion};
pub use sqlite::{FORMAT_VERSION, Opened, Retention, SqliteOptions, SqliteStore, Verified};
