//! Recommendations get their actions, the best first, and a number by which their outcome can be told.

use super::bandit::Context;
use super::experience::Experience;
use super::propose::propose;
use crate::engine::{Engine, Role};
use crate::recommendation::Advice;
use crate::report::{Notice, Stage};
use overseer_core::{Actuator, ErrorKind, ProposedAction, Recommendation, Span, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Outcomes are read again after this long where the store does not tell that somebody has written to it.
const FRESH: Span = Span::from_secs(60);
/// Knobs are read again for the same advice after this long.
const PROPOSED: Span = Span::from_secs(300);
/// The same advice keeps its number for this long.
const SAME: Span = Span::from_secs(86_400);
/// How many stored recommendations are remembered.
const REMEMBERED: usize = 100;

/// Advice that was stored.
#[derive(Debug)]
struct Numbered {
    feature: String,
    /// Which of several: a mount, a program.
    instance: String,
    action: Option<String>,
    at: Timestamp,
    id: i64,
}

/// When actions were proposed, for which process, and which.
type Proposed = (Timestamp, Option<u32>, Vec<ProposedAction>);

/// What an engine knows of actions.
#[derive(Debug, Default)]
pub(crate) struct Advised {
    hands: Option<Box<dyn Actuator>>,
    experience: Option<(Timestamp, Experience)>,
    /// Of each feature and instance.
    proposed: HashMap<(String, String), Proposed>,
    /// Stored advice, the newest last; none before it was read.
    numbered: Option<VecDeque<Numbered>>,
    /// Whether there is time to look at what lies on a disk.
    pub(crate) may_look: bool,
}

impl Advised {
    /// What the store says is read again before the next advice.
    pub(crate) fn forget(&mut self) {
        self.experience = None;
        self.numbered = None;
    }

    /// The newest number of the same advice, unless that is long ago.
    fn number(&self, advice: &Advice, now: Timestamp) -> Option<i64> {
        let action = advice.said.actions.first().map(|a| &a.action);
        let same = |n: &&Numbered| {
            n.feature == advice.said.feature
                && n.instance == advice.instance
                && n.action.as_ref() == action
        };
        let last = self.numbered.as_ref()?.iter().rev().find(same)?;
        (last.at <= now && now.since(last.at) < SAME).then_some(last.id)
    }
}

impl Engine {
    /// From now on recommendations come with actions of the catalogue whose preconditions `hands` finds to hold. The
    /// engine only reads through it.
    pub fn advise_through(&mut self, hands: Box<dyn Actuator>) {
        self.advised.hands = Some(hands);
    }

    /// What came of advice so far, as the store has it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn experience(&mut self) -> overseer_core::Result<Experience> {
        match &mut self.parts.store {
            Some(store) => Experience::read(store.as_mut()),
            None => Ok(Experience::default()),
        }
    }

    /// Adds to each recommendation its actions, ranked, and its number.
    pub(crate) fn complete(&mut self, advice: &mut [Advice]) {
        let Some(now) = self.newest().map(|s| s.timestamp).filter(|_| !advice.is_empty()) else {
            return;
        };
        let mount = self.reading.as_ref().and_then(|r| r.fullest_mount.clone());
        let mut advised = std::mem::take(&mut self.advised);
        let stale = |at: Timestamp, span| now < at || now.since(at) >= span;
        if advised.hands.is_some() && advised.experience.as_ref().is_none_or(|e| stale(e.0, FRESH))
        {
            match self.experience() {
                Ok(known) => advised.experience = Some((now, known)),
                Err(e) => tracing::debug!("what came of advice cannot be read: {e}"),
            }
        }
        for a in advice.iter_mut() {
            let r = &mut a.said;
            if let Some(hands) = &mut advised.hands {
                let leads = r.processes.first().map(|p| p.pid);
                let of = (r.feature.clone(), a.instance.clone());
                let known = advised.proposed.get(&of);
                let known = known.filter(|(at, pid, _)| {
                    *pid == leads && !stale(*at, PROPOSED) && !advised.may_look
                });
                r.actions = match known {
                    Some((_, _, actions)) => actions.clone(),
                    None => {
                        let mount = match a.instance.as_str() {
                            "" => mount.as_deref(),
                            instance => Some(instance),
                        };
                        let mount = mount.filter(|_| advised.may_look);
                        let found = propose(r, hands.as_mut(), mount);
                        // What nobody asked for again is forgotten.
                        advised.proposed.retain(|_, (at, _, _)| !stale(*at, PROPOSED));
                        advised.proposed.insert(of, (now, leads, found.clone()));
                        found
                    }
                };
                let experience = advised.experience.as_ref().map(|(_, e)| e);
                rank(r, experience.unwrap_or(&Experience::default()));
            }
            if advised.numbered.is_none() {
                advised.numbered = self.read_numbers();
            }
            a.said.id = advised.number(a, now).or_else(|| self.store_advice(a, now, &mut advised));
        }
        self.advised = advised;
    }

    fn read_numbers(&mut self) -> Option<VecDeque<Numbered>> {
        let stored = self.parts.store.as_mut()?.recommendations(REMEMBERED).ok()?;
        let numbered = stored.into_iter().rev().map(|r| {
            let Advice { instance, said } = Advice::stored(r.recommendation);
            let (action, at, id) = (r.catalogue_action, r.made_at, r.id);
            Numbered { feature: said.feature, instance, action, at, id }
        });
        Some(numbered.collect())
    }

    fn store_advice(
        &mut self,
        advice: &Advice,
        now: Timestamp,
        advised: &mut Advised,
    ) -> Option<i64> {
        // Who only reads beside another's samples stores none; but a person was shown this, and may tell what came of it.
        if self.role != Role::Sampler && !advised.may_look {
            return None;
        }
        let action = advice.said.actions.first().map(|a| a.action.clone());
        let store = self.parts.store.as_mut()?;
        match store.put_recommendation(now, action.as_deref(), &advice.said) {
            Ok(id) => {
                let numbered = advised.numbered.get_or_insert_default();
                if numbered.len() >= REMEMBERED {
                    numbered.pop_front();
                }
                let (feature, instance) = (advice.said.feature.clone(), advice.instance.clone());
                numbered.push_back(Numbered { feature, instance, action, at: now, id });
                Some(id)
            }
            // Of a store that keeps no advice at all nobody expects a number.
            Err(e) if matches!(e.kind(), ErrorKind::Unsupported(_)) => None,
            Err(e) => {
                self.note(Notice::warning(
                    Stage::Store,
                    format!("advice could not be stored and has no number yet: {e}"),
                ));
                None
            }
        }
    }
}

/// Puts the actions into the order in which to advise them. The order changes when another outcome is known, not from
/// one look to the next.
fn rank(advice: &mut Recommendation, experience: &Experience) {
    let Some(context) = Context::of(&advice.feature, advice.priority) else { return };
    for action in &mut advice.actions {
        let belief = experience.bandit().belief(&action.action, &context);
        (action.expected, action.uncertainty) = (belief.mean, belief.spread);
        action.tried = belief.tried;
    }
    let names: Vec<&str> = advice.actions.iter().map(|a| a.action.as_str()).collect();
    let order = if experience.is_empty() {
        // Nothing is known but the priors: their order is the catalogue's, and no dice are thrown.
        (0..names.len()).collect()
    } else {
        experience.bandit().rank(&names, &context, experience.len() as u64)
    };
    advice.actions = order.into_iter().map(|i| advice.actions[i].clone()).collect();
}
