//! Prometheus' Alertmanager, through its API v2.

use super::http::{Endpoint, HttpOptions};
use crate::message::{TEST_ID, one_line};
use crate::text::{body, rfc3339, subject};
use overseer_core::{
    AlertState, Error, Notification, NotificationReason, Result, Severity, Sink, Span, Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// So many incidents are remembered by their labels.
const REMEMBERED: usize = 256;
/// The names of the labels that are made here.
const OURS: [&str; 4] = ["alertname", "host", "severity", "feature"];

/// How Alertmanager is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AlertmanagerOptions {
    /// Where and how; the address is that of Alertmanager itself, to which `/api/v2/alerts` is added.
    pub http: HttpOptions,
    /// Further labels of every alert.
    pub labels: Vec<(String, String)>,
    /// How often what goes on is sent again: less than Alertmanager's `resolve_timeout`, which is five minutes unless
    /// somebody changed it.
    pub resend_every: Span,
}

impl AlertmanagerOptions {
    /// No further labels, and once a minute.
    #[must_use]
    pub fn new(http: HttpOptions) -> Self {
        Self { http, labels: Vec::new(), resend_every: Span::from_secs(60) }
    }
}

/// Posts incidents as alerts to Alertmanager, which groups, silences and routes them.
///
/// An alert has the labels `alertname` (`OverseerAnomaly`, of a test `OverseerTest`), `host`, `severity` and `feature`
/// (the one that contributed the most when it was first told); annotations `summary`, `description`, `reason` and
/// `incident`; and `startsAt`. What goes on has no `endsAt`: by its own clock Alertmanager ends it when it was not told
/// of it for its `resolve_timeout`, as when this host dies. What is over has one. As another severity makes
/// another alert of it, the one with the former severity is ended in the same request.
#[derive(Debug)]
pub struct AlertmanagerSink {
    name: String,
    endpoint: Endpoint,
    labels: Vec<(String, String)>,
    resend_every: Span,
    known: BTreeMap<Timestamp, Known>,
}

/// What Alertmanager may know of an incident that goes on.
#[derive(Debug, Clone)]
struct Known {
    feature: String,
    severities: Vec<Severity>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableAlert<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

impl AlertmanagerSink {
    /// An Alertmanager; nothing is sent yet.
    ///
    /// # Errors
    /// If the address, a header or a label cannot be.
    pub fn new(name: impl Into<String>, options: AlertmanagerOptions) -> Result<Self> {
        let AlertmanagerOptions { http, labels, resend_every } = options;
        for (label, _) in &labels {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let begins = label.starts_with(|c: char| plain(c) && !c.is_ascii_digit());
            if !begins || !label.chars().all(plain) {
                let why = format!("`{label}` is not letters, digits and underscores");
                return Err(Error::invalid_parameter("labels", why));
            }
            if OURS.contains(&label.as_str()) {
                return Err(Error::invalid_parameter("labels", format!("`{label}` is taken")));
            }
        }
        if resend_every < Span::from_secs(1) {
            return Err(Error::invalid_parameter("resend-every", "must be at least 1 s"));
        }
        let endpoint = Endpoint::new(http)?;
        let name = name.into();
        Ok(Self { name, endpoint, labels, resend_every, known: BTreeMap::new() })
    }

    fn alert<'a>(
        &'a self,
        id: i64,
        n: &'a Notification,
        known: &'a Known,
        severity: Severity,
        ends_at: Option<Timestamp>,
    ) -> PostableAlert<'a> {
        let test = id == TEST_ID;
        let mut labels: BTreeMap<&str, &str> =
            self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        labels.insert("alertname", if test { "OverseerTest" } else { "OverseerAnomaly" });
        labels.insert("host", &n.host);
        labels.insert("severity", severity.as_str());
        labels.insert("feature", &known.feature);
        // To Alertmanager a label without a value is none, and with a zero byte not valid text.
        labels.retain(|_, value| !value.is_empty());
        let annotations = BTreeMap::from([
            ("summary", subject(id, n)),
            ("description", body(id, n)),
            ("reason", n.reason.to_string()),
            ("incident", n.incident.as_millis().to_string()),
        ]);
        // Alertmanager refuses what ends before it begins.
        let ends_at = ends_at.map(|end| rfc3339(end.max(n.incident)));
        PostableAlert { labels, annotations, starts_at: rfc3339(n.incident), ends_at }
    }
}

impl Sink for AlertmanagerSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, n: &Notification) -> Result<()> {
        let is_over = n.state == AlertState::Resolved || n.reason == NotificationReason::Resolved;
        let top = n.features.first().map(|f| one_line(&f.feature, 200)).unwrap_or_default();
        let mut known = self.known.get(&n.incident).cloned();
        let known = known.get_or_insert_with(|| Known { feature: top, severities: Vec::new() });
        if !known.severities.contains(&n.severity) {
            known.severities.push(n.severity);
        }
        let end = n.ended_at.unwrap_or(n.made_at);
        let alerts: Vec<PostableAlert<'_>> = known
            .severities
            .iter()
            .map(|&severity| {
                let ended = is_over || severity != n.severity;
                self.alert(id, n, known, severity, ended.then_some(end))
            })
            .collect();
        let json = serde_json::to_string(&alerts)
            .map_err(|e| Error::other("writing alerts as JSON", e))?;
        drop(alerts);
        let sent = self.endpoint.post("/api/v2/alerts", &json, &[]);
        if id == TEST_ID {
            return sent;
        }
        match (&sent, is_over) {
            (Ok(()), true) => {
                self.known.remove(&n.incident);
                return sent;
            }
            (Ok(()), false) => known.severities = vec![n.severity],
            // It may have arrived all the same.
            (Err(_), _) => {}
        }
        self.known.insert(n.incident, known.clone());
        while self.known.len() > REMEMBERED {
            self.known.pop_first();
        }
        sent
    }

    fn repeats_every(&self) -> Option<Span> {
        Some(self.resend_every)
    }
}
