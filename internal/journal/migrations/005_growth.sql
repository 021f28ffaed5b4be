-- What has ended must cost nothing: the windows of a chain that are not over are found without reading those that are. An entry says
-- itself which links it has, so nothing looks for links by their leaf.

-- +goose Up

CREATE INDEX budget_to ON budget (chain, to_at);
DROP INDEX link_leaf;
