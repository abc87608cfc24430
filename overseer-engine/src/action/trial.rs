//! Applying an action, watching what it does, and taking it back unless it helps.
//!
//! The journal is written before anything is changed. A process that ends in between leaves an open line, which
//! [`recover`] closes at the next start by setting every knob back that is still as it was set.

use super::catalogue::action;
use overseer_core::{
    Actuator, AppliedAction, AppliedState, Error, KnobSetting, Outcome, OutcomeKind,
    ProposedAction, Result, Span, Store, Timestamp,
};

/// A change of the watched feature by less than this share of what it was is none.
const EFFECT: f64 = 0.1;
/// And neither is one by less than this: it is a share itself.
const LEAST: f64 = 0.005;
/// Journal lines that are looked through for open ones.
const OPEN_LINES: usize = 100;

/// What may be applied, and how long its effect is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRules {
    /// Names of the catalogue that may be applied; none by default.
    pub allow: Vec<String>,
    /// How long the effect is watched.
    pub watch_for: Span,
}

impl Default for ActionRules {
    fn default() -> Self {
        Self { allow: Vec::new(), watch_for: Span::from_secs(120) }
    }
}

impl ActionRules {
    /// Whether the action may be applied.
    ///
    /// # Errors
    /// Says why not: it is not allowed, or nothing of it can be applied.
    pub fn permits(&self, proposed: &ProposedAction) -> Result<()> {
        let name = &proposed.action;
        if proposed.settings.is_empty() || action(name).is_none_or(|a| a.watched.is_none()) {
            return Err(Error::unsupported(format!("applying `{name}`, which is only proposed")));
        }
        if !self.allow.contains(name) {
            let why = "the configuration does not allow it: it is not in `allow` of `[actions]`";
            return Err(Error::unavailable(format!("the action `{name}`"), why));
        }
        Ok(())
    }
}

/// What setting one knob would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it would be set to.
    pub setting: KnobSetting,
    /// What it is set to now; none where it cannot be read.
    pub now: Option<String>,
    /// Why it could not be set; none if it could.
    pub problem: Option<String>,
}

/// What applying an action would do, without doing it.
pub fn check(proposed: &ProposedAction, hands: &mut dyn Actuator) -> Vec<Checked> {
    let one = |setting: &KnobSetting| Checked {
        setting: setting.clone(),
        now: hands.read(&setting.knob).ok(),
        problem: hands.probe(&setting.knob).err().map(|e| e.to_string()),
    };
    proposed.settings.iter().map(one).collect()
}

/// Whether a change of the watched feature is for the better: at least a tenth of what it was, and half a hundredth.
/// What could not be measured is no change.
#[must_use]
pub fn judge(before: f64, after: f64, falls: bool) -> OutcomeKind {
    let better = if falls { before - after } else { after - before };
    let enough = (EFFECT * before.abs()).max(LEAST);
    match better {
        b if b >= enough => OutcomeKind::Helped,
        b if b <= -enough => OutcomeKind::Worse,
        _ => OutcomeKind::NoChange,
    }
}

/// An action that was applied and whose effect is watched. Exactly one at a time: whoever makes one holds the lock.
#[derive(Debug)]
pub struct Trial {
    line: AppliedAction,
    falls: bool,
}

impl Trial {
    /// Applies an action: reads every knob and makes sure that it can be set, writes the journal, and only then sets.
    ///
    /// # Errors
    /// If it is not permitted, a knob cannot be read or set, or the journal not be written. Whatever was set by then is
    /// set back.
    pub fn begin(
        rules: &ActionRules,
        recommendation: i64,
        proposed: &ProposedAction,
        before: f64,
        hands: &mut dyn Actuator,
        store: &mut dyn Store,
        now: Timestamp,
    ) -> Result<Self> {
        rules.permits(proposed)?;
        if let Some(open) = store.applied(OPEN_LINES)?.iter().find(|a| a.state.is_open()) {
            let why = format!("`{}` of an earlier time is not at its end", open.action);
            return Err(Error::unavailable("applying an action", why));
        }
        let mut was = Vec::new();
        for setting in &proposed.settings {
            hands.probe(&setting.knob)?;
            was.push(KnobSetting::new(setting.knob.clone(), hands.read(&setting.knob)?));
        }
        let settings = proposed.settings.clone();
        let mut line = AppliedAction::new(recommendation, &proposed.action, was, settings, now);
        line.measured.0 = before;
        line.id = store.put_applied(&line)?;
        for setting in line.after.clone() {
            if let Err(e) = hands.apply(&setting) {
                close(&mut line, format!("{setting} could not be set: {e}"), hands, now);
                store.put_applied(&line)?;
                return Err(e);
            }
        }
        line.state = AppliedState::Watching;
        let falls = action(&proposed.action).and_then(|a| a.watched).is_none_or(|w| w.falls);
        let mut trial = Self { line, falls };
        if let Err(e) = store.put_applied(&trial.line) {
            // The open line is there; what it says is taken back now rather than at the next start.
            take_back(&mut trial.line, hands);
            return Err(e);
        }
        Ok(trial)
    }

