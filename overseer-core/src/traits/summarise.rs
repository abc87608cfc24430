//! How a store that keeps no summaries summarises.

use super::{SampleQuery, Store};
use crate::{Error, Frame, Result, Span, Summary, SummaryBuilder, SummaryCell, SummaryQuery};

/// Samples at the step, summarised while they are read, the newest first and some at a time.
pub(super) fn summarise<S: Store + ?Sized>(store: &mut S, query: &SummaryQuery) -> Result<Summary> {
    const AT_ONCE: usize = 20_000;
    let Some(step) = store.step()? else {
        return Ok(SummaryBuilder::new(query.features.clone(), query.resolution).build());
    };
    let mut samples = SampleQuery::latest(step, AT_ONCE);
    (samples.from, samples.to) = (query.from, query.to);
    let mut chosen: Option<(SummaryBuilder, Vec<usize>)> = None;
    loop {
        let frame = store.samples(&samples)?;
        let (builder, columns) = match &mut chosen {
            Some(known) => known,
            None => chosen.insert(columns_of(&frame, query)?),
        };
        for (timestamp, row) in frame.rows() {
            builder.add(timestamp, columns.iter().map(|&c| SummaryCell::of(row[c])));
        }
        match frame.timestamps().first() {
            Some(&first) if frame.len() == AT_ONCE && first > query.from => {
                samples.to = first - Span::from_millis(1);
            }
            _ => break,
        }
    }
    let (features, resolution) = (query.features.clone(), query.resolution);
    Ok(chosen.map_or_else(|| SummaryBuilder::new(features, resolution), |(b, _)| b).build())
}

/// Where in the frame the features are that were asked for.
fn columns_of(frame: &Frame, query: &SummaryQuery) -> Result<(SummaryBuilder, Vec<usize>)> {
    let all = || frame.schema().features().iter().map(|f| f.name.clone());
    let features = if query.features.is_empty() { all().collect() } else { query.features.clone() };
    let unknown = |name: &str| Error::invalid_parameter("features", format!("`{name}` is unknown"));
    let columns = features
        .iter()
        .map(|name| frame.schema().index_of(name).ok_or_else(|| unknown(name)))
        .collect::<Result<_>>()?;
    Ok((SummaryBuilder::new(features, query.resolution), columns))
}
