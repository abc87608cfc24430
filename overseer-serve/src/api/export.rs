//! What is stored, as a stream: memory stays bounded however much there is.

use super::ask::{Asked, always, range};
use crate::live::Handle;
use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use overseer_engine::host::store::transfer::{self, Form, Kind, Selection};
use serde::Deserialize;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime;
use tokio::sync::mpsc;
use utoipa::IntoParams;

/// How much is written at a time.
const CHUNK: usize = 64 * 1024;
/// How many of those wait for a client.
const WAITING: usize = 4;
/// A client that takes nothing for so long is dropped, for the snapshot that is read holds the log back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `settings`, `metrics`, `minutes`, `hours`, `series`, `auxiliary`, `auxiliary_hours`, `anomalies`,
    /// `predictions`, `patterns`, `incidents`, `labels`, `silences`, `alerts`, `recommendations`, `outcomes`, `applied`
    /// or `models`; as JSON Lines also `all`, or several separated by commas.
    #[param(
        pattern = "^(all|settings|metrics|minutes|hours|series|auxiliary|auxiliary_hours|anomalies|predictions|patterns|incidents|labels|silences|alerts|recommendations|outcomes|applied|models)$"
    )]
    what: String,
    /// `csv` or `jsonl`; the latter if not given.
    #[param(pattern = "^(csv|jsonl)$")]
    form: Option<String>,
    /// Only at or after this time, in milliseconds since 1970 UTC.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    from: Option<i64>,
    /// Only at or before this time.
    #[param(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    to: Option<i64>,
}

impl Wanted {
    fn selection(&self) -> Result<(Selection, Form), Problem> {
        let form = match self.form.as_deref() {
            None | Some("jsonl") => Form::JsonLines,
            Some("csv") => Form::Csv,
            Some(_) => return Err(Problem::invalid_parameter("`form` must be `csv` or `jsonl`")),
        };
        let words = || self.what.split(',');
        let mut kinds = Vec::new();
        for word in words() {
            let found = match word {
                "all" => Kind::ALL.to_vec(),
                word => Kind::from_word(word).into_iter().collect(),
            };
            if found.is_empty() {
                let known: Vec<&str> = Kind::ALL.iter().map(|k| k.as_str()).collect();
                let why = format!("`what` must be of {}, all", known.join(", "));
                return Err(Problem::invalid_parameter(why));
            }
            kinds.extend(found.into_iter().filter(|k| !kinds.contains(k)).collect::<Vec<_>>());
        }
        if form == Form::Csv && kinds.len() != 1 {
            return Err(Problem::invalid_parameter("a file of CSV holds exactly one kind"));
        }
        let mut selection = Selection::all_of(kinds);
        let (first, last) = always();
        (selection.from, selection.to) = range(self.from, self.to, (first, last))?;
        Ok((selection, form))
    }
}

/// What is stored, as `overseer export` writes it. A stream that ends early was broken off by an error.
#[utoipa::path(get, path = "/api/v1/export", tag = "history", params(Wanted), responses(
    (status = 200, description = "JSON Lines, or CSV if asked for", content(
        (String = "application/x-ndjson"), (String = "text/csv"))),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn export(
    State(handle): State<Handle>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (selection, form) = wanted.selection()?;
    let place = Arc::clone(&handle.exports).try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("two exports run already").retry_after(30))?;
    let readers = Arc::clone(&handle.readers);
    let opened = tokio::task::spawn_blocking(move || readers.apart()).await;
    let store = opened.unwrap_or_else(|_| Err(Problem::internal()))?;
    let (chunks, taken) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let runtime = runtime::Handle::current();
    let is_whole = Arc::new(AtomicBool::new(false));
    let whole = Arc::clone(&is_whole);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut to = BufWriter::with_capacity(CHUNK, Chunks { chunks, runtime });
        let done =
            transfer::export(&store, &selection, form, "the answer", &mut to, &mut |_, _| {});
        match done.map_err(io::Error::other).and_then(|_| to.flush()) {
            Ok(()) => whole.store(true, Ordering::Release),
            Err(e) => {
                tracing::warn!("an export was broken off: {e}");
                drop(to.into_parts());
            }
        }
    });
    let chunks = stream::unfold((taken, is_whole), |(mut taken, is_whole)| async move {
        match taken.recv().await {
            Some(chunk) => Some((chunk, (taken, is_whole))),
            // What was broken off must not look like a whole answer.
            None if is_whole.swap(true, Ordering::AcqRel) => None,
            None => Some((Err(io::Error::other("the export was broken off")), (taken, is_whole))),
        }
    });
    let mut response = Body::from_stream(chunks.fuse()).into_response();
    let (content_type, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"overseer.csv\""),
        _ => ("application/x-ndjson", "attachment; filename=\"overseer.jsonl\""),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What is written goes to a client, no faster than that takes it.
struct Chunks {
    chunks: mpsc::Sender<io::Result<Bytes>>,
    runtime: runtime::Handle,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Bytes::copy_from_slice(bytes);
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.chunks.send(Ok(chunk))).await });
        match sent {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client left")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
