package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// ErrHeadsNotReady says that the heads are still being rebuilt after a start, or that no heads entry is logged yet.
var ErrHeadsNotReady error = spec.Refuse("heads-not-ready", "", "the heads of the log are not ready yet; try again")

// headsKeeper keeps the heads of the log: a function of its entries, in memory (spec/adr/020-heads.md). Whoever adds to the map, or
// asks for its root, holds Journal.writing.
type headsKeeper struct {
	ready chan struct{} // closed once the map has every entry that is logged

	mu      sync.RWMutex // guards what follows against readers
	tree    heads.Map    // as of entry last, if current; what came later is added and not yet in its tree
	last    int64        // index of the newest heads entry, -1 without any
	current bool         // the tree's root is that of entry last
}

func (k *headsKeeper) isReady() bool {
	select {
	case <-k.ready:
		return true
	default:
		return false
	}
}

// add notes entries that the log has kept. Until the map is ready the rebuild finds them in the tables. That each follows on its chain is
// what the tables say (link), and what the next start holds against the heads entries.
func (k *headsKeeper) add(records []record) error {
	if !k.isReady() {
		return nil
	}
	for _, r := range records {
		leaf := log.RecordHash(r.Entry.Bytes())
		for _, l := range r.Entry.Links {
			c, err := spec.DigestBytes(l.Chain)
			if err != nil {
				return err
			}
			k.tree.Put(c, heads.Head{Seq: l.Seq, Index: r.Index, Leaf: leaf})
		}
	}
	return nil
}

// logged says that entry last has the tree's root.
func (k *headsKeeper) logged(last int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last, k.current = last, true
}

