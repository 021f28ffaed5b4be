-- The journal. Only document, entry, link and log are the truth; the tables from chain to request are projections of it, kept
-- in the same transaction, and can be built again by folding spec.States.Apply over the documents in the order of entry.leaf.
-- Instants are milliseconds since 1970 UTC; -62135596800000, the zero instant, is absent. Amounts are minor units or counts.

-- +goose Up

-- One row: how far the log reaches, its root there, and the ledger time of the newest batch.
CREATE TABLE log (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT    NOT NULL,
    size   INTEGER NOT NULL CHECK (size >= 0),
    root   TEXT    NOT NULL,
    at     INTEGER NOT NULL
);
INSERT INTO log (id, origin, size, root, at) VALUES (1, '', 0, '', -62135596800000);

-- Every document, canonical, proof included. Those without an entry (presentations, commits) were kept beside a decision.
CREATE TABLE document (
    id      INTEGER PRIMARY KEY,
    org     TEXT NOT NULL,
    digest  TEXT NOT NULL,
    type    TEXT NOT NULL,
    urn     TEXT NOT NULL, -- its id, '' where it has none
    content TEXT NOT NULL, -- content digest of a mandate, roster or supplement, else ''
    refers  TEXT NOT NULL, -- digest of the decision that it is about, else ''
    body    BLOB,
    UNIQUE (digest, org)
);
CREATE INDEX document_urn ON document (urn) WHERE urn <> '';
CREATE INDEX document_content ON document (content) WHERE content <> '';
CREATE INDEX document_refers ON document (refers) WHERE refers <> '';

-- The leaves of the log: leaf is the index, without gaps. salt opens the commitment.
CREATE TABLE entry (
    leaf     INTEGER PRIMARY KEY CHECK (leaf >= 0),
    org      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    document TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    salt     BLOB    NOT NULL CHECK (length(salt) = 32),
    bytes    BLOB    NOT NULL CHECK (length(bytes) <= 2048),
    UNIQUE (document, org)
);

-- An entry's place on each chain that it touches. seed opens the state commitment, opened is the state that it hides.
CREATE TABLE link (
    chain  TEXT    NOT NULL,
    seq    INTEGER NOT NULL CHECK (seq >= 1),
    leaf   INTEGER NOT NULL,
    seed   BLOB    NOT NULL CHECK (length(seed) = 32),
    opened BLOB    NOT NULL,
    PRIMARY KEY (chain, seq)
) WITHOUT ROWID;
CREATE INDEX link_leaf ON link (leaf);

CREATE TABLE chain (
    id       TEXT    PRIMARY KEY,
    org      TEXT    NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('mandate', 'roster')),
    content  TEXT    NOT NULL UNIQUE,
    status   TEXT    NOT NULL CHECK (status IN ('draft', 'active', 'suspended', 'revoked', 'declined')),
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    head     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    document TEXT    NOT NULL, -- digest of the mandate once it is active, else ''
    urn      TEXT    NOT NULL, -- of the mandate, else ''
    name     TEXT    NOT NULL, -- of the mandate, else ''
    grantor  TEXT    NOT NULL, -- of a roster in force, else ''
    born     INTEGER NOT NULL  -- leaf of its first entry
) WITHOUT ROWID;
CREATE UNIQUE INDEX chain_grantor ON chain (org, grantor) WHERE grantor <> ''; -- a grantor has one roster
CREATE INDEX chain_born ON chain (org, born) WHERE urn <> '';

CREATE TABLE budget (
    chain         TEXT    NOT NULL,
    constraint_id TEXT    NOT NULL,
    unit          TEXT    NOT NULL,
    from_at       INTEGER NOT NULL,
    to_at         INTEGER NOT NULL,
    maximum       INTEGER NOT NULL CHECK (maximum >= 0),
    lifted        INTEGER NOT NULL CHECK (lifted >= 0),
    held          INTEGER NOT NULL CHECK (held >= 0),
    committed     INTEGER NOT NULL CHECK (committed >= 0),
    excess        INTEGER NOT NULL CHECK (excess >= 0),
    lifts         INTEGER NOT NULL CHECK (lifts >= 0),
    PRIMARY KEY (chain, constraint_id, unit, from_at),
    CHECK (held + committed <= maximum + lifted + excess)
) WITHOUT ROWID;