    /// Ends it with what was measured since: keeps what helped, takes back what did not, and stores the outcome.
    ///
    /// # Errors
    /// If the store cannot be written; what did not help is taken back all the same.
    pub fn end(
        mut self,
        after: f64,
        hands: &mut dyn Actuator,
        store: &mut dyn Store,
        now: Timestamp,
    ) -> Result<(AppliedAction, OutcomeKind)> {
        self.line.measured.1 = after;
        let kind = judge(self.line.measured.0, after, self.falls);
        if kind == OutcomeKind::Helped {
            self.line.state = AppliedState::Kept;
            self.line.ended_at = Some(now);
        } else {
            let why = match kind {
                OutcomeKind::Worse => "it got worse",
                _ => "no effect could be measured",
            };
            close(&mut self.line, why.to_owned(), hands, now);
        }
        store.put_applied(&self.line)?;
        let mut outcome = Outcome::new(self.line.recommendation, kind, now);
        outcome.measured = self.line.measured;
        "measured".clone_into(&mut outcome.note);
        store.put_outcome(&outcome)?;
        Ok((self.line, kind))
    }

    /// Takes it back before its effect is known, as when somebody interrupts. That is no outcome.
    ///
    /// # Errors
    /// If the store cannot be written; it is taken back all the same.
    pub fn abandon(
        mut self,
        hands: &mut dyn Actuator,
        store: &mut dyn Store,
        now: Timestamp,
    ) -> Result<AppliedAction> {
        close(&mut self.line, "interrupted".to_owned(), hands, now);
        store.put_applied(&self.line)?;
        Ok(self.line)
    }

    /// The journal's line.
    #[must_use]
    pub fn line(&self) -> &AppliedAction {
        &self.line
    }
}

/// Takes back what a process that ended left applied, and returns those lines. Call it only where no trial can be under
/// way.
///
/// # Errors
/// If the journal cannot be read or written; what can be taken back is.
pub fn recover(
    hands: &mut dyn Actuator,
    store: &mut dyn Store,
    now: Timestamp,
) -> Result<Vec<AppliedAction>> {
    let mut open: Vec<AppliedAction> =
        store.applied(OPEN_LINES)?.into_iter().filter(|a| a.state.is_open()).collect();
    for line in &mut open {
        let why = "the process ended before the effect was known".to_owned();
        close(line, why, hands, now);
        store.put_applied(line)?;
    }
    Ok(open)
}

/// Takes a line's action back and says so in it.
fn close(line: &mut AppliedAction, why: String, hands: &mut dyn Actuator, now: Timestamp) {
    line.note = why;
    take_back(line, hands);
    line.ended_at = Some(now);
}

/// Sets back, last first, every knob that is still as it was set. One that somebody else has set meanwhile is left.
fn take_back(line: &mut AppliedAction, hands: &mut dyn Actuator) {
    line.state = AppliedState::Undone;
    for (before, after) in line.before.iter().zip(&line.after).rev() {
        match hands.read(&before.knob) {
            Ok(now) if now == before.value => {}
            Ok(now) if now == after.value => {
                let undone = hands.undo(before).and_then(|()| hands.read(&before.knob));
                match undone {
                    Ok(now) if now == before.value => {}
                    Ok(now) => {
                        line.state = AppliedState::Stuck;
                        line.note.push_str(&format!("; {} stays at {now}", before.knob));
                    }
                    Err(e) => {
                        line.state = AppliedState::Stuck;
                        line.note.push_str(&format!("; {before} could not be set back: {e}"));
                    }
                }
            }
            Ok(now) => {
                let said = format!("; {} was meanwhile set to {now} and was left so", before.knob);
                line.note.push_str(&said);
            }
            // A process or group that is gone has nothing left to set back.
            Err(e) => line.note.push_str(&format!("; {} cannot be read: {e}", before.knob)),
        }
    }
}
