-- What was in force at an instant does not change by a veto that came later.

-- +goose Up

-- When the version was vetoed or superseded; absent for the others.
ALTER TABLE roster_version ADD COLUMN vetoed_at INTEGER NOT NULL DEFAULT -62135596800000;
