//! The records of both halves as the tables of `docs/performance.md`.

mod goal;
mod machine;
mod rows;

use crate::clock::Record;
use crate::data::Sizes;
use crate::{OURS, Result};
use goal::Verdict;
use rows::{PEERS, Row, TABLES, Table, Unit};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;

/// What is known of each row and peer.
type Records = HashMap<(String, String), Record>;

/// All tables that have at least one figure, from records made by `command` on the data in `dir`.
///
/// # Errors
/// If a file cannot be read or is not of records.
pub fn write(command: &str, dir: &Path, files: &[&str]) -> Result<String> {
    let sizes = Sizes::read(dir)?;
    let mut records = Records::new();
    for file in files {
        for line in std::fs::read_to_string(file)?.lines() {
            let record: Record = serde_json::from_str(line)?;
            records.insert((record.row.clone(), record.peer.clone()), record);
        }
    }
    let mut text = String::new();
    text.push_str(rows::HEADING);
    if sizes.quick {
        text.push_str("\n**A smoke test: small sizes, and no figure means anything.**\n");
    }
    machine::describe(&mut text, command, dir, &records)?;
    for table in TABLES {
        write_table(&mut text, table, &sizes, &records)?;
    }
    Ok(text)
}

fn write_table(text: &mut String, table: &Table, sizes: &Sizes, records: &Records) -> Result<()> {
    let record = |row: &Row, peer: &str| records.get(&(row.id.to_owned(), peer.to_owned()));
    let known: Vec<&Row> =
        table.rows.iter().filter(|r| PEERS.iter().any(|p| record(r, p).is_some())).collect();
    if known.is_empty() {
        return Ok(());
    }
    let peers: Vec<&str> = PEERS
        .into_iter()
        .filter(|p| *p != OURS && known.iter().any(|r| record(r, p).is_some()))
        .collect();

    writeln!(text, "\n## {}\n\n{}\n", table.title, table.about)?;
    let wide = table.columns && !peers.is_empty();
    let columns = if wide { peers.join(" | ") } else { "peers".to_owned() };
    let rules = if wide { "---|".repeat(peers.len()) } else { "---|".to_owned() };
    writeln!(text, "| | {columns} | ours | ratio | goal | met |")?;
    writeln!(text, "|---|{rules}---|---|---|---|")?;
    let mut notes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in known {
        let label = row.label(sizes);
        let value = |peer: &str| record(row, peer).and_then(|r| r.value);
        let values: Vec<(&str, f64)> =
            peers.iter().filter_map(|p| value(p).map(|v| (*p, v))).collect();
        let verdict = Verdict::new(row, &values, value(OURS));
        let mut cell = |peer: &str| {
            let note = record(row, peer).and_then(|r| r.note.clone());
            let mark = if note.is_some() { "\\*" } else { "" };
            if let Some(note) = note {
                notes.entry(note).or_default().push(format!("{peer}, {label}"));
            }
            match value(peer) {
                Some(v) if verdict.best == Some(peer) => format!("**{}**{mark}", row.unit.say(v)),
                Some(v) => format!("{}{mark}", row.unit.say(v)),
                None => mark.to_owned(),
            }
        };
        let theirs: Vec<String> = if wide {
            peers.iter().map(|p| cell(p)).collect()
        } else {
            let present = peers.iter().filter(|p| record(row, p).is_some());
            vec![present.map(|p| format!("{p} {}", cell(p))).collect::<Vec<_>>().join("; ")]
        };
        let ours = cell(OURS);
        writeln!(
            text,
            "| {label} | {} | {ours} | {} | {} | {} |",
            theirs.join(" | "),
            verdict.ratio,
            verdict.goal,
            verdict.met
        )?;
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    for (note, places) in notes {
        writeln!(text, "- \\* {}: {note}", places.join("; "))?;
    }
    Ok(())
}

impl Unit {
    /// A figure as a person reads it, of three digits.
    fn say(self, value: f64) -> String {
        let digits = |v: f64| match v {
            v if v >= 99.95 => format!("{v:.0}"),
            v if v >= 9.995 => format!("{v:.1}"),
            v => format!("{v:.2}"),
        };
        match self {
            Self::Micros if value < 1e3 => format!("{} µs", digits(value)),
            Self::Micros if value < 1e6 => format!("{} ms", digits(value / 1e3)),
            Self::Micros => format!("{} s", digits(value / 1e6)),
            Self::Bytes if value < 1e6 => format!("{} kB", digits(value / 1e3)),
            Self::Bytes => format!("{} MB", digits(value / 1e6)),
            Self::Quality => format!("{value:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(Unit::Micros.say(0.5512), "0.55 µs");
        assert_eq!(Unit::Micros.say(15_949.0), "15.9 ms");
        assert_eq!(Unit::Micros.say(29.7e6), "29.7 s");
        assert_eq!(Unit::Bytes.say(1_180_000.0), "1.18 MB");
    }

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let mut names: Vec<&str> = TABLES.iter().flat_map(|t| t.rows).map(|r| r.id).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
