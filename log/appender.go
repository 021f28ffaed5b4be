package log

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
)

// maxBatch limits the entries that share one sync and one signature.
const maxBatch = 4096

// Appender is a log for those without a journal: it takes entries from many callers at once, numbers them as they come, and keeps a
// write-ahead record of its own. Whoever has an answer has a proof that holds for ever: the entries of a batch are on the disk
// before the checkpoint over them is signed, and that is signed before any of their callers hears of it.
//
// Callers share syncs: a batch is what waited while the last one was made durable. Nothing is lost by a crash but what nobody was
// told of, and after it the same entries have the same indices. A failed write or sync ends it: every later call returns an error
// that wraps ErrFatal, and the process must end. Its methods may be called concurrently.
type Appender struct {
	log  *Log
	wake chan struct{} // has one element while somebody waits; closed by Close
	done chan struct{} // closed when the last batch is through

	publishing sync.Mutex // held by Publish; taken before writing

	writing sync.Mutex // held while a batch goes through
	wal     *wal

	mu      sync.Mutex
	waiting []*batch
	spare   []byte // the memory of a bundle that is through
	closed  bool
}

// batch is entries that wait together. What is below done is set before it is closed.
type batch struct {
	bundle []byte // in the form of tlog-tiles.md, "Log entries"
	leaves int64
	done   chan struct{}

	first int64
	view  view // the log right after the batch
	err   error
}

