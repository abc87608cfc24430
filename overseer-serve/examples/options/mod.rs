//! Options as both examples read them: names with a value each, in any order.

use overseer_engine::core::{Error, Result};
use std::collections::HashMap;

/// What was given on the command line and not taken yet.
pub(crate) struct Given(HashMap<String, String>);

impl Given {
    /// What this program was started with.
    pub(crate) fn of_this_program() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let mut given = HashMap::new();
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| wrong(&name, "needs a value"))?;
            given.insert(name, value);
        }
        Ok(Self(given))
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A whole number, not negative.
    pub(crate) fn number(&mut self, name: &str, default: u32) -> Result<u32> {
        let given = self.text(name);
        given.map_or(Ok(default), |v| v.parse().map_err(|_| wrong(name, "must be a whole number")))
    }

    /// To be called once all that are known were taken.
    pub(crate) fn no_more(self) -> Result<()> {
        self.0.keys().next().map_or(Ok(()), |name| Err(wrong(name, "is not known")))
    }
}

pub(crate) fn wrong(name: &str, why: &str) -> Error {
    Error::invalid_parameter(name.to_owned(), why)
}
