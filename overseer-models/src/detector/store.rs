//! The stored form of the detector: everything it has learned and every lag, so that a loaded one goes on as if it
//! had never stopped.

use super::combine::{BRANCHES, Weights};
use super::evidence::{Evidence, PER_FEATURE};
use super::excursion::Excursions;
use super::frozen::Frozen;
use super::inputs::Inputs;
use super::memory::{Kept, check, kinds};
use super::model::{ForestDetector, State, ranks};
use super::novelty::Novelty;
use super::range::Ranges;
use super::reach::Reach;
use super::reservoir::Reservoir;
use super::scale::FeatureScale;
use super::tail::Tail;
use crate::file::{Reader, Writer, decode, encode};
use crate::isolation_forest::pooled::PooledForest;
use overseer_core::{Error, LocalTime, Result, Schema, Timestamp};
use std::sync::Arc;

const KIND: &str = "isolation_forest_detector";
/// Version of the payload. The detectors of versions 1 and 2 looked at other inputs, and those of 3 to 5 combined their
/// evidence otherwise, so that what they took for usual would be wrong by powers of ten: they are told apart from damage,
/// so that the caller trains anew.
const VERSION: u32 = 6;

/// The most trees a stored forest may have.
const MOST_TREES: usize = 10_000;

impl ForestDetector {
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let mut w = Writer::default();
        let state = &self.state;
        w.u32(VERSION);
        w.u32s(self.order.iter().map(|&at| at as u32));
        self.scales.iter().for_each(|s| s.write_to(&mut w));
        w.u32(self.varying as u32);
        w.u32(self.kept.trees as u32);
        self.write_kept(&mut w);
        w.u8(self.weights.without());
        state.inputs.write_to(&mut w);
        state.evidence.write_to(&mut w);
        state.ranges.write_to(&mut w);
        state.reach.write_to(&mut w);
        state.novelties.iter().for_each(|n| n.write_to(&mut w));
        for list in [&state.novelty, &state.lately] {
            w.f64s(list.iter().copied());
        }
        state.frozen.write_to(&mut w);
        state.excursions.write_to(&mut w);
        state.forest.write_to(&mut w);
        state.reservoir.write_to(&mut w);
        state.tails.iter().for_each(|tail| tail.write_to(&mut w));
        state.ranks.write_to(&mut w);
        for number in [state.rows, state.next_refit, state.calibrated] {
            w.u64(number);
        }
        state.found.iter().for_each(|&l| w.f64(l));
        w.f64s(self.last.iter().copied());
        w.u8(u8::from(self.last_time.is_some()));
        w.u64(self.last_time.unwrap_or_default().as_millis().cast_unsigned());
        encode(KIND, &self.metadata, &w.into_bytes())
    }

    fn write_kept(&self, w: &mut Writer) {
        w.u64(self.max_bytes.map_or(0, |bytes| bytes as u64));
        w.u32(self.kept.past_rows as u32);
        w.u32(self.kept.past_scores as u32);
        w.u32(self.kept.features_together as u32);
    }

    pub(super) fn decode(bytes: &[u8], schema: &Schema, zone: &Arc<dyn LocalTime>) -> Result<Self> {
        let wrong = || Error::corrupt("the detector", "a value is out of range");
        let (metadata, payload) = decode(bytes, KIND, schema)?;
        let mut r = Reader::new(payload);
        let version = r.u32()?;
        if (1..VERSION).contains(&version) {
            return Err(Error::unsupported(format!(
                "a detector of an earlier release (payload version {version})"
            )));
        }
        if version != VERSION {
            return Err(Error::unsupported(format!("detector payload version {version}")));
        }
        let d = schema.len();
        let order: Vec<usize> = r.u32s()?.into_iter().map(|at| at as usize).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..d) {
            return Err(wrong());
        }
        let scales = (0..d).map(|_| FeatureScale::read_from(&mut r)).collect::<Result<Vec<_>>>()?;
        let features = r.u32()? as usize;
        let trees = r.u32()? as usize;
        let (kept, max_bytes) = read_kept(&mut r, trees)?;
        let without = r.u8()?;
        let inputs = Inputs::read_from(&mut r, &scales, zone)?;
        let evidence =
            Evidence::read_from(&mut r, scales.iter().map(FeatureScale::noise).collect())?;
        let ranges = Ranges::read_from(&mut r, &scales)?;
        let reach = Reach::read_from(&mut r, d)?;
        let known = if d == 1 { 1 } else { 0 };
        let novelties =
            (0..known).map(|_| Novelty::read_from(&mut r)).collect::<Result<Vec<_>>>()?;
        let mut list = || -> Result<Vec<f64>> {
            let list = r.f64s()?;
            let usable = list.len() == d && list.iter().all(|v| v.is_finite() && *v >= 0.0);
            if usable { Ok(list) } else { Err(wrong()) }
        };
        let (novelty, lately) = (list()?, list()?);
        let frozen = Frozen::read_from(&mut r, d)?;
        let excursions = Excursions::read_from(&mut r, d)?;
        let forest = PooledForest::read_from(&mut r, d * PER_FEATURE)?;
        let reservoir = Reservoir::read_from(&mut r, d * PER_FEATURE, kept.past_rows)?;
        let tails = kinds(kept.past_scores).map(|kind| Tail::read_from(&mut r, kind));
        let tails = tails.collect::<Result<Vec<_>>>()?;
        let ranks = Tail::read_from(&mut r, ranks(d))?;
        let (rows, next_refit, calibrated) = (r.u64()?, r.u64()?, r.u64()?);
        let mut found = [0.0; BRANCHES];
        for l in &mut found {
            *l = r.finite()?;
        }
        let last = r.f64s()?;
        let has_time = r.u8()?;
        let time = Timestamp::from_millis(r.u64()?.cast_signed());
        r.finish()?;
        let usable = (1..=d).contains(&features)
            && (1..=MOST_TREES).contains(&trees)
            && forest.len() <= trees
            && found.iter().all(|l| (0.0..=100.0).contains(l))
            && (last.is_empty() || last.len() == d)
            && last.iter().all(|v| !v.is_infinite())
            && rows < 1 << 60
            && calibrated < 1 << 60
            && has_time <= 1;
        if !usable {
            return Err(wrong());
        }
        Ok(Self {
            schema: schema.clone(),
            metadata,
            order,
            scales,
            weights: Weights::new(d == 1, without),
            varying: features,
            kept,
            max_bytes,
            state: State {
                inputs,
                evidence,
                ranges,
                reach,
                novelties,
                novelty,
                lately,
                frozen,
                excursions,
                forest,
                reservoir,
                tails,
                rows,
                next_refit,
                calibrated,
                ranks,
                found,
            },
            last,
            last_time: (has_time == 1).then_some(time),
        })
    }
}

/// What a detector of so many trees keeps, and within how many bytes.
fn read_kept(r: &mut Reader<'_>, trees: usize) -> Result<(Kept, Option<usize>)> {
    let most = usize::try_from(r.u64()?).ok().filter(|&most| most > 0);
    let (past_rows, past_scores) = (r.u32()? as usize, r.u32()? as usize);
    let features_together = r.u32()? as usize;
    let kept = Kept { past_rows, past_scores, trees, features_together };
    check(kept, most, trees)?;
    Ok((kept, most))
}
