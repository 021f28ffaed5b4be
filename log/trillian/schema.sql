-- What Writ adds to the database of Trillian, behind Trillian's own schema. Applying it again changes nothing.

-- The fence. Two signers that both take themselves for the only one compute from the same tree head and store one after the other. The
-- later one may then replace subtrees by ones with fewer nodes than the newest head has, and no signer ever gets past that. So heads of
-- a tree are stored one at a time, and only one that is larger and later than the newest: such a one has all nodes that the others have.
CREATE OR REPLACE FUNCTION writ_fence_tree_head() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    size bigint;
    at   bigint;
BEGIN
    PERFORM 1 FROM Trees WHERE TreeId = NEW.TreeId FOR NO KEY UPDATE;
    SELECT TreeSize, TreeHeadTimestamp INTO size, at FROM TreeHead WHERE TreeId = NEW.TreeId
        ORDER BY TreeHeadTimestamp DESC LIMIT 1;
    IF FOUND AND (NEW.TreeSize <= size OR NEW.TreeHeadTimestamp <= at) THEN
        RAISE EXCEPTION 'writ fence: tree % has a head of % entries, another signer may not store one of %', NEW.TreeId, size, NEW.TreeSize
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END;
$$;

CREATE OR REPLACE TRIGGER writ_fence BEFORE INSERT ON TreeHead FOR EACH ROW EXECUTE FUNCTION writ_fence_tree_head();

-- A preordered log gets no new head while nothing is added (max_root_duration=0): the fence would refuse it.
ALTER TABLE Trees DROP CONSTRAINT IF EXISTS writ_no_idle_heads;
ALTER TABLE Trees ADD CONSTRAINT writ_no_idle_heads CHECK (TreeType <> 'PREORDERED_LOG' OR MaxRootDurationMillis = 0);

CREATE SCHEMA IF NOT EXISTS writ;

-- Who may write the files of a log. fence grows with each holder, and each write names it: one that lost its lease writes nothing.
CREATE TABLE IF NOT EXISTS writ.log_lease (
    origin TEXT        PRIMARY KEY,
    holder TEXT        NOT NULL,
    fence  BIGINT      NOT NULL CHECK (fence >= 1),
    until  TIMESTAMPTZ NOT NULL, -- by this database's clock
    tree   BIGINT                -- of Trillian; null until it is made
);

-- Tiles, entry bundles and the last published checkpoint, as log.Open would keep them in files.
CREATE TABLE IF NOT EXISTS writ.log_file (
    origin TEXT  NOT NULL,
    name   TEXT  NOT NULL,
    bytes  BYTEA NOT NULL,
    PRIMARY KEY (origin, name)
);
