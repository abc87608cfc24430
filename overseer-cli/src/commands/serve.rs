//! Watching and showing: the engine ticks in a thread of its own, and requests are served beside it.

use super::background::Background;
use super::sinks::Deliveries;
use super::watch::{first_look, next_due, wait_until};
use crate::Outcome;
use crate::args::Serve;
use crate::settings::Settings;
use overseer_engine::core::{Error, Result, Severity};
use overseer_engine::{Engine, Report, Role, Stage, host};
use overseer_serve::{EngineLink, Hosts, Server, Tls, Token, connect, router};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Where the token may be, besides a file.
const TOKEN: &str = "OVERSEER_TOKEN";
/// An engine that only reads is opened anew when it found nothing, and now and then for newer models.
const TRIED_AGAIN: Duration = Duration::from_secs(5);
const RENEWED: Duration = Duration::from_secs(3600);

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
        tell("without --tls-cert the token crosses the network in the clear");
    }
    // Whoever samples also delivers what is told of it.
    let delivers = engine.role() == Role::Sampler;
    let deliveries = delivers.then(|| Deliveries::start(settings, &options)).transpose()?;
    let (handle, link) = connect(options.clone());
    let ticking = Ticking { options, link, deliveries, stop: Arc::clone(&stop) };
    let thread = std::thread::Builder::new().name("ticks".to_owned());
    let ticks = thread
        .spawn(move || ticking.run(engine))
        .map_err(|e| Error::other("starting the thread that ticks", e))?;
    let scheme = if is_secure { "https" } else { "http" };
    tell(&format!("serving {scheme}://{address}/ until Ctrl-C or SIGTERM"));
    let served = server.run(router(handle, &guarded), &stop);
    stop.store(true, Ordering::Relaxed);
    let worst = ticks.join();
    served?;
    worst.map_err(|_| Error::unavailable("the engine", "its thread ended in a panic"))
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

#[allow(clippy::print_stderr, reason = "for the person who started it; stdout is for data")]
fn tell(said: &str) {
    eprintln!("overseer: {said}");
}

/// The thread that ticks.
struct Ticking {
    options: host::Options,
    link: EngineLink,
    deliveries: Option<Deliveries>,
    stop: Arc<AtomicBool>,
}

/// When it ends, for whatever reason, the service ends too.
impl Drop for Ticking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Ticking {
    /// As `watch` does it, and after each tick the report is handed over.
    fn run(mut self, mut engine: Engine) -> Severity {
        first_look(&mut engine, &self.stop);
        engine.prime(host::now());
        let step = Duration::from(engine.config().step);
        let start = Instant::now();
        let mut background = Background::new(self.options.clone(), &self.stop);
        let mut opened = Instant::now();
        let mut worst = Severity::None;
        let mut due = 0_u32;
        loop {
            due = next_due(start, step, due);
            let at = start + step * due;
            wait_until(at, &self.stop);
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let lateness = at.elapsed();
            let report = engine.tick(host::now());
            self.link.publish(&engine, &report, lateness);
            worst = worst.max(report.anomaly.as_ref().map_or(Severity::None, |a| a.severity));
            log(&report);
            self.deliveries.iter().for_each(Deliveries::tell);
            background.attend(&mut engine);
            self.link.attend(&mut engine);
            self.renew(&mut engine, &report, &mut opened);
        }
        for notice in engine.close().iter().filter(|n| n.warning) {
            tell(&notice.message);
        }
        if let Some(deliveries) = self.deliveries.take() {
            deliveries.stop();
        }
        worst
    }

    /// Opens an engine that only reads anew, where that may show more.
    fn renew(&self, engine: &mut Engine, report: &Report, opened: &mut Instant) {
        let after = if report.current.is_none() { TRIED_AGAIN } else { RENEWED };
        if engine.role() == Role::Sampler || opened.elapsed() < after {
            return;
        }
        *opened = Instant::now();
        // Never as the sampler: whoever started this was told that it only reads.
        let mut options = self.options.clone();
        options.sample = false;
        match host::open(&options) {
            Ok(newer) => *engine = newer,
            Err(e) => tracing::warn!("what is stored cannot be read anew: {e}"),
        }
    }
}

/// What a person who looks at the log should know of a tick.
fn log(report: &Report) {
    for notice in report.notices.iter().filter(|n| n.warning && n.stage != Stage::Open) {
        tracing::warn!(stage = %notice.stage, "{}", notice.message);
    }
    if let Some(anomaly) = report.anomaly.as_ref().filter(|_| report.alert) {
        tracing::warn!(severity = %anomaly.severity, "{}", anomaly.description);
    }
}
