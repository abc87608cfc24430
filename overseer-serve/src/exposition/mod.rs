//! The page for Prometheus, from what the last tick left: asking for it costs next to nothing.

mod families;
mod writer;

use crate::api::ask::{Asked, Nothing};
use crate::live::Handle;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use overseer_engine::host::now;
use writer::Format;

/// The newest values, as OpenMetrics where that is asked for, else as Prometheus text.
pub(crate) async fn metrics(
    State(handle): State<Handle>,
    headers: HeaderMap,
    _: Asked<Nothing>,
) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    let format = chosen(&accepted.collect::<Vec<_>>().join(","));
    let text = families::write(format, handle.latest().as_deref(), now());
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept"),
    ];
    (headers, text).into_response()
}

/// The format that an `Accept` header prefers among ours.
fn chosen(accept: &str) -> Format {
    let mut best = (0.0, Format::Text);
    for one in accept.split(',') {
        let mut parts = one.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut quality = 1.0;
        let mut version = String::new();
        for part in parts {
            match part.split_once('=') {
                Some(("q", q)) => quality = q.parse().unwrap_or(0.0),
                Some(("version", v)) => v.trim_matches('"').clone_into(&mut version),
                _ => {}
            }
        }
        let format = match kind.as_str() {
            "application/openmetrics-text" if matches!(version.as_str(), "" | "1.0.0") => {
                Format::OpenMetrics
            }
            "text/plain" if matches!(version.as_str(), "" | "0.0.4") => Format::Text,
            "text/*" | "*/*" => Format::Text,
            _ => continue,
        };
        if quality > best.0 {
            best = (quality, format);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_what_the_scraper_prefers() {
        // What Prometheus 3 sends.
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(chosen(prometheus), Format::OpenMetrics);
        assert_eq!(
            chosen("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1"),
            Format::Text
        );
        for plain in
            ["", "*/*", "text/html", "text/plain", "application/openmetrics-text;q=x", ";;q=,,"]
        {
            assert_eq!(chosen(plain), Format::Text, "{plain}");
        }
    }
}
