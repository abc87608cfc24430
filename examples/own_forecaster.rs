//! Lets a forecaster of one's own compete with ours: it knows the plan by which jobs run on this host.

use overseer_engine::core::{
    Error, Forecast, ForecastTarget, Forecaster, ForecasterTrainer, Frame, Interval, ModelKind,
    ModelMetadata, Probability, Result, Sample, Schema, Span, Timestamp,
};
use overseer_engine::{Candidate, host};

/// The performance score that the plan foresees: of each five minutes, by a rule that no history tells.
fn planned(time: Timestamp) -> f64 {
    let slot = time.as_millis().div_euclid(300_000).cast_unsigned();
    if (slot.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).is_multiple_of(3) { 70.0 } else { 20.0 }
}

/// What is needed to know the plan's future: the time now, and how long a step is.
#[derive(Debug, Clone)]
struct JobPlan {
    schema: Schema,
    target: ForecastTarget,
    horizon: usize,
    step: Span,
    now: Timestamp,
    metadata: ModelMetadata,
}

#[derive(Debug)]
struct JobPlanTrainer;

/// How its stored form begins, so that nobody else's is taken for it.
const MAGIC: &[u8] = b"job plan";

impl ForecasterTrainer for JobPlanTrainer {
    fn min_rows(&self, _: usize) -> usize {
        2
    }

    fn fit(
        &self,
        frame: &Frame,
        target: ForecastTarget,
        horizon: usize,
    ) -> Result<Box<dyn Forecaster>> {
        let &[.., before, now] = frame.timestamps() else {
            return Err(Error::not_enough_data("two rows", 2, frame.len()));
        };
        Ok(Box::new(JobPlan::new(frame.schema(), target, horizon, now.since(before), now)))
    }

    fn load(&self, bytes: &[u8], schema: &Schema) -> Result<Box<dyn Forecaster>> {
        let corrupt = || Error::corrupt("the job plan", "it is not three numbers");
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(corrupt)?;
        let numbers: Vec<i64> = rest
            .chunks(8)
            .map(|b| b.try_into().map(i64::from_le_bytes).map_err(|_| corrupt()))
            .collect::<Result<_>>()?;
        let &[horizon, step, now] = &numbers[..] else { return Err(corrupt()) };
        let horizon = usize::try_from(horizon).map_err(|_| corrupt())?;
        let (step, now) = (Span::from_millis(step), Timestamp::from_millis(now));
        Ok(Box::new(JobPlan::new(schema, ForecastTarget::PerformanceScore, horizon, step, now)))
    }
}

impl JobPlan {
    fn new(
        schema: &Schema,
        target: ForecastTarget,
        horizon: usize,
        step: Span,
        now: Timestamp,
    ) -> Self {
        let mut metadata =
            ModelMetadata::new("performance_score", ModelKind::Forecaster, "job plan");
        metadata.interval_ms = step.as_millis();
        metadata.trained_on = (now, now);
        Self { schema: schema.clone(), target, horizon, step, now, metadata }
    }
}

impl Forecaster for JobPlan {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn target(&self) -> ForecastTarget {
        self.target
    }

    fn max_horizon(&self) -> usize {
        self.horizon
    }

    fn observe(&mut self, sample: &Sample) -> Result<()> {
        self.now = sample.timestamp;
        Ok(())
    }

    fn forecast(&self, horizon: usize) -> Result<Vec<Forecast>> {
        let at = |h| {
            let value = planned(self.now + self.step.times(h));
            // The noise around the plan is known to be even and of at most three points.
            let interval = Interval::new(value - 2.7, value + 2.7, Probability::saturating(0.9));
            Forecast::new(h, value, interval)
        };
        Ok((1..=horizon).map(at).collect())
    }

    fn reset_lags(&mut self) {}

    fn boxed_clone(&self) -> Box<dyn Forecaster> {
        Box::new(self.clone())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let numbers = [self.horizon as i64, self.step.as_millis(), self.now.as_millis()];
        Ok(MAGIC.iter().copied().chain(numbers.into_iter().flat_map(i64::to_le_bytes)).collect())
    }

    fn metadata(&self) -> &ModelMetadata {
        &self.metadata
    }
}

/// A history of a host that follows the plan, with some noise.
fn history(rows: u32) -> Result<Frame> {
    let mut frame = Frame::new(host_schema());
    for i in 0..rows {
        let time = Timestamp::from_millis(1_700_000_000_000 + 60_000 * i64::from(i));
        let noise = 6.0 * ((f64::from(i) * 0.618_033_988_7).fract() - 0.5);
        let mut row = vec![f64::NAN; frame.schema().len()];
        row[overseer_engine::core::host::CPU_UTILIZATION] = 0.01 * (planned(time) + noise);
        frame.push_row(time, &row)?;
    }
    Ok(frame)
}

fn host_schema() -> Schema {
    overseer_engine::core::host::schema()
}

/// Ours and this one. On a real host `host::Options::challengers` takes the candidate, and `host::open` does the rest.
fn main() -> Result<()> {
    let contest =
        host::forecaster_contest()?.challenger(Candidate::new("job plan", JobPlanTrainer));
    let targets = [ForecastTarget::PerformanceScore];
    let selection = contest.run(&history(900)?, &targets, 30, |_| true)?;
    for (rank, candidate) in (1..).zip(&selection.leaderboard).take(3) {
        println!("{rank} {}: {:.3}", candidate.name, candidate.loss.0);
    }
    println!("chosen: {}", selection.chosen);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::Contest;

    #[test]
    fn who_knows_the_plan_wins_where_the_plan_is_followed() -> Result<()> {
        // Against the default and the simplest; against all of them it takes longer and comes to the same.
        let ours = host::forecaster_contest()?;
        let [default, simplest] = [0, 1].map(|i| ours.candidates()[i].clone());
        let contest =
            Contest::new(default, simplest).challenger(Candidate::new("job plan", JobPlanTrainer));
        let targets = [ForecastTarget::PerformanceScore];
        let selection = contest.run(&history(600)?, &targets, 10, |_| true)?;
        assert_eq!(selection.chosen, "job plan");
        assert!(selection.margin.0 > 0.5, "{selection:?}");
        let frame = history(600)?;
        let fitted = JobPlanTrainer.fit(&frame, targets[0], 10)?;
        let loaded = JobPlanTrainer.load(&fitted.to_bytes()?, frame.schema())?;
        assert_eq!(loaded.forecast(10)?, fitted.forecast(10)?);
        assert!(JobPlanTrainer.load(b"job plan.", frame.schema()).is_err());
        Ok(())
    }
}
