//! Overseer over HTTP: a REST API, live events, a dashboard and Prometheus exposition, as one axum router.
//!
//! [`connect`] gives two ends. The [`Handle`] makes a [`router`] to mount in any axum service; the [`EngineLink`]
//! belongs to the thread that ticks the engine, which hands each report over and between ticks does what was asked of
//! it. Requests read the database by connections of their own, so that none of them ever delays a tick.
//!
//! # Example
//!
//! ```no_run
//! use overseer_engine::host;
//! use overseer_serve::{Settings, connect, router};
//! use std::time::Duration;
//!
//! let options = host::Options::default();
//! let (handle, mut link) = connect(options.clone());
//! std::thread::spawn(move || -> Result<(), overseer_engine::core::Error> {
//!     let mut engine = host::open(&options)?;
//!     loop {
//!         let report = engine.tick(host::now());
//!         link.publish(&engine, &report, Duration::ZERO);
//!         link.attend(&mut engine);
//!         std::thread::sleep(Duration::from(engine.config().step));
//!     }
//! });
//! let app = axum::Router::new().nest_service("/overseer", router(handle, &Settings::default()));
//! # let _: axum::Router = app;
//! ```
//!
//! Where what lies: `live` is what the ticking thread and the requests share, `readers` the database's connections,
//! `api` the endpoints and `api::shapes` their JSON, `guard` who may ask for what, `exposition` the page for
//! Prometheus, `server` the listening.

mod answer;
pub mod api;
mod assets;
mod exposition;
mod guard;
mod live;
mod problem;
mod readers;
mod router;
mod server;
mod settings;

pub use live::{EngineLink, Handle, connect};
pub use problem::Problem;
pub use router::{api_description, router};
pub use server::{Server, Tls};
pub use settings::{Hosts, Settings, Token};
