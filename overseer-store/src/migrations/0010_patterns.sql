-- What a pattern says beyond its first rhythm and its polynomial. All of it is NULL where it is not known, as in rows of
-- earlier formats.

ALTER TABLE patterns ADD COLUMN volatility REAL;            -- the spread of what is left over, over the level
ALTER TABLE patterns ADD COLUMN period_p_value REAL;
ALTER TABLE patterns ADD COLUMN period_peak INTEGER;        -- the last time of the window at which the rhythm stood highest
ALTER TABLE patterns ADD COLUMN further_rhythms TEXT;       -- JSON: [{period, strength, p_value, peak}], the strongest first
ALTER TABLE patterns ADD COLUMN robust_slope_per_hour REAL; -- which outliers do not move
ALTER TABLE patterns ADD COLUMN robust_low REAL;            -- its 95 % interval
ALTER TABLE patterns ADD COLUMN robust_high REAL;
ALTER TABLE patterns ADD COLUMN robust_p_value REAL;
ALTER TABLE patterns ADD COLUMN crossing_limit REAL;        -- which the trend reaches if it goes on
ALTER TABLE patterns ADD COLUMN crossing_at INTEGER;        -- when
ALTER TABLE patterns ADD COLUMN crossing_earliest INTEGER;  -- the 95 % interval of that moment
ALTER TABLE patterns ADD COLUMN crossing_latest INTEGER;    -- NULL beside a crossing_at: perhaps never
