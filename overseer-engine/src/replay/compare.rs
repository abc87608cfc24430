//! Which alerts two configurations share.

use super::report::{Change, ReplayedAlert};
use overseer_core::Span;

/// Alerts no farther apart are of one event: the least time in which the policy tells of one event once.
const SAME_EVENT: Span = Span::from_secs(3600);

/// What is in one list and not in the other.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) added: Vec<ReplayedAlert>,
    pub(super) removed: Vec<ReplayedAlert>,
    pub(super) changed: Vec<Change>,
}

/// Pairs alerts of two configurations, both in the order of time: those of one sample first, then the nearest ones
/// within an hour, each once.
pub(super) fn pairs(old: &[ReplayedAlert], new: &[ReplayedAlert]) -> Pairs {
    let apart = |o: &ReplayedAlert, n: &ReplayedAlert| {
        o.timestamp.as_millis().abs_diff(n.timestamp.as_millis())
    };
    let most = SAME_EVENT.as_millis().unsigned_abs();
    let mut near = Vec::new();
    let mut first = 0;
    for (i, o) in old.iter().enumerate() {
        while first < new.len() && new[first].timestamp < o.timestamp - SAME_EVENT {
            first += 1;
        }
        let close = new
            .iter()
            .enumerate()
            .skip(first)
            .take_while(|(_, n)| n.timestamp <= o.timestamp + SAME_EVENT);
        near.extend(close.map(|(j, n)| (apart(o, n), i, j)).filter(|(d, ..)| *d <= most));
    }
    near.sort_unstable();
    let (mut of_old, mut of_new) = (vec![None; old.len()], vec![false; new.len()]);
    for (_, i, j) in near {
        if of_old[i].is_none() && !of_new[j] {
            of_old[i] = Some(j);
            of_new[j] = true;
        }
    }
    let mut found = Pairs::default();
    for (o, pair) in old.iter().zip(of_old) {
        match pair {
            None => found.removed.push(o.clone()),
            Some(j) if new[j].severity != o.severity => {
                found.changed.push(Change { in_force: o.clone(), new: new[j].clone() });
            }
            Some(_) => {}
        }
    }
    let alone = new.iter().zip(of_new).filter(|(_, paired)| !paired);
    found.added = alone.map(|(n, _)| n.clone()).collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::{AnomalyDetection, Severity, Timestamp};

    fn alert(minute: i64, severity: Severity) -> ReplayedAlert {
        let at = Timestamp::from_millis(60_000 * minute);
        ReplayedAlert::new(AnomalyDetection::new(at, severity, 0.9, 1e-6), false)
    }

    #[test]
    fn an_event_told_later_is_the_same_and_what_has_no_partner_is_added_or_removed() {
        use Severity::{High, Medium};
        let old = [alert(0, High), alert(10, High), alert(500, High), alert(900, Medium)];
        let new = [alert(10, Medium), alert(505, High), alert(961, Medium)];
        let found = pairs(&old, &new);
        assert_eq!(found.removed, [alert(0, High), alert(900, Medium)]);
        assert_eq!(found.added, [alert(961, Medium)]);
        assert_eq!(found.changed.len(), 1);
        assert_eq!(found.changed[0].new, alert(10, Medium));
    }

    #[test]
    fn equal_lists_differ_in_nothing() {
        let list: Vec<_> = (0..20).map(|i| alert(7 * i, Severity::High)).collect();
        let found = pairs(&list, &list);
        assert!(found.added.is_empty() && found.removed.is_empty() && found.changed.is_empty());
    }
}
