-- A checksum of the rows of every span of time that is over, for SQLite does not notice when a stored value changes.
--
-- Spans begin at multiples of their length, which is ten minutes for system_metrics, an hour for metrics_1m, predictions
-- and patterns, and a day for metrics_1h and anomalies. The sum is the CRC-32 (IEEE) over the rows in the order of the
-- table's key; for findings, of their times and then their numbers. Of each row first the number of
-- its values that are not NULL, as eight bytes; then of each of these the place of its column in the table from 0, as
-- two bytes, a byte for its type (1 INTEGER, 2 REAL, 3 TEXT, 4 BLOB), and its eight bytes, or the eight bytes of its
-- length and the text. All numbers are little-endian.

CREATE TABLE sums (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    what TEXT NOT NULL,             -- the table
    timestamp INTEGER NOT NULL,     -- the start of the span
    rows INTEGER NOT NULL,
    sum INTEGER,                    -- NULL: rows came late, and the sum is due once more
    damaged_at INTEGER,             -- when the rows were first found not to be those summed; NULL while they are
    PRIMARY KEY (host_id, what, timestamp)
) STRICT, WITHOUT ROWID;
CREATE INDEX sums_due ON sums (host_id, what, timestamp) WHERE sum IS NULL;

-- In `installation`: summed_<table> (every span of it before is summed, or noted here), checked (the span that was
-- checked last), changes (grows with every upkeep and start, and so tells an old log from a new one), open (the
-- value of changes at which a sampler began, 0 once it ended cleanly), log_read (the value of open whose log was read).
