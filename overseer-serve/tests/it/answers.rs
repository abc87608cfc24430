//! What answers hold, and what requests do.

use crate::scene::{EVENT, START, Scene, report};
use axum::body::Body;
use axum::http::Request;
use overseer_engine::core::{
    AlertState, FeatureEvidence, Incident, IncidentKind, LabelKind, Peak, ProcessUsage, Sample,
    Severity, Span, Store, Timestamp, host,
};
use overseer_engine::host::open_store;
use overseer_serve::api::shapes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads an answer into the type that describes it, which refuses what it does not know.
fn fits<T: DeserializeOwned>(json: &Value) {
    if let Err(e) = serde_json::from_value::<T>(json.clone()) {
        panic!("the description is not of this answer: {e}\n{json}");
    }
}

#[tokio::test]
async fn the_description_is_of_what_is_answered() {
    let scene = Scene::new();
    fits::<shapes::Report>(&scene.get("/api/v1/status").await.json()["report"]);
    fits::<shapes::Report>(&serde_json::to_value(report()).unwrap());
    for (path, part) in [("anomalies", "items"), ("predictions", "items"), ("patterns", "items")] {
        let page = scene.get(&format!("/api/v1/{path}")).await.json();
        assert!(!page[part].as_array().unwrap().is_empty(), "{path}");
        match path {
            "anomalies" => fits::<Vec<shapes::Anomaly>>(&page[part]),
            "predictions" => fits::<Vec<shapes::Prediction>>(&page[part]),
            _ => fits::<Vec<shapes::Pattern>>(&page[part]),
        }
    }
    let one = scene.get(&format!("/api/v1/anomalies/{EVENT}")).await.json();
    fits::<shapes::Anomaly>(&one["anomaly"]);
    fits::<shapes::Analytics>(&scene.get("/api/v1/analytics").await.json());
    let analyzed = scene.post("/api/v1/analyze", "{}").await;
    assert_eq!(analyzed.status, 200, "{}", analyzed.text());
    fits::<shapes::Report>(&analyzed.json());
    fits::<Vec<shapes::Label>>(&scene.get("/api/v1/label").await.json()["items"]);
    let made = scene.post("/api/v1/silence", r#"{"duration":60000,"reason":"work"}"#).await;
    assert_eq!(made.status, 201);
    fits::<shapes::Silence>(&made.json());
    fits::<Vec<shapes::Silence>>(&scene.get("/api/v1/silence").await.json()["items"]);
    fits::<Vec<shapes::ModelAge>>(&scene.get("/api/v1/models").await.json()["models"]);
}

#[tokio::test]
async fn what_was_usual_is_kept_for_a_while_and_has_a_tag() {
    let scene = Scene::new();
    let path = format!("/api/v1/usual?from={START}&to={}", START + 60_000);
    let first = scene.get(&path).await;
    assert_eq!(first.json()["basis"], json!(["unknown"]));
    let again = Request::get(&path).header("host", "localhost");
    let again = again.header("if-none-match", first.header("etag"));
    assert_eq!(scene.send(again, Body::empty()).await.status, 304);
    // Four hours before it come to be known.
    let mut store = open_store(&scene.options, true).unwrap();
    let sample = |hour: i64| {
        let at = Timestamp::from_millis(START - hour * 3_600_000);
        Sample::new(at, vec![0.5; host::schema().len()])
    };
    let samples: Vec<Sample> = (1..5).rev().map(sample).collect();
    store.append(Span::from_secs(5), &samples).unwrap();
    assert_eq!(scene.get(&path).await.body, first.body, "it is not worked out anew so soon");
    let other = scene.get(&format!("{path}&points=299")).await.json();
    assert_eq!(other["basis"], json!(["day_before"]), "another question is");
}

#[tokio::test]
async fn what_was_usual_at_an_hour_is_what_hours_before_it_kept() {
    const HOUR: i64 = 3_600_000;
    let scene = Scene::new();
    let mut store = open_store(&scene.options, true).unwrap();
    // Three hours with CPU utilisation from 0.1 to 0.3; what the scene stored after them is higher.
    let samples = (0..36).map(|i: i32| {
        let mut values = vec![f64::NAN; host::schema().len()];
        values[host::CPU_UTILIZATION] = 0.1 * f64::from(1 + i % 3);
        let start = Timestamp::from_millis(START - 3 * HOUR);
        Sample::new(start + Span::from_secs(300 * i64::from(i)), values)
    });
    store.append(Span::from_secs(5), &samples.collect::<Vec<_>>()).unwrap();
    let ask = |extra: &str| format!("/api/v1/usual?from={START}&to={}{extra}", START + 60_000);
    let usual = scene.get(&ask("")).await.json();
    assert_eq!((&usual["basis"], &usual["resolution"]), (&json!(["day_before"]), &json!(HOUR)));
    assert_eq!(usual["starts"], json!([START]));
    let cpu = &usual["features"][0];
    assert_eq!(
        (&cpu["feature"], &cpu["unit"]),
        (&json!("system.cpu.utilization"), &json!("ratio"))
    );
    assert_eq!(cpu["lower"], json!([0.1]));
    let upper = cpu["upper"][0].as_f64().unwrap();
    assert!((upper - 0.3).abs() < 1e-9, "{cpu}");
    let score = &usual["performance_score"]["upper"][0];
    assert!((score.as_f64().unwrap() - 30.0).abs() < 1e-9, "{score}");
    // Nothing was seen of the others: that is no range, and not one of nothing.
    assert_eq!(usual["features"][1]["lower"], json!([null]));
    let one = scene.get(&ask("&features=system.cpu.utilization&points=1")).await.json();
    assert_eq!(
        (one["features"].as_array().unwrap().len(), &one["performance_score"]),
        (1, &Value::Null)
    );
}

#[tokio::test]
async fn an_event_that_is_like_an_earlier_one_says_so_and_can_be_labelled() {
    let scene = Scene::new();
    let path = format!("/api/v1/anomalies/{EVENT}");
    let before = scene.get(&path).await.json();
    assert_eq!(before["anomaly"]["similar"], serde_json::json!([EVENT - 86_400_000]));
    assert_eq!(before["labels"], serde_json::json!([]));

    let body = format!(r#"{{"anomaly":{EVENT},"kind":"false_alarm","note":"a test"}}"#);
    assert_eq!(scene.post("/api/v1/label", &body).await.status, 201);
    assert_eq!(scene.get(&path).await.json()["labels"][0]["kind"], "false_alarm");
    let mut store = open_store(&scene.options, false).unwrap();
    let stored = store.labels(Timestamp::from_millis(EVENT)).unwrap();
    assert_eq!((stored[0].kind, stored[0].note.as_str()), (LabelKind::FalseAlarm, "a test"));
}

#[tokio::test]
async fn an_incident_can_be_acknowledged_while_it_goes_on() {
    let scene = Scene::new();
    let mut store = open_store(&scene.options, true).unwrap();
    let peak = Peak::new(Timestamp::from_millis(EVENT), Severity::High, 0.9, 1e-6);
    let mut incident = Incident::new(IncidentKind::Anomaly, peak);
    incident.state = AlertState::Firing;
    incident.id = store.put_incident(&incident).unwrap();
    let open = scene.get("/api/v1/incidents?which=open").await.json();
    fits::<Vec<shapes::Incident>>(&open["items"]);
    assert_eq!(open["items"][0]["id"], incident.id);
    let body = format!(r#"{{"incident":{},"note":"mine"}}"#, incident.id);
    let said = scene.post("/api/v1/acknowledge", &body).await;
    assert_eq!(
        (said.status.as_u16(), said.json()["acknowledged"]["note"].as_str()),
        (201, Some("mine"))
    );
    assert_eq!(store.incident(incident.id).unwrap().unwrap().acknowledged.unwrap().note, "mine");

    incident.state = AlertState::Resolved;
    incident.ended_at = Some(Timestamp::from_millis(EVENT + 60_000));
    store.put_incident(&incident).unwrap();
    assert_eq!(scene.post("/api/v1/acknowledge", &body).await.status, 404, "it is over");
    let none = scene.get("/api/v1/incidents?which=open").await.json();
    assert_eq!(none["items"].as_array().unwrap().len(), 0);
    assert_eq!(scene.get("/api/v1/incidents?which=some").await.status, 400);
}

/// An incident of the event, stored as an engine would.
fn stored_incident(scene: &Scene, at: i64) -> Incident {
    let mut store = open_store(&scene.options, true).unwrap();
    let peak = Peak::new(Timestamp::from_millis(at), Severity::High, 0.9, 1e-6);
    let mut incident = Incident::new(IncidentKind::Anomaly, peak);
    incident.features =
        vec![FeatureEvidence::new("system.cpu.utilization", 0.97, (0.02, 0.08), 0.9)];
    incident.processes = vec![ProcessUsage::new(42, "stress")];
    incident.state = AlertState::Firing;
    incident.id = store.put_incident(&incident).unwrap();
    incident
}

#[tokio::test]
async fn an_incident_says_why_and_what_was_like_it_and_an_anomaly_names_its_incident() {
    let scene = Scene::new();
    let before = stored_incident(&scene, EVENT - 86_400_000);
    let now = stored_incident(&scene, EVENT);
    let full = scene.get(&format!("/api/v1/incidents/{}", now.id)).await.json();
    fits::<shapes::Incident>(&full["incident"]);
    assert_eq!(full["similar"][0]["id"], before.id);
    assert_eq!(full["incident"]["processes"][0]["name"], "stress");
    let anomaly = scene.get(&format!("/api/v1/anomalies/{EVENT}")).await.json();
    assert_eq!(anomaly["incident"]["id"], now.id);
    for (id, status) in [("99", 404), ("0", 400), ("x", 400), ("9223372036854775807", 400)] {
        assert_eq!(scene.get(&format!("/api/v1/incidents/{id}")).await.status, status, "{id}");
    }
    let at = |from: i64, to: i64| format!("/api/v1/incidents?which=all&from={from}&to={to}");
    let ids = |json: &Value| -> Vec<i64> {
        json["items"].as_array().unwrap().iter().map(|i| i["id"].as_i64().unwrap()).collect()
    };
    // What goes on still, began before the range or not, is of it.
    assert_eq!(ids(&scene.get(&at(EVENT, EVENT)).await.json()), [now.id, before.id]);
    let earlier = at(EVENT - 90_000_000, EVENT - 80_000_000);
    assert_eq!(ids(&scene.get(&earlier).await.json()), [before.id]);
    assert_eq!(ids(&scene.get(&at(0, EVENT - 90_000_000)).await.json()), [0; 0]);
}

#[tokio::test]
async fn an_incident_can_be_labelled_by_its_number() {
    let scene = Scene::new();
    let incident = stored_incident(&scene, EVENT + 5000);
    let body = format!(r#"{{"incident":{},"kind":"expected","note":"a backup"}}"#, incident.id);
    let made = scene.post("/api/v1/label", &body).await;
    assert_eq!((made.status.as_u16(), &made.json()["anomaly"]), (201, &(EVENT + 5000).into()));
    let full = scene.get(&format!("/api/v1/incidents/{}", incident.id)).await.json();
    assert_eq!(full["incident"]["label"]["kind"], "expected");
    for (body, status) in [
        (r#"{"incident":99,"kind":"expected"}"#, 404),
        (r#"{"kind":"expected"}"#, 422),
        (r#"{"incident":1,"anomaly":1,"kind":"expected"}"#, 422),
    ] {
        assert_eq!(scene.post("/api/v1/label", body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_silence_can_be_ended_before_its_time_and_only_once() {
    let scene = Scene::new();
    let made = scene.post("/api/v1/silence", r#"{"duration":60000}"#).await.json();
    let path = format!("/api/v1/silence/{}/lift", made["id"]);
    let left = scene.post(&path, "{}").await;
    assert_eq!((left.status.as_u16(), &left.json()["items"]), (200, &serde_json::json!([])));
    assert_eq!(scene.post(&path, "{}").await.status, 404);
    assert_eq!(scene.post("/api/v1/silence/x/lift", "{}").await.status, 400);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let scene = Scene::new();
    let first = scene.get("/api/v1/anomalies?limit=1").await.json();
    assert_eq!(first["items"][0]["timestamp"], EVENT);
    let next = first["next"].as_str().unwrap();
    let second = scene.get(&format!("/api/v1/anomalies?limit=1&page={next}")).await.json();
    assert_eq!(second["items"][0]["timestamp"], EVENT - 86_400_000);
    assert_eq!(second["next"], Value::Null);
    let none = scene.get(&format!("/api/v1/anomalies?to={}", EVENT - 2 * 86_400_000)).await.json();
    assert_eq!(none["items"], serde_json::json!([]));
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again_and_what_it_has_not_is_compressed() {
    let scene = Scene::new();
    for path in ["/api/v1/anomalies", "/", "/assets/chart.js", "/api/v1/openapi.json"] {
        let first = scene.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}");
        let request = Request::get(path).header("host", "localhost").header("if-none-match", &tag);
        let again = scene.send(request, Body::empty()).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len(), again.header("etag")),
            (304, 0, tag.as_str())
        );
        let request =
            Request::get(path).header("host", "localhost").header("accept-encoding", "gzip");
        let packed = scene.send(request, Body::empty()).await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert!(packed.body.len() < first.body.len() && packed.body.starts_with(&[0x1f, 0x8b]));
    }
}

#[tokio::test]
async fn before_anything_is_stored_that_is_what_is_said() {
    let scene = Scene::empty(&overseer_serve::Settings::default());
    let status = scene.get("/api/v1/status").await;
    assert_eq!((status.status.as_u16(), &status.json()["report"]), (200, &Value::Null));
    assert_eq!(status.json()["serving"]["role"], "none");
    for path in
        ["/api/v1/metrics", "/api/v1/anomalies", "/api/v1/models", "/api/v1/export?what=all"]
    {
        let got = scene.get(path).await;
        assert_eq!(got.status, 503, "{path}: {}", got.text());
        assert_eq!(got.header("retry-after"), "5");
    }
    assert_eq!(scene.post("/api/v1/silence", r#"{"duration":60000}"#).await.status, 503);
    assert!(!scene.options.data_dir.as_ref().unwrap().join("overseer.db").exists());
    assert!(scene.get("/metrics").await.text().starts_with("# HELP overseer_build_info"));
}

#[tokio::test]
async fn a_training_is_done_between_two_ticks_and_only_where_an_engine_ticks() {
    let Scene { app, mut link, mut engine, .. } = Scene::new();
    let (asked, release) = (app.clone(), tokio::sync::oneshot::channel::<()>());
    let request = || crate::scene::posting("/api/v1/train").body(Body::from("{}")).unwrap();
    let first = tokio::spawn({
        let request = request();
        async move { tower::ServiceExt::oneshot(asked, request).await.unwrap().status() }
    });
    // The ticking thread comes by when it has time.
    let ticking = std::thread::spawn(move || {
        while release.1.is_empty() {
            link.attend(&mut engine);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(link);
    });
    assert_eq!(first.await.unwrap(), 200);
    release.0.send(()).unwrap();
    ticking.join().unwrap();
    let alone = tower::ServiceExt::oneshot(app, request()).await.unwrap();
    assert_eq!(alone.status(), 409);
}
