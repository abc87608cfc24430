//! Watching and showing: the engine ticks in a thread of its own, and requests are served beside it.

use super::ticking::{Ticking, Viewer};
use crate::args::Serve;
use crate::logging::{tell, warn};
use crate::settings::Settings;
use crate::{Outcome, service};
use overseer_engine::core::{Error, Result};
use overseer_engine::{Engine, Report, Role, host};
use overseer_serve::{EngineLink, Hosts, Server, Tls, Token, connect, router};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the token may be, besides a file.
const TOKEN: &str = "OVERSEER_TOKEN";

/// Whether what was typed can be meant: nobody else is shown a host without a token.
pub(crate) fn check(args: &Serve) -> Result<()> {
    if args.listen.ip().is_loopback() || token(args)?.is_some() {
        return Ok(());
    }
    Err(Error::invalid_parameter(
        "listen",
        format!(
            "beyond this host a token is needed: set {TOKEN}, or --token-file to a file that holds it"
        ),
    ))
}

pub(crate) fn serve(settings: &Settings, args: &Serve) -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|e| Error::other("listening for signals", e))?;
    }
    let tls = args.tls_cert.as_deref().zip(args.tls_key.as_deref());
    let is_secure = tls.is_some();
    let server = Server::bind(args.listen, tls.map(|(cert, key)| Tls::new(cert, key)))?;
    let address = server.address()?;
    let guarded = guards(args)?;
    let mut options = settings.engine("serve", !args.no_watch);
    options.config.refit_elsewhere = true;
    // Opened here, so that what cannot be opened at all is told before anything is served.
    let engine = host::open(&options)?;
    tell_role(&engine, args.no_watch);
    if !args.listen.ip().is_loopback() && !is_secure {
        warn("without --tls-cert the token crosses the network in the clear");
    }
    let step = Duration::from(engine.config().step);
    let (handle, link) = connect(options.clone());
    let ticks = Ticking::start(settings, options, engine, Served(link), &stop)?;
    let scheme = if is_secure { "https" } else { "http" };
    tell(&format!("serving {scheme}://{address}/ until Ctrl-C or SIGTERM"));
    service::ready(step);
    let served = server.run(router(handle, &guarded), &stop);
    stop.store(true, Ordering::Relaxed);
    let ended = ticks.join();
    served?;
    let ended =
        ended.map_err(|_| Error::unavailable("the engine", "its thread ended in a panic"))?;
    for notice in ended.notices.iter().filter(|n| n.warning) {
        warn(&notice.message);
    }
    Ok(ended.worst)
}

fn guards(args: &Serve) -> Result<overseer_serve::Settings> {
    let mut guarded = overseer_serve::Settings::default();
    guarded.token = token(args)?;
    guarded.allowed_origins.clone_from(&args.allow_origin);
    guarded.hosts = match (args.listen.ip().is_loopback(), args.allow_host.is_empty()) {
        (true, true) => Hosts::Loopback,
        // A page of somebody else's does not have the token.
        (false, true) => Hosts::Any,
        (_, false) => Hosts::Named(args.allow_host.clone()),
    };
    Ok(guarded)
}

fn token(args: &Serve) -> Result<Option<Token>> {
    if let Some(path) = &args.token_file {
        return read_token(path).map(Some);
    }
    std::env::var(TOKEN).ok().map(|secret| Token::new(&secret)).transpose()
}

fn read_token(path: &Path) -> Result<Token> {
    let place = path.display().to_string();
    let secret = std::fs::read_to_string(path);
    let secret = secret.map_err(|e| Error::other(format!("reading {place}"), e))?;
    Token::new(&secret)
}

/// Says whether samples are taken here.
fn tell_role(engine: &Engine, no_watch: bool) {
    if engine.role() == Role::Sampler {
        return;
    }
    if no_watch {
        tell("no samples are taken here: what is stored is shown");
    } else {
        tell("another process samples this host: its samples are shown, none are taken here");
    }
}

/// Hands each tick over to the requests.
struct Served(EngineLink);

impl Viewer for Served {
    fn looked(&mut self, _: usize, _: usize) {}

    fn ticked(&mut self, engine: &Engine, report: &Report, lateness: Duration) {
        self.0.publish(engine, report, lateness);
    }

    fn between(&mut self, engine: &mut Engine) {
        self.0.attend(engine);
    }
}
