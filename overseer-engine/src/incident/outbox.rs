//! What is told of an incident, as messages for the outbox.

use overseer_core::{Alert, HostInfo, Incident, Notification, NotificationReason, Timestamp};

/// What a sink needs to know of an incident now.
pub(super) fn notification(
    host: &HostInfo,
    incident: &Incident,
    reason: NotificationReason,
    now: Timestamp,
) -> Notification {
    let mut n = Notification::new(
        &host.name,
        incident.began_at,
        reason,
        incident.state,
        incident.severity,
        now,
    );
    n.number = (incident.id > 0).then_some(incident.id);
    n.ended_at = incident.ended_at;
    n.description.clone_from(&incident.description);
    n.features.clone_from(&incident.features);
    n.processes.clone_from(&incident.processes);
    n.suggested_actions.clone_from(&incident.suggested_actions);
    n
}

/// The message to each sink.
pub(super) fn messages(
    told: &Notification,
    sinks: &[String],
) -> Result<Vec<Alert>, serde_json::Error> {
    if sinks.is_empty() {
        return Ok(Vec::new());
    }
    let message = serde_json::to_string(told)?;
    let one = |sink: &String| {
        Alert::new(told.incident, told.state, told.severity, told.made_at, sink, &message)
    };
    Ok(sinks.iter().map(one).collect())
}
