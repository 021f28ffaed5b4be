-- What people do beside approving: charges that they take for not executed.

-- +goose Up

ALTER TABLE hold ADD COLUMN reconciled INTEGER NOT NULL DEFAULT 0;
