package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// commit is the critical function: spec/architecture.md section 3, step by step. Each step says what a crash right there leaves. The
// caller holds j.writing. Steps 1 to 4 are apply(batch), 5 to 9 durable(batch): a pipelined sync could come between.
//
// If anything before COMMIT fails, or COMMIT fails and did not land, the batch is rolled back and each operation runs alone:
// so one that the tables refuse fails by itself.
func (j *Journal) commit(ctx context.Context, calls []*call) {
	b := &batch{calls: calls, requests: map[requestID]*claim{}, handed: map[docKey]int64{}, refs: map[refID]string{},
		rows: newProjections()}
	if err := j.usable(); err != nil {
		b.refuse(err)
		return
	}

	// 1. BEGIN, and how far the journal reaches. The transaction takes the write lock at once: another process that opened the
	// same file waits, or fails, here. A crash here leaves nothing.
	if _, err := j.writer.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		j.again(ctx, b, err)
		return
	}
	stored, last, err := tip(ctx, &j.writer)
	if err != nil {
		j.again(ctx, b, err)
		return
	}
	b.size, b.last = stored.Size, last
	j.states.reset(b.size)

	// 2. Look up the request keys and the signed documents that are handed over. What is known is answered in step 4, in the
	// order of the batch, so that equal keys in it join the first. A crash here leaves nothing.
	if err := j.lookUp(ctx, b); err != nil {
		j.again(ctx, b, err)
		return
	}

	// 3. Load all chains of the batch. The lock of step 1 covers them all, so there is no order to keep and no deadlock. Then
	// the ledger time: the clock's, never before the last batch nor any of these chains. A crash here leaves nothing.
	clock := j.Now()
	if err := j.loadChains(ctx, b, clock); err != nil {
		j.again(ctx, b, err)
		return
	}
	b.tick(clock)

	// 4. Each operation in order, on a copy of the states: f, positions, Apply, entry. An error drops the copy and with it the
	// operation's key, and changes no other answer. A crash here leaves nothing: all of this is memory.
	for _, c := range calls {
		c.answer, c.err = answer{}, nil
		c.err = j.apply(b, c)
	}
	if len(b.records) == 0 {
		// Nothing to log: everything was known or refused.
		j.finishUnlogged(ctx, b)
		return
	}
	// 5. Write the projections with the answers of the request keys: few statements of many rows. Beside it what Writ signs is
	// signed and the bodies are packed, in parallel. A crash here leaves nothing: the transaction is not committed.
	var bodies errgroup.Group
	bodies.Go(func() error { return j.prepare(ctx, b) })
	if err = b.rows.write(ctx, &j.writer); err == nil {
		err = j.erase(ctx, b)
	}

	// 6. Number: the entries under the next indices, the root that the log computes over them, and the new size where it was
	// the old one, all in the same transaction. The log has changed nothing yet. Then the documents, which neither entries nor
	// projections need the proofs of. A crash here leaves nothing.
	var staged log.Checkpoint
	if err == nil {
		staged, err = j.number(ctx, b)
	}
	if err = errors.Join(err, bodies.Wait()); err == nil {
		err = j.writeDocuments(ctx, b)
	}
	if err != nil {
		j.again(ctx, b, err)
		return
	}

	// 7. COMMIT: from here on the batch is the truth, synced once. A crash during it leaves all of the batch or nothing, and the
	// caller does not know which: its retry meets step 2, and there is one decision either way. Readers that find an entry
	// which the log has not kept yet wait for step 8. Only now do the states that the batch led to replace the cached ones.
	j.keeping.Lock()
	failure := j.end(ctx)
	if failure != nil {
		landed, err := j.landed(ctx, staged.Size)
		if err != nil || diskFailed(failure) {
			// A sync failed, or nobody can say what the disk holds. Only the next start finds out.
			j.keeping.Unlock()
			b.finish(j.fail(errors.Join(failure, err)))
			return
		}
		if !landed {
			j.keeping.Unlock()
			j.again(ctx, b, failure)
			return
		}
		// It landed, but the caller is told only what is sure: it asks again.
		failure = &IndeterminateError{Err: failure}
	}
	j.states.committed(b.chains, b.now, staged.Size)
	j.forget(b.erased)

	// 8. Keep: sign the commit checkpoint and make the entries part of the tree. A crash before or during it leaves a log that
	// is shorter than the journal: the next start stages what is missing from Size() on, the same bytes at the same index, and
	// signs the same checkpoint. No loss, no double, no fork. After a failure here signing must not go on.
	err = j.Log.Keep(ctx, staged)
	j.keeping.Unlock()
	if err == nil {
		err = j.heads.add(b.records)
	}
	if err != nil {
		failure = j.fail(err)
	}
	if failure == nil {
		j.recent.put(b.records)
	}

	// 9. Answer every operation and wake who waits. A crash here leaves a caller without its answer: it retries, meets step 2,
	// and gets the same bytes with a proof.
	b.finish(failure)
	j.hub.wake(b)
}

