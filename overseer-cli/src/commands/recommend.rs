//! Advice, and acting on it where the configuration allows.

use super::{json, live, print, progress_bar};
use crate::args::{self, Format};
use crate::settings::Settings;
use crate::{Outcome, text};
use overseer_engine::action::{self, Trial, check};
use overseer_engine::core::{
    AppliedAction, Error, Outcome as Came, OutcomeKind, ProposedAction, Recommendation, Result,
    Severity, Store,
};
use overseer_engine::host::{self, Acting};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `--dry-run` finds of one action.
#[derive(Debug, Serialize)]
pub(crate) struct Dry {
    pub(crate) recommendation: Option<i64>,
    pub(crate) action: String,
    pub(crate) command: String,
    /// Why the configuration does not permit it, or none.
    pub(crate) not_permitted: Option<String>,
    pub(crate) settings: Vec<DrySetting>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DrySetting {
    pub(crate) knob: String,
    pub(crate) now: Option<String>,
    pub(crate) to: String,
    pub(crate) problem: Option<String>,
}

/// What became of an action that was applied.
#[derive(Debug, Serialize)]
struct Applied {
    applied: AppliedAction,
    /// None where it was interrupted.
    outcome: Option<OutcomeKind>,
}

pub(crate) fn recommend(settings: &Settings, args: &args::Recommend) -> Outcome {
    if args.why {
        return why(settings);
    }
    if args.apply && settings.actions.allow.is_empty() {
        let why =
            "the configuration allows no action: write `allow = [\"nice\"]` under `[actions]`";
        return Err(Error::unavailable("applying an action", why));
    }
    let (severity, advice) = live::recommend(settings)?;
    if args.dry_run {
        dry_run(settings, &advice)?;
    }
    if args.apply {
        apply(settings, &advice)?;
    }
    Ok(severity)
}

/// Recommendations that are looked through for the one that an outcome is of.
const REMEMBERED: usize = 1000;
/// Lines of the journal that are shown.
const SHOWN: usize = 10;

/// How each action did so far, and what was applied lately.
fn why(settings: &Settings) -> Outcome {
    let mut store = host::open_store(&settings.engine("recommend", false), false)?;
    let records = action::Experience::read(&mut store)?.records();
    match settings.format {
        Format::Json => json(&records)?,
        Format::Text => {
            let style = text::Style::of_stdout();
            print(&text::records(&records, &style))?;
            print(&text::journal(&store.applied(SHOWN)?, &style))?;
        }
    }
    Ok(Severity::None)
}

fn dry_run(settings: &Settings, advice: &[Recommendation]) -> Result<()> {
    let mut hands =
        host::actuator().ok_or_else(|| Error::unsupported("acting on this kind of host"))?;
    let actions = advice.iter().flat_map(|r| r.actions.iter().map(move |a| (r.id, a)));
    let found: Vec<Dry> = actions
        .map(|(id, a)| Dry {
            recommendation: id,
            action: a.action.clone(),
            command: a.command.clone(),
            not_permitted: settings.actions.permits(a).err().map(|e| e.to_string()),
            settings: check(a, hands.as_mut())
                .into_iter()
                .map(|c| DrySetting {
                    knob: c.setting.knob.to_string(),
                    now: c.now,
                    to: c.setting.value,
                    problem: c.problem,
                })
                .collect(),
        })
        .collect();
    match settings.format {
        Format::Json => json(&found),
        Format::Text => print(&text::dry_run(&found, &text::Style::of_stdout())),
    }
}

/// Applies the first action that is permitted, watches it, and takes it back unless it helps.
fn apply(settings: &Settings, advice: &[Recommendation]) -> Result<()> {
    let mut acting = Acting::open(&settings.engine("recommend --apply", false))?;
    for left in std::mem::take(&mut acting.recovered) {
        print(&text::applied(&left, None))?;
    }
    let permitted = |r: &Recommendation| {
        r.actions.iter().find(|a| settings.actions.permits(a).is_ok()).cloned()
    };
    let chosen = advice.iter().find_map(|r| permitted(r).map(|a| (r, a)));
    let Some((advice, proposed)) = chosen else {
        return match settings.format {
            Format::Json => json(&serde_json::json!({ "applied": null, "outcome": null })),
            Format::Text => print("\nNo action that the configuration allows would serve now.\n"),
        };
    };
    let id = number(&mut acting, advice, &proposed)?;
    let done = try_out(settings, &mut acting, id, &proposed)?;
    match settings.format {
        Format::Json => json(&done),
        Format::Text => print(&text::applied(&done.applied, done.outcome)),
    }
}

/// The number of the recommendation of just this action.
fn number(acting: &mut Acting, advice: &Recommendation, chosen: &ProposedAction) -> Result<i64> {
    match advice.id {
        Some(id) if advice.actions.first() == Some(chosen) => Ok(id),
        _ => acting.store.put_recommendation(host::now(), Some(&chosen.action), advice),
    }
}

fn try_out(
    settings: &Settings,
    acting: &mut Acting,
    id: i64,
    proposed: &ProposedAction,
) -> Result<Applied> {
    let rules = &settings.actions;
    let watched = action::action(&proposed.action).and_then(|a| a.watched);
    let column = watched.map(|w| w.column).unwrap_or_default();
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|e| Error::other("listening for signals", e))?;
    }
    let seconds = rules.watch_for.as_millis().unsigned_abs() / 1000;
    let bar = progress_bar(2 * seconds, "Watching what it does");
    let go_on = || {
        bar.inc(1);
        !stop.load(Ordering::Relaxed)
    };
    let none = overseer_engine::core::Span::default();
    let interrupted = || Error::unavailable("the action", "interrupted; nothing was changed");
    let before = acting.measure(column, rules.watch_for, none, go_on).ok_or_else(interrupted)?;
    let (hands, store) = (acting.hands.as_mut(), &mut acting.store);
    let trial = Trial::begin(rules, id, proposed, before, hands, store, host::now())?;
    let settle = overseer_engine::core::Span::from_millis(rules.watch_for.as_millis() / 4);
    let after = acting.measure(column, rules.watch_for, settle, go_on);
    bar.finish_and_clear();
    let (hands, store) = (acting.hands.as_mut(), &mut acting.store);
    Ok(match after {
        Some(after) => {
            let (applied, kind) = trial.end(after, hands, store, host::now())?;
            Applied { applied, outcome: Some(kind) }
        }
        None => Applied { applied: trial.abandon(hands, store, host::now())?, outcome: None },
    })
}

