//! What systemd is told of a running `watch` or `serve` (`Type=notify`, sd_notify(3)): that it is ready, that it still
//! ticks, how the host is, and that it ends. Where no systemd asks, nothing happens.

use overseer_engine::Report;
use overseer_engine::core::Severity;
use std::time::Duration;

/// A watchdog must allow for so many steps, or a long step would look like a hung one.
const STEPS: u32 = 4;

/// Tells that the service is up. Where the watchdog is shorter than a few steps it is made longer: it is about a tick that
/// hangs, and between two ticks nothing is told.
pub(crate) fn ready(step: Duration) {
    tell(&format!("READY=1{}\nSTATUS=watching every {step:?}", longer_watchdog(step)));
}

/// Tells that a tick was done, and how the host is.
pub(crate) fn ticked(report: &Report) {
    tell(&format!("WATCHDOG=1\nSTATUS={}", status(report)));
}

/// Tells that the first look at a new host goes on.
pub(crate) fn looking(done: usize, total: usize) {
    tell(&format!("WATCHDOG=1\nSTATUS=getting to know this host: {done} of {total} samples"));
}

/// Tells that the service ends, before what is still to be stored and delivered.
pub(crate) fn stopping() {
    tell("STOPPING=1\nSTATUS=storing what is left");
}

fn status(report: &Report) -> String {
    let open = report.incidents.iter().filter(|i| i.is_open() && i.fired_at.is_some()).count();
    let state = match &report.anomaly {
        None => "learning".to_owned(),
        Some(a) if a.severity == Severity::None => "normal".to_owned(),
        Some(a) => format!("{}: {}", a.severity, a.description),
    };
    // A line of the protocol is an assignment: what a process is called must not become one.
    let state: String = state.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match open {
        0 => state,
        1 => format!("{state}; 1 incident goes on"),
        n => format!("{state}; {n} incidents go on"),
    }
}

fn longer_watchdog(step: Duration) -> String {
    let least = step.saturating_mul(STEPS);
    match watchdog() {
        Some(asked) if asked < least => format!("\nWATCHDOG_USEC={}", least.as_micros()),
        _ => String::new(),
    }
}

/// How long systemd waits for a sign of life, if it asks this process for one.
fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    if number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id())) {
        return None;
    }
    number("WATCHDOG_USEC").filter(|&micros| micros > 0).map(Duration::from_micros)
}

fn tell(said: &str) {
    #[cfg(target_os = "linux")]
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|s| !s.is_empty())
        && let Err(e) = send(&socket, said)
    {
        tracing::debug!("systemd could not be told: {e}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = said;
}

/// One datagram. It is tried again for a moment where the other side is busy, and then left: a tick never waits for
/// systemd, and the next one tells it anew.
#[cfg(target_os = "linux")]
fn send(socket: &std::ffi::OsStr, said: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let from = UnixDatagram::unbound()?;
    from.set_nonblocking(true)?;
    let mut tries = 0;
    loop {
        match from.send_to_addr(said.as_bytes(), &address) {
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock && tries < 5 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            sent => return sent.map(drop),
        }
    }
}
