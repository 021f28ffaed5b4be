// Package log keeps entries in an append-only Merkle tree and signs checkpoints over it, in the formats of C2SP:
// tlog-tiles, tlog-checkpoint, signed-note, tlog-proof, tlog-policy, tlog-cosignature.
//
// It knows nothing of credentials: an entry is bytes. To check a proof call ParseProof and CheckInclusion, which
// need no Log. To keep a log call Open, then Stage, Keep and Publish.
//
// A Log follows a journal and keeps no write-ahead record of its own. The journal decides which bytes stand at which
// index and makes that durable; the Log computes roots, signs, proves, and may at any time fall back to what it last
// published, from where the journal stages the same bytes at the same indices again.
//
// Clauses are cited from https://github.com/C2SP/C2SP at 5ba5ee830903e91240fc6f9f3a7a9293d49e69c9, by file and heading.
package log

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
)

// Options say where a log is and who signs it.
type Options struct {
	// Dir is the folder of tiles, made if missing. It belongs to the backup unit, with the journal.
	Dir string
	// Guard is the file of the last published checkpoint. It must be outside Dir and outside the backup unit: its
	// purpose is to notice that the rest was restored from a backup. Its folder is made if missing.
	Guard string
	// Signer signs checkpoints; its name is the log's origin.
	Signer *Signer
	// FS is the file system. Nil means OS.
	FS FS
}

// Log is the engine on files. Its methods may be called concurrently; Stage and Keep belong to one caller.
type Log struct {
	signer *Signer
	fs     FS
	guard  string
	lock   io.Closer

	publishing sync.Mutex // held by Publish; taken before mu

	mu        sync.RWMutex
	fatal     error // set once, by a failure or by Close: every later call returns it
	tree      edge
	bundle    int64 // bytes in the entry bundle that grows
	newest    head
	published head
	staged    *stage
	store     store

	cache tileCache
}

// head is a checkpoint and its signed form.
type head struct {
	Checkpoint
	signed []byte
}

// stage is a batch that Stage computed and Keep has not kept.
type stage struct {
	leaves     [][]byte
	tree       edge
	filled     map[Tile]hashTile
	checkpoint Checkpoint
}

// Open opens a log, or makes it if neither guard nor tiles exist.
//
// Only what the guard's checkpoint covers is trusted, after checking that the tiles give its root; Size is then its
// size, and the journal must stage the entries from there on. Tiles beyond are what a crash left, and are overwritten.
//
// Reasons: log-options; log-guard-missing (tiles without a guard), log-guard-invalid (not our checkpoint),
// log-behind-guard (the tiles prove less than was published: restored from a backup), log-root-mismatch.
func Open(o Options) (*Log, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l := &Log{signer: o.Signer, fs: o.FS, guard: o.Guard, store: store{o.FS, filepath.Clean(o.Dir), newUnsynced()}}
	if l.fs == nil {
		l.fs, l.store.fs = OS{}, OS{}
	}
	for _, dir := range []string{o.Dir, filepath.Dir(o.Guard)} {
		if err := l.fs.MkdirAll(dir); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
	}
	var err error
	if l.lock, err = l.fs.Lock(o.Guard + ".lock"); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if err := l.start(); err != nil {
		l.lock.Close()
		return nil, err
	}
	return l, nil
}

func (o Options) check() error {
	if o.Dir == "" || o.Guard == "" || o.Signer == nil {
		return fault("log-options", "Dir, Guard and Signer must be set")
	}
	rel, err := filepath.Rel(o.Dir, o.Guard)
	if err != nil {
		return fault("log-options", "%v", err)
	}
	if rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fault("log-options", "the guard %s must be outside %s", o.Guard, o.Dir)
	}
	return nil
}

func (l *Log) start() error {
	signed, err := l.fs.ReadFile(l.guard)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		signed, err = l.create()
	case err != nil:
		err = fmt.Errorf("log: guard: %w", err)
	}
	if err != nil {
		return err
	}
	c, err := OpenCheckpoint(signed, &l.signer.Verifier)
	if err != nil || c.Origin != l.signer.name {
		return fault("log-guard-invalid", "%s is not a checkpoint of %s: %v", l.guard, &l.signer.Verifier, err)
	}
	l.newest = head{c, signed}
	l.published = l.newest
	if err := l.load(); err != nil {
		return err
	}
	// The process before may have died on a failed sync of this very file, which reads well but is not on disk.
	if err := replaceFile(l.fs, l.guard, signed); err != nil {
		return fmt.Errorf("log: guard: %w", err)
	}
	return nil
}

