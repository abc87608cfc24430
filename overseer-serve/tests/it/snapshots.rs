//! The JSON is stable: a change of a stored answer is a change of what clients see. `OVERSEER_UPDATE=1` writes them anew.

use crate::scene::{EVENT, START, Scene};
use std::path::Path;

fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots").join(name);
    if std::env::var_os("OVERSEER_UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{name} is no longer what it was; it is now:\n{text}");
}

fn pretty(json: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(json).unwrap())
}

#[tokio::test]
async fn answers_are_what_they_were() {
    let scene = Scene::new();
    let end = START + 600_000;
    let asked = [
        ("metrics.json", format!("/api/v1/metrics?from={START}&to={end}&resolution=120000")),
        (
            "metrics_of_one.json",
            format!("/api/v1/metrics?from={START}&to={end}&points=3&features=system.disk.io.write"),
        ),
        (
            "usual.json",
            format!("/api/v1/usual?from={START}&to={end}&features=system.disk.io.write"),
        ),
        ("anomalies.json", "/api/v1/anomalies?limit=1".to_owned()),
        ("anomaly.json", format!("/api/v1/anomalies/{EVENT}")),
        ("predictions.json", "/api/v1/predictions".to_owned()),
        ("patterns.json", "/api/v1/patterns".to_owned()),
        ("recommendations.json", "/api/v1/recommendations".to_owned()),
        ("alerts.json", "/api/v1/alerts".to_owned()),
        ("label.json", "/api/v1/label".to_owned()),
        ("silence.json", "/api/v1/silence".to_owned()),
        ("models.json", "/api/v1/models".to_owned()),
    ];
    for (name, path) in asked {
        let got = scene.get(&path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        check(name, &pretty(&got.json()));
    }
    let mut status = scene.get("/api/v1/status").await.json();
    status["serving"]["uptime_s"] = 0.into();
    status["serving"]["version"] = "0.0.0".into();
    check("status.json", &pretty(&status));
}

#[test]
fn the_description_is_what_it_was() {
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let text = overseer_serve::api_description().replace(&version, "\"version\": \"0.0.0\"");
    check("openapi.json", &format!("{text}\n"));
}

#[tokio::test]
async fn the_page_for_prometheus_is_what_it_was() {
    let scene = Scene::new();
    let got = scene.get("/metrics").await;
    assert_eq!(got.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    // Ages go on, and the version changes.
    let is_fixed = |line: &&str| {
        !line.starts_with("overseer_model_age_seconds{")
            && !line.starts_with("overseer_build_info{")
    };
    let text = got.text();
    let lines: Vec<&str> = text.lines().filter(is_fixed).collect();
    assert_eq!(text.lines().count(), lines.len() + 3);
    check("metrics.prom", &format!("{}\n", lines.join("\n")));
    // The host of the report has no swap: what is not known is left out.
    assert!(!text.contains("paging.utilization\",unit=\"1\"}") && !text.contains("NaN"));
}
