//! By which name a request asks, with which token, and whether whoever sent it meant to change something.

use crate::problem::Problem;
use crate::settings::{Hosts, Settings, Token};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The header that a form of another page cannot send.
const INTENT: &str = "x-overseer";

/// Answers only to names of our own.
pub(crate) async fn answered_host(
    State(hosts): State<Arc<Hosts>>,
    request: Request,
    next: Next,
) -> Response {
    let header = request.headers().get_all(HOST);
    let mut named: Vec<&str> = header.iter().map(|h| h.to_str().unwrap_or("")).collect();
    // HTTP/2 names the host in the request itself.
    named.extend(request.uri().authority().map(Authority::as_str));
    let allowed =
        *hosts == Hosts::Any || (!named.is_empty() && named.iter().all(|n| hosts.allow(n)));
    if !allowed {
        return Problem::wrong_host().into_response();
    }
    next.run(request).await
}

/// Lets through who carries the token, and everybody to what tells nothing of the host: the pages and the description.
pub(crate) async fn known(
    State(token): State<Option<Token>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = token else { return next.run(request).await };
    let is_preflight = request.method() == Method::OPTIONS;
    if is_preflight || is_open(request.uri().path()) || carries(request.headers(), &token) {
        return next.run(request).await;
    }
    Problem::unauthorized("send `Authorization: Bearer` and the token").into_response()
}

/// Paths whose answers are the same on every host.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/api/docs" | "/api/v1/openapi.json") || path.starts_with("/assets/")
}

fn carries(headers: &HeaderMap, token: &Token) -> bool {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return false };
    let Some((scheme, given)) = one.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && token.is(given.trim())
}

/// Of what changes something, lets through only what a form or an image of another page cannot have sent.
pub(crate) async fn intended(
    State(settings): State<Arc<Settings>>,
    request: Request,
    next: Next,
) -> Response {
    // No other method has a handler, so none but this changes anything.
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let headers = request.headers();
    if headers.get(INTENT).is_none_or(|v| v.as_bytes() != b"1") {
        let why = "what changes something needs the header `X-Overseer: 1`, which other pages cannot send";
        return Problem::forbidden(why).into_response();
    }
    if let Some(origin) = headers.get(ORIGIN)
        && !is_own(origin.to_str().unwrap_or(""), headers, &settings.allowed_origins)
    {
        return Problem::forbidden("pages of this origin may not change anything").into_response();
    }
    next.run(request).await
}

/// Whether an `Origin` is that of the service as it was asked, or an allowed one.
fn is_own(origin: &str, headers: &HeaderMap, allowed: &[String]) -> bool {
    let host = headers.get(HOST).and_then(|h| h.to_str().ok());
    let asked = origin.split_once("://").map(|(_, rest)| rest);
    (asked.is_some() && asked == host) || allowed.iter().any(|a| a == origin)
}
