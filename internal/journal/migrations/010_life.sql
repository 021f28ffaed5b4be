-- The life of a ledger: what is a backup says so.

-- +goose Up

-- A row says that this database is a copy, and when it was made: nobody decides by it until it is restored under a new epoch.
CREATE TABLE copy (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    made INTEGER NOT NULL
);
