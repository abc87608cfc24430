//! Whatever is sent, the service neither panics nor fails: it answers, or says what is wrong.

use crate::errors::is_problem;
use crate::scene::Scene;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use proptest::prelude::*;
use std::cell::RefCell;

const PATHS: [&str; 26] = [
    "/",
    "/metrics",
    "/assets/main.js",
    "/api/docs",
    "/api/v1/status",
    "/api/v1/metrics",
    "/api/v1/usual",
    "/api/v1/anomalies",
    "/api/v1/anomalies/1750000000000",
    "/api/v1/predictions",
    "/api/v1/patterns",
    "/api/v1/recommendations",
    "/api/v1/alerts",
    "/api/v1/incidents",
    "/api/v1/incidents/1",
    "/api/v1/incidents/",
    "/api/v1/silence/1/lift",
    "/api/v1/acknowledge",
    "/api/v1/models",
    "/api/v1/export",
    "/api/v1/label",
    "/api/v1/silence",
    "/api/v1/openapi.json",
    "/api/v1/",
    "/assets/",
    "/api/v1/anomalies/",
];
const POSTS: [&str; 5] = [
    "/api/v1/label",
    "/api/v1/silence",
    "/api/v1/acknowledge",
    "/api/v1/silence/1/lift",
    "/api/v1/silence/x/lift",
];
const NAMES: [&str; 13] = [
    "from",
    "to",
    "limit",
    "page",
    "points",
    "resolution",
    "features",
    "what",
    "form",
    "which",
    "x",
    "",
    "%00",
];
const VALUES: [&str; 20] = [
    "0",
    "-1",
    "1",
    "9007199254740991",
    "-9007199254740991",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e9",
    "NaN",
    "",
    "all",
    "csv",
    "metrics",
    "system.cpu.utilization",
    "%ff%fe",
    "%00",
    "1.0",
    "1750000000000.0",
    "',--",
];
const HEADERS: [&str; 8] = [
    "accept",
    "if-none-match",
    "accept-encoding",
    "content-type",
    "origin",
    "authorization",
    "range",
    "x-overseer",
];
const HEADER_VALUES: [&str; 9] = [
    "",
    "*",
    "W/\"",
    "gzip;q=nan, br",
    "application/json",
    "application/openmetrics-text;q=2",
    ",;=",
    "1",
    "bytes=0-",
];

thread_local! {
    /// One service for all cases.
    static SCENE: RefCell<Option<(tokio::runtime::Runtime, Scene)>> = const { RefCell::new(None) };
}

fn answer(request: axum::http::request::Builder, body: Vec<u8>) -> crate::scene::Got {
    SCENE.with_borrow_mut(|scene| {
        let (runtime, scene) = scene.get_or_insert_with(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            (runtime, Scene::new())
        });
        runtime.block_on(scene.send(request, Body::from(body)))
    })
}

fn holds(got: &crate::scene::Got) {
    assert!(got.status != 500 && got.status.as_u16() < 504, "{got:?}");
    // What is packed is the same, packed.
    if got.status.as_u16() >= 400 && got.header("content-encoding").is_empty() {
        is_problem(got);
    }
}

fn known(list: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(list).prop_map(str::to_owned)
}

/// JSON of any shape, with the names that are known among others.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        known(&["incident", "silence", "system.cpu.utilization"]).prop_map(Into::into),
    ];
    let names = prop_oneof![
        known(&["anomaly", "kind", "note", "duration", "starts_at", "features", "reason"]),
        ".{0,6}"
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_query_and_header(
        path in prop_oneof![4 => known(&PATHS), 1 => "/[ -~]{0,30}"],
        query in prop::collection::vec((known(&NAMES), prop_oneof![3 => known(&VALUES), 1 => "[!-~]{0,12}"]), 0..4),
        headers in prop::collection::vec((known(&HEADERS), known(&HEADER_VALUES)), 0..3),
        method in prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "SONG", "POST"]),
    ) {
        let query: Vec<String> = query.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let joined = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        // What is no address cannot be sent.
        prop_assume!(joined.parse::<Uri>().is_ok());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(&method).uri(joined).header("host", "localhost");
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_str(&value).unwrap());
        }
        let got = answer(request, Vec::new());
        if method != Method::HEAD {
            holds(&got);
        }
        prop_assert!(got.status != 500);
    }

    #[test]
    fn any_json_in_a_body(path in known(&POSTS), body in json()) {
        holds(&answer(crate::scene::posting(&path), body.to_string().into_bytes()));
    }

    #[test]
    fn any_bytes_in_a_body(path in known(&POSTS), body in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&answer(crate::scene::posting(&path), body));
    }
}
