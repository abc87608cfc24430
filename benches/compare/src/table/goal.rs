//! What is wanted of a row, and whether it is so.

use super::rows::{Row, Unit};

/// What is wanted of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// Nothing: the row is there to be seen.
    None,
    /// The best peer takes so many times as much.
    Times(f64),
    /// Each of these peers takes so many times as much.
    Over(&'static [(&'static str, f64)]),
    /// At most so many times what the best peer takes.
    Within(f64),
    /// Less than so much, in the row's unit.
    Under(f64),
    /// At most this share of the only peer's.
    Share(f64),
    /// At least this peer's quality less a margin.
    AtLeast(&'static str, f64),
}

/// The last columns of a row.
#[derive(Debug)]
pub(super) struct Verdict<'a> {
    /// The peer to beat.
    pub(super) best: Option<&'a str>,
    pub(super) ratio: String,
    pub(super) goal: String,
    pub(super) met: &'static str,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(row: &Row, peers: &[(&'a str, f64)], ours: Option<f64>) -> Self {
        let better = |a: f64, b: f64| {
            if row.unit == Unit::Quality { b.total_cmp(&a) } else { a.total_cmp(&b) }
        };
        let best = peers.iter().copied().min_by(|a, b| better(a.1, b.1));
        let of = |name: &str| peers.iter().find(|p| p.0 == name).map(|p| p.1);
        // What the goal is measured against, and by how much it has to be passed; a figure not had decides nothing.
        let over = |peer: Option<f64>, times: f64| Some(peer? >= times * ours?);
        let met = match row.goal {
            Goal::None => None,
            Goal::Times(times) => over(best.map(|b| b.1), times),
            Goal::Over(goals) => {
                let each: Option<Vec<bool>> = goals.iter().map(|g| over(of(g.0), g.1)).collect();
                each.map(|all| all.into_iter().all(|met| met))
            }
            Goal::Within(times) => over(best.map(|b| b.1), 1.0 / times),
            Goal::Under(most) => ours.map(|v| v < most),
            Goal::Share(share) => over(best.map(|b| b.1), 1.0 / share),
            Goal::AtLeast(peer, margin) => of(peer).zip(ours).map(|(p, v)| v >= p - margin),
        };
        Self {
            best: best.map(|b| b.0),
            ratio: ratio(row, peers, best.map(|b| b.1), ours).unwrap_or_default(),
            goal: row.goal.say(row.unit),
            met: met.map_or("", |met| if met { "yes" } else { "**no**" }),
        }
    }
}

fn ratio(row: &Row, peers: &[(&str, f64)], best: Option<f64>, ours: Option<f64>) -> Option<String> {
    let (best, ours) = (best?, ours?);
    Some(match (row.unit, row.goal) {
        (Unit::Quality, Goal::AtLeast(peer, _)) => {
            let reference = peers.iter().find(|p| p.0 == peer)?.1;
            difference(ours - reference)
        }
        (Unit::Quality, _) => difference(ours - best),
        (_, Goal::Share(_)) => format!("{:.1} %", 100.0 * ours / best),
        (_, Goal::Over(goals)) => {
            let each = goals.iter().filter_map(|g| peers.iter().find(|p| p.0 == g.0));
            each.map(|p| times(p.1 / ours)).collect::<Vec<_>>().join(", ")
        }
        _ => times(best / ours),
    })
}

fn difference(d: f64) -> String {
    let rounded = (1000.0 * d).round() / 1000.0;
    if rounded == 0.0 { "0.000".to_owned() } else { format!("{rounded:+.3}").replace('-', "−") }
}

fn times(ratio: f64) -> String {
    match ratio {
        r if r >= 99.5 => format!("{r:.0}×"),
        r if r >= 9.95 => format!("{r:.1}×"),
        r => format!("{r:.2}×"),
    }
}

impl Goal {
    fn say(self, unit: Unit) -> String {
        match self {
            Self::None => String::new(),
            Self::Times(times) => format!("{times}×"),
            Self::Over(goals) => {
                goals.iter().map(|g| format!("{}×", g.1)).collect::<Vec<_>>().join(", ")
            }
            Self::Within(times) => format!("within {times}×"),
            Self::Under(most) => format!("under {}", unit.say(most).replace(".0 ", " ")),
            Self::Share(share) => format!("{:.0} %", 100.0 * share),
            Self::AtLeast(peer, margin) => format!("{peer}'s −{margin}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::TABLES;
    use super::*;

    fn row(id: &str) -> &'static Row {
        TABLES.iter().flat_map(|t| t.rows).find(|r| r.id == id).unwrap()
    }

    #[test]
    fn speed_is_judged_against_the_best_peer() {
        let peers = [("a", 30.0), ("b", 10.0), ("c", 20.0)];
        let v = Verdict::new(row("iforest.score_1"), &peers, Some(2.5));
        assert_eq!((v.best, v.ratio.as_str(), v.met), (Some("b"), "4.00×", "yes"));
        let v = Verdict::new(row("iforest.score_1"), &peers, Some(3.0));
        assert_eq!((v.ratio.as_str(), v.met), ("3.33×", "**no**"));
    }

    #[test]
    fn quality_is_judged_against_the_peer_that_is_named() {
        let peers = [("scikit-learn", 0.980), ("b", 0.999)];
        let v = Verdict::new(row("iforest.auc"), &peers, Some(0.976));
        assert_eq!((v.best, v.ratio.as_str(), v.met), (Some("b"), "−0.004", "yes"));
        assert_eq!(Verdict::new(row("iforest.auc"), &peers, Some(0.974)).met, "**no**");
    }

    #[test]
    fn every_one_of_several_goals_must_be_met() {
        let peers = [("numpy.polyfit", 87.0), ("numpy, cached pseudo-inverse", 1.3)];
        let met = |ours| Verdict::new(row("trend.cubic"), &peers, Some(ours)).met;
        assert_eq!((met(0.6), met(0.7), met(0.9)), ("yes", "**no**", "**no**"));
    }

    #[test]
    fn a_figure_that_could_not_be_had_decides_nothing() {
        let v = Verdict::new(row("iforest.score_1"), &[], Some(1.0));
        assert_eq!((v.best, v.ratio.as_str(), v.met), (None, "", ""));
        assert_eq!(Verdict::new(row("rest.file_forest"), &[("a", 100.0)], Some(8.5)).met, "**no**");
    }
}
