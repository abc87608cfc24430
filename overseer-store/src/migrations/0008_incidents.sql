-- Events as one: from the first unusual sample to the last, changed in place while it goes on. What a person says it was
-- is in `labels`, by the time of one of its samples; `began_at` will do.

CREATE TABLE incidents (
    incident_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    kind TEXT NOT NULL,             -- anomaly, full, missing
    subject TEXT NOT NULL,          -- the feature a hard rule is about; empty for an anomaly
    state TEXT NOT NULL,            -- pending, firing, acknowledged, resolved
    severity TEXT NOT NULL,         -- the worst so far
    began_at INTEGER NOT NULL,      -- the first sample; alerts of it name it by this
    since INTEGER,                  -- when the change behind it began, as far as the detector can tell
    fired_at INTEGER,               -- NULL if it never fired
    peak_at INTEGER NOT NULL,       -- the worst sample, and what was said of it
    peak_severity TEXT NOT NULL,
    peak_score REAL,
    peak_p_value REAL,
    last_seen INTEGER NOT NULL,     -- the newest sample of it
    ended_at INTEGER,               -- NULL while it goes on
    samples INTEGER NOT NULL,
    alert INTEGER NOT NULL,         -- whether the alarm budget allowed it to be an alert
    silenced INTEGER NOT NULL,      -- whether a silence covered it at some time
    told TEXT,                      -- fired, worse, reminder, acknowledged, resolved; NULL if nothing was told
    told_at INTEGER,
    told_severity TEXT,
    acknowledged_at INTEGER,        -- NULL until somebody looks after it; never written by a sampler
    acknowledged_note TEXT,
    features TEXT NOT NULL,         -- JSON: [{feature, observed, expected, contribution, kind, since}]
    processes TEXT NOT NULL,        -- JSON: [{pid, name, ...}]
    description TEXT NOT NULL,
    suggested_actions TEXT NOT NULL -- JSON: [text]
) STRICT;
CREATE INDEX incidents_by_time ON incidents (host_id, began_at);
CREATE INDEX incidents_open ON incidents (host_id) WHERE state <> 'resolved';
