//! Events and exports: both go on for long, and neither may hold memory for who does not read.

use crate::scene::{START, Scene, report};
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;
use overseer_engine::host::open_store;
use overseer_engine::host::store::transfer::{Form, Kind, Selection, export};
use std::time::Duration;
use tower::ServiceExt;

async fn events(scene: &Scene) -> BodyDataStream {
    let request = Request::get("/api/v1/events").header("host", "localhost");
    let got = scene.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(got.headers()["content-type"], "text/event-stream");
    got.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream) -> Option<String> {
    let chunk = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap()?;
    Some(String::from_utf8(chunk.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn each_tick_is_one_event() {
    let mut scene = Scene::new();
    let mut stream = events(&scene).await;
    for _ in 0..3 {
        scene.tick();
        let event = next(&mut stream).await.unwrap();
        assert!(event.starts_with("event: tick\n") && event.ends_with("\n\n"), "{event}");
        let data = event.lines().find_map(|l| l.strip_prefix("data: ")).unwrap();
        let told: overseer_engine::Report = serde_json::from_str(data).unwrap();
        assert!(data == serde_json::to_string(&report()).unwrap());
        assert!(event.contains(&format!("id: {}\n", told.timestamp.as_millis())));
    }
}

#[tokio::test]
async fn who_is_too_slow_is_dropped_and_others_are_not() {
    let mut scene = Scene::new();
    let (mut slow, mut quick) = (events(&scene).await, events(&scene).await);
    for _ in 0..40 {
        scene.tick();
        assert!(next(&mut quick).await.is_some());
    }
    assert_eq!(next(&mut slow).await, None);
}

#[tokio::test]
async fn there_is_room_for_256_listeners_and_one_that_left_makes_room() {
    let scene = Scene::new();
    let mut all = Vec::new();
    for _ in 0..256 {
        all.push(events(&scene).await);
    }
    assert_eq!(scene.get("/api/v1/events").await.status, 503);
    all.pop();
    all.push(events(&scene).await);
}

#[tokio::test]
async fn an_export_is_what_the_command_writes() {
    let scene = Scene::new();
    let store = open_store(&scene.options, false).unwrap();
    let written = |kinds: Vec<Kind>, form| {
        let mut bytes = Vec::new();
        export(&store, &Selection::all_of(kinds), form, "test", &mut bytes, &mut |_, _| {})
            .unwrap();
        bytes
    };
    let csv = scene.get("/api/v1/export?what=metrics&form=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.body, written(vec![Kind::Metrics], Form::Csv));
    let all = scene.get("/api/v1/export?what=all").await;
    assert_eq!(all.body, written(Kind::ALL.to_vec(), Form::JsonLines));
    // Compressing asks for more after the end.
    let request = Request::get("/api/v1/export?what=metrics").header("host", "localhost");
    let packed = scene.send(request.header("accept-encoding", "gzip"), Body::empty()).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() > 100 && packed.body.starts_with(&[0x1f, 0x8b]));
    let to = START + 10_000;
    let some = scene.get(&format!("/api/v1/export?what=metrics,labels&from={START}&to={to}")).await;
    assert_eq!(some.text().lines().count(), 3, "{}", some.text());
}
