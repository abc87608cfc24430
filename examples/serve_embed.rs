//! Overseer within a service of one's own: its dashboard and API under `/overseer/`, beside one's own pages.

use overseer_engine::{core::Error, host};
use overseer_serve::{Server, Settings, connect, router};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn main() -> Result<(), Error> {
    let options = host::Options::default();
    let (handle, mut link) = connect(options.clone());
    // The engine is synchronous: a thread of its own ticks, and no request ever delays it.
    std::thread::spawn(move || -> Result<(), Error> {
        let mut engine = host::open(&options)?;
        host::look(&mut engine, |_, _| {});
        loop {
            let report = engine.tick(host::now());
            link.publish(&engine, &report, Duration::ZERO);
            link.attend(&mut engine);
            std::thread::sleep(Duration::from(engine.config().step));
        }
    });
    let app = axum::Router::new()
        .route("/", axum::routing::get(async || "My own service. Overseer is at /overseer/"))
        .nest_service("/overseer", router(handle, &Settings::default()));
    // Any way to serve an axum router will do; this is ours.
    let server = Server::bind(([127, 0, 0, 1], 8080).into(), None)?;
    eprintln!("http://{}/overseer/", server.address()?);
    server.run(app, &Arc::new(AtomicBool::new(false)))
}
