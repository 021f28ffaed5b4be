-- The log's side of a journal in PostgreSQL, in the database that has writ.log_lease. Applying it again changes nothing.

CREATE SCHEMA IF NOT EXISTS writ;

-- What transactions committed, in any replica. leaf is null until the holder of the log's lease numbers the entry: a transaction that
-- began early may commit late, so no order of id says which entries there are.
CREATE TABLE IF NOT EXISTS writ.entry (
    id     BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    origin TEXT   NOT NULL,
    bytes  BYTEA  NOT NULL CHECK (length(bytes) <= 2048),
    leaf   BIGINT CHECK (leaf >= 0),
    UNIQUE (origin, leaf)
);
CREATE INDEX IF NOT EXISTS entry_unnumbered ON writ.entry (origin, id) WHERE leaf IS NULL;

-- How far each log reaches, and its root there.
CREATE TABLE IF NOT EXISTS writ.log (
    origin TEXT   PRIMARY KEY,
    size   BIGINT NOT NULL CHECK (size >= 0),
    root   TEXT   NOT NULL
);
