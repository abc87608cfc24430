//! What `recommend --apply` may do, as the configuration says.

use super::mistakes::unknown_word;
use super::wrong;
use crate::args::span;
use overseer_engine::action::{ActionRules, CATALOGUE};
use overseer_engine::core::{Result, Span};
use serde::Deserialize;

/// The table `[actions]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Actions {
    #[serde(default)]
    allow: Vec<String>,
    watch_for: Option<String>,
}

impl Actions {
    /// What may be applied, if each name is that of an action which can be.
    pub(super) fn rules(&self) -> Result<ActionRules> {
        let mut rules = ActionRules::default();
        let appliable = CATALOGUE.iter().filter(|a| a.watched.is_some()).map(|a| a.name);
        let appliable: Vec<&str> = appliable.collect();
        if let Some(unknown) = self.allow.iter().find(|name| !appliable.contains(&name.as_str())) {
            let why = if CATALOGUE.iter().any(|a| a.name == unknown) {
                let names = appliable.join(", ");
                format!("`{unknown}` is only proposed and cannot be applied; there are {names}")
            } else {
                unknown_word("action", unknown, &appliable)
            };
            return Err(wrong("actions.allow", why));
        }
        rules.allow.clone_from(&self.allow);
        if let Some(text) = &self.watch_for {
            rules.watch_for = span(text).map_err(|e| wrong("actions.watch-for", e))?;
            if !(Span::from_secs(5)..=Span::from_secs(3600)).contains(&rules.watch_for) {
                return Err(wrong("actions.watch-for", "must be from 5s to 1h".to_owned()));
            }
        }
        Ok(rules)
    }
}
