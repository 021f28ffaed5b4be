-- What has ended must cost nothing: the windows of a chain that are not over are found without reading those that are.

-- +goose Up

CREATE INDEX budget_to ON budget (chain, to_at);
