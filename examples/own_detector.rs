//! Brings a detector of one's own, the largest z-score, behind the same engine, policy and report.

use overseer_engine::core::{
    Detector, DetectorTrainer, Error, FeatureEvidence, Frame, Judgement, ModelKind, ModelMetadata,
    Probability, Result, Sample, Schema, Span, Timestamp,
};
use overseer_engine::{Config, Engine, Parts, Role, host};

#[derive(Debug)]
struct ZScoreTrainer;

#[derive(Debug, Clone)]
struct ZScore {
    schema: Schema,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    last: Option<Vec<f64>>,
    metadata: ModelMetadata,
}

impl DetectorTrainer for ZScoreTrainer {
    fn min_rows(&self) -> usize {
        30
    }

    fn fit(&self, frame: &Frame) -> Result<Box<dyn Detector>> {
        let schema = frame.schema().clone();
        let mut model = ZScore {
            mean: Vec::new(),
            deviation: Vec::new(),
            last: None,
            metadata: ModelMetadata::new("detector", ModelKind::Detector, "largest z-score"),
            schema,
        };
        model.metadata.rows = frame.len();
        for column in 0..frame.schema().len() {
            let known: Vec<f64> = frame.column(column).filter(|v| !v.is_nan()).collect();
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let variance =
                known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / known.len() as f64;
            model.mean.push(mean);
            model.deviation.push(variance.sqrt().max(0.05));
        }
        Ok(Box::new(model))
    }

    fn load(&self, _: &[u8], _: &Schema) -> Result<Box<dyn Detector>> {
        Err(Error::unsupported("loading a z-score"))
    }
}

impl ZScore {
    fn z(&self, values: &[f64]) -> impl Iterator<Item = f64> {
        let known = values.iter().zip(&self.mean).zip(&self.deviation);
        known.map(|((v, m), d)| ((v - m) / d).abs()).map(|z| if z.is_nan() { 0.0 } else { z })
    }
}

impl Detector for ZScore {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn observe(&mut self, sample: &Sample) -> Result<Judgement> {
        let largest = self.z(&sample.values).fold(0.0, f64::max);
        self.last = Some(sample.values.clone());
        // Chebyshev's inequality holds for any distribution; Bonferroni pays for having looked at every feature.
        let p_value = (self.mean.len() as f64 / (largest * largest).max(1.0)).min(1.0);
        let score = 1.0 - p_value;
        Ok(Judgement::new(score, p_value, Probability::ONE, Probability::saturating(score)))
    }

    fn explain(&self) -> Vec<FeatureEvidence> {
        let Some(values) = &self.last else { return Vec::new() };
        let z: Vec<f64> = self.z(values).collect();
        let total = z.iter().sum::<f64>().max(1e-12);
        let mut all: Vec<FeatureEvidence> = (0..values.len())
            .map(|i| {
                let usual = (
                    self.mean[i] - 3.0 * self.deviation[i],
                    self.mean[i] + 3.0 * self.deviation[i],
                );
                FeatureEvidence::new(
                    &self.schema.features()[i].name,
                    values[i],
                    usual,
                    z[i] / total,
                )
            })
            .collect();
        all.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        all
    }

    fn reset_lags(&mut self) {}

    fn boxed_clone(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

fn main() -> Result<()> {
    let parts = Parts {
        collector: Box::new(host::collect::ScriptedHost::builder(7).build()?),
        store: None,
        models: None,
        detector_trainer: Box::new(ZScoreTrainer),
        forecaster_trainer: Box::new(host::forecaster_trainer()?),
        pattern_analyzer: Box::new(host::models::pattern::ShapeAnalyzer::builder().build()?),
        fill_forecaster: Box::new(host::models::time_to_full::RisingFill::default()),
    };
    let mut engine = Engine::new(parts, Config::default(), Role::Sampler)?;
    let mut now = Timestamp::from_millis(0);
    for _ in 0..200 {
        now = now + Span::from_secs(5);
        engine.tick(now);
    }
    let anomaly = engine.detect().ok_or_else(|| Error::not_enough_data("a verdict", 60, 0))?;
    println!("p = {:.3}: {}", anomaly.p_value, anomaly.description);
    Ok(())
}
