//! What is in a database, table by table, as whatever knows nothing of the store sees it: so that a table or a column
//! which is added and not thought of elsewhere is noticed.

use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows as text, by table, in an order of their own.
pub(crate) type Contents = BTreeMap<String, Vec<String>>;

/// Tables that are in no file, and why not.
const NOT_EXPORTED: [(&str, &str); 5] = [
    ("hosts", "what is imported becomes the importing host's"),
    ("installation", "of this very database; NOT_EXPORTED_SETTINGS says the same of each setting"),
    ("summaries_due", "work that is left to do; import notes its own"),
    ("sums", "reckoned anew from the rows"),
    ("texts", "files hold the whole texts"),
];

/// Settings that are in no file: `step_ms` is, and so are the names of the features.
const NOT_EXPORTED_SETTINGS: [(&str, &str); 9] = [
    ("created_at", "when this database was made"),
    ("schema", "what this program samples"),
    ("schema_version", "the same"),
    ("changes", "how often this database was opened and kept up"),
    ("open", "who has it open"),
    ("log_read", "what became of its log"),
    ("checked", "how far upkeep has come"),
    ("upkeep_at", "the same"),
    ("expiry_paused_until", "the same"),
];
/// And those which say how far upkeep has come with a table.
const NOT_EXPORTED_ENDS: [&str; 2] = ["_done", "_gone"];

fn names(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn tables(database: &Connection) -> Vec<String> {
    let all = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut all = names(database, all);
    for (table, _) in NOT_EXPORTED {
        assert!(all.iter().any(|t| t == table), "there is no table `{table}` any more");
    }
    all.retain(|name| NOT_EXPORTED.iter().all(|(table, _)| name != table));
    all
}

/// A table's columns; of its own number there is no use elsewhere, nor of the host's.
fn columns(database: &Connection, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT name FROM pragma_table_info('{table}') AS c WHERE name <> 'host_id' \
         AND NOT (pk = 1 AND (SELECT sum(pk) FROM pragma_table_info('{table}')) = 1 AND type = 'INTEGER') \
         ORDER BY name"
    );
    names(database, &sql)
}

/// What a column refers to, if to anything but the host: a table and its key.
fn reference(database: &Connection, table: &str, column: &str) -> Option<(String, String)> {
    let sql = format!(
        "SELECT \"table\", \"to\" FROM pragma_foreign_key_list('{table}') WHERE \"from\" = ?"
    );
    let mut statement = database.prepare(&sql).unwrap();
    let found = statement.query_map([column], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.map(Result::unwrap).next()
}

fn rows_of(database: &Connection, table: &str, filter: &str) -> Vec<String> {
    let columns = columns(database, table);
    let quoted: Vec<String> =
        columns.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
    let sql = format!("SELECT {} FROM {table} WHERE {filter}", quoted.join(", "));
    let mut statement = database.prepare(&sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let said = columns.iter().enumerate().map(|(i, column)| {
            let value: Value = row.get(i).unwrap();
            let referred = reference(database, table, column);
            let value = match (value, referred) {
                (Value::Integer(key), Some((other, to))) => {
                    rows_of(database, &other, &format!("{to} = {key}")).concat()
                }
                (Value::Text(text), _) => format!("{:?}", whole(database, table, text)),
                (other, _) => format!("{other:?}"),
            };
            format!("{column}: {value}")
        });
        all.push(said.collect::<Vec<_>>().join(", "));
    }
    all.sort();
    all
}

/// A text of findings, which may be stored by the numbers in it.
fn whole(database: &Connection, table: &str, text: String) -> String {
    let is_finding = ["anomalies", "predictions", "patterns"].contains(&table);
    match text.strip_prefix('\t') {
        Some(packed) if is_finding && !packed.starts_with('\t') => {
            let mut parts = packed.split('\t');
            let sql = "SELECT text FROM texts WHERE text_id = CAST(? AS INTEGER)";
            let wording: String =
                database.query_row(sql, [parts.next().unwrap()], |row| row.get(0)).unwrap();
            let pieces = wording.split('\t');
            pieces.map(|piece| format!("{piece}{}", parts.next().unwrap_or_default())).collect()
        }
        _ => text,
    }
}

/// All that should be in files.
pub(crate) fn contents(path: &Path) -> Contents {
    let database = Connection::open(path).unwrap();
    for key in names(&database, "SELECT DISTINCT key FROM installation WHERE key <> 'step_ms'") {
        let is_known = NOT_EXPORTED_SETTINGS.iter().any(|(known, _)| key == *known)
            || NOT_EXPORTED_ENDS.iter().any(|end| key.ends_with(end))
            || key.starts_with("summed_");
        assert!(is_known, "`{key}` is neither exported nor said to be not");
    }
    let tables = tables(&database).into_iter();
    tables.map(|table| (table.clone(), rows_of(&database, &table, "true"))).collect()
}

/// Makes sure that a comparison would notice any column that got lost: each has a value somewhere.
pub(crate) fn hold_something(path: &Path) {
    let database = Connection::open(path).unwrap();
    for table in tables(&database) {
        for column in columns(&database, &table) {
            let column = column.replace('"', "\"\"");
            let sql = format!("SELECT count(*) FROM {table} WHERE \"{column}\" IS NOT NULL");
            let known: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert!(known > 0, "the test has nothing in `{table}`, column `{column}`");
        }
    }
}