// create signs the checkpoint of the empty tree. It is in the guard before any tile exists: so tiles without a
// guard mean that the guard was lost.
func (l *Log) create() ([]byte, error) {
	if _, err := l.store.read(Tile{Level: Entries}); !errors.Is(err, fs.ErrNotExist) {
		return nil, fault("log-guard-missing", "%s has entries but the guard %s is gone: without it a log restored from a backup would look new", l.store.dir, l.guard)
	}
	signed, err := Checkpoint{l.signer.name, 0, emptyRoot}.Sign(l.signer)
	if err != nil {
		return nil, fmt.Errorf("log: sign: %w", err)
	}
	for _, dir := range []string{l.store.dir, filepath.Dir(l.guard)} {
		if err := l.fs.SyncDir(filepath.Dir(dir)); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
	}
	return signed, nil
}

// load reads the right edge of the published tree and checks it against the guard's root.
func (l *Log) load() error {
	size := l.published.Size
	l.tree = newEdge()
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		t, err := l.loadEdge(tileAt(level, size>>(tileHeight*level)), size)
		if err != nil {
			return l.behind(err)
		}
		l.tree = append(l.tree[:level], t)
	}
	if root := l.tree.root(); root != l.published.Root {
		return fault("log-root-mismatch", "the guard %s says %d entries with root %s; the tiles in %s give %s", l.guard, size, l.published.Root, l.store.dir, root)
	}
	return l.loadBundle(size)
}

func (l *Log) loadEdge(name Tile, size int64) (hashTile, error) {
	t := newHashTile(name.Index)
	width := name.widthAt(size)
	if width == 0 {
		return t, nil
	}
	b, err := l.store.read(name)
	if err != nil {
		return t, err
	}
	return t, t.pushAll(b, width)
}

// loadBundle checks the last entry and finds how long the bundle that grows is.
func (l *Log) loadBundle(size int64) error {
	if size == 0 {
		return nil
	}
	if _, err := l.entry(l.tree, size-1); err != nil {
		return l.behind(err)
	}
	last := tileAt(Entries, size)
	if last.Width = last.widthAt(size); last.Width == 0 {
		return nil
	}
	b, err := l.bundlePrefix(l.tree, last)
	if err != nil {
		return l.behind(err)
	}
	l.bundle = int64(len(b))
	return nil
}

// behind explains tiles that do not prove what was published, with both sizes.
func (l *Log) behind(err error) error {
	return fault("log-behind-guard", "the guard %s says that %d entries were published, but the tiles in %s prove at most %d: they were restored from a backup or are damaged (%v)",
		l.guard, l.published.Size, l.store.dir, l.proven(), err)
}

// proven counts the leaf hashes in files, at most the published size.
func (l *Log) proven() int64 {
	for t := tileAt(0, l.published.Size); t.Index >= 0; t.Index-- {
		if b, err := l.store.read(t); err == nil {
			return min(l.published.Size-1, t.Index*tileWidth+int64(len(b)/len(Hash{})))
		}
	}
	return 0
}

// Size returns the number of entries in the tree.
func (l *Log) Size() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.tree.size()
}

// Stage computes the checkpoint of the tree with the leaves added at index first, which must be Size, and changes
// nothing: until Keep it may be called again with the same or other leaves, and only the last call counts.
// Leaves must not be modified before Keep. An entry is at most MaxEntrySize bytes.
// Reasons: log-stage (first is not the size, or no leaves), entry-size.
func (l *Log) Stage(first int64, leaves [][]byte) (Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal != nil {
		return Checkpoint{}, l.fatal
	}
	l.staged = nil
	if size := l.tree.size(); first != size || len(leaves) == 0 {
		return Checkpoint{}, fault("log-stage", "%d entries at index %d, the log has %d entries", len(leaves), first, size)
	}
	s := &stage{leaves: leaves, tree: l.tree.clone(), filled: map[Tile]hashTile{}}
	for i, leaf := range leaves {
		if len(leaf) > MaxEntrySize {
			return Checkpoint{}, fault("entry-size", "entry %d has %d bytes, at most %d allowed", first+int64(i), len(leaf), MaxEntrySize)
		}
		s.tree = s.tree.grow(RecordHash(leaf), s.filled)
	}
	s.checkpoint = l.checkpointOver(s.tree)
	l.staged = s
	return s.checkpoint, nil
}

// Keep makes the entries that Stage answered with this checkpoint part of the tree, after the journal has made them
// durable, and signs the checkpoint: from here on proofs are given under it. Tiles are written but not synced.
// The context is not looked at: what the journal holds cannot be given up.
//
// If the signer fails nothing has changed and Keep may be called again. If a write fails the error wraps ErrFatal.
// Reason: log-keep (the checkpoint is not the staged one).
func (l *Log) Keep(_ context.Context, c Checkpoint) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal != nil {
		return l.fatal
	}
	s := l.staged
	if s == nil || s.checkpoint != c {
		return fault("log-keep", "the checkpoint of size %d is not the one staged last", c.Size)
	}
	signed, err := c.Sign(l.signer)
	if err != nil {
		return fmt.Errorf("log: sign: %w", err)
	}
	bundle, err := l.write(s)
	if err != nil {
		return l.fail(err)
	}
	for name, t := range s.filled {
		l.cache.put(name, t)
	}
	l.tree, l.bundle, l.newest, l.staged = s.tree, bundle, head{c, signed}, nil
	return nil
}

