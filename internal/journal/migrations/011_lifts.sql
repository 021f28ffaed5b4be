-- In a window that has excess a lift may be larger than the amount that it admits: people allow what is above the limit already, too.

-- +goose Up

CREATE TABLE hold_line_lifted (
    decision      TEXT    NOT NULL,
    chain         TEXT    NOT NULL,
    line          INTEGER NOT NULL,
    constraint_id TEXT    NOT NULL,
    unit          TEXT    NOT NULL,
    from_at       INTEGER NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount > 0),
    open          INTEGER NOT NULL CHECK (open BETWEEN 0 AND amount),
    lift          INTEGER NOT NULL CHECK (lift >= 0),
    PRIMARY KEY (decision, chain, line)
) WITHOUT ROWID;
INSERT INTO hold_line_lifted SELECT decision, chain, line, constraint_id, unit, from_at, amount, open, lift FROM hold_line;
DROP TABLE hold_line;
ALTER TABLE hold_line_lifted RENAME TO hold_line;
