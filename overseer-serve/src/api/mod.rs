//! The endpoints under `/api/v1/`, one module for each kind, and what they share.

mod actions;
mod alerts;
mod analytics;
mod anomalies;
pub(crate) mod ask;
mod events;
mod export;
mod feedback;
mod incidents;
mod metrics;
mod models;
mod page;
mod patterns;
mod predictions;
mod recommendations;
pub mod shapes;
mod status;
mod usual;

pub use metrics::{FeaturePoints, Points};
pub use page::Page;
pub use status::{Serving, Status};
pub(crate) use usual::Kept;
pub use usual::{Usual, UsualFeature, UsualRange};

use crate::answer;
use crate::live::Handle;
use crate::problem::Problem;
use axum::response::Response;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The description that the endpoints are added to.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Overseer",
        description = "What is normal for this host, what is not, what comes next, and what to do. Times are integers, \
                       milliseconds since 1970 UTC; spans are integers, milliseconds; ratios are 0–1; what is not known \
                       is null. Errors are problem documents (RFC 9457). Requests that change something need the header \
                       X-Overseer: 1 and a body of JSON. Fields may be added at any time.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "now", description = "The host now"),
        (name = "history", description = "What was stored"),
        (name = "actions", description = "What changes something"),
    )
)]
struct Base;

/// Every endpoint of the API with its description.
pub(crate) fn routes() -> OpenApiRouter<Handle> {
    OpenApiRouter::with_openapi(Base::openapi())
        .routes(routes!(status::status))
        .routes(routes!(events::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(usual::usual))
        .routes(routes!(anomalies::anomalies))
        .routes(routes!(anomalies::anomaly))
        .routes(routes!(predictions::predictions))
        .routes(routes!(patterns::patterns))
        .routes(routes!(recommendations::recommendations))
        .routes(routes!(incidents::incidents))
        .routes(routes!(incidents::incident))
        .routes(routes!(incidents::acknowledge))
        .routes(routes!(alerts::alerts))
        .routes(routes!(models::models))
        .routes(routes!(analytics::analytics))
        .routes(routes!(export::export))
        .routes(routes!(actions::analyze))
        .routes(routes!(actions::train))
        .routes(routes!(feedback::labels))
        .routes(routes!(feedback::label))
        .routes(routes!(feedback::silences))
        .routes(routes!(feedback::silence))
        .routes(routes!(feedback::lift))
}

/// An answer of JSON, or why there is none.
type Answer = Result<Response, Problem>;
