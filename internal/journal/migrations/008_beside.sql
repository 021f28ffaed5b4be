-- What is kept beside a decision is in the decision's body: no row, and no place in an index by digest, of its own. A document says
-- itself which entry it has, so that entries need no index by digest either.

-- +goose Up

-- The leaf of its entry; absent for what was kept beside a decision, whole, before its body had it.
ALTER TABLE document ADD COLUMN leaf INTEGER;
UPDATE document SET leaf = (SELECT e.leaf FROM entry AS e WHERE e.document = document.digest AND e.org = document.org);

-- Rows that only named the decision whose body has the document.
DELETE FROM document WHERE leaf IS NULL AND substr(body, 1, 1) = x'02';

-- SQLite drops no UNIQUE of a table: it is made anew. That a document is logged once is what document holds.
CREATE TABLE entry_by_leaf (
    leaf     INTEGER PRIMARY KEY CHECK (leaf >= 0),
    org      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    document TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    salt     BLOB    NOT NULL CHECK (length(salt) = 32),
    bytes    BLOB    NOT NULL CHECK (length(bytes) <= 2048)
);
INSERT INTO entry_by_leaf (leaf, org, kind, document, at, salt, bytes) SELECT leaf, org, kind, document, at, salt, bytes FROM entry ORDER BY leaf;
DROP TABLE entry;
ALTER TABLE entry_by_leaf RENAME TO entry;
