//! What must not be read by others: never stored, logged, or part of an error.

use overseer_core::{Error, Result};
use std::fmt;
use std::io::Read;
use std::path::PathBuf;

/// A longer one is none.
const MOST_BYTES: u64 = 16 << 10;

/// Where a secret is read from, each time it is needed, so that it can be changed while the program runs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// The content of a file, without the end of its last line.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The secret itself, for programs that hold it.
    Value(String),
}

impl Secret {
    /// The secret.
    ///
    /// # Errors
    /// Unavailable if the file cannot be read or the variable is not set, or if it is empty, longer than 16 KiB or no
    /// text; the error names the place and never the secret.
    pub fn read(&self) -> Result<String> {
        let place = self.to_string();
        let text = match self {
            Self::Value(text) => text.clone(),
            Self::Env(name) => std::env::var(name).map_err(|e| {
                let not_set = matches!(e, std::env::VarError::NotPresent);
                Error::unavailable(&place, if not_set { "it is not set" } else { "it is no text" })
            })?,
            Self::File(path) => {
                let file = std::fs::File::open(path);
                let file = file.map_err(|e| Error::unavailable(&place, e.to_string()))?;
                let mut bytes = Vec::new();
                file.take(MOST_BYTES + 1)
                    .read_to_end(&mut bytes)
                    .map_err(|e| Error::unavailable(&place, e.to_string()))?;
                String::from_utf8(bytes).map_err(|_| Error::unavailable(&place, "it is no text"))?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        match text.len() as u64 {
            0 => Err(Error::unavailable(place, "it is empty")),
            n if n > MOST_BYTES => Err(Error::unavailable(place, "it is longer than 16 KiB")),
            _ => Ok(text.to_owned()),
        }
    }
}

/// Says where it is kept, not what it is.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the secret in {}", path.display()),
            Self::Env(name) => write!(f, "the secret in the environment variable {name}"),
            Self::Value(_) => f.write_str("a secret"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_anew_each_time_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let secret = Secret::File(path.clone());
        assert!(secret.read().unwrap_err().is_unavailable());
        for text in ["hunter2\n", "changed\r\n"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(secret.read().unwrap(), text.trim_end());
        }
        for unusable in ["", "\n", &"x".repeat(20_000)] {
            std::fs::write(&path, unusable).unwrap();
            assert!(secret.read().unwrap_err().to_string().contains("token"));
        }
        let value = Secret::Value("hunter2".to_owned());
        assert!(!format!("{value} {value:?}").contains("hunter2"));
        let unset = Secret::Env("OVERSEER_NOT_SET_ANYWHERE".to_owned());
        assert!(unset.read().unwrap_err().to_string().ends_with("it is not set"));
    }
}
