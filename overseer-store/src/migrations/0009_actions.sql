-- The journal of applied actions: written before anything is changed, so that a change survives no crash unnoticed.
CREATE TABLE applied_actions (
    applied_id INTEGER PRIMARY KEY,
    host_id INTEGER NOT NULL REFERENCES hosts (host_id),
    recommendation_id INTEGER NOT NULL REFERENCES recommendations (recommendation_id),
    action TEXT NOT NULL,           -- the name in the catalogue
    knobs_before TEXT NOT NULL,     -- JSON: [{knob, ..., value}]
    knobs_after TEXT NOT NULL,      -- JSON, in the same order
    applied_at INTEGER NOT NULL,
    state TEXT NOT NULL,            -- applying, watching, kept, undone, stuck
    ended_at INTEGER,               -- NULL while it is open
    before REAL,                    -- of the watched feature; NULL where nothing was measured
    after REAL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX applied_by_time ON applied_actions (host_id, applied_at);
