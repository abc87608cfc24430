//! Findings a page at a time, the newest first.

use super::ask::{Which, always, range, time, within};
use crate::problem::Problem;
use overseer_engine::core::{Result as CoreResult, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// So many findings of one time can be paged through.
const MOST_OF_ONE_TIME: usize = 9_999;

/// A page of findings, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The findings.
    pub items: Vec<T>,
    /// Where the next page begins, for `page`; `null` on the last one.
    pub next: Option<String>,
}

/// Which rows a page is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// How many of the newest of time `to` were on earlier pages.
    skip: usize,
    limit: usize,
}

impl Turn {
    pub(crate) fn of(which: &Which) -> Result<Self, Problem> {
        let (from, to) = range(which.from, which.to, always())?;
        let limit = within("limit", which.limit, 100, 1, 1000)?;
        let Some(page) = &which.page else { return Ok(Self { from, to, skip: 0, limit }) };
        let wrong = || Problem::invalid_parameter("`page` must be what a page gave as `next`");
        let (at, skip) = page.split_once('.').ok_or_else(wrong)?;
        let at = time("page", at.parse().map_err(|_| wrong())?)?;
        let skip = skip.parse().ok().filter(|&n| n <= MOST_OF_ONE_TIME).ok_or_else(wrong)?;
        // Of a narrower range than the page before was of, its next one begins where that range does.
        if at > to {
            return Ok(Self { from, to, skip: 0, limit });
        }
        Ok(Self { from, to: at, skip, limit })
    }

    /// Reads the page; `read` gives the newest so many of a range, newest first.
    pub(crate) fn read<T>(
        self,
        at: impl Fn(&T) -> Timestamp,
        read: impl FnOnce(Timestamp, Timestamp, usize) -> CoreResult<Vec<T>>,
    ) -> CoreResult<Page<T>> {
        // One more than is given tells whether there is more.
        let mut items = read(self.from, self.to, self.skip + self.limit + 1)?;
        let has_more = items.len() > self.skip + self.limit;
        items.truncate(self.skip + self.limit);
        let last = items.last().map(&at).filter(|_| has_more);
        let next = last.map(|t| {
            let of_it = items.iter().rev().take_while(|item| at(item) == t).count();
            format!("{}.{}", t.as_millis(), of_it.min(MOST_OF_ONE_TIME))
        });
        items.drain(..self.skip.min(items.len()));
        Ok(Page { items, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn which(limit: u64, page: Option<String>) -> Which {
        Which { from: Some(0), to: Some(100), limit: Some(limit), page }
    }

    proptest! {
        #[test]
        fn pages_give_everything_once_and_in_order(
            mut times in prop::collection::vec(0_i64..20, 0..60), limit in 1_u64..10,
        ) {
            times.sort_unstable_by(|a, b| b.cmp(a));
            let all: Vec<(i64, usize)> = times.iter().copied().zip(0..).collect();
            let mut seen = Vec::new();
            let mut page = None;
            loop {
                let turn = Turn::of(&which(limit, page)).unwrap();
                let got = turn.read(|x: &(i64, usize)| Timestamp::from_millis(x.0), |from, to, n| {
                    Ok(all.iter().copied()
                        .filter(|x| (from..=to).contains(&Timestamp::from_millis(x.0)))
                        .take(n).collect())
                }).unwrap();
                prop_assert!(got.items.len() <= limit as usize);
                seen.extend(got.items);
                page = got.next;
                if page.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn a_page_that_nobody_gave_is_refused() {
        for wrong in ["", ".", "5", "5.x", "x.5", "5.99999", "9007199254740992.0"] {
            assert!(Turn::of(&which(10, Some(wrong.to_owned()))).is_err(), "{wrong}");
        }
        assert!(Turn::of(&which(0, None)).is_err() && Turn::of(&which(1001, None)).is_err());
    }
}
