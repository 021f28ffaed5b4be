-- Policies: their versions stand where those of rosters do, and what their mandates share has a chain of its own.

-- +goose Up

-- A hold is on the account chains of these policies too: contents of their versions 1, separated by a space.
ALTER TABLE hold ADD COLUMN policies TEXT NOT NULL DEFAULT '';

-- SQLite changes no CHECK of a table: it is made anew.
CREATE TABLE chain_with_policies (
    id       TEXT    PRIMARY KEY,
    org      TEXT    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('mandate', 'roster', 'policy', 'account')),
    content  TEXT    NOT NULL UNIQUE,
    status   TEXT    NOT NULL CHECK (status IN ('draft', 'active', 'suspended', 'revoked', 'declined')),
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    head     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    since    INTEGER NOT NULL, -- when it came to its status
    document TEXT    NOT NULL, -- digest of the mandate once it is active, else ''
    urn      TEXT    NOT NULL, -- of the mandate, else ''
    name     TEXT    NOT NULL, -- of the mandate, else ''
    grantor  TEXT    NOT NULL, -- of a roster in force, else ''
    born     INTEGER NOT NULL  -- leaf of its first entry
) WITHOUT ROWID;
INSERT INTO chain_with_policies (id, org, kind, content, status, seq, head, at, since, document, urn, name, grantor, born)
    SELECT id, org, kind, content, status, seq, head, at, since, document, urn, name, grantor, born FROM chain;
DROP TABLE chain;
ALTER TABLE chain_with_policies RENAME TO chain;
CREATE UNIQUE INDEX chain_grantor ON chain (org, grantor) WHERE grantor <> ''; -- a grantor has one roster
CREATE INDEX chain_born ON chain (org, born) WHERE urn <> '';
CREATE INDEX chain_stopped ON chain (status) WHERE status IN ('suspended', 'revoked');

-- The chain of a policy is found by the content of any version.
CREATE INDEX roster_version_content ON roster_version (content);