/// What a person says came of a recommendation.
pub(crate) fn outcome(settings: &Settings, args: &args::Outcome) -> Outcome {
    let mut store = host::open_store(&settings.engine("outcome", false), true)?;
    let mut came = Came::new(args.id, args.kind.into(), host::now());
    came.note.clone_from(&args.note);
    store.put_outcome(&came)?;
    let of_it = store.recommendations(REMEMBERED)?.into_iter().find(|r| r.id == args.id);
    let is_of_an_action = of_it.is_none_or(|r| r.catalogue_action.is_some());
    let then = match is_of_an_action {
        true => "Advice is ranked by it from now on.",
        false => "It is kept; no action was part of that advice, so that it ranks nothing.",
    };
    match settings.format {
        Format::Json => json(&came)?,
        Format::Text => print(&format!(
            "Recommendation {}: {}. {then}\n",
            came.recommendation,
            came.kind.as_str().replace('_', " ")
        ))?,
    }
    Ok(Severity::None)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;
    use overseer_engine::core::{
        Actuator, AppliedState, Knob, KnobSetting, Priority, WhichIncidents,
    };
    use std::path::Path;
    use std::process::Child;
    use std::time::Duration;

    /// A process that does nothing, ended with the test.
    struct Idle(Child);

    impl Idle {
        fn new() -> Self {
            Self(std::process::Command::new("sleep").arg("300").spawn().unwrap())
        }
    }

    impl Drop for Idle {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn settings(dir: &Path, allow: &str) -> Settings {
        let config = dir.join("o.toml");
        let text = format!("[actions]\nallow = [\"{allow}\"]\nwatch-for = \"5s\"\n");
        std::fs::write(&config, text).unwrap();
        let data = dir.join("data").display().to_string();
        let config = config.display().to_string();
        let argv = ["overseer", "--data-dir", &data, "--config", &config, "recommend", "--apply"];
        Settings::of(&Cli::try_parse_from(argv).unwrap()).unwrap()
    }

    /// Advice whose action is of a process of the test's own: its I/O class can be set back without a privilege, its
    /// niceness with one.
    fn advice(pid: u32, hands: &mut dyn Actuator) -> Recommendation {
        let knobs =
            [("ionice", Knob::IoClass { pid }, "idle"), ("nice", Knob::Niceness { pid }, "7")];
        let (name, knob, value) =
            knobs.into_iter().find(|(_, knob, _)| hands.probe(knob).is_ok()).unwrap();
        let mut advice = Recommendation::new("linux.pressure.io", Priority::High, "it waits", "");
        // The first is not allowed, and is passed over.
        let other = KnobSetting::new(Knob::Niceness { pid: 1 }, "19");
        advice.actions = vec![
            ProposedAction::new("dirty-ratio", "", vec![other]),
            ProposedAction::new(name, "", vec![KnobSetting::new(knob, value)]),
        ];
        advice
    }

    fn store(settings: &Settings) -> impl Store {
        host::open_store(&settings.engine("test", false), false).unwrap()
    }

    #[test]
    fn the_first_allowed_action_is_applied_watched_and_kept_only_if_it_helped() {
        let (dir, idle) = (tempfile::tempdir().unwrap(), Idle::new());
        let mut eyes = host::actuator().unwrap();
        let advice = advice(idle.0.id(), eyes.as_mut());
        let (chosen, knob) = (&advice.actions[1], advice.actions[1].settings[0].knob.clone());
        let was = eyes.read(&knob).unwrap();
        let settings = settings(dir.path(), &chosen.action);

        apply(&settings, std::slice::from_ref(&advice)).unwrap();
        let mut kept = store(&settings);
        let journal = kept.applied(9).unwrap();
        assert_eq!(journal.len(), 1, "one action, of those that are allowed: {journal:?}");
        assert_eq!(journal[0].action, chosen.action);
        assert_eq!(journal[0].before, [KnobSetting::new(knob.clone(), was.clone())]);
        assert!(journal[0].ended_at.is_some());
        // What was measured on this host decides; whichever it was, the knob agrees with the journal and the outcome.
        let outcomes = kept.outcomes().unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].measured.0.to_bits(), journal[0].measured.0.to_bits());
        let is_kept = outcomes[0].kind == OutcomeKind::Helped;
        let state = if is_kept { AppliedState::Kept } else { AppliedState::Undone };
        assert_eq!(journal[0].state, state);
        let now = if is_kept { &chosen.settings[0].value } else { &was };
        assert_eq!(&eyes.read(&knob).unwrap(), now);
        assert_eq!(kept.incidents(WhichIncidents::All, 9).unwrap(), []);
        drop(kept);

        // Whoever is told to stop while the effect is watched takes it back, and calls that no outcome.
        if is_kept {
            return; // There is nothing left to set.
        }
        let stops = std::thread::spawn(move || {
            let set = |eyes: &mut dyn Actuator| eyes.read(&knob).is_ok_and(|now| now != was);
            let mut was_set = false;
            for _ in 0..300 {
                std::thread::sleep(Duration::from_millis(50));
                was_set |= set(eyes.as_mut());
                if was_set {
                    let _ = signal_hook::low_level::raise(SIGTERM);
                    break;
                }
            }
            (was_set, eyes.read(&knob).unwrap(), was, eyes, knob)
        });
        apply(&settings, &[advice]).unwrap();
        let (was_set, _, was, mut eyes, knob) = stops.join().unwrap();
        assert!(was_set, "it was applied");
        assert_eq!(eyes.read(&knob).unwrap(), was);
        let mut kept = store(&settings);
        let newest = kept.applied(1).unwrap().remove(0);
        assert_eq!((newest.state, newest.note.as_str()), (AppliedState::Undone, "interrupted"));
        assert_eq!(kept.outcomes().unwrap().len(), 1);
    }
}
