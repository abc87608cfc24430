//! What Alertmanager is sent, held to its documented schema (`postableAlerts` in `api/v2/openapi.yaml`).

use crate::notification;
use crate::server::{Answer, Server};
use crate::webhook::http;
use overseer_core::{
    AlertState, FeatureEvidence, Notification, NotificationReason, Severity, Sink, Span, Timestamp,
};
use overseer_notify::{AlertmanagerOptions, AlertmanagerSink};
use serde_json::Value;

fn sink(server: &Server) -> AlertmanagerSink {
    let mut options = AlertmanagerOptions::new(http(&format!("{}/am/", server.url)));
    options.labels.push(("team".to_owned(), "ops".to_owned()));
    AlertmanagerSink::new("am", options).unwrap()
}

fn firing() -> Notification {
    let mut told = notification(1_764_126_725);
    told.features = vec![FeatureEvidence::new("system.cpu.utilization", 0.97, (0.02, 0.08), 0.6)];
    told
}

/// The alerts of a request, each held to the schema: `labels` is required, and it and `annotations` map names to text;
/// `startsAt` and `endsAt` are date-times, `generatorURL` is not sent, and nothing else is known.
fn posted(server: &Server, request: usize) -> Vec<Value> {
    let asked = server.asked();
    let asked = &asked[request];
    assert_eq!(asked.line, "POST /am/api/v2/alerts HTTP/1.1");
    assert_eq!(asked.headers["content-type"], "application/json");
    let alerts: Vec<Value> = serde_json::from_str(&asked.body).unwrap();
    for alert in &alerts {
        let alert = alert.as_object().unwrap();
        for (key, value) in alert {
            match key.as_str() {
                "labels" | "annotations" => {
                    for (name, text) in value.as_object().unwrap() {
                        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                        assert!(name.chars().all(plain) && !text.as_str().unwrap().is_empty());
                    }
                }
                "startsAt" | "endsAt" => {
                    assert!(value.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
                }
                other => panic!("the schema knows no {other}"),
            }
        }
        assert!(alert["labels"]["alertname"].is_string());
    }
    alerts
}

#[test]
fn an_incident_is_an_alert_that_keeps_its_labels_until_it_ends() {
    let server = Server::start(|_| Answer::status("200 OK"));
    let mut sink = sink(&server);
    assert_eq!(sink.repeats_every(), Some(Span::from_secs(60)));
    let mut told = firing();
    sink.deliver(1, &told).unwrap();
    // Another feature leads now: to Alertmanager it stays the same alert.
    told.reason = NotificationReason::Reminder;
    told.features[0].feature = "system.memory.utilization".to_owned();
    sink.deliver(2, &told).unwrap();
    (told.reason, told.state) = (NotificationReason::Resolved, AlertState::Resolved);
    told.ended_at = Some(told.incident + Span::from_secs(600));
    sink.deliver(3, &told).unwrap();
    let all: Vec<Value> = (0..3).flat_map(|n| posted(&server, n)).collect();
    assert_eq!(all.len(), 3);
    for alert in &all {
        let labels = serde_json::json!({
            "alertname": "OverseerAnomaly", "host": "web-1", "severity": "high",
            "feature": "system.cpu.utilization", "team": "ops",
        });
        assert_eq!(alert["labels"], labels);
        assert_eq!(alert["startsAt"], "2025-11-26T03:12:05Z");
    }
    assert!(all[0]["endsAt"].is_null() && all[1]["endsAt"].is_null());
    assert_eq!(all[2]["endsAt"], "2025-11-26T03:22:05Z");
    assert!(all[0]["annotations"]["description"].as_str().unwrap().contains("97.0 %"));
}

#[test]
fn another_severity_ends_the_former_alert_even_if_the_first_attempt_fails() {
    let server = Server::start(|n| Answer::status(if n == 1 { "503 No" } else { "200 OK" }));
    let mut sink = sink(&server);
    let mut told = firing();
    sink.deliver(1, &told).unwrap();
    (told.reason, told.severity) = (NotificationReason::Worse, Severity::Critical);
    told.made_at = told.incident + Span::from_secs(60);
    sink.deliver(2, &told).unwrap_err();
    sink.deliver(2, &told).unwrap();
    sink.deliver(2, &told).unwrap();
    let ended = |alerts: &[Value], severity: &str| {
        let alert = alerts.iter().find(|a| a["labels"]["severity"] == severity);
        alert.map(|a| a["endsAt"].as_str().map(str::to_owned))
    };
    for request in [1, 2] {
        let alerts = posted(&server, request);
        assert_eq!(ended(&alerts, "high"), Some(Some("2025-11-26T03:13:05Z".to_owned())));
        assert_eq!(ended(&alerts, "critical"), Some(None));
    }
    let alerts = posted(&server, 3);
    assert_eq!((ended(&alerts, "high"), ended(&alerts, "critical")), (None, Some(None)));
}

#[test]
fn what_alertmanager_would_refuse_is_not_sent() {
    let server = Server::start(|_| Answer::status("200 OK"));
    let mut told = notification(100);
    (told.reason, told.state) = (NotificationReason::Resolved, AlertState::Resolved);
    told.ended_at = Some(Timestamp::from_millis(0));
    sink(&server).deliver(1, &told).unwrap();
    let alert = &posted(&server, 0)[0];
    assert_eq!(alert["endsAt"], alert["startsAt"], "the end is not before the start");
    assert!(alert["labels"]["feature"].is_null(), "no feature is no label");
    for label in ["1st", "a-b", "", "host"] {
        let mut options = AlertmanagerOptions::new(http(&server.url));
        options.labels.push((label.to_owned(), "x".to_owned()));
        assert!(AlertmanagerSink::new("am", options).unwrap_err().is_invalid_input(), "{label}");
    }
}
