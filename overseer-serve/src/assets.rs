//! The pages, compiled in: they work without a network and never ask anybody else.

use crate::answer::tagged;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path};
use axum::response::{IntoResponse, Redirect, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Names, types and contents.
const ASSETS: [(&str, &str, &[u8]); 17] = [
    ("acts.js", SCRIPT, include_bytes!("../assets/acts.js")),
    ("api.js", SCRIPT, include_bytes!("../assets/api.js")),
    ("app.css", CSS, include_bytes!("../assets/app.css")),
    ("chart.js", SCRIPT, include_bytes!("../assets/chart.js")),
    ("charts.js", SCRIPT, include_bytes!("../assets/charts.js")),
    ("detail.js", SCRIPT, include_bytes!("../assets/detail.js")),
    ("docs.css", CSS, include_bytes!("../assets/docs.css")),
    ("docs.js", SCRIPT, include_bytes!("../assets/docs.js")),
    ("dom.js", SCRIPT, include_bytes!("../assets/dom.js")),
    ("format.js", SCRIPT, include_bytes!("../assets/format.js")),
    ("head.js", SCRIPT, include_bytes!("../assets/head.js")),
    ("icon.svg", SVG, include_bytes!("../assets/icon.svg")),
    ("incidents.js", SCRIPT, include_bytes!("../assets/incidents.js")),
    ("lists.js", SCRIPT, include_bytes!("../assets/lists.js")),
    ("main.js", SCRIPT, include_bytes!("../assets/main.js")),
    ("silences.js", SCRIPT, include_bytes!("../assets/silences.js")),
    ("theme.js", SCRIPT, include_bytes!("../assets/theme.js")),
];

/// The dashboard. Where the service is mounted under a prefix, the page needs the slash at the end of it: what it is made
/// of is named relative to its address.
pub(crate) async fn dashboard(OriginalUri(uri): OriginalUri) -> Response {
    if uri.path().ends_with('/') || uri.path().is_empty() {
        return tagged(HTML, Bytes::from_static(include_bytes!("../assets/index.html")));
    }
    Redirect::permanent(&format!("{}/", uri.path())).into_response()
}

/// The API's description for people.
pub(crate) async fn docs() -> Response {
    tagged(HTML, Bytes::from_static(include_bytes!("../assets/docs.html")))
}

/// What the pages are made of.
pub(crate) async fn asset(
    name: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|e| Problem::invalid_parameter(e.body_text()))?;
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, content_type, bytes) = found.ok_or_else(|| nothing_here(&name))?;
    Ok(tagged(content_type, Bytes::from_static(bytes)))
}

fn nothing_here(name: &str) -> Problem {
    Problem::not_found(format!("there is no file `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_page_needs_is_under_300_kb_and_asks_nobody_else() {
        let pages: [&[u8]; 2] =
            [include_bytes!("../assets/index.html"), include_bytes!("../assets/docs.html")];
        let all = ASSETS.iter().map(|(_, _, bytes)| *bytes).chain(pages);
        let mut size = 0;
        for bytes in all {
            size += bytes.len();
            let text = std::str::from_utf8(bytes).unwrap();
            let rest = text.replace("http://www.w3.org/", "");
            for forbidden in
                ["http://", "https://", "<style", " style=", " onclick=", "eval(", "innerHTML"]
            {
                assert!(!rest.contains(forbidden), "{forbidden}");
            }
        }
        assert!(size < 300_000, "{size}");
    }
}
