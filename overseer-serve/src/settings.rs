//! What a router is told: who may ask it, and under which names.

use overseer_engine::core::{Error, Result};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// A token shorter than this could be guessed.
const SHORTEST_TOKEN: usize = 16;

/// How a router guards itself. The default is right behind a loopback address: no token, and only loopback names.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The names it answers to.
    pub hosts: Hosts,
    /// What requests for data must carry as `Authorization: Bearer`; `None` for nothing.
    pub token: Option<Token>,
    /// Pages of these origins, such as `https://status.example`, may read answers; by default none but our own.
    pub allowed_origins: Vec<String>,
}

/// Which `Host` headers are answered.
///
/// A page of somebody else's whose name resolves to 127.0.0.1 (DNS rebinding) could otherwise read everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Hosts {
    /// `localhost`, `127.0.0.1` and `[::1]`, on any port.
    #[default]
    Loopback,
    /// These names, on any port, besides the loopback ones.
    Named(Vec<String>),
    /// Any: for a service that checks this itself, or that a token guards.
    Any,
}

impl Hosts {
    /// Whether a `Host` header's value is one of them.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let name = name_of(host);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let loopback = ["localhost", "127.0.0.1", "[::1]"].into_iter().any(is);
        match self {
            Self::Any => true,
            Self::Loopback => loopback,
            Self::Named(names) => loopback || names.iter().any(|n| is(n)),
        }
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// A secret that requests must carry. It is never printed, and compared in the same time however much of it is right.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// Takes a secret, without the white space around it.
    ///
    /// # Errors
    /// If it has fewer than 16 characters or any that a header cannot hold.
    pub fn new(secret: &str) -> Result<Self> {
        let secret = secret.trim();
        if secret.len() < SHORTEST_TOKEN {
            let why = format!("must have at least {SHORTEST_TOKEN} characters");
            return Err(Error::invalid_parameter("token", why));
        }
        if !secret.bytes().all(|b| b.is_ascii_graphic()) {
            let why = "may hold only visible ASCII characters, and no space between them";
            return Err(Error::invalid_parameter("token", why));
        }
        Ok(Self(secret.into()))
    }

    /// Whether this is it.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_answered_unless_others_are_named() {
        for own in ["localhost", "LocalHost:9280", "127.0.0.1:1", "[::1]:9280", "[::1]"] {
            assert!(Hosts::Loopback.allow(own), "{own}");
        }
        for other in
            ["", ":", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil", "::1x"]
        {
            assert!(!Hosts::Loopback.allow(other), "{other}");
        }
        let named = Hosts::Named(vec!["web-1".to_owned()]);
        assert!(named.allow("WEB-1:9280") && named.allow("localhost") && !named.allow("web-2"));
        assert!(Hosts::Any.allow("anything"));
    }

    #[test]
    fn a_token_is_long_enough_and_never_printed() {
        assert!(Token::new("short").unwrap_err().to_string().contains("16"));
        assert!(Token::new("sixteen characters").is_err());
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeF") && !token.is("") && !token.is("0123456789abcdef0"));
        assert!(!format!("{token:?}").contains("0123"));
    }
}