// OpenAppender opens a log as Open does, with the write-ahead record in files of its folder, wal.0 and wal.1. What these have beyond
// the published checkpoint is made part of the tree and published before it returns.
//
// Reasons: those of Open, and log-record-damaged (an entry that was durable has changed, or is gone).
func OpenAppender(o Options) (*Appender, error) {
	l, err := Open(o)
	if err != nil {
		return nil, err
	}
	a := &Appender{log: l, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := a.restart(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	go a.run()
	return a, nil
}

// restart brings the log to where the record is.
func (a *Appender) restart() error {
	l := a.log
	bundle, err := readWAL(l.fs, l.store.dir, l.tree)
	if err != nil {
		return err
	}
	leaves, c, err := a.restage(bundle)
	if err != nil {
		return err
	}
	var record []byte
	if len(leaves) > 0 {
		record = walRecord{l.Size(), c.Root, bundle}.appendTo(nil)
	}
	// The process before may have died on a failed sync: what was read may not be on the disk. So it is written anew, before
	// anything over it is signed. A crash before or here leaves the old files, or the first of them new with all that both had.
	if a.wal, err = openWAL(l.fs, l.store.dir, record); err != nil {
		return fmt.Errorf("log: record: %w", err)
	}
	if len(leaves) == 0 {
		return nil
	}
	if err := l.Keep(context.Background(), c); err != nil {
		return errors.Join(err, a.wal.close())
	}
	if _, err := a.Publish(context.Background()); err != nil {
		return errors.Join(err, a.wal.close())
	}
	return nil
}

// restage stages what was recorded, if anything was.
func (a *Appender) restage(bundle []byte) (leaves [][]byte, c Checkpoint, err error) {
	if leaves = cutAll(bundle); len(leaves) > 0 {
		c, err = a.log.Stage(a.log.Size(), leaves)
	}
	return leaves, c, err
}

// cutAll returns the entries of a bundle of any length, made by AppendEntry.
func cutAll(bundle []byte) (entries [][]byte) {
	for len(bundle) > 0 {
		var entry []byte
		entry, bundle, _ = cutEntry(bundle)
		entries = append(entries, entry)
	}
	return entries
}

// Append adds an entry of at most MaxEntrySize bytes and returns its index and a tlog-proof under a checkpoint signed for its batch
// (tlog-proof.md, "Format"), once the entry is durable. If the context ends first, the entry may still be added.
//
// Entries are not compared: what is appended twice is in the log twice. Errors: reason entry-size; ErrFatal; fs.ErrClosed; the context's.
func (a *Appender) Append(ctx context.Context, entry []byte) (index int64, proof []byte, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	if len(entry) > MaxEntrySize {
		return 0, nil, fault("entry-size", "the entry has %d bytes, at most %d allowed", len(entry), MaxEntrySize)
	}
	b, at, err := a.join(entry)
	if err != nil {
		return 0, nil, err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	if b.err != nil {
		return 0, nil, b.err
	}
	index = b.first + at
	proof, err = a.log.prove(b.view, index, b.view.newest)
	return index, proof, err
}

// join lets an entry wait, and returns with whom and after how many.
func (a *Appender) join(entry []byte) (b *batch, at int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, 0, fmt.Errorf("log: %w", fs.ErrClosed)
	}
	if n := len(a.waiting); n > 0 && a.waiting[n-1].leaves < maxBatch {
		b = a.waiting[n-1]
	} else {
		b = &batch{bundle: a.spare[:0], done: make(chan struct{})}
		a.waiting, a.spare = append(a.waiting, b), nil
	}
	at = b.leaves
	b.bundle, b.leaves = AppendEntry(b.bundle, entry), at+1
	select {
	case a.wake <- struct{}{}:
	default:
	}
	return b, at, nil
}

// next takes the batch that has waited longest, or nil.
func (a *Appender) next() (b *batch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) > 0 {
		b = a.waiting[0]
		a.waiting = slices.Delete(a.waiting, 0, 1)
	}
	return b
}

// run is the one that writes.
func (a *Appender) run() {
	defer close(a.done)
	for range a.wake {
		for b := a.next(); b != nil; b = a.next() {
			b.err = a.commit(b)
			a.through(b)
			if a.long() {
				a.Publish(context.Background()) // a failure is fatal, and the answer to every later call
			}
		}
	}
}

// through answers a batch, and lets those who wait for the processor come first: many of them share the next batch.
func (a *Appender) through(b *batch) {
	a.mu.Lock()
	a.spare, b.bundle = b.bundle, nil
	a.mu.Unlock()
	close(b.done)
	runtime.Gosched()
}

// long says that the record has become longer than a start should have to read.
func (a *Appender) long() bool {
	a.writing.Lock()
	defer a.writing.Unlock()
	return a.wal.ends[a.wal.active] > maxWAL
}

// commit is the order that must not change.
func (a *Appender) commit(b *batch) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	l := a.log
	b.first = l.Size()
	c, err := l.Stage(b.first, cutAll(b.bundle))
	if err != nil {
		return err
	}
	// A crash before or here leaves the whole batch in the record, or none of it that counts: nobody was told.
	if err := a.wal.append(walRecord{b.first, c.Root, b.bundle}); err != nil {
		return l.end(fmt.Errorf("record: %w", err))
	}
	// From here on a start gives these entries these indices. A crash leaves tiles behind that are the same when they are made again.
	if err := l.Keep(context.Background(), c); err != nil {
		return l.end(err)
	}
	// The checkpoint is signed. Only now may anybody be shown it.
	b.view, err = l.view()
	return err
}

// Publish makes the newest checkpoint the published one and returns it, signed, as Log.Publish does; entries are taken meanwhile. The
// write-ahead record is given up as far as that checkpoint covers it, so call it now and then, such as each second: from a certain
// length of the record on the Appender does so by itself.
func (a *Appender) Publish(ctx context.Context) ([]byte, error) {
	a.publishing.Lock()
	defer a.publishing.Unlock()
	a.writing.Lock()
	a.wal.turn()
	a.writing.Unlock()
	signed, err := a.log.Publish(ctx)
	if err != nil {
		return nil, err
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	if err := a.wal.published(); err != nil {
		return nil, a.log.end(fmt.Errorf("record: %w", err))
	}
	return signed, nil
}

// Log returns the log, for reading. Stage and Keep are the Appender's.
func (a *Appender) Log() *Log { return a.log }

// Close lets those who wait have their answers and gives up the lock and the open files. It publishes nothing. Later calls fail with
// fs.ErrClosed.
func (a *Appender) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	close(a.wake)
	a.mu.Unlock()
	<-a.done
	a.publishing.Lock()
	defer a.publishing.Unlock()
	return errors.Join(a.wal.close(), a.log.Close())
}
