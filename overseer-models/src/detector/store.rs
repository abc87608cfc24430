//! The stored form of the detector: everything it has learned and every lag, so that a loaded one goes on as if it
//! had never stopped.

use super::inputs::{Inputs, PER_FEATURE};
use super::model::{BRANCHES, ForestDetector, GUESSES};
use super::range::Ranges;
use super::tail::{KEPT, Tail};
use crate::file::{Reader, Writer, decode, encode};
use crate::isolation_forest::IsolationForest;
use overseer_core::{Error, Result, Schema, Timestamp};

const KIND: &str = "isolation_forest_detector";
/// Version of the payload that is written. The first is read as well: it differed in how the forest was stored, which
/// the forest tells by itself.
const VERSION: u32 = 2;

impl ForestDetector {
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let mut w = Writer::default();
        w.u32(VERSION);
        self.inputs.write_to(&mut w);
        self.forest.write_to(&mut w);
        self.ranges.write_to(&mut w);
        self.tails.iter().for_each(|tail| tail.write_to(&mut w));
        w.f64s(self.heldout.iter().copied());
        w.u64(self.calibrated);
        w.u32(self.strong_run);
        self.strong_first.iter().for_each(|&score| w.f64(score));
        w.f64s(self.last.iter().copied());
        w.u8(u8::from(self.last_time.is_some()));
        w.u64(self.last_time.unwrap_or_default().as_millis().cast_unsigned());
        w.u32(self.decisive as u32);
        encode(KIND, &self.metadata, &w.into_bytes())
    }

    pub(super) fn decode(bytes: &[u8], schema: &Schema) -> Result<Self> {
        let (metadata, payload) = decode(bytes, KIND, schema)?;
        let mut r = Reader::new(payload);
        let version = r.u32()?;
        if !(1..=VERSION).contains(&version) {
            return Err(Error::unsupported(format!("detector payload version {version}")));
        }
        let d = schema.len();
        let inputs = Inputs::read_from(&mut r, d)?;
        let forest = IsolationForest::read_from(&mut r)?;
        let ranges = Ranges::read_from(&mut r, d)?;
        let [a, b, c] = GUESSES;
        let tails =
            [Tail::read_from(&mut r, a)?, Tail::read_from(&mut r, b)?, Tail::read_from(&mut r, c)?];
        let heldout = r.f64s()?;
        let calibrated = r.u64()?;
        let strong_run = r.u32()?;
        let strong_first = [r.finite()?, r.finite()?, r.finite()?];
        let last = r.f64s()?;
        let has_time = r.u8()?;
        let time = Timestamp::from_millis(r.u64()?.cast_signed());
        let decisive = r.u32()? as usize;
        r.finish()?;
        let usable = forest.features() == d * PER_FEATURE
            && heldout.len() <= KEPT
            && heldout.iter().all(|e| e.is_finite())
            && heldout.is_sorted()
            && (last.is_empty() || last.len() == d)
            && last.iter().all(|v| !v.is_infinite())
            && has_time <= 1
            && decisive < BRANCHES;
        if !usable {
            return Err(Error::corrupt("the detector", "a value is out of range"));
        }
        Ok(Self {
            schema: schema.clone(),
            metadata,
            inputs,
            forest,
            ranges,
            tails,
            heldout,
            calibrated,
            strong_run,
            strong_first,
            last,
            last_time: (has_time == 1).then_some(time),
            decisive,
        })
    }
}
