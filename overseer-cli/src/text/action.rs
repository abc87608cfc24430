//! What would be done, what was done, and how actions did so far.

use super::report::{WIDTH, heading};
use super::style::{Style, local, wrap};
use crate::commands::recommend::Dry;
use overseer_engine::action::{self, ActionRecord};
use overseer_engine::core::{AppliedAction, AppliedState, OutcomeKind, Recommendation, Unit, host};
use std::fmt::Write;

/// The actions of a piece of advice, below it.
pub(super) fn proposed(out: &mut String, advice: &Recommendation, style: Style) {
    for r in &advice.reclaimable {
        let least = if r.at_least { "at least " } else { "" };
        let size = Unit::Bytes.humanize(r.bytes as f64);
        let _ = writeln!(out, "        {}", style.dim(&format!("{least}{size}  {}", r.path)));
    }
    for (i, a) in advice.actions.iter().enumerate() {
        let known = match a.tried {
            0 => "not tried yet".to_owned(),
            1 => format!("1 outcome, expected {:+.2}", a.expected),
            n => format!("{n} outcomes, expected {:+.2}", a.expected),
        };
        let word = if i == 0 { "do:" } else { "or:" };
        let note = style.dim(&format!("({}; {known})", a.action));
        let _ = writeln!(out, "      {word} {}   {note}", a.command);
    }
    if let Some(id) = advice.id {
        let said = format!("say what came of it: overseer outcome {id} helped|no-change|worse");
        let _ = writeln!(out, "      {}", style.dim(&said));
    }
}

pub(crate) fn dry_run(found: &[Dry], style: &Style) -> String {
    let mut out = String::new();
    heading(&mut out, *style, "Would be done");
    if found.is_empty() {
        out.push_str("  Nothing: no action of the catalogue would serve now.\n");
    }
    for dry in found {
        let number = dry.recommendation.map(|id| format!("#{id} ")).unwrap_or_default();
        let _ = writeln!(out, "  {number}{}: {}", dry.action, dry.command);
        for s in &dry.settings {
            let now = s.now.as_deref().unwrap_or("not known");
            let can = match &s.problem {
                None => "can be set".to_owned(),
                Some(why) => format!("cannot be set: {why}"),
            };
            let said = format!("{}: {now} → {}; {can}", s.knob, s.to);
            out.push_str(&wrap(&said, "      ", WIDTH));
        }
        match &dry.not_permitted {
            Some(why) => out.push_str(&wrap(&format!("--apply would not: {why}"), "      ", WIDTH)),
            None => out.push_str("      --apply may do this\n"),
        }
    }
    out
}

/// What became of an action, in a sentence or two.
pub(crate) fn applied(line: &AppliedAction, outcome: Option<OutcomeKind>) -> String {
    let mut out = String::from("\n");
    let settings: Vec<String> = line
        .before
        .iter()
        .zip(&line.after)
        .map(|(b, a)| format!("{} {} → {}", a.knob, b.value, a.value))
        .collect();
    let _ = write!(out, "{}: {}.", line.action, settings.join(", "));
    if let (Some(watched), Some(_)) =
        (action::action(&line.action).and_then(|a| a.watched), outcome)
    {
        let schema = host::schema();
        if let Some(feature) = schema.get(watched.column) {
            let value = |v: f64| match v.is_finite() {
                true => feature.unit.humanize(v),
                false => "not known".to_owned(),
            };
            let name = host::plain_name(&feature.name);
            let (before, after) = line.measured;
            let _ = write!(out, " The {name} was {} and is {}.", value(before), value(after));
        }
    }
    let end = match line.state {
        AppliedState::Kept => "It helped and stays.".to_owned(),
        AppliedState::Undone => format!("It was taken back: {}.", line.note),
        AppliedState::Stuck => format!("It could not be taken back entirely: {}.", line.note),
        state => format!("It is {state}."),
    };
    let _ = writeln!(out, " {end}");
    out
}

/// What was applied, the newest first, with every value before and after, and what became of it.
pub(crate) fn journal(lines: &[AppliedAction], style: &Style) -> String {
    let mut out = String::new();
    heading(&mut out, *style, "Applied");
    if lines.is_empty() {
        out.push_str("  Nothing was ever applied here.\n");
    }
    for line in lines {
        // The outcome was measured unless it is still watched or was interrupted.
        let was_measured = line.measured.1.is_finite().then_some(OutcomeKind::NoChange);
        let _ = writeln!(out, "  {}", local(line.applied_at));
        out.push_str(&wrap(&applied(line, was_measured), "      ", WIDTH));
    }
    out
}

/// How each action did so far, and what is believed of it.
pub(crate) fn records(records: &[ActionRecord], style: &Style) -> String {
    let mut out = String::new();
    heading(&mut out, *style, "What came of advice");
    let _ = writeln!(
        out,
        "  {:<20} {:>6}  {:>14}  {:>6} {:>9} {:>6}  {:>6}",
        "action", "prior", "expected", "helped", "no change", "worse", "regret"
    );
    for r in records {
        let _ = writeln!(
            out,
            "  {:<20} {:>+6.2}  {:>14}  {:>6} {:>9} {:>6}  {:>6.2}",
            r.action,
            r.prior,
            format!("{:+.2} ± {:.2}", r.expected, r.uncertainty),
            r.helped,
            r.no_change,
            r.worse,
            r.regret
        );
    }
    let total: f64 = records.iter().map(|r| r.regret).sum();
    let known: u32 = records.iter().map(|r| r.helped + r.no_change + r.worse).sum();
    let outcomes = if known == 1 { "outcome" } else { "outcomes" };
    let said = format!(
        "{known} {outcomes}; regret {total:.2} in all: what the choices fell short of the best action of their resource, \
         as far as is known now. Helped counts 1, no change 0, worse -1; expected is where the resource is very short."
    );
    out.push_str(&wrap(&said, "  ", WIDTH));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_engine::core::{Knob, KnobSetting, Timestamp};

    #[test]
    fn the_journal_says_what_was_set_what_it_was_before_and_what_became_of_it() {
        let style = Style::plain();
        assert!(journal(&[], &style).contains("Nothing was ever applied here."));
        let niceness = |value: &str| vec![KnobSetting::new(Knob::Niceness { pid: 12 }, value)];
        let at = Timestamp::from_millis(1_700_000_000_000);
        let mut line = AppliedAction::new(1, "nice", niceness("0"), niceness("10"), at);
        line.measured = (0.4, 0.39);
        line.state = AppliedState::Undone;
        line.note = "no effect could be measured".to_owned();
        let said = journal(&[line], &style).replace("\n      ", " ");
        assert!(said.contains("nice: niceness of process 12 0 → 10."), "{said}");
        assert!(said.contains("CPU pressure was 40.0 % and is 39.0 %."), "{said}");
        assert!(said.contains("It was taken back: no effect could be measured."), "{said}");
    }
}
