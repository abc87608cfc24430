-- How a model was chosen among others, if it was: the choice, every candidate's standing and the margin over the simplest
-- one, as JSON; its fields are those of Selection in overseer-core.

ALTER TABLE model_metadata ADD COLUMN selection TEXT;
