-- What is kept beside the samples and not scored: each mount's fullness and inodes, open files, temperatures. Such
-- series come and go, so they have rows where features have columns.

CREATE TABLE auxiliary_series (
    series_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    name TEXT NOT NULL,             -- such as system.filesystem.utilization
    instance TEXT NOT NULL,         -- which of several: a mount point, a sensor; empty where there is but one
    unit TEXT NOT NULL,             -- ratio, count, celsius, ...
    capacity REAL,                  -- the value at which nothing more fits; NULL where there is no such
    UNIQUE (host_id, name, instance)
) STRICT;

-- Once a minute; a series has a row where it had a value.
CREATE TABLE auxiliary_metrics (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,
    series_id INTEGER NOT NULL REFERENCES auxiliary_series (series_id),
    value REAL NOT NULL,
    PRIMARY KEY (host_id, timestamp, series_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE auxiliary_1h (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,     -- the start of the hour
    series_id INTEGER NOT NULL REFERENCES auxiliary_series (series_id),
    mean REAL NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (host_id, timestamp, series_id)
) STRICT, WITHOUT ROWID;

-- In `installation`, both of them times: auxiliary_done (every hour before is in auxiliary_1h) and auxiliary_gone (every
-- row of auxiliary_metrics before may have been removed).

-- The feature that will set a predicted performance score, a text as those of 0004; and which mount it is that a time_to_full is of.
ALTER TABLE predictions ADD COLUMN driver TEXT;
ALTER TABLE predictions ADD COLUMN instance TEXT;
