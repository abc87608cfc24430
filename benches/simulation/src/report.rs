//! What came of it, for a person or a program.

use crate::run::WEEKLY;
use crate::tally::{LEVELS, Outcome, Tally};
use std::fmt::Write as _;

/// A table of alerts beside the budgets and one of p-values beside what they should be.
#[must_use]
pub fn table(tallies: &[Tally]) -> String {
    let mut text = String::new();
    let Some(first) = tallies.first() else { return text };
    let _ = write!(text, "{:<12} {:>5} {:>6}", "alerts/week", "hosts", "weeks");
    for kept in &first.kept {
        let _ = write!(text, " {:>14}", format!("{} ={:.2}", kept.budget, kept.allowed));
    }
    let _ = writeln!(text, " {:>7} {:>6}  worst host by the budget of one a week", "worst", "over");
    for tally in tallies {
        let _ = write!(text, "{:<12} {:>5} {:>6.1}", tally.group, tally.hosts, tally.weeks);
        for kept in &tally.kept {
            let rate = format!("{:.2} ±{:.2}", kept.alerts_per_week, kept.standard_error);
            let _ = write!(text, " {rate:>14}");
        }
        let weekly = &tally.kept[WEEKLY];
        let over = format!("{:.0} %", 100.0 * weekly.weeks_over);
        let _ = writeln!(text, " {:>7.2} {over:>6}  {}", weekly.worst, weekly.worst_host);
    }
    let _ = write!(text, "\n{:<12} {:>9}", "p-values", "rows");
    for level in LEVELS {
        let _ = write!(text, " {:>9}", format!("≤ {level}"));
    }
    text.push('\n');
    for tally in tallies {
        let _ = write!(text, "{:<12} {:>9}", tally.group, tally.rows);
        for share in tally.p_values {
            let _ = write!(text, " {share:>9.5}");
        }
        text.push('\n');
    }
    text
}

/// Alerts a host-week in each measured week, by the budget of one a week, where ten hosts were measured as long: a
/// calibration that ages shows here.
#[must_use]
pub fn by_age(outcomes: &[Outcome]) -> String {
    let mut weeks: Vec<(usize, usize)> = Vec::new();
    for outcome in outcomes {
        for (week, alerts) in outcome.weeks(WEEKLY).into_iter().enumerate() {
            if week == weeks.len() {
                weeks.push((0, 0));
            }
            weeks[week].0 += 1;
            weeks[week].1 += alerts;
        }
    }
    let rates = weeks.iter().take_while(|w| w.0 >= 10).map(|w| w.1 as f64 / w.0 as f64);
    let words: Vec<String> = rates.map(|rate| format!("{rate:.2}")).collect();
    format!("\nby measured week, at one a week: {}", words.join(" "))
}

/// One line an alert: the host, the budget, and what was said.
#[must_use]
pub fn alerts(outcomes: &[Outcome]) -> String {
    let mut text =
        String::from("kind,view,step,seed,budget,row,time_ms,p_value,score,severity,features\n");
    for outcome in outcomes {
        let t = &outcome.task;
        for a in &outcome.alerts {
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{:e},{:.4},{},{}",
                t.kind.name(),
                t.view_name(),
                t.step,
                t.seed,
                crate::run::BUDGETS[a.budget],
                a.row,
                a.time.as_millis(),
                a.p_value,
                a.score,
                a.severity,
                a.features.join(" ")
            );
        }
    }
    text
}
