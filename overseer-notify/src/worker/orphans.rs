//! Messages for nobody: those whose sink is not configured any more.

use super::outbox::Outbox;
use super::{Notices, WorkerOptions};
use overseer_core::{Delivery, Result, Span, Store, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// So long they wait, for a configuration that was left out by mistake and comes back.
const PATIENCE: Span = Span::from_secs(86_400);
/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// So many are given up at once.
const BATCH: usize = 100;

/// Gives up messages for none of `names`, until told to stop.
pub(super) fn give_up_orphans(
    outbox: &Outbox,
    names: &BTreeSet<String>,
    options: &WorkerOptions,
    notices: &Notices,
) {
    loop {
        let now = (options.clock)();
        match outbox.with(|store| round(store, names, now)) {
            Ok(given_up) => {
                for (name, count) in given_up {
                    notices.add(format!(
                        "{count} messages for the sink `{name}` were given up: none is configured \
                         under this name"
                    ));
                }
            }
            Err(e) => tracing::debug!("looking for messages to nobody: {e}"),
        }
        if options.stop.wait(EVERY.max(options.poll)) {
            return;
        }
    }
}

fn round(
    store: &mut dyn Store,
    names: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Vec<(String, usize)>> {
    let mut given_up = Vec::new();
    for name in store.waiting_sinks()? {
        if names.contains(&name) {
            continue;
        }
        let mut count = 0;
        for alert in store.waiting_alerts_for(&name, BATCH)? {
            if now.since(alert.made_at) >= PATIENCE {
                let error = format!("no sink is configured under the name `{name}`");
                store.note_delivery(alert.id, &Delivery::Failed { error, retry_at: None })?;
                count += 1;
            }
        }
        if count > 0 {
            given_up.push((name, count));
        }
    }
    Ok(given_up)
}
