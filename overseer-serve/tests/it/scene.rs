//! A service over a database that always holds the same, asked without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use overseer_engine::core::{
    AnomalyDetection, FeatureEvidence, Interval, Label, LabelKind, PatternAnalysis, PatternType,
    Prediction, PredictionType, Probability, Sample, Severity, Span, Store, Timestamp,
    host as host_schema,
};
use overseer_engine::host::collect::ScriptedHost;
use overseer_engine::host::{Options, open_store, with_our_models};
use overseer_engine::{Config, Engine, Report, Role};
use overseer_serve::{EngineLink, Settings, connect, router};
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;

/// When the stored history begins: a whole hour.
pub(crate) const START: i64 = 1_750_000_000_000 / 3_600_000 * 3_600_000;
pub(crate) const EVENT: i64 = START + 300_000;

pub(crate) struct Scene {
    pub(crate) app: Router,
    pub(crate) link: EngineLink,
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    _dir: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Scene {
    /// With a history and one tick.
    pub(crate) fn new() -> Self {
        Self::with(&Settings::default())
    }

    pub(crate) fn with(settings: &Settings) -> Self {
        let mut scene = Self::empty(settings);
        scene.store();
        scene.tick();
        scene
    }

    /// Before anything was stored or ticked.
    pub(crate) fn empty(settings: &Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::default();
        options.data_dir = Some(dir.path().to_owned());
        let (handle, link) = connect(options.clone());
        let collector = Box::new(ScriptedHost::builder(7).build().unwrap());
        let engine =
            with_our_models(collector, None, None, Config::default(), Role::Sampler).unwrap();
        Self { app: router(handle, settings), link, engine, options, _dir: dir }
    }

    pub(crate) fn tick(&mut self) {
        self.link.publish(&self.engine, &report(), Duration::from_millis(1));
    }

    fn store(&self) {
        let mut store = open_store(&self.options, true).unwrap();
        store.set_step(Span::from_secs(5)).unwrap();
        let samples: Vec<Sample> = (0..120)
            .map(|i| {
                let mut values = vec![f64::NAN; host_schema::schema().len()];
                values[host_schema::CPU_UTILIZATION] = 0.25 + f64::from(i % 4) / 16.0;
                values[host_schema::DISK_WRITE] = f64::from(i) * 1000.0;
                Sample::new(Timestamp::from_millis(START + i64::from(i) * 5000), values)
            })
            .collect();
        store.append(Span::from_secs(5), &samples).unwrap();
        let anomaly = |at: i64, severity| {
            let mut a = AnomalyDetection::new(Timestamp::from_millis(at), severity, 0.75, 1e-6);
            a.description = "CPU has been above its usual 2–8 % for 3 min".to_owned();
            let cpu = FeatureEvidence::new("system.cpu.utilization", 0.97, (0.02, 0.08), 0.75);
            a.features =
                vec![cpu, FeatureEvidence::new("system.disk.io.write", f64::NAN, (0.0, 1e6), 0.25)];
            a.suggested_actions = vec!["See which process grew".to_owned()];
            a
        };
        let day = 86_400_000;
        let anomalies =
            [anomaly(EVENT - day, Severity::Medium), anomaly(EVENT, Severity::Critical)];
        let interval = Interval::new(20.0, 60.0, Probability::new(0.9).unwrap());
        let at = Timestamp::from_millis(EVENT);
        let mut score = Prediction::new(
            PredictionType::PerformanceScore,
            42.0,
            interval,
            Span::from_secs(60),
            at,
        );
        score.driver = Some("system.cpu.utilization".to_owned());
        let cpu = PredictionType::Feature("system.cpu.utilization".to_owned());
        let cpu = Prediction::new(cpu, f64::NAN, interval, Span::from_secs(600), at);
        let mut pattern = PatternAnalysis::new(
            "system.cpu.utilization",
            PatternType::Stable,
            0.5,
            Probability::ONE,
        );
        pattern.window = (Timestamp::from_millis(START), at);
        pattern.points = 60;
        store.record(&anomalies, &[score, cpu], &[pattern]).unwrap();
        let mut label = Label::new(Timestamp::from_millis(EVENT - day), LabelKind::Expected, at);
        label.note = "a release".to_owned();
        store.put_label(&label).unwrap();
    }

    /// Sends a request as a browser on this host would.
    pub(crate) async fn send(&self, request: axum::http::request::Builder, body: Body) -> Got {
        let request = request.body(body).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).header("host", "localhost"), Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Got {
        self.send(posting(path), Body::from(body.to_owned())).await
    }
}

pub(crate) fn posting(path: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header("host", "localhost")
        .header("x-overseer", "1")
        .header("content-type", "application/json")
}

/// The report of a tick on a real host, as it was once.
pub(crate) fn report() -> Report {
    serde_json::from_str(include_str!("report.json")).unwrap()
}
