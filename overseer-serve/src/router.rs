//! Everything put together.

use crate::answer::{self, conditional};
use crate::api;
use crate::assets;
use crate::exposition;
use crate::guard::{Limits, answered_host, intended, known, limited, secure};
use crate::live::Handle;
use crate::problem::Problem;
use crate::settings::Settings;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::get;
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use utoipa::openapi::OpenApi;

/// The service as a router: the dashboard at `/`, the API under `/api/v1/`, its description at `/api/docs`, and
/// `/metrics`. Under a prefix mount it with `Router::nest_service`, for the dashboard is then at the prefix with a slash.
pub fn router(handle: Handle, settings: &Settings) -> Router {
    let (routes, description) = api::routes().split_for_parts();
    let description = Bytes::from(as_json(&description));
    let settings = Arc::new(settings.clone());
    let described = move || {
        let description = description.clone();
        async move { answer::tagged(answer::JSON, description) }
    };
    let app = routes
        .route("/", get(assets::dashboard))
        .route("/assets/{name}", get(assets::asset))
        .route("/api/docs", get(assets::docs))
        .route("/api/v1/openapi.json", get(described))
        .route("/metrics", get(exposition::metrics))
        .fallback(async || Problem::not_found("nothing is at this address; see /api/docs"))
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .with_state(handle)
        .layer(from_fn(conditional))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Arc::clone(&settings), intended))
        .layer(from_fn_with_state(settings.token.clone(), known))
        .layer(from_fn_with_state(Limits::new(), limited));
    let app = match cors(&settings.allowed_origins) {
        Some(cors) => app.layer(cors),
        None => app,
    };
    app.layer(from_fn_with_state(Arc::new(settings.hosts.clone()), answered_host))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(secure))
}

/// The API's description, OpenAPI 3.1 as JSON.
#[must_use]
pub fn api_description() -> String {
    as_json(api::routes().get_openapi())
}

fn as_json(description: &OpenApi) -> String {
    description.to_pretty_json().unwrap_or_else(|e| {
        tracing::error!("the API's description could not be written: {e}");
        "{}".to_owned()
    })
}

/// Without an allowed origin no header is added, and browsers keep other pages away.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|o| o.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let headers = [AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("x-overseer")];
    let cors = CorsLayer::new().allow_origin(origins);
    Some(cors.allow_methods([Method::GET, Method::POST]).allow_headers(headers))
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> axum::response::Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!("a request ended in a panic: {said}");
    Problem::internal().into_response()
}
