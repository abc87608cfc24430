//! Webhooks against a server that takes, refuses, fails, is slow, or redirects.

use crate::notification;
use crate::server::{Answer, Server};
use overseer_core::{Result, Sink, Span, Timestamp};
use overseer_notify::{
    BodyFormat, HttpOptions, RetryAfter, Secret, WebhookOptions, WebhookSink, test_notification,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn http(url: &str) -> HttpOptions {
    let mut http = HttpOptions::new(
        Secret::Value(url.to_owned()),
        Arc::new(|| Timestamp::from_millis(1_445_412_480_000)),
    );
    http.timeout = Duration::from_secs(5);
    http
}

fn deliver(options: WebhookOptions) -> Result<()> {
    WebhookSink::new("hook", options).unwrap().deliver(7, &notification(5))
}

fn answered(answer: Answer) -> Result<()> {
    let server = Server::start(move |_| answer.clone());
    deliver(WebhookOptions::new(http(&format!("{}/s3cret?k=s3cret", server.url))))
}

#[test]
fn json_arrives_with_its_headers_and_a_signature_that_the_receiver_can_check() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        Secret::File(path)
    };
    let server = Server::start(|_| Answer::status("204 No Content"));
    let mut options = WebhookOptions::new(http(&format!("{}/hook?a=b", server.url)));
    options.http.headers.push(("X-Team".to_owned(), "ops".to_owned()));
    options.http.token = Some(file("token", "t0ken\n"));
    options.secret = Some(file("key", "Jefe\n"));
    deliver(options).unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "POST /hook?a=b HTTP/1.1");
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-team", "ops"),
        ("authorization", "Bearer t0ken"),
        ("idempotency-key", "overseer-web-1-7"),
    ] {
        assert_eq!(asked.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!((body["id"].as_i64(), body["reason"].as_str()), (Some(7), Some("fired")));
    // OpenSSL's word on the same body, where it is installed.
    let path = dir.path().join("body");
    std::fs::write(&path, &asked.body).unwrap();
    let openssl = ["dgst", "-sha256", "-hmac", "Jefe", "-r"];
    if let Ok(said) = std::process::Command::new("openssl").args(openssl).arg(&path).output() {
        let said = String::from_utf8(said.stdout).unwrap();
        let digest = said.split_whitespace().next().unwrap();
        assert_eq!(asked.headers["x-overseer-signature"], format!("sha256={digest}"));
    }
}

#[test]
fn what_is_refused_is_final_and_what_fails_is_not() {
    for status in ["200 OK", "201 Created", "204 No Content"] {
        answered(Answer::status(status)).unwrap();
    }
    for status in ["400 Bad Request", "401 Unauthorized", "404 Not Found", "410 Gone"] {
        assert!(answered(Answer::status(status)).unwrap_err().is_invalid_input(), "{status}");
    }
    for status in ["408 Request Timeout", "429 Too Many Requests", "500 Oops", "302 Found"] {
        assert!(!answered(Answer::status(status)).unwrap_err().is_invalid_input(), "{status}");
    }
    let body = format!("no_such_team\r\n{}", "x".repeat(100_000));
    let e = answered(Answer { body, ..Answer::status("400 Bad Request") }).unwrap_err().to_string();
    assert!(e.contains("it answered 400 Bad Request: no_such_team xxx") && e.len() < 400, "{e}");
    assert!(!e.contains("s3cret"), "{e}");
}

#[test]
fn a_receiver_says_when_to_come_again() {
    let with = |status, headers| {
        RetryAfter::of(&answered(Answer { headers, ..Answer::status(status) }).unwrap_err())
    };
    let two_minutes = Some(Span::from_secs(120));
    assert_eq!(with("429 Too Many Requests", "retry-after: 120\r\n"), two_minutes);
    let date = "retry-after: Wed, 21 Oct 2015 07:30:00 GMT\r\n";
    assert_eq!(with("503 Service Unavailable", date), two_minutes);
    assert_eq!(with("503 Service Unavailable", ""), None);
}

#[test]
fn slow_and_absent_servers_end_within_the_timeout_and_give_no_secret_away() {
    let slow =
        Server::start(|_| Answer { after: Duration::from_secs(20), ..Answer::status("200 OK") });
    let gone = "http://127.0.0.1:1".to_owned();
    for (url, said) in [(slow.url, "there was no answer within 300 ms"), (gone, "refused")] {
        let mut options = WebhookOptions::new(http(&format!("{url}/s3cret")));
        options.http.timeout = Duration::from_millis(300);
        let start = Instant::now();
        let e = deliver(options).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(e.is_unavailable() && e.to_string().contains(&url), "{e}");
        assert!(e.to_string().contains(said) && !e.to_string().contains("s3cret"), "{e}");
    }
}

#[test]
fn an_address_from_a_file_that_is_none_is_put_right_while_messages_wait() {
    let server = Server::start(|_| Answer::status("200 OK"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    let mut options = WebhookOptions::new(http("http://unused"));
    options.http.url = Secret::File(path.clone());
    let mut sink = WebhookSink::new("hook", options).unwrap();
    for wrong in ["", "s3cret", "ftp://s3cret"] {
        std::fs::write(&path, wrong).unwrap();
        let e = sink.deliver(7, &notification(5)).unwrap_err();
        assert!(e.is_unavailable() && e.to_string().contains(path.to_str().unwrap()), "{e}");
        assert!(!e.to_string().contains("s3cret"), "{e}");
    }
    std::fs::write(&path, format!("{}/x\n", server.url)).unwrap();
    sink.deliver(7, &notification(5)).unwrap();
    assert_eq!(server.asked()[0].line, "POST /x HTTP/1.1");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_| Answer::status("200 OK"));
    let location: &'static str = format!("location: {}/\r\n", elsewhere.url).leak();
    let e = answered(Answer { headers: location, ..Answer::status("307 Temporary Redirect") });
    assert!(e.unwrap_err().to_string().contains("307"));
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn chat_services_get_text() {
    let server = Server::start(|_| Answer::status("200 OK"));
    let mut options = WebhookOptions::new(http(&server.url));
    options.format = BodyFormat::Slack;
    let test = test_notification("web-1", Timestamp::from_millis(0));
    WebhookSink::new("chat", options).unwrap().deliver(0, &test).unwrap();
    let body: serde_json::Value = serde_json::from_str(&server.asked()[0].body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1);
    assert!(body["text"].as_str().unwrap().starts_with("*TEST [medium] web-1: this is a test"));
}