// write extends the files by what was staged and returns how long the growing bundle now is.
func (l *Log) write(s *stage) (bundle int64, err error) {
	old := l.tree.size()
	if bundle, err = l.writeEntries(old, s.leaves); err != nil {
		return 0, err
	}
	for level := range s.tree {
		from, to := old>>(tileHeight*level), s.tree.size()>>(tileHeight*level)
		for from < to {
			name := tileAt(level, from)
			t, full := s.filled[name]
			if !full {
				t = s.tree[level]
			}
			start := from % tileWidth
			if err := l.store.extend(name, start*int64(len(Hash{})), t.hashes(int(start), t.width)); err != nil {
				return 0, err
			}
			from += int64(t.width) - start
		}
	}
	if len(l.store.files) > maxOpenFiles {
		u := l.store.take()
		err = errors.Join(u.sync(l.fs), u.close())
	}
	return bundle, err
}

func (l *Log) writeEntries(first int64, leaves [][]byte) (bundle int64, err error) {
	bundle = l.bundle
	for len(leaves) > 0 {
		n := min(tileWidth-first%tileWidth, int64(len(leaves)))
		var data []byte
		for _, leaf := range leaves[:n] {
			data = AppendEntry(data, leaf)
		}
		if err := l.store.extend(tileAt(Entries, first), bundle, data); err != nil {
			return 0, err
		}
		bundle += int64(len(data))
		first, leaves = first+n, leaves[n:]
		if first%tileWidth == 0 {
			bundle = 0
		}
	}
	return bundle, nil
}

// fail makes the log refuse everything from now on. The caller holds mu.
func (l *Log) fail(err error) error {
	l.fatal = fmt.Errorf("%w: %w", ErrFatal, err)
	return l.fatal
}

// Publish makes the newest checkpoint the published one and returns it, signed. Stage, Keep and proofs go on meanwhile.
// Any failure is fatal, because it is unknown what the disk holds: the error wraps ErrFatal.
// The context ends the call only before it has begun.
func (l *Log) Publish(ctx context.Context) ([]byte, error) {
	l.publishing.Lock()
	defer l.publishing.Unlock()
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	return l.publishNext(ctx, v.newest)
}

// PublishAt is Publish for the checkpoint of an earlier size, which it signs again; what came after it stays unpublished.
// A size that was published already changes nothing.
func (l *Log) PublishAt(ctx context.Context, size int64) ([]byte, error) {
	l.publishing.Lock()
	defer l.publishing.Unlock()
	v, err := l.view()
	if err != nil || size <= v.published.Size {
		return v.published.signed, err
	}
	next, err := l.signedAt(v, size)
	if err != nil {
		return nil, err
	}
	return l.publishNext(ctx, next)
}

// publishNext makes next, of a size that the tree has, the published checkpoint. The caller holds publishing.
func (l *Log) publishNext(ctx context.Context, next head) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	last, fatal := l.published, l.fatal
	if fatal != nil || next.Size == last.Size {
		l.mu.Unlock()
		return last.signed, fatal
	}
	written := l.store.take()
	l.mu.Unlock()

	if err := l.publish(written, last, next); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return nil, l.fail(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published = next
	return next.signed, nil
}

// publish is the order that must not change.
func (l *Log) publish(written unsynced, last, next head) error {
	// A crash before or here loses tiles of unpublished entries: the journal stages them again, from the last
	// published size on, and they come out the same.
	if err := errors.Join(written.sync(l.fs), written.close()); err != nil {
		return err
	}
	// Compare and swap. The lock keeps out other processes that ask for it; this notices those that do not, and a
	// guard put back from elsewhere.
	guard, err := l.fs.ReadFile(l.guard)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	if string(guard) != string(last.signed) {
		c, _ := ReadCheckpoint(guard)
		return fmt.Errorf("guard: somebody else changed it: it says %d entries, this process published %d", c.Size, last.Size)
	}
	// A crash here leaves the old guard or the new one; the tiles prove both.
	if err := replaceFile(l.fs, l.guard, next.signed); err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	// From here on a start that does not find these entries refuses. Only now may anybody be shown the checkpoint.
	return nil
}

// Published returns the signed checkpoint that is served, or nil after a fatal error.
func (l *Log) Published() []byte {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.fatal != nil {
		return nil
	}
	return l.published.signed
}

// CommitCheckpoint returns the newest signed checkpoint, which covers all that was kept, or nil after a fatal error.
func (l *Log) CommitCheckpoint() []byte {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.fatal != nil {
		return nil
	}
	return l.newest.signed
}

// Close gives up the lock and the open files. It publishes nothing. Later calls fail with fs.ErrClosed.
func (l *Log) Close() error {
	l.publishing.Lock()
	defer l.publishing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == nil {
		l.fatal = fmt.Errorf("log: %w", fs.ErrClosed)
	}
	return errors.Join(l.store.take().close(), l.lock.Close())
}
