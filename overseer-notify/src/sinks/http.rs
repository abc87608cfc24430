//! One place that things are posted to over HTTP.

use crate::context::Clock;
use crate::message::one_line;
use crate::retry::RetryAfter;
use crate::secret::Secret;
use overseer_core::{Error, Result, Span};
use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};

/// Of an answer that is an error, the first so many bytes are read.
const ANSWER_BYTES: u64 = 2048;
const ANSWER_CHARACTERS: usize = 200;

/// Where and how things are posted.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The address, `http://` or `https://`. It may hold a secret, as chat services' do, and is never shown beyond its
    /// host.
    pub url: Secret,
    /// Further headers, sent as they are.
    pub headers: Vec<(String, String)>,
    /// A token for the header `Authorization: Bearer`, if there is one.
    pub token: Option<Secret>,
    /// How long all of it may take, from looking up the name to the end of the answer.
    pub timeout: Duration,
    /// The clock that a `Retry-After` with a date is held against.
    pub clock: Clock,
}

impl HttpOptions {
    /// Posting to an address, within ten seconds.
    #[must_use]
    pub fn new(url: Secret, clock: Clock) -> Self {
        let timeout = Duration::from_secs(10);
        Self { url, headers: Vec::new(), token: None, timeout, clock }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither an address nor a header: both may be secrets.
        f.debug_struct("HttpOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Options that were checked, and the client.
#[derive(Debug)]
pub(super) struct Endpoint {
    options: HttpOptions,
    headers: HeaderMap,
    agent: Agent,
}

impl Endpoint {
    pub(super) fn new(options: HttpOptions) -> Result<Self> {
        if let Secret::Value(url) = &options.url {
            address(url, "")?;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let wrong =
                |what: &str| Error::invalid_parameter("headers", format!("{what} `{name}`"));
            let key = HeaderName::try_from(name.as_str())
                .map_err(|_| wrong("this cannot be the name of a header:"))?;
            let mut value = HeaderValue::try_from(value.as_str())
                .map_err(|_| wrong("line breaks and the like are in the value of"))?;
            value.set_sensitive(true);
            headers.append(key, value);
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .timeout_global(Some(options.timeout))
            // What an answer means is decided here.
            .http_status_as_error(false)
            // A redirect would carry the secrets elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Alerts are minutes apart: a kept connection would mostly be a dead one.
            .max_idle_connections(0)
            .user_agent(concat!("overseer/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self { options, headers, agent })
    }

    /// Posts JSON, to `path` below the address.
    pub(super) fn post(&self, path: &str, body: &str, more: &[(&str, String)]) -> Result<()> {
        let url = self.options.url.read()?;
        // One that was checked at the start is right; one from elsewhere may be put right until the next attempt.
        let (uri, place) = address(&url, path)
            .map_err(|e| Error::unavailable(self.options.url.to_string(), e.to_string()))?;
        let mut request = self.agent.post(uri).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &self.options.token {
            let token =
                HeaderValue::try_from(format!("Bearer {}", token.read()?)).map_err(|_| {
                    Error::unavailable(token.to_string(), "it holds what no header may")
                })?;
            request = request.header("authorization", token);
        }
        for (name, value) in more {
            request = request.header(*name, value);
        }
        match request.send(body) {
            Ok(answer) => self.judge(&place, answer),
            Err(ureq::Error::Timeout(_)) => {
                let whole = Span::from(self.options.timeout);
                Err(Error::unavailable(place, format!("there was no answer within {whole}")))
            }
            Err(e) => Err(Error::unavailable(place, e.to_string())),
        }
    }

    fn judge(&self, place: &str, mut answer: Response<ureq::Body>) -> Result<()> {
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let mut said = Vec::new();
        // What could be read of it; the status alone says enough.
        let _ = answer.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut said);
        let said = one_line(&String::from_utf8_lossy(&said), ANSWER_CHARACTERS);
        let mut message = format!("it answered {status}");
        if !said.is_empty() {
            message = format!("{message}: {said}");
        }
        let comes_back =
            [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if status.is_client_error() && !comes_back {
            return Err(Error::invalid_value(place, message));
        }
        let wait = answer.headers().get("retry-after").and_then(|v| v.to_str().ok());
        match wait.and_then(|text| self.wait(text)) {
            Some(wait) => Err(Error::other(place, RetryAfter { wait, message })),
            None => Err(Error::unavailable(place, message)),
        }
    }

    /// `Retry-After`: whole seconds, or a date (RFC 9110, section 10.2.3).
    fn wait(&self, text: &str) -> Option<Span> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(Span::from_secs(i64::from(seconds)));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let date = overseer_core::Timestamp::from_millis(date.as_millisecond());
        Some(date.since((self.options.clock)()))
    }
}

/// An address and what of it may be shown: all before the path.
fn address(url: &str, path: &str) -> Result<(Uri, String)> {
    let wrong = |why: &str| Error::invalid_parameter("url", why);
    let joined = if path.is_empty() {
        url.to_owned()
    } else {
        format!("{}{path}", url.trim_end_matches('/'))
    };
    let uri: Uri = joined.parse().map_err(|_| wrong("this is no address"))?;
    let (scheme, host) = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(host)) => (scheme, host),
        _ => return Err(wrong("an address begins with http:// or https://")),
    };
    if host.as_str().contains('@') {
        return Err(wrong("name and password do not belong into an address; use `token-file`"));
    }
    let place = format!("{scheme}://{host}");
    Ok((uri, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overseer_core::Timestamp;
    use std::sync::Arc;

    fn options(url: &str) -> HttpOptions {
        // Wed, 21 Oct 2015 07:28:00 GMT
        let clock: Clock = Arc::new(|| Timestamp::from_millis(1_445_412_480_000));
        HttpOptions::new(Secret::Value(url.to_owned()), clock)
    }

    #[test]
    fn addresses_and_headers_are_checked_at_the_start_and_not_shown() {
        for wrong in ["", "hooks.example", "ftp://x/y", "http://", "https://me:pw@x/", "http://a b"]
        {
            assert!(Endpoint::new(options(wrong)).unwrap_err().is_invalid_input(), "{wrong}");
        }
        let secret = "https://hooks.example/services/T0/s3cret?key=s3cret";
        let (_, place) = address(secret, "").unwrap();
        assert_eq!(place, "https://hooks.example");
        let mut with = options(secret);
        with.headers.push(("X-Key".to_owned(), "s3cret".to_owned()));
        let shown = format!("{:?}", Endpoint::new(with.clone()).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        with.headers.push(("X-Key".to_owned(), "a\r\nb: c".to_owned()));
        let e = Endpoint::new(with).unwrap_err();
        assert!(e.is_invalid_input() && !e.to_string().contains("b: c"), "{e}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let endpoint = Endpoint::new(options("http://x/")).unwrap();
        let wait = |text| endpoint.wait(text);
        assert_eq!(wait("120"), Some(Span::from_secs(120)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:30:00 GMT"), Some(Span::from_secs(120)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Span::default()));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
    }
}
