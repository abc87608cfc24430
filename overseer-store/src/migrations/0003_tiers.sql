-- Samples by the minute and by the hour, for when the samples themselves are gone.
--
-- A row says of each feature, in four columns that are added with the feature's own: the mean under the feature's name,
-- then "<feature>:min", "<feature>:max" and "<feature>:count", the number of known values. Of none known, the first
-- three are NULL and the count is 0.

CREATE TABLE metrics_1m (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,     -- the start of the minute
    PRIMARY KEY (host_id, timestamp)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics_1h (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,     -- the start of the hour
    PRIMARY KEY (host_id, timestamp)
) STRICT, WITHOUT ROWID;

-- Minutes and hours that must be summarised once more, for something came late.
CREATE TABLE summaries_due (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    width_ms INTEGER NOT NULL,      -- 60000 or 3600000
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (host_id, width_ms, timestamp)
) STRICT, WITHOUT ROWID;

-- In `installation`, all of them times: minutes_done and hours_done (everything before is summarised), raw_gone and
-- minutes_gone (everything before may have been removed), upkeep_at, expiry_paused_until.
