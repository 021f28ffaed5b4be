-- What people do beside approving, and what is refused.

-- +goose Up

-- Charges that people take for not executed.
ALTER TABLE hold ADD COLUMN reconciled INTEGER NOT NULL DEFAULT 0;

-- The newest minute of REJECTED decisions: when it began, and how many have an entry.
ALTER TABLE chain ADD COLUMN refused_from INTEGER NOT NULL DEFAULT -62135596800000;
ALTER TABLE chain ADD COLUMN refused INTEGER NOT NULL DEFAULT 0 CHECK (refused BETWEEN 0 AND 10);

-- From when on a version that recovery keys approved counts; absent for the others.
ALTER TABLE roster_version ADD COLUMN counts_from INTEGER NOT NULL DEFAULT -62135596800000;

-- Operational: those of that minute that have none yet. An entry that counts them brings it back to 0.
CREATE TABLE refusal (
    chain  TEXT    PRIMARY KEY,
    beyond INTEGER NOT NULL CHECK (beyond >= 0)
) WITHOUT ROWID;
CREATE INDEX refusal_waits ON refusal (chain) WHERE beyond > 0;
