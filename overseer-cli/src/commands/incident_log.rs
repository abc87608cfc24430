//! What becomes of incidents, for whoever reads the log; notices are logged by the engine as they arise.

use overseer_engine::Report;
use overseer_engine::core::{AlertState, Incident, Severity};

/// The incidents as they stood at the last tick: only what changes is logged.
#[derive(Debug, Default)]
pub(super) struct IncidentLog {
    before: Vec<Incident>,
}

impl IncidentLog {
    /// Logs each incident that fires, worsens, is looked after, or is over.
    pub(super) fn changes(&mut self, report: &Report) {
        for i in &report.incidents {
            let known = self.before.iter().find(|k| k.id == i.id && k.began_at == i.began_at);
            let is_new = known.is_none_or(|k| k.state != i.state);
            let is_worse = known.is_some_and(|k| k.severity < i.severity);
            let (incident, severity, state) = (i.id, i.severity, i.state);
            match i.state {
                AlertState::Firing if (is_new || is_worse) && severity == Severity::Critical => {
                    tracing::error!(incident, %severity, %state, "{}", i.description);
                }
                AlertState::Firing if is_new || is_worse => {
                    tracing::warn!(incident, %severity, %state, "{}", i.description);
                }
                AlertState::Acknowledged if is_new => {
                    tracing::info!(incident, %severity, %state, "somebody looks after it");
                }
                AlertState::Resolved if i.fired_at.is_some() => {
                    tracing::info!(incident, %severity, %state, "it is over");
                }
                _ => {}
            }
        }
        self.before = report.incidents.iter().filter(|i| i.is_open()).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::{IncidentKind, Peak, Timestamp};
    use overseer_engine::host::{collect::ScriptedHost, with_our_models};
    use overseer_engine::{Config, Role};
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_incident_is_logged_when_it_changes_and_not_while_it_goes_on() {
        let collector = Box::new(ScriptedHost::builder(1).build().unwrap());
        let mut engine =
            with_our_models(collector, None, None, Config::default(), Role::Sampler).unwrap();
        let at = Timestamp::from_millis(0);
        let mut report = engine.tick(at);
        let mut i = Incident::new(IncidentKind::Anomaly, Peak::new(at, Severity::High, 0.9, 1e-6));
        (i.id, i.description) = (12, "CPU is far above its usual.".to_owned());
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .without_time()
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let mut log = IncidentLog::default();
            let mut tell = |i: &Incident| {
                report.incidents = vec![i.clone()];
                log.changes(&report);
            };
            tell(&i);
            (i.state, i.fired_at) = (AlertState::Firing, Some(at));
            tell(&i);
            tell(&i);
            i.severity = Severity::Critical;
            tell(&i);
            i.state = AlertState::Acknowledged;
            tell(&i);
            tell(&i);
            i.state = AlertState::Resolved;
            tell(&i);
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let levels: Vec<&str> = text.lines().filter_map(|l| l.split_whitespace().next()).collect();
        assert_eq!(levels, ["WARN", "ERROR", "INFO", "INFO"], "{text}");
        assert!(
            text.contains("CPU is far above its usual. incident=12 severity=high state=firing")
        );
        assert!(text.contains("it is over incident=12"), "{text}");
    }
}
