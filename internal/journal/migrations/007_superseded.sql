-- Why a roster version counts for nothing: a veto, or another version that came while it waited.

-- +goose Up

ALTER TABLE roster_version ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded <= vetoed);
