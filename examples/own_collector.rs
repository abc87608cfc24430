//! Watches something that is not a host: a queue whose length and waiting time are made up here.

use overseer_engine::core::{Collector, Reading, Result, Sample, Schema, Span, Timestamp};
use overseer_engine::{Config, Role, host};

#[derive(Debug)]
struct Queue {
    schema: Schema,
    ticks: u32,
}

impl Collector for Queue {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn collect(&mut self, now: Timestamp) -> Result<Reading> {
        self.ticks += 1;
        let jitter = f64::from(self.ticks * 7919 % 13);
        let stuck = (400..410).contains(&self.ticks);
        let length = if stuck { 900.0 } else { 20.0 + jitter };
        // A waiting time that is not known is NaN, never zero.
        let waiting = if self.ticks.is_multiple_of(50) { f64::NAN } else { 0.1 * length };
        Ok(Reading::new(Sample::new(now, vec![length, waiting])))
    }
}

fn main() -> Result<()> {
    let queue = Queue { schema: Schema::from_names(["queue.length", "queue.waiting"])?, ticks: 0 };
    let mut engine =
        host::with_our_models(Box::new(queue), None, None, Config::default(), Role::Sampler)?;
    let mut now = Timestamp::from_millis(0);
    for _ in 0..500 {
        now = now + Span::from_secs(5);
        let report = engine.tick(now);
        if let Some(anomaly) = report.anomaly.filter(|_| report.alert) {
            println!("after {} s: {}", now.as_secs_f64(), anomaly.description);
        }
    }
    Ok(())
}
