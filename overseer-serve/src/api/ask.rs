//! What a request says: its query, its path and its body, each read strictly.

use crate::problem::Problem;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use overseer_engine::core::{Span, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use std::time::Duration;
use utoipa::IntoParams;

/// The largest body.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
/// A body is there within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Times are at most so far from 1970, in milliseconds: what a database keeps as a time, and exact as a JSON number.
pub(crate) const FARTHEST: i64 = 9_007_199_254_740_991;

/// A query; a name that is not known is an error, for it is most likely a misspelled one.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::try_from_uri(&parts.uri)
            .map_err(|e| Problem::invalid_parameter(e.body_text()))?;
        Ok(Self(query))
    }
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The time in a path.
#[derive(Debug)]
pub(crate) struct At(pub(crate) Timestamp);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = |e: String| Problem::invalid_parameter(e);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|e| wrong(e.body_text()))?;
        let millis: i64 = text
            .parse()
            .map_err(|_| wrong("the time must be milliseconds since 1970 UTC".to_owned()))?;
        time("time", millis).map(Self)
    }
}

/// The number in a path, of an incident or a silence.
#[derive(Debug)]
pub(crate) struct Number(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|e| Problem::invalid_parameter(e.body_text()))?;
        let number = text.parse().ok().filter(|n| (1..=FARTHEST).contains(n));
        let wrong = || Problem::invalid_parameter(format!("a number is 1 to {FARTHEST}"));
        number.map(Self).ok_or_else(wrong)
    }
}

/// A body of JSON, of at most [`MOST_BYTES`].
#[derive(Debug)]
pub(crate) struct Said<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Problem::wrong_type());
        }
        // Who sends only half of it holds a place among those that are answered.
        let body = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), MOST_BYTES));
        let bytes = body.await.map_err(|_| Problem::too_slow())?.map_err(|e| unread(&e))?;
        let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
        // A list would be read as the fields in their order, which nobody means.
        if first == Some(&b'[') && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
            return Err(Problem::invalid_body("the body must be an object, and is a list"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|e| match e.classify() {
            Category::Data => Problem::invalid_body(e.to_string()),
            _ => Problem::invalid_json(e.to_string()),
        })
    }
}

/// Why a body could not be read: it is too long, or what was sent is no body.
fn unread(error: &axum::Error) -> Problem {
    let said = error.to_string();
    if said.contains("length limit") {
        return Problem::too_large(MOST_BYTES);
    }
    Problem::invalid_json(format!("the body cannot be read: {said}"))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// A time within what can be kept.
pub(crate) fn time(name: &str, millis: i64) -> Result<Timestamp, Problem> {
    if (-FARTHEST..=FARTHEST).contains(&millis) {
        return Ok(Timestamp::from_millis(millis));
    }
    Err(Problem::invalid_parameter(format!("`{name}` must be between ±{FARTHEST} ms")))
}

/// A stretch of time, both ends included. Either may be left out.
pub(crate) fn range(
    from: Option<i64>,
    to: Option<i64>,
    default: (Timestamp, Timestamp),
) -> Result<(Timestamp, Timestamp), Problem> {
    let from = from.map_or(Ok(default.0), |t| time("from", t))?;
    let to = to.map_or(Ok(default.1), |t| time("to", t))?;
    if from > to {
        let why = "`from` must not be later than `to`";
        return Err(Problem::invalid_parameter(why));
    }
    Ok((from, to))
}

/// All times that can be asked for.
pub(crate) fn always() -> (Timestamp, Timestamp) {
    (Timestamp::from_millis(-FARTHEST), Timestamp::from_millis(FARTHEST))
}

/// A whole number within bounds.
pub(crate) fn within(
    name: &str,
    given: Option<u64>,
    default: usize,
    least: usize,
    most: usize,
) -> Result<usize, Problem> {
    let Some(given) = given else { return Ok(default) };
    usize::try_from(given).ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        Problem::invalid_parameter(format!("`{name}` must be between {least} and {most}"))
    })
}

/// A length of time in milliseconds.
pub(crate) fn span(name: &str, millis: u64) -> Result<Span, Problem> {
    match i64::try_from(millis) {
        Ok(millis) if (1..=FARTHEST).contains(&millis) => Ok(Span::from_millis(millis)),
        _ => {
            let why = format!("`{name}` must be between 1 and {FARTHEST} ms");
            Err(Problem::invalid_parameter(why))
        }
    }
}

/// Which findings, and how many of them at a time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only at or after this time, in milliseconds since 1970 UTC.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) from: Option<i64>,
    /// Only at or before this time.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) to: Option<i64>,
    /// How many at most; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u64>,
    /// What the page before gave as `next`.
    #[param(pattern = r"^-?[0-9]{1,16}\.[0-9]{1,4}$")]
    pub(crate) page: Option<String>,
}
