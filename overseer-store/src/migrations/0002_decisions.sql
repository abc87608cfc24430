-- What follows from findings: what people say of them, what is sent, what is advised and what came of it.

-- What a person says of an anomaly, which is named by its time: a host has one judgement a sample. The newest of one
-- anomaly counts; older ones are kept.
CREATE TABLE labels (
    label_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    anomaly INTEGER NOT NULL,       -- the anomaly's timestamp
    kind TEXT NOT NULL,             -- false_alarm, incident, expected
    made_at INTEGER NOT NULL,
    note TEXT NOT NULL,
    UNIQUE (host_id, anomaly, made_at, kind)
) STRICT;

-- Times in which nothing is sent; what happens meanwhile is recorded all the same.
CREATE TABLE silences (
    silence_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    kind TEXT NOT NULL,             -- silence, maintenance
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,       -- of the first occurrence, where it recurs
    recurrence TEXT,                -- JSON, such as {"every":"week","zone":"Europe/Berlin"}; NULL for once
    features TEXT NOT NULL,         -- JSON: [text]; empty for all
    reason TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    lifted_at INTEGER               -- NULL while it holds
) STRICT;
CREATE INDEX silences_by_end ON silences (host_id, lifted_at, ends_at);

-- The outbox: what is to be told to whom. A row is written in the tick that finds it and kept when it was delivered.
CREATE TABLE alerts (
    alert_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    incident INTEGER NOT NULL,      -- when the incident began: alerts of one incident share it
    state TEXT NOT NULL,            -- pending, firing, acknowledged, resolved
    severity TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    sink TEXT NOT NULL,             -- the name of who is told
    message TEXT NOT NULL,          -- what is told, in the form of the sink
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER,           -- NULL once it was delivered or given up
    delivered_at INTEGER,           -- NULL until it was
    last_error TEXT                 -- of the last attempt that failed
) STRICT;
CREATE INDEX alerts_waiting ON alerts (host_id, next_attempt) WHERE next_attempt IS NOT NULL;
CREATE INDEX alerts_by_time ON alerts (host_id, made_at);

CREATE TABLE recommendations (
    recommendation_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    made_at INTEGER NOT NULL,
    feature TEXT NOT NULL,
    priority TEXT NOT NULL,         -- low, medium, high, critical
    evidence TEXT NOT NULL,
    action TEXT NOT NULL,
    catalogue_action TEXT,          -- the name of the action in the catalogue; NULL for advice only
    processes TEXT NOT NULL         -- JSON: [{pid, name, ...}]
) STRICT;
CREATE INDEX recommendations_by_time ON recommendations (host_id, made_at);

-- What came of a recommendation, measured or reported; several may follow each other.
CREATE TABLE outcomes (
    outcome_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    recommendation_id INTEGER NOT NULL REFERENCES recommendations (recommendation_id),
    kind TEXT NOT NULL,             -- helped, no_change, worse
    made_at INTEGER NOT NULL,
    before REAL,                    -- of the watched feature; NULL where nothing was measured
    after REAL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX outcomes_of ON outcomes (host_id, recommendation_id);