// Heads proves what the newest heads entry says of chains, of whatever organisation: the log says as much to everybody.
// Reason: heads-not-ready.
func (j *Journal) Heads(chains []heads.Chain) (heads.Shown, error) {
	k := &j.heads
	if !k.isReady() {
		return heads.Shown{}, ErrHeadsNotReady
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if !k.current {
		return heads.Shown{}, ErrHeadsNotReady
	}
	return k.tree.Show(k.last, chains), nil
}

// RecordAt returns the document whose entry has an index in the log.
func (j *Journal) RecordAt(ctx context.Context, org string, index int64) (spec.Record, error) {
	return first(j.records(ctx, `WHERE e.leaf = ?1`+mine, index, org))
}

// LogHeads makes the heads of all chains the newest entry of the log, unless that is what they are already, and returns the size
// of the log up to there: what may be published. It waits for the rebuild after a start. An empty log stays empty.
// Reasons: journal-closed, indeterminate.
func (j *Journal) LogHeads(ctx context.Context) (size int64, err error) {
	select {
	case <-j.heads.ready:
	case <-j.failed:
		return 0, j.usable()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	select {
	case <-j.closing:
		return 0, ErrClosed
	default:
	}
	if err := j.usable(); err != nil {
		return 0, err
	}
	if size := j.Log.Size(); size == 0 || size == j.heads.last+1 && j.heads.current {
		return size, nil
	}
	return j.commitHeads(context.WithoutCancel(ctx))
}

// commitHeads is commit for the one entry that no operation asks for: steps 1, 6, 7 and 8 of it, with the same crashes. The heads
// are a function of the entries before, so if nothing lands the next call makes the same entry, or one of more.
func (j *Journal) commitHeads(ctx context.Context) (int64, error) {
	staged, b, err := j.stageHeads(ctx)
	if err != nil {
		return 0, &IndeterminateError{Err: errors.Join(err, j.rollback(ctx))}
	}
	j.keeping.Lock()
	defer j.keeping.Unlock()
	if failure := j.end(ctx); failure != nil {
		landed, err := j.landed(ctx, staged.Size)
		if err != nil || diskFailed(failure) {
			return 0, j.fail(errors.Join(failure, err))
		}
		if !landed {
			return 0, &IndeterminateError{Err: failure}
		}
	}
	j.states.committed(nil, b.now, staged.Size)
	if err := j.Log.Keep(ctx, staged); err != nil {
		return 0, j.fail(err)
	}
	j.heads.logged(staged.Size - 1)
	return staged.Size, nil
}

// stageHeads numbers the heads entry in a transaction that it leaves open.
func (j *Journal) stageHeads(ctx context.Context) (log.Checkpoint, *batch, error) {
	if _, err := j.writer.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return log.Checkpoint{}, nil, err
	}
	stored, last, err := tip(ctx, &j.writer)
	if err != nil {
		return log.Checkpoint{}, nil, err
	}
	b := &batch{size: stored.Size, last: last}
	j.states.reset(b.size)
	b.tick(j.Now())
	e := spec.HeadsEntry(j.heads.root())
	b.records = []record{{Record: spec.Record{Document: spec.Document{Digest: headsDocument(b.size)}, Entry: e, Index: b.size, At: b.now}}}
	staged, err := j.number(ctx, b)
	return staged, b, err
}

// headsDocument stands for the document that a heads entry does not have: each row has another.
func headsDocument(index int64) string { return "heads/" + strconv.FormatInt(index, 10) }

// startHeads rebuilds the heads, or fails the journal: without them nothing may be published.
func (j *Journal) startHeads(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-j.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := j.rebuildHeads(ctx); err != nil && ctx.Err() == nil {
		j.fail(fmt.Errorf("heads: %w", err))
	}
}

// rebuildHeads makes the map from the tables while commits go on: as of the newest heads entry, whose root it must have, and
// then what came later. Only for the last of that commits wait.
func (j *Journal) rebuildHeads(ctx context.Context) error {
	k := &j.heads
	root := ""
	err := j.snapshot(ctx, func(q querier) (err error) {
		if k.last, root, err = lastHeads(ctx, q); err != nil {
			return err
		}
		return loadHeads(ctx, q, k.last, &k.tree)
	})
	if err != nil {
		return err
	}
	if got := spec.HeadsEntry(k.tree.Root()).Root; k.last >= 0 && got != root {
		return spec.Refuse("heads-other", "", "entry %d has the heads root %s, the entries before it give %s", k.last, root, got)
	}
	next, err := j.addHeads(ctx, k.last+1)
	if err != nil {
		return err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if _, err := j.addHeads(ctx, next); err != nil {
		return err
	}
	k.current = k.last >= 0
	close(k.ready)
	return nil
}

// lastHeads is the index and root of the newest heads entry, -1 if there is none.
func lastHeads(ctx context.Context, q querier) (index int64, root string, err error) {
	var bytes []byte
	ok, err := one(ctx, q, `SELECT leaf, bytes FROM entry WHERE kind = 'heads' ORDER BY leaf DESC LIMIT 1`, nil, &index, &bytes)
	if err != nil || !ok {
		return -1, "", err
	}
	e, err := spec.ParseEntry(bytes)
	if err != nil {
		return -1, "", err
	}
	return index, e.Root, nil
}

// loadHeads puts the newest entry of each chain before an index into the map. That of a GROUP BY with max is SQLite's own:
// https://sqlite.org/lang_select.html#bareagg.
func loadHeads(ctx context.Context, q querier, before int64, m *heads.Map) (err error) {
	m.Load(func(yield func(heads.Chain, heads.Head) bool) {
		err = eachHead(ctx, q, `SELECT h.chain, h.seq, h.leaf, e.bytes
			FROM (SELECT chain, max(seq) AS seq, leaf FROM link WHERE leaf < ? GROUP BY chain) AS h JOIN entry AS e ON e.leaf = h.leaf`, before,
			func(c heads.Chain, h heads.Head) error {
				yield(c, h)
				return nil
			})
	})
	return err
}

// addHeads adds the entries from an index on and returns the index after the last.
func (j *Journal) addHeads(ctx context.Context, from int64) (next int64, err error) {
	next = from
	err = j.snapshot(ctx, func(q querier) error {
		return eachHead(ctx, q, `SELECT l.chain, l.seq, l.leaf, e.bytes FROM entry AS e JOIN link AS l ON l.leaf = e.leaf
			WHERE e.leaf >= ? ORDER BY e.leaf, l.chain`, from, func(c heads.Chain, h heads.Head) error {
			next = h.Index + 1
			return j.heads.tree.Add(c, h)
		})
	})
	return next, err
}

func eachHead(ctx context.Context, q querier, query string, arg int64, take func(heads.Chain, heads.Head) error) error {
	return each(ctx, q, query, func(rows *sql.Rows) error {
		var chain string
		var h heads.Head
		var bytes sql.RawBytes
		if err := rows.Scan(&chain, &h.Seq, &h.Index, &bytes); err != nil {
			return err
		}
		c, err := spec.DigestBytes(chain)
		if err != nil {
			return fmt.Errorf("chain of entry %d: %w", h.Index, err)
		}
		h.Leaf = log.RecordHash(bytes)
		return take(heads.Chain(c), h)
	}, arg)
}
