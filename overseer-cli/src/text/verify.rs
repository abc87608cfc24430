//! What a look at the whole database found.

use super::style::{Style, local};
use overseer_engine::host::store::Verified;
use std::fmt::Write;

pub(crate) fn database_verified(verified: &Verified, style: &Style) -> String {
    let mut out = String::new();
    let structure = if verified.structure.is_empty() { "sound" } else { "damaged" };
    let _ = writeln!(out, "  structure         {structure}");
    for said in &verified.structure {
        let _ = writeln!(out, "  {} {said}", style.warning("!"));
    }
    let _ = writeln!(
        out,
        "  checksums         {} {} of {} rows, {}",
        verified.spans,
        if verified.spans == 1 { "span" } else { "spans" },
        verified.rows,
        match verified.damaged.len() {
            0 => "and all agree".to_owned(),
            damaged => format!("{damaged} damaged"),
        }
    );
    for damaged in &verified.damaged {
        let _ = writeln!(
            out,
            "  {} {} from {} to {} are not what was stored",
            style.warning("!"),
            damaged.what,
            local(damaged.from),
            local(damaged.to)
        );
    }
    let _ = writeln!(
        out,
        "  without checksum  {} rows, of times that are not over or not summed yet",
        verified.without_sum
    );
    out
}
