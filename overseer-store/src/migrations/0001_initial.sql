-- Format 1. Times are milliseconds since 1970-01-01T00:00:00 UTC. NULL is "not known", never zero.
-- One database holds any number of hosts, told apart by host_id.

CREATE TABLE hosts (
    host_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- created_at; step_ms: the chosen sampling step; schema: the features and units of system_metrics as JSON;
-- schema_version: of the host's schema, where it is that one.
CREATE TABLE installation (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    key TEXT NOT NULL,
    value ANY NOT NULL,
    PRIMARY KEY (host_id, key)
) STRICT, WITHOUT ROWID;

-- One nullable REAL column per feature is added when a schema that has it first opens the database.
CREATE TABLE system_metrics (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,
    interval_ms INTEGER NOT NULL,
    PRIMARY KEY (host_id, interval_ms, timestamp)
) STRICT, WITHOUT ROWID;

CREATE TABLE anomalies (
    anomaly_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,
    is_anomaly INTEGER NOT NULL,
    severity TEXT NOT NULL,         -- none, medium, high, critical
    score REAL,
    p_value REAL,
    confidence REAL NOT NULL,
    description TEXT NOT NULL,
    features TEXT NOT NULL,         -- JSON: [{feature, observed, expected: [low, high], contribution}]
    suggested_actions TEXT NOT NULL -- JSON: [text]
) STRICT;
CREATE INDEX anomalies_by_time ON anomalies (host_id, timestamp);

CREATE TABLE predictions (
    prediction_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,     -- when it was made; it is about timestamp + horizon_ms
    horizon_ms INTEGER NOT NULL,
    prediction_type TEXT NOT NULL,  -- performance_score, feature
    feature TEXT,                   -- which one, for the type feature
    value REAL,
    lower REAL,
    upper REAL,
    level REAL NOT NULL,            -- the probability that lower..upper is meant to have
    confidence REAL NOT NULL,
    explanation TEXT NOT NULL,
    features TEXT NOT NULL,         -- JSON: [{feature, value}]
    recommendations TEXT NOT NULL   -- JSON: [text]
) STRICT;
CREATE INDEX predictions_by_time ON predictions (host_id, timestamp);

CREATE TABLE patterns (
    pattern_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    timestamp INTEGER NOT NULL,     -- the end of the window
    window_start INTEGER NOT NULL,
    points INTEGER NOT NULL,        -- known values in the window
    pattern_type TEXT NOT NULL,     -- stable, trending, volatile, periodic
    pattern_strength REAL,
    confidence REAL NOT NULL,
    period_ms INTEGER,              -- NULL where no rhythm is significant
    period_strength REAL,
    slope_per_hour REAL,
    trend_r_squared REAL,
    trend_p_value REAL,
    trend_coefficients TEXT,        -- JSON: [number], constant first; NULL where there is no trend
    features TEXT NOT NULL,         -- JSON: [text]
    insights TEXT NOT NULL,         -- JSON: [text]
    change_points TEXT NOT NULL     -- JSON: [{timestamp, levels: [before, after]}]
) STRICT;
CREATE INDEX patterns_by_time ON patterns (host_id, timestamp);

CREATE TABLE model_metadata (
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,             -- detector, forecaster
    algorithm TEXT NOT NULL,
    trained_at INTEGER NOT NULL,
    trained_from INTEGER NOT NULL,
    trained_to INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    interval_ms INTEGER NOT NULL,
    duration_ms REAL,
    provisional INTEGER NOT NULL,
    schema_fingerprint TEXT NOT NULL, -- 16 hexadecimal digits
    bytes INTEGER NOT NULL,
    quality TEXT NOT NULL,          -- JSON: {measure: number}
    PRIMARY KEY (host_id, name)
) STRICT, WITHOUT ROWID;
