//! Answers that a client may already have: each carries an `ETag`, and one that is still right is not sent again.

use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::hash::{DefaultHasher, Hasher};

pub(crate) const JSON: &str = "application/json";

/// A value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Response, Problem> {
    match serde_json::to_vec(value) {
        // Without the room that was kept for more: a slow client holds it for a while.
        Ok(bytes) => Ok(tagged(JSON, bytes.into_boxed_slice().into())),
        Err(e) => {
            tracing::error!("an answer could not be written: {e}");
            Err(Problem::internal())
        }
    }
}

/// Bytes of a type, with the tag that names them.
pub(crate) fn tagged(content_type: &'static str, bytes: Bytes) -> Response {
    let tag = tag_of(&bytes);
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, tag);
    response
}

/// A weak tag: the same content may be sent compressed or not.
fn tag_of(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Sends nothing but the tag where the client has what it names.
pub(crate) async fn conditional(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<HeaderValue> =
        request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let mut response = next.run(request).await;
    let tag = response.headers().get(header::ETAG);
    if reads
        && response.status() == StatusCode::OK
        && let Some(tag) = tag
        && known.iter().any(|k| names(k, tag))
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

/// Whether an `If-None-Match` names the tag, compared as RFC 9110 has it for that header: weakly.
fn names(header: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(header), Ok(tag)) = (header.to_str(), tag.to_str()) else { return false };
    let bare = |t: &str| t.trim().trim_start_matches("W/").to_owned();
    header.split(',').any(|one| one.trim() == "*" || bare(one) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_several_and_weakly() {
        let tag = tag_of(b"content");
        let text = tag.to_str().unwrap();
        let header = |t: &str| HeaderValue::from_str(t).unwrap();
        assert!(names(&header(text), &tag));
        assert!(names(&header(&format!("\"other\", {}", text.trim_start_matches("W/"))), &tag));
        assert!(names(&header("*"), &tag));
        assert!(!names(&header("\"other\""), &tag));
        assert_ne!(tag, tag_of(b"Content"));
    }
}
