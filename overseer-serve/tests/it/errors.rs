//! Every refusal is a problem document that says what is wrong.

use crate::scene::{Got, Scene, posting};
use axum::body::Body;
use axum::http::Request;
use futures_util::{StreamExt, stream};
use tower::ServiceExt;

pub(crate) fn is_problem(got: &Got) {
    assert_eq!(got.header("content-type"), "application/problem+json", "{got:?}");
    let problem = got.json();
    assert_eq!(problem["status"], got.status.as_u16());
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    assert!(problem["type"].as_str().unwrap().starts_with("urn:overseer:problem:"));
}

async fn refused(scene: &Scene, path: &str, status: u16, said: &str) {
    let got = scene.get(path).await;
    assert_eq!(got.status, status, "{path}: {}", got.text());
    is_problem(&got);
    assert!(got.json()["detail"].as_str().unwrap().contains(said), "{path}: {}", got.text());
}

#[tokio::test]
async fn a_wrong_address_or_parameter_is_named() {
    let scene = Scene::new();
    refused(&scene, "/api/v2/status", 404, "/api/docs").await;
    refused(&scene, "/assets/../Cargo.toml", 404, "").await;
    refused(&scene, "/assets/none.js", 404, "none.js").await;
    refused(&scene, "/api/v1/anomalies/1", 404, "1").await;
    refused(&scene, "/api/v1/anomalies/yesterday", 400, "milliseconds").await;
    refused(&scene, "/api/v1/anomalies/9223372036854775807", 400, "time").await;
    refused(&scene, "/api/v1/anomalies/%ff", 400, "UTF-8").await;
    refused(&scene, "/api/v1/status?verbose=1", 400, "verbose").await;
    refused(&scene, "/metrics?x", 400, "x").await;
    refused(&scene, "/api/v1/anomalies?limt=5", 400, "limt").await;
    refused(&scene, "/api/v1/anomalies?limit=0", 400, "between 1 and 1000").await;
    refused(&scene, "/api/v1/anomalies?limit=5&limit=6", 400, "limit").await;
    refused(&scene, "/api/v1/anomalies?from=5&to=4", 400, "later").await;
    refused(&scene, "/api/v1/metrics?features=cpu", 400, "cpu").await;
    refused(&scene, "/api/v1/metrics?points=5&resolution=5", 400, "together").await;
    refused(&scene, "/api/v1/metrics?from=0&to=9000000&resolution=1", 400, "2000").await;
    refused(&scene, "/api/v1/metrics?from=0&to=9007199254740991", 400, "20 years").await;
    let many: Vec<String> = (0..200).map(|i| format!("f{i}")).collect();
    let many = format!("/api/v1/metrics?features={}", many.join(","));
    refused(&scene, &many, 400, "at most 100").await;
    let again = "system.cpu.utilization,".repeat(2000);
    let again = scene.get(&format!("/api/v1/metrics?features={again}")).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["features"].as_array().unwrap().len()),
        (200, 1)
    );
    refused(&scene, "/api/v1/usual?from=0&to=9007199254740991", 400, "400 days").await;
    refused(&scene, "/api/v1/usual?from=5&to=4", 400, "later").await;
    refused(&scene, "/api/v1/usual?points=2001", 400, "between 1 and 2000").await;
    refused(&scene, "/api/v1/usual?features=cpu", 400, "cpu").await;
    refused(&scene, "/api/v1/usual?resolution=5", 400, "resolution").await;
    refused(&scene, "/api/v1/export", 400, "what").await;
    refused(&scene, "/api/v1/export?what=songs", 400, "predictions").await;
    refused(&scene, "/api/v1/export?what=all&form=csv", 400, "one kind").await;
    refused(&scene, "/api/v1/export?what=all&form=parquet", 400, "jsonl").await;
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let scene = Scene::new();
    let delete = Request::delete("/api/v1/status").header("host", "localhost");
    let got = scene.send(delete, Body::empty()).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (405, "GET,HEAD"));
    is_problem(&got);
    assert_eq!(scene.get("/api/v1/train").await.status, 405);
    let head = Request::head("/api/v1/status").header("host", "localhost");
    let head = scene.send(head, Body::empty()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn half_a_body_is_waited_for_ten_seconds_and_a_broken_one_is_no_large_one() {
    let scene = Scene::new();
    let send = async |body: Body| {
        let started = tokio::time::Instant::now();
        let got = scene.send(posting("/api/v1/label"), body).await;
        is_problem(&got);
        (got.status.as_u16(), got.json()["type"].as_str().unwrap().to_owned(), started.elapsed())
    };
    let half = stream::iter([Ok::<_, std::io::Error>("{\"anomaly\":")]).chain(stream::pending());
    let (status, kind, took) = send(Body::from_stream(half)).await;
    assert_eq!((status, kind.as_str()), (408, "urn:overseer:problem:too-slow"));
    assert!(took.as_secs() == 10, "{took:?}");
    let broken = stream::iter([Ok("{"), Err(std::io::Error::other("a chunk of no length"))]);
    let (status, kind, _) = send(Body::from_stream(broken)).await;
    assert_eq!((status, kind.as_str()), (400, "urn:overseer:problem:invalid-json"));
}

#[tokio::test]
async fn slow_bodies_keep_nobody_from_reading() {
    let scene = Scene::new();
    let slow = |_| {
        let body = Body::from_stream(stream::pending::<std::io::Result<String>>());
        tokio::spawn(scene.app.clone().oneshot(posting("/api/v1/label").body(body).unwrap()))
    };
    let mut waiting: Vec<_> = (0..8).map(slow).collect();
    let others = async || {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    others().await;
    let got = scene.post("/api/v1/label", "{}").await;
    assert_eq!(got.status, 503);
    is_problem(&got);
    assert_eq!(scene.get("/api/v1/status").await.status, 200);
    waiting.pop().unwrap().abort();
    others().await;
    assert_eq!(scene.post("/api/v1/label", "{}").await.status, 422, "one has left");
}

#[tokio::test]
async fn a_wrong_body_is_told_why() {
    let scene = Scene::new();
    for (body, status, said) in [
        ("", 400, "EOF"),
        ("{\"anomaly\":", 400, "line 1"),
        ("[]", 422, "list"),
        ("{\"anomaly\":1}", 422, "kind"),
        ("{\"anomaly\":1,\"kind\":\"song\"}", 422, "song"),
        ("{\"anomaly\":1,\"kind\":\"incident\",\"by\":\"me\"}", 422, "by"),
        ("{\"anomaly\":9223372036854775807,\"kind\":\"incident\"}", 422, "anomaly"),
        ("{\"anomaly\":1,\"kind\":\"incident\"}", 404, "no anomaly"),
    ] {
        let got = scene.post("/api/v1/label", body).await;
        assert_eq!(got.status, status, "{body}: {}", got.text());
        is_problem(&got);
        assert!(got.text().contains(said), "{body}: {}", got.text());
    }
    let large =
        format!("{{\"anomaly\":1,\"kind\":\"incident\",\"note\":\"{}\"}}", "x".repeat(70_000));
    let got = scene.post("/api/v1/label", &large).await;
    assert_eq!(got.status, 413);
    is_problem(&got);
    for silence in [
        "[5]",
        "{\"duration\":0}",
        "{\"duration\":-5}",
        "{\"duration\":5,\"features\":[\"songs\"]}",
        "{\"duration\":9007199254740991}",
        "{\"duration\":5,\"starts_at\":-9223372036854775808}",
    ] {
        let got = scene.post("/api/v1/silence", silence).await;
        assert_eq!(got.status, 422, "{silence}: {}", got.text());
        is_problem(&got);
    }
    let request = posting("/api/v1/analyze");
    let mut typed = request.body(Body::from("{}")).unwrap();
    typed.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    let got = tower::ServiceExt::oneshot(scene.app.clone(), typed).await.unwrap();
    assert_eq!(got.status(), 415);
}