CREATE TABLE hold (
    decision       TEXT    NOT NULL,
    chain          TEXT    NOT NULL,
    mandates       TEXT    NOT NULL, -- content digests, root first, separated by a space
    action         TEXT    NOT NULL,
    payload        TEXT    NOT NULL,
    executor       TEXT    NOT NULL,
    self_executed  INTEGER NOT NULL,
    charged        INTEGER NOT NULL,
    execute_before INTEGER NOT NULL,
    status         TEXT    NOT NULL CHECK (status IN ('held', 'entered', 'committed', 'not_entered', 'lapsed')),
    begin_digest   TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    captured       INTEGER NOT NULL CHECK (captured >= 0),
    executed       INTEGER NOT NULL,
    final          INTEGER NOT NULL,
    born           INTEGER NOT NULL, -- leaf of the decision
    PRIMARY KEY (decision, chain),
    CHECK (NOT (self_executed AND status IN ('held', 'lapsed'))) -- the agent's own charge never lapses
) WITHOUT ROWID;
CREATE INDEX hold_open ON hold (chain) WHERE status IN ('held', 'entered');

CREATE TABLE hold_line (
    decision      TEXT    NOT NULL,
    chain         TEXT    NOT NULL,
    line          INTEGER NOT NULL,
    constraint_id TEXT    NOT NULL,
    unit          TEXT    NOT NULL,
    from_at       INTEGER NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount > 0),
    open          INTEGER NOT NULL CHECK (open BETWEEN 0 AND amount),
    lift          INTEGER NOT NULL CHECK (lift BETWEEN 0 AND amount),
    PRIMARY KEY (decision, chain, line)
) WITHOUT ROWID;

CREATE TABLE proposal (
    chain    TEXT    NOT NULL,
    decision TEXT    NOT NULL, -- the interim one
    missing  INTEGER NOT NULL, -- index in its missing[]
    content  TEXT    NOT NULL,
    until_at INTEGER NOT NULL,
    recovery INTEGER NOT NULL,
    status   TEXT    NOT NULL CHECK (status IN ('open', 'issued', 'spent', 'declined')),
    document TEXT    NOT NULL, -- the issued supplement, else ''
    born     INTEGER NOT NULL,
    PRIMARY KEY (chain, decision, missing),
    CHECK ((status IN ('issued', 'spent')) = (document <> ''))
) WITHOUT ROWID;
CREATE INDEX proposal_open ON proposal (chain) WHERE status IN ('open', 'issued');

-- Approvals that are not yet part of an effect.
CREATE TABLE approval (
    chain    TEXT    NOT NULL,
    document TEXT    NOT NULL,
    proposal TEXT    NOT NULL, -- content of the supplement approved, else ''
    at       INTEGER NOT NULL,
    born     INTEGER NOT NULL, -- its leaf
    PRIMARY KEY (chain, document)
) WITHOUT ROWID;

CREATE TABLE roster_version (
    chain    TEXT    NOT NULL,
    version  INTEGER NOT NULL CHECK (version >= 1),
    content  TEXT    NOT NULL,
    document TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    vetoed   INTEGER NOT NULL,
    born     INTEGER NOT NULL, -- its leaf: after a veto a version number comes again
    PRIMARY KEY (chain, content)
) WITHOUT ROWID;

-- A request happens once under its key. first to last are the leaves of its answer; an interim answer may be replaced once.
CREATE TABLE request (
    leaf     TEXT    NOT NULL, -- content digest of the leaf mandate
    key      TEXT    NOT NULL,
    org      TEXT    NOT NULL,
    body     TEXT    NOT NULL, -- the request's identity
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL CHECK (last >= first),
    decision TEXT    NOT NULL, -- digest of the last document
    final    INTEGER NOT NULL,
    PRIMARY KEY (leaf, key)
) WITHOUT ROWID;
CREATE INDEX request_interim ON request (first) WHERE NOT final;

-- What an executor calls an execution in its own world: one name, one decision of each organisation. Any organisation can list
-- any executor's DID, so names that one has used say nothing about another's.
CREATE TABLE external_ref (
    org      TEXT NOT NULL,
    executor TEXT NOT NULL,
    name     TEXT NOT NULL,
    decision TEXT NOT NULL,
    PRIMARY KEY (executor, name, org)
) WITHOUT ROWID;

-- Operational rows: nothing below is part of what is proven.

CREATE TABLE org (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    mode TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_key (
    id           TEXT    PRIMARY KEY,
    org          TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes       TEXT    NOT NULL, -- separated by a space
    mode         TEXT    NOT NULL,
    hosted_agent TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    revoked      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE draft (
    id      TEXT    NOT NULL,
    org     TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    content TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE UNIQUE INDEX draft_content ON draft (org, content);