// loadChains is the first half of step 3: what is cached of the chains, and the rest from the tables.
func (j *Journal) loadChains(ctx context.Context, b *batch, clock time.Time) error {
	b.chains = map[string]*held{}
	missing := map[string]bool{}
	for _, c := range b.calls {
		for _, ref := range slices.Concat(c.op.Write, c.op.Read) {
			if h, ok := j.states.get(ref.Content, decisionsOn(c.op, ref)); ok {
				b.chains[ref.Content] = h
			} else {
				missing[ref.Content] = true
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	loaded, err := loadStates(ctx, &j.writer, &j.parsed, slices.Sorted(maps.Keys(missing)), scope{now: clock, decisions: b.decisions()})
	maps.Copy(b.chains, loaded)
	return err
}

// lookUp is step 2.
func (j *Journal) lookUp(ctx context.Context, b *batch) error {
	for _, c := range b.calls {
		if k := c.op.Key; !k.IsZero() {
			r, found, err := j.claimed(ctx, b, k)
			if err != nil {
				return err
			}
			if found {
				b.requests[requestID{k.Leaf, k.Key}] = &r
			}
		}
		if n := c.op.Ref; n.Name != "" {
			if err := each(ctx, &j.writer, `SELECT org, decision FROM external_ref WHERE executor = ? AND name = ?`, func(rows *sql.Rows) error {
				var org, decision string
				err := rows.Scan(&org, &decision)
				b.refs[refID{org, n.Executor, n.Name}] = decision
				return err
			}, n.Executor, n.Name); err != nil {
				return err
			}
		}
		if c.op.Document == "" {
			continue
		}
		if err := each(ctx, &j.writer, `SELECT org, leaf FROM document WHERE digest = ? AND leaf IS NOT NULL`, func(rows *sql.Rows) error {
			var org string
			var leaf int64
			err := rows.Scan(&org, &leaf)
			b.handed[docKey{org, c.op.Document}] = leaf
			return err
		}, c.op.Document); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the rows of the documents: signed, and then packed, each in parallel. It changes no record, since they are numbered
// meanwhile.
func (j *Journal) prepare(ctx context.Context, b *batch) error {
	b.signed, b.bodies = make([]spec.Document, len(b.records)), make([][]byte, len(b.records))
	if err := inParallel(len(b.records), func(i int) (err error) { b.signed[i], err = j.sign(ctx, b.records[i].Document, b.now); return err }); err != nil {
		return err
	}
	b.indexMandates()
	return inParallel(len(b.records), func(i int) error {
		r := &b.records[i]
		b.bodies[i] = pack(b.signed[i], r.attached, b.mandates(r.org))
		return nil
	})
}

// inParallel calls do for 0 to n-1, on all processors.
func inParallel(n int, do func(i int) error) error {
	if n == 1 {
		return do(0)
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	return g.Wait()
}

// writeDocuments is the end of step 6.
func (j *Journal) writeDocuments(ctx context.Context, b *batch) error {
	const columns = `INSERT INTO document (org, digest, type, urn, content, refers, body, leaf) VALUES %s`
	var rows [][]any
	for i := range b.records {
		r := &b.records[i]
		r.Document = b.signed[i]
		rows = append(rows, append(documentRow(r.org, r.Document, b.bodies[i]), r.Index))
	}
	return j.writer.insert(ctx, columns, rows)
}

// indexMandates gathers the mandates of the batch's chains, those of the batch itself included now that they are sealed.
func (b *batch) indexMandates() {
	for i, r := range b.records {
		for _, content := range r.chains {
			if h := b.chains[content]; h.document == r.Document.Digest {
				h.sum = sha256.Sum256(b.signed[i].Bytes())
			}
		}
	}
	b.digests = map[mandateID]string{}
	for _, h := range b.chains {
		b.digests[mandateID{h.org, h.sum}] = h.document
	}
}

// mandates finds, by its whole bytes, the digest of a mandate among the chains of the batch.
func (b *batch) mandates(org string) func(mandate []byte) (string, bool) {
	return func(mandate []byte) (string, bool) {
		digest, ok := b.digests[mandateID{org, sha256.Sum256(mandate)}]
		return digest, ok
	}
}

func documentRow(org string, d spec.Document, body []byte) []any {
	id, _ := d.Value.Member("id")
	urn, _ := id.Text()
	return []any{org, d.Digest, d.Type, urn, contentOf(d), refersTo(d), body}
}

// contentOf is the content digest of a credential that has one.
func contentOf(d spec.Document) string {
	switch d.Type {
	case spec.TypeMandate, spec.TypeRoster, spec.TypeSupplement, spec.TypePolicy:
		return spec.ContentDigest(d.Value)
	}
	return ""
}

// refersTo is the decision that a document is about; of a word on a charge, the content that stands for the decision.
func refersTo(d spec.Document) string {
	switch b := d.Body.(type) {
	case *spec.Begin:
		return b.Decision
	case *spec.Report:
		return b.Decision
	case *spec.Supplement:
		return b.Terms().Decision
	case *spec.Decision:
		return b.Resumes
	case *spec.Approval:
		if b.Kind == spec.KindReconciliation {
			return b.Content
		}
	}
	return ""
}

// rollback ends the transaction, by giving up the connection where nothing else does.
func (j *Journal) rollback(ctx context.Context) error {
	if _, err := j.writer.exec(ctx, "ROLLBACK"); err == nil {
		return nil
	}
	return j.writer.reset(ctx)
}

// landed says, after COMMIT failed, whether the batch is in the database: it asks on another connection, since what the one
// that failed sees is unknown. The write lock shows that no transaction is still on its way.
func (j *Journal) landed(ctx context.Context, size int64) (bool, error) {
	if err := j.writer.reset(ctx); err != nil {
		return false, err
	}
	if _, err := j.writer.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	stored, _, err := tip(ctx, &j.writer)
	return stored.Size == size, errors.Join(err, j.rollback(ctx))
}

// again rolls the batch back after a failure and runs each of its operations alone. One that fails alone gets the error: a
// refusal of the tables is its own, anything else is indeterminate.
func (j *Journal) again(ctx context.Context, b *batch, err error) {
	if resetErr := j.rollback(ctx); resetErr != nil {
		b.refuse(&IndeterminateError{Err: errors.Join(err, resetErr)})
		return
	}
	if len(b.calls) > 1 {
		for _, c := range b.calls {
			j.commit(ctx, []*call{c})
		}
		return
	}
	if sqliteCode(err) == sqliteConstraint {
		j.logger.WarnContext(ctx, "the tables refused an operation", "err", err)
		b.refuse(spec.Refuse("table-rule", "", "this may not follow what is recorded"))
		return
	}
	b.refuse(&IndeterminateError{Err: err})
}

// refuse answers every call with an error.
func (b *batch) refuse(err error) {
	for _, c := range b.calls {
		c.answer, c.err = answer{}, err
		close(c.done)
	}
}

// finish hands its records, or what became known, to each call that was not refused; or the failure.
func (b *batch) finish(failure error) {
	for _, c := range b.calls {
		switch {
		case c.err == nil && failure != nil:
			c.answer, c.err = answer{}, failure
		case c.err == nil && c.wrote:
			for _, r := range b.records[c.first-b.size : c.last-b.size+1] {
				c.records = append(c.records, r.Record)
			}
		}
		close(c.done)
	}
}
