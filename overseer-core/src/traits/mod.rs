//! What collectors, stores and models are to the engine. All of it works behind `dyn`.

mod act;
mod asked;
mod collect;
mod detect;
mod fill;
mod forecast;
mod models;
mod pattern;
mod record;
mod sink;
mod store;
mod summarise;

pub use act::Actuator;
pub use asked::{
    Appended, AuxiliaryQuery, Damaged, Dropped, Maintenance, SampleQuery, StoredCounts,
};
pub use collect::{Collector, HostInfo};
pub use detect::{Detector, DetectorTrainer, Judgement};
pub use fill::{FillForecaster, FillOutlook, Filling};
pub use forecast::{Forecast, ForecastTarget, Forecaster, ForecasterTrainer};
pub use models::ModelRepository;
pub use pattern::PatternAnalyzer;
pub use record::TickRecord;
pub use sink::Sink;
pub use store::Store;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalTime;

    /// Compiles only while every run-time trait can stand behind a pointer and move to another thread.
    #[test]
    fn every_run_time_trait_is_dyn_safe() {
        fn movable<T: ?Sized + Send>() {}
        movable::<dyn Actuator>();
        movable::<dyn Collector>();
        movable::<dyn Detector>();
        movable::<std::sync::Arc<dyn LocalTime>>();
        movable::<dyn DetectorTrainer>();
        movable::<dyn Forecaster>();
        movable::<dyn ForecasterTrainer>();
        movable::<dyn FillForecaster>();
        movable::<dyn PatternAnalyzer>();
        movable::<dyn Store>();
        movable::<dyn Sink>();
        movable::<dyn ModelRepository>();
    }
}
