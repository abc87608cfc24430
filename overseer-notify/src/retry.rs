//! A receiver's own word on when to come again.

use overseer_core::{Error, Span};
use std::error::Error as StdError;
use std::fmt;

/// The cause of an [`Error`] of a sink whose receiver said how long to wait, as HTTP's `Retry-After` does.
///
/// The worker waits at least that long, up to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter {
    /// How long to wait.
    pub wait: Span,
    /// What the receiver said, for a person.
    pub message: String,
}

impl RetryAfter {
    /// How long the receiver behind an error asked to be left alone, if it did.
    #[must_use]
    pub fn of(error: &Error) -> Option<Span> {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(e) = cause {
            if let Some(asked) = e.downcast_ref::<Self>() {
                return Some(asked.wait);
            }
            cause = e.source();
        }
        None
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; it asks to wait {}", self.message, self.wait)
    }
}

impl StdError for RetryAfter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_found_behind_an_error() {
        let asked = RetryAfter { wait: Span::from_secs(90), message: "answered 429".to_owned() };
        let error = Error::other("https://hooks.example", asked);
        assert_eq!(RetryAfter::of(&error), Some(Span::from_secs(90)));
        assert_eq!(error.to_string(), "https://hooks.example: answered 429; it asks to wait 90 s");
        assert_eq!(RetryAfter::of(&Error::unavailable("x", "y")), None);
    }
}
