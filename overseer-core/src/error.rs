//! The one error of the workspace: a box around a kind that can grow.

use std::error::Error as StdError;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, small enough to return by value everywhere.
///
/// Ask the predicates ([`Error::is_not_enough_data`] and the like) rather than matching where one suffices.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

/// The kinds of error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter is outside what its documentation allows.
    #[error("parameter `{name}`: {message}")]
    InvalidParameter {
        /// The parameter's name as a caller writes it.
        name: String,
        /// What it may be, and what it was.
        message: String,
    },
    /// Two things with different features, or different numbers of them, were put together.
    #[error("schema mismatch: expected {expected}, found {found}")]
    SchemaMismatch {
        /// The schema or shape that was required.
        expected: String,
        /// The schema or shape that was given.
        found: String,
    },
    /// There are too few usable values for what was asked.
    #[error("not enough data for {what}: {needed} needed, {found} found")]
    NotEnoughData {
        /// What was to be done.
        what: String,
        /// How many values, rows or steps it takes.
        needed: usize,
        /// How many there were.
        found: usize,
    },
    /// A value from outside cannot be used, and `place` says where it stands.
    #[error("{place}: {message}")]
    InvalidValue {
        /// Row and column, file and line, or field.
        place: String,
        /// What is wrong with the value.
        message: String,
    },
    /// Stored bytes do not hold what they claim to hold.
    #[error("{what} is unreadable: {message}")]
    Corrupt {
        /// Which file, table or model.
        what: String,
        /// What gave it away.
        message: String,
    },
    /// A resource exists but cannot be used now: locked, read-only, full, or without permission.
    #[error("{what} is unavailable: {message}")]
    Unavailable {
        /// Which resource.
        what: String,
        /// Why.
        message: String,
    },
    /// The platform, the format version or the model does not offer this.
    #[error("{0} is not supported here")]
    Unsupported(String),
    /// An error of a library or of the system, with what was being done.
    #[error("{context}: {source}")]
    Other {
        /// What was being done.
        context: String,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// The kind, for callers that need its fields.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// An [`ErrorKind::InvalidParameter`].
    pub fn invalid_parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::InvalidParameter { name: name.into(), message: message.into() }.into()
    }

    /// An [`ErrorKind::SchemaMismatch`].
    pub fn schema_mismatch(expected: impl Into<String>, found: impl Into<String>) -> Self {
        ErrorKind::SchemaMismatch { expected: expected.into(), found: found.into() }.into()
    }

    /// An [`ErrorKind::NotEnoughData`].
    pub fn not_enough_data(what: impl Into<String>, needed: usize, found: usize) -> Self {
        ErrorKind::NotEnoughData { what: what.into(), needed, found }.into()
    }

    /// An [`ErrorKind::InvalidValue`].
    pub fn invalid_value(place: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::InvalidValue { place: place.into(), message: message.into() }.into()
    }

    /// An [`ErrorKind::Corrupt`].
    pub fn corrupt(what: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Corrupt { what: what.into(), message: message.into() }.into()
    }

    /// An [`ErrorKind::Unavailable`].
    pub fn unavailable(what: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Unavailable { what: what.into(), message: message.into() }.into()
    }

    /// An [`ErrorKind::Unsupported`].
    pub fn unsupported(what: impl Into<String>) -> Self {
        ErrorKind::Unsupported(what.into()).into()
    }

    /// Wraps an error of a library or of the system, with what was being done.
    pub fn other(
        context: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        ErrorKind::Other { context: context.into(), source: source.into() }.into()
    }

    /// Whether waiting for more data would help.
    #[must_use]
    pub fn is_not_enough_data(&self) -> bool {
        matches!(self.kind(), ErrorKind::NotEnoughData { .. })
    }

    /// Whether stored bytes were found to be damaged, so that setting them aside is the remedy.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self.kind(), ErrorKind::Corrupt { .. })
    }

    /// Whether the resource may be usable later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable { .. })
    }

    /// Whether the schema, not the values, was wrong.
    #[must_use]
    pub fn is_schema_mismatch(&self) -> bool {
        matches!(self.kind(), ErrorKind::SchemaMismatch { .. })
    }

    /// Whether the caller passed a parameter or value that can never work.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        matches!(self.kind(), ErrorKind::InvalidParameter { .. } | ErrorKind::InvalidValue { .. })
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide_and_names_the_place() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        let e = Error::invalid_value("hosts.csv, line 7, column `cpu`", "`abc` is not a number");
        assert_eq!(e.to_string(), "hosts.csv, line 7, column `cpu`: `abc` is not a number");
        assert!(e.is_invalid_input() && !e.is_corrupt());
    }
}
