//! How a forecaster was chosen: the leaderboard, and one sentence.

use super::style::{Style, local, percent};
use overseer_engine::core::{Selection, SelectionEnd, Span, Standing};
use std::fmt::Write;

/// The table of all candidates and what was chosen; a step is so long. What is in force is another where the time was up
/// too early to replace an earlier choice.
pub(crate) fn selection(s: &Selection, in_force: &str, step: Span, style: &Style) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {} samples from {} to {}, up to {} ahead, {} in {}",
        style.heading("Forecasters"),
        s.rows,
        local(s.span.0),
        local(s.span.1),
        step.times(s.horizon),
        counted(s.folds, "stretch", "stretches"),
        counted(s.rungs, "round", "rounds"),
    );
    let width = s.leaderboard.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
    let _ = writeln!(out, "  rank  {:<width$}  {:>5} {:>7}  rounds", "", "loss", "±");
    for (i, standing) in s.leaderboard.iter().enumerate() {
        let _ = writeln!(out, "  {}", line(i + 1, standing, s, width).trim_end());
    }
    let _ = writeln!(
        out,
        "  Loss: errors of median and interval, as a share of what repeating the last value would lose."
    );
    let played = |c: &&Standing| c.failed.is_none() && !c.loss.0.is_nan();
    let mut rounds = s.leaderboard.iter().filter(played).map(|c| (c.rungs, c.folds));
    if rounds.next().is_some_and(|first| rounds.any(|other| other != first)) {
        let _ = writeln!(
            out,
            "  Whoever came through more rounds stands first; losses of other numbers of rounds are of other stretches and do not compare."
        );
    }
    let _ = writeln!(out, "{}", sentence(s));
    if in_force != s.chosen {
        let _ = writeln!(out, "The earlier choice stays in force: {in_force}.");
    }
    out
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn line(rank: usize, c: &Standing, s: &Selection, width: usize) -> String {
    let name = &c.name;
    if let Some(reason) = &c.failed {
        return format!("{rank:>4}  {name:<width$}  failed: {reason}");
    }
    if c.loss.0.is_nan() {
        return format!("{rank:>4}  {name:<width$}  not compared");
    }
    let mut marks = Vec::new();
    if *name == s.default {
        marks.push("the default");
    }
    if c.better {
        marks.push("better than the default");
    }
    if *name == s.chosen {
        marks.push("chosen");
    }
    let error = match c.error.0 {
        e if e.is_nan() => "–".to_owned(),
        e => format!("{e:.3}"),
    };
    format!(
        "{rank:>4}  {name:<width$}  {:.3} {error:>7}  {:>6}  {}",
        c.loss.0,
        format!("{}/{}", c.rungs, s.rungs),
        marks.join(", ")
    )
}

/// `Chosen: forest; 12.3 % ± 1.5 % better than repeating the last value; the default is kept, for …`
fn sentence(s: &Selection) -> String {
    let mut said = format!("Chosen: {}", s.chosen);
    let margin = s.margin.0;
    let noise = match s.margin_error.0 {
        e if e.is_nan() => String::new(),
        e => format!(" ± {}", percent(e)),
    };
    if margin.is_nan() {
        said.push_str("; how it compares is not known yet");
    } else if s.chosen == s.simplest {
        said.push_str("; it is what all others are measured by");
    } else {
        let word = if margin < 0.0 { "worse" } else { "better" };
        let by = percent(margin.abs());
        let _ = write!(said, "; {by}{noise} {word} than `{}`", s.simplest);
    }
    match (s.is_other(), s.standing(&s.chosen)) {
        (true, Some(c)) => {
            let (gain, noise) = (percent(c.gain.0), percent(c.gain_error.0));
            let _ = write!(said, "; its loss is {gain} ± {noise} of that lower than the default's");
        }
        _ if s.rungs == 0 => said.push_str(
            "; the default is kept, for the time was up before the first round was completed",
        ),
        _ => said.push_str("; the default is kept, for nothing is better beyond noise"),
    }
    if s.end == SelectionEnd::Stopped && s.rungs > 0 {
        said.push_str("; the time was up before all rounds were run");
    }
    said.push('.');
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::Quality;

    fn standing(name: &str, loss: f64, rungs: usize) -> Standing {
        let mut c = Standing::new(name);
        (c.loss, c.error, c.rungs) = (Quality(loss), Quality(0.02), rungs);
        (c.gain, c.gain_error) = (Quality(0.9 - loss), Quality(0.01));
        c
    }

    fn chosen(name: &str) -> Selection {
        let mut s = Selection::new(name, "forest", "last value");
        s.leaderboard = vec![standing("short", 0.8, 3), standing("forest", 0.9, 3)];
        s.leaderboard[0].better = true;
        s.leaderboard.push(standing("last value", 1.0, 3));
        let mut failed = Standing::new("mine");
        failed.failed = Some("the weights are gone".to_owned());
        s.leaderboard.push(failed);
        (s.margin, s.margin_error) =
            (Quality(1.0 - s.standing(name).unwrap().loss.0), Quality(0.02));
        (s.rungs, s.folds, s.horizon) = (3, 8, 120);
        s
    }

    #[test]
    fn a_leaderboard_says_who_won_by_how_much_and_why_not_others() {
        let text = selection(&chosen("short"), "short", Span::from_secs(5), &Style::plain());
        assert!(!text.contains("earlier"), "{text}");
        for said in [
            "8 stretches in 3 rounds",
            "1  short       0.800   0.020     3/3  better than the default, chosen",
            "2  forest      0.900   0.020     3/3  the default",
            "4  mine        failed: the weights are gone",
            "Chosen: short; 20.0 % ± 2.0 % better than `last value`; its loss is 10.0 % ± 1.0 % of that lower",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
    }

    #[test]
    fn a_default_that_is_kept_is_said_to_be_with_the_reason() {
        let kept = sentence(&chosen("forest"));
        assert!(
            kept.ends_with("the default is kept, for nothing is better beyond noise."),
            "{kept}"
        );
        let mut stopped = Selection::new("forest", "forest", "last value");
        stopped.end = SelectionEnd::Stopped;
        let said = sentence(&stopped);
        assert!(
            said.contains("not known yet") && said.contains("before the first round was completed"),
            "{said}"
        );
    }
}
