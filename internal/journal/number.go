package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// tip reads how far the journal reaches: the log row.
func tip(ctx context.Context, q querier) (c log.Checkpoint, at time.Time, err error) {
	var root string
	var ms int64
	_, err = one(ctx, q, `SELECT origin, size, root, at FROM log WHERE id = 1`, nil, &c.Origin, &c.Size, &root, &ms)
	if err == nil && c.Size > 0 {
		c.Root, err = log.ParseHash(root)
	}
	return c, instant(ms), err
}

// number writes the entries of the batch under their indices, asks the log for the root that they lead to, and stores it.
func (j *Journal) number(ctx context.Context, b *batch) (log.Checkpoint, error) {
	var entries, links [][]any
	var leaves [][]byte
	for _, r := range b.records {
		bytes := r.Entry.Bytes()
		leaves = append(leaves, bytes)
		entries = append(entries, []any{r.Index, r.org, r.Entry.Kind, r.Document.Digest, millis(r.At), r.Salt[:], bytes})
		for i, l := range r.Entry.Links {
			seed := r.Seeds[l.Chain]
			links = append(links, []any{l.Chain, l.Seq, r.Index, seed[:], r.Openings[i].Bytes()})
		}
	}
	if err := j.writer.insert(ctx, `INSERT INTO entry (leaf, org, kind, document, at, salt, bytes) VALUES %s`, entries); err != nil {
		return log.Checkpoint{}, err
	}
	if err := j.writer.insert(ctx, `INSERT INTO link (chain, seq, leaf, seed, opened) VALUES %s`, links); err != nil {
		return log.Checkpoint{}, err
	}
	staged, err := j.Log.Stage(b.size, leaves)
	if err != nil {
		return staged, err
	}
	changed, err := j.writer.exec(ctx, `UPDATE log SET origin = ?, size = ?, root = ?, at = ? WHERE id = 1 AND size = ?`,
		staged.Origin, staged.Size, staged.Root.String(), millis(b.now), b.size)
	if err == nil && (changed != 1 || staged.Size != b.size+int64(len(leaves))) {
		err = fmt.Errorf("the log says %d entries after %d were added to %d", staged.Size, len(leaves), b.size)
	}
	return staged, err
}

// catchUp brings the log up to the journal at the start, and refuses where the two do not belong together.
func (j *Journal) catchUp(ctx context.Context) error {
	stored, _, err := tip(ctx, &j.writer)
	if err != nil {
		return err
	}
	stored, begins, err := j.carriedOn(stored)
	if err == nil {
		err = j.checkLife(ctx, stored, begins)
	}
	if err == nil {
		err = j.follow(ctx, stored)
	}
	if err == nil && begins && !j.ReadOnly {
		err = j.add(ctx, j.Carry.Entry)
	}
	j.states.reset(j.Log.Size())
	return err
}

// follow has the log take what it lacks of the journal.
func (j *Journal) follow(ctx context.Context, stored log.Checkpoint) error {
	size := j.Log.Size()
	if size > stored.Size {
		return spec.Refuse("log-ahead", "", "the log has %d entries, the database %d: the database was restored from a backup", size, stored.Size)
	}
	if size == stored.Size {
		return j.checkRoot(stored)
	}
	leaves, err := j.entriesFrom(ctx, size)
	if err != nil {
		return err
	}
	staged, err := j.Log.Stage(size, leaves)
	if err != nil {
		return err
	}
	if staged != stored {
		return otherLog(staged, stored)
	}
	return j.Log.Keep(ctx, staged)
}

// checkRoot compares roots where the log lacks nothing: its newest proof carries the checkpoint.
func (j *Journal) checkRoot(stored log.Checkpoint) error {
	if stored.Size == 0 {
		return nil
	}
	text, err := j.Log.Proof(stored.Size - 1)
	if err != nil {
		return err
	}
	proof, err := log.ParseProof(text)
	if err != nil {
		return err
	}
	c, err := log.ReadCheckpoint(proof.Checkpoint)
	if err == nil && c != stored {
		err = otherLog(c, stored)
	}
	return err
}

func otherLog(found, stored log.Checkpoint) error {
	return spec.Refuse("log-other", "", "the log %s has the root %s at %d entries, the database was written under %s with %s at %d",
		found.Origin, found.Root, found.Size, stored.Origin, stored.Root, stored.Size)
}

func (j *Journal) entriesFrom(ctx context.Context, size int64) ([][]byte, error) {
	var leaves [][]byte
	err := each(ctx, &j.writer, `SELECT leaf, bytes FROM entry WHERE leaf >= ? ORDER BY leaf`, func(rows *sql.Rows) error {
		var leaf int64
		var bytes []byte
		if err := rows.Scan(&leaf, &bytes); err != nil {
			return err
		}
		if want := size + int64(len(leaves)); leaf != want {
			return fmt.Errorf("entry %d is missing", want)
		}
		leaves = append(leaves, bytes)
		return nil
	}, size)
	return leaves, err
}
