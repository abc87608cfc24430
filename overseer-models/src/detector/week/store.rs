//! The stored form of what recurs weekly.

use super::remembered::Remembered;
use super::{FASTEST, SLOT_MS, Week};
use crate::detector::scale::FeatureScale;
use crate::file::{Reader, Writer};
use overseer_core::{Error, Result};

impl Week {
    pub(in crate::detector) fn write_to(&self, w: &mut Writer) {
        w.f64(self.pace);
        for list in [&self.rows, &self.half_hours, &self.reached] {
            w.f64s(list.iter().map(|ends| ends.0));
            w.f64s(list.iter().map(|ends| ends.1));
        }
        self.remembered.write_to(w);
        for half_hour in [self.now, self.waiting] {
            w.u8(u8::from(half_hour.is_some()));
            w.u64(half_hour.unwrap_or_default().cast_unsigned());
        }
        for list in [&self.before, &self.excused] {
            w.f32s(list.as_flattened().iter().copied());
        }
    }

    pub(in crate::detector) fn read_from(
        r: &mut Reader<'_>,
        scales: &[FeatureScale],
    ) -> Result<Self> {
        let wrong = || Error::corrupt("the detector's week", "a value is out of range");
        let mut week = Self::new(scales, 1.0);
        week.pace = r.finite()?;
        for list in [&mut week.rows, &mut week.half_hours, &mut week.reached] {
            let (low, high) = (r.f64s()?, r.f64s()?);
            let ordered = low.iter().zip(&high).all(|(l, h)| {
                (l.is_nan() && h.is_nan()) || (l.is_finite() && h.is_finite() && l <= h)
            });
            if low.len() != scales.len() || high.len() != scales.len() || !ordered {
                return Err(wrong());
            }
            *list = low.into_iter().zip(high).collect();
        }
        week.remembered = Remembered::read_from(r, scales.len())?;
        for half_hour in [&mut week.now, &mut week.waiting] {
            let (is_known, slot) = (r.u8()?, r.u64()?.cast_signed());
            // Milliseconds of so many half hours still fit.
            if is_known > 1 || slot.checked_mul(SLOT_MS).is_none() {
                return Err(wrong());
            }
            *half_hour = (is_known == 1).then_some(slot);
        }
        let mut usable = (0.0..=FASTEST).contains(&week.pace);
        for (list, may_miss) in [(&mut week.before, true), (&mut week.excused, false)] {
            let read = r.f32s()?;
            usable &= read.len() == 2 * list.len();
            usable &=
                read.iter().all(|v| (0.0..f32::INFINITY).contains(v) || (may_miss && v.is_nan()));
            if usable {
                list.as_flattened_mut().copy_from_slice(&read);
            }
        }
        if usable { Ok(week) } else { Err(wrong()) }
    }
}
