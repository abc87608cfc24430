//! The step of samples that do not say it, from the times between them.

use overseer_core::{Error, Result, Sample, Span};

/// Samples that wait until it is known how far apart they are.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Where the first of them stands, for errors.
    place: String,
    samples: Vec<Sample>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn push(&mut self, place: &str, sample: Sample) {
        if self.samples.is_empty() {
            place.clone_into(&mut self.place);
        }
        self.samples.push(sample);
    }

    /// The median of the times between the samples, which some gaps do not change, and the samples.
    pub(super) fn take(&mut self) -> Result<(Span, Vec<Sample>)> {
        let mut times: Vec<i64> = self.samples.iter().map(|s| s.timestamp.as_millis()).collect();
        times.sort_unstable();
        times.dedup();
        let mut apart: Vec<i64> =
            times.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
        apart.sort_unstable();
        let Some(&step) = apart.get(apart.len() / 2) else {
            let why = "there is no column `interval_ms`, this installation has no step yet, and samples of a single time \
                       do not tell how far apart they were taken";
            return Err(Error::invalid_value(self.place.clone(), why));
        };
        Ok((Span::from_millis(step), std::mem::take(&mut self.samples)))
    }
}
