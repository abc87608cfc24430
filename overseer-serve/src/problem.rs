//! What went wrong, as RFC 9457 has it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use overseer_engine::core::{Error, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document, `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct Problem {
    /// Which kind of problem, as a URN that never changes: `urn:overseer:problem:invalid-parameter`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong with this request, for a person.
    pub detail: String,
    /// After how many seconds trying again may help; also the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_after: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:overseer:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// A parameter of the path or the query that cannot be.
    pub(crate) fn invalid_parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is wrong", detail)
    }

    pub(crate) fn invalid_json(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-json", "The body is not JSON", detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A token is needed", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This may not be asked", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    pub(crate) fn wrong_method() -> Self {
        let detail = "this address exists, but not for this method; the header `Allow` tells which";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "The method is wrong", detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "This cannot be done now", detail)
    }

    pub(crate) fn too_slow() -> Self {
        let detail = "the body was not all there in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body came too slowly", detail)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let detail = format!("a body may have at most {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    pub(crate) fn wrong_type() -> Self {
        let detail = "send `Content-Type: application/json`";
        let (kind, title) = ("wrong-type", "The body is of the wrong type");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind, title, detail)
    }

    pub(crate) fn wrong_host() -> Self {
        let detail = "this service is not asked by that name; name it with `--allow-host`";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", "The host is wrong", detail)
    }

    pub(crate) fn invalid_body(detail: impl Into<String>) -> Self {
        let (kind, title) = ("invalid-body", "The body says something that cannot be");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail)
    }

    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::unavailable(detail).retry_after(1)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "This is not available now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail)
    }

    pub(crate) fn internal() -> Self {
        let detail = "this should not have happened; the log of the service says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed", detail)
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What an error means that arose from a body instead of a parameter.
    pub(crate) fn of_body(error: &Error) -> Self {
        if error.is_invalid_input() {
            return Self::invalid_body(error.to_string());
        }
        Self::from(error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let said = error.to_string();
        match error.kind() {
            ErrorKind::InvalidParameter { .. } | ErrorKind::InvalidValue { .. } => {
                Self::invalid_parameter(said)
            }
            ErrorKind::NotEnoughData { .. } | ErrorKind::Unsupported(_) => Self::conflict(said),
            ErrorKind::Unavailable { .. } => Self::unavailable(said).retry_after(5),
            // Damage is found and dealt with by the sampler; until then nothing can be read.
            ErrorKind::Corrupt { .. } => Self::unavailable(said).retry_after(60),
            _ => {
                tracing::error!("a request failed: {said}");
                Self::internal()
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // A struct of texts and numbers always becomes JSON.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
