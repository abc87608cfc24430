//! An HTTP POST of JSON.

use super::http::{Endpoint, HttpOptions};
use crate::message::json;
use crate::secret::Secret;
use crate::text::{body, subject};
use hmac::{Hmac, KeyInit, Mac};
use overseer_core::{Error, Notification, Result, Sink};
use sha2::Sha256;

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BodyFormat {
    /// The notification with its number, as files get it.
    #[default]
    Generic,
    /// `{"text": …}`: what Slack, Mattermost and Rocket.Chat show as a message.
    Slack,
}

/// How a webhook is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebhookOptions {
    /// Where and how.
    pub http: HttpOptions,
    /// What.
    pub format: BodyFormat,
    /// The key of the signature, if there is to be one.
    pub secret: Option<Secret>,
}

impl WebhookOptions {
    /// Generic JSON without a signature.
    #[must_use]
    pub fn new(http: HttpOptions) -> Self {
        Self { http, format: BodyFormat::default(), secret: None }
    }
}

/// Posts each notification as JSON.
///
/// With a secret, the header `X-Overseer-Signature` is `sha256=` and the HMAC-SHA256 of the body (RFC 2104) in
/// hexadecimal. The header `Idempotency-Key` names host and message: one that comes twice has the same.
///
/// An answer of 2xx is delivered. One of 4xx is final, for the same request would be refused again, but for 408 and 429.
/// All else is tried again, after `Retry-After` where there is one. Redirects are not followed.
#[derive(Debug)]
pub struct WebhookSink {
    name: String,
    endpoint: Endpoint,
    format: BodyFormat,
    secret: Option<Secret>,
}

impl WebhookSink {
    /// A webhook; nothing is sent yet.
    ///
    /// # Errors
    /// If the address or a header cannot be.
    pub fn new(name: impl Into<String>, options: WebhookOptions) -> Result<Self> {
        let WebhookOptions { http, format, secret } = options;
        Ok(Self { name: name.into(), endpoint: Endpoint::new(http)?, format, secret })
    }
}

impl Sink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()> {
        let body = match self.format {
            BodyFormat::Generic => json(id, notification)?,
            BodyFormat::Slack => chat(id, notification),
        };
        let host: String = notification.host.chars().filter(char::is_ascii_graphic).collect();
        let mut more = vec![("idempotency-key", format!("overseer-{host}-{id}"))];
        if let Some(secret) = &self.secret {
            more.push(("x-overseer-signature", signature(&secret.read()?, &body)?));
        }
        self.endpoint.post("", &body, &more)
    }
}

fn chat(id: i64, n: &Notification) -> String {
    // The three characters that Slack's markup gives a meaning to links.
    let safe = |text: String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("*{}*\n```\n{}```", safe(subject(id, n)), safe(body(id, n)));
    serde_json::json!({ "text": text }).to_string()
}

fn signature(secret: &str, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|e| Error::other("signing a message", e))?;
    mac.update(body.as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha256={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_notification;
    use overseer_core::Timestamp;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        assert_eq!(
            signature("Jefe", "what do ya want for nothing?").unwrap(),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn chat_text_mentions_nobody() {
        let mut told = test_notification("web-1", Timestamp::from_millis(0));
        told.description = "<!channel> & <@U1>".to_owned();
        let value: serde_json::Value = serde_json::from_str(&chat(1, &told)).unwrap();
        let text = value["text"].as_str().unwrap();
        assert!(!text.contains('<') && text.contains("&lt;!channel&gt; &amp; "), "{text}");
    }
}
