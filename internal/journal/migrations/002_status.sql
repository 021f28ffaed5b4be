-- Where the status of a mandate is shown to those who read status lists. Operational: the bits are views of the chains, and a
-- row is never part of what is proven. No row is ever deleted, so no position is given twice.

-- +goose Up

CREATE TABLE status_entry (
    list     INTEGER NOT NULL CHECK (list >= 1),
    position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 131071),
    org      TEXT    NOT NULL,
    content  TEXT    NOT NULL, -- content digest of the mandate, which may never be issued
    PRIMARY KEY (list, position),
    UNIQUE (content, org)
) WITHOUT ROWID;

-- The few chains whose bits are set, so that a list costs as many rows as it has bits.
CREATE INDEX chain_stopped ON chain (status) WHERE status IN ('suspended', 'revoked');
