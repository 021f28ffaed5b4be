package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/writ-trust/writ/spec"
)

// erased is how the body of a document that is gone is kept: this byte, and then what spec.Residue left of it (body.go has the others).
const erased = 3

// ErrErased answers whoever asks for a document that is gone.
var ErrErased error = spec.Refuse("document-erased", "", "the document was erased; its effect stays")

// typeErased is the type that a record of an erased document shows; it has no body.
const typeErased = "erased"

// doomed is a document on its way out.
type doomed struct {
	docKey
	doc  spec.Document
	leaf int64
	name string // the new one
	kept []byte
}

// erase removes the documents that the batch's erasures name, and what opens their entries, in the transaction that logs the erasures:
// a crash leaves both or neither. What they did is kept as spec.Residue has it, under a name that says nothing of what they were. The
// pages and the write-ahead log are cleaned by Scrub.
func (j *Journal) erase(ctx context.Context, b *batch) error {
	var all []doomed
	for _, r := range b.records {
		e, ok := r.Document.Body.(*spec.Erasure)
		if !ok {
			continue
		}
		d, err := j.doomedAt(ctx, e)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		return nil
	}
	names, err := newNames(all)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := j.wipe(ctx, d, names); err != nil {
			return err
		}
		b.erased = append(b.erased, d.docKey)
	}
	return nil
}

// doomedAt finds the document at a place of a chain.
func (j *Journal) doomedAt(ctx context.Context, e *spec.Erasure) (d doomed, err error) {
	var body, entry []byte
	found, err := one(ctx, &j.writer, `SELECT d.org, d.digest, d.body, e.leaf, e.bytes FROM link AS l JOIN entry AS e ON e.leaf = l.leaf
		JOIN document AS d ON d.digest = e.document AND d.org = e.org WHERE l.chain = ? AND l.seq = ?`, []any{e.Chain, e.Seq},
		&d.org, &d.digest, &body, &d.leaf, &entry)
	if err != nil || !found {
		return d, errors.Join(err, notFoundUnless(found))
	}
	if d.doc, err = j.parsed.parse(d.docKey, body); err == nil && d.doc.Type == typeErased {
		err = ErrErased
	}
	d.name = spec.Erased(entry)
	return d, err
}

// newNames are the names of what goes, and of the actions that were decided, by the old ones.
func newNames(all []doomed) (map[string]string, error) {
	names := map[string]string{}
	for i, d := range all {
		kept, err := spec.Residue(d.doc, names)
		if err != nil {
			return nil, err
		}
		all[i].kept = append([]byte{erased}, kept...)
		names[d.digest] = d.name
		decision, ok := d.doc.Body.(*spec.Decision)
		if !ok {
			continue
		}
		left, err := spec.ParseResidue(d.doc.Type, d.name, kept)
		if err != nil {
			return nil, err
		}
		names[spec.ActionDigest(decision.Action)] = spec.ActionDigest(left.Body.(*spec.Decision).Action)
	}
	return names, nil
}

// wipe takes one document out of the tables.
func (j *Journal) wipe(ctx context.Context, d doomed, names map[string]string) error {
	var refers string
	steps := []statement{
		{`UPDATE entry SET document = ?, salt = zeroblob(32) WHERE leaf = ?`, []any{d.name, d.leaf}},
		{`UPDATE link SET seed = zeroblob(32) WHERE (chain, seq) IN (SELECT value ->> 'chain', value ->> 'seq' FROM entry AS e,
			json_each(CAST(e.bytes AS TEXT), '$.links') WHERE e.leaf = ?)`, []any{d.leaf}},
		{`UPDATE hold SET begin_digest = ?2 WHERE begin_digest = ?1`, []any{d.digest, d.name}},
	}
	switch b := d.doc.Body.(type) {
	case *spec.Decision:
		steps = append(steps, ofDecision(d, b, names)...)
	case *spec.Begin:
		refers = names[b.Decision]
	case *spec.Report:
		refers = names[b.Decision]
	}
	steps = append(steps, d.replace(refers)...)
	for _, s := range steps {
		if _, err := j.writer.exec(ctx, s.text, s.args...); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	return nil
}

type statement struct {
	text string
	args []any
}

// ofDecision are the rows that know a decision by its digest. The request key stays taken, by a body that no request has.
func ofDecision(d doomed, b *spec.Decision, names map[string]string) []statement {
	return []statement{
		{`UPDATE hold SET decision = ?2, action = ?3, payload = '' WHERE decision = ?1`, []any{d.digest, d.name, names[spec.ActionDigest(b.Action)]}},
		{`UPDATE hold_line SET decision = ?2 WHERE decision = ?1`, []any{d.digest, d.name}},
		{`UPDATE request SET decision = ?2, body = '' WHERE decision = ?1 AND org = ?3`, []any{d.digest, d.name, d.org}},
		{`DELETE FROM external_ref WHERE decision = ? AND org = ?`, []any{d.digest, d.org}},
		{`DELETE FROM document WHERE org = ? AND digest IN (?, ?)`, []any{d.org, b.Inputs.Presentation, b.Inputs.Commit}},
	}
}

// forget drops what the caches have of documents that are gone.
func (j *Journal) forget(keys []docKey) {
	for _, key := range keys {
		j.parsed.drop(key)
		j.recent.drop(key)
	}
}

func (c *parsedCache) drop(key docKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.docs, key)
}

func (c *recentRecords) drop(key docKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, key)
}

// Scrub writes the database anew and empties the write-ahead log, so that no page keeps what was erased. It takes as long as reading and
// writing the whole database, and nothing is decided meanwhile: for a command, not for a server. The disk itself, its snapshots and
// backups are somebody else's to clean. The journal can only be closed behind it.
func (j *Journal) Scrub(ctx context.Context) error {
	if err := j.usable(); err != nil {
		return err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := errors.Join(j.readers.Close(), j.checkpoints.Close(), j.writer.reset(ctx)); err != nil {
		return err
	}
	for _, statement := range []string{"PRAGMA temp_store = FILE", "PRAGMA secure_delete = ON", "VACUUM"} {
		if _, err := j.writer.conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("journal: scrub: %w", err)
		}
	}
	var busy, frames, done int
	if err := j.writer.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil || busy != 0 {
		return errors.Join(err, fmt.Errorf("journal: scrub: the write-ahead log is in use: end the other programs that have the database open"))
	}
	return nil
}
