// Package monitor follows a tiled log (C2SP tlog-tiles) that somebody else keeps: it reads every entry, rebuilds the tree, holds the
// rules of a Writ log against it, and says in alarms what is wrong. A Mirror keeps the entries as well, and cosigns what it replayed.
//
// It trusts the log for nothing. It does not parse what entries say of documents: the reader of an entry's form is handed in. Start
// with Open and Step, with Mirror for a copy that others read, or with Check for a log in one's own folder.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
)

// Options say which log is followed, and by which rules.
type Options struct {
	// Source is the log.
	Source Source
	// Policy says whose checkpoints are accepted; Origin which log of it.
	Policy *log.Policy
	Origin string
	// Dir is the folder of what the monitor remembers, made if missing.
	Dir string
	// Parse reads an entry and refuses what is not in the closed schema. Nil follows the tree alone: a log that is none of Writ's.
	Parse func(entry []byte) (Entry, error)
	// Watched are grantors whose entries raise an alarm.
	Watched []string
	// MaxDelay is how old the newest checkpoint may be: since the quorum cosigned it, or, where the policy has no quorum, since it
	// was first served here. Zero means any age.
	MaxDelay time.Duration
	// Alarm is told of each thing found, before what it was found in is remembered: after a crash it may be told again.
	Alarm func(Alarm) error
	// Progress is told how many of the entries were replayed. Nil tells nobody.
	Progress func(done, of int64)
	// Now is the clock.
	Now func() time.Time
	// FS is the file system. Nil means log.OS.
	FS log.FS
}

// Monitor follows one log. Its methods belong to one caller.
type Monitor struct {
	Options
	lock  io.Closer
	seen  seen
	at    position
	saved int64 // size of the position on disk, -1 if it has to be written whatever the size
	torn  error // why the position in memory is half of a step; nothing is saved then
	keep  func(first int64, entries [][]byte) error
}

// Limits of work at a time: bundles that are read at once, and bundles that are replayed and verified in one step.
const (
	parallel  = 8
	chunk     = 64 * tileWidth
	saveAfter = 1 << 16 // entries: a position is saved after as many, or as many as it has chains
)

// Open opens a monitor's folder, or makes it. Reasons: log-monitor-state (a file is not as it was written), log-monitor-origin (it follows
// another log).
func Open(o Options) (*Monitor, error) {
	m := &Monitor{Options: o}
	if m.FS == nil {
		m.FS = log.OS{}
	}
	if err := m.FS.MkdirAll(m.Dir); err != nil {
		return nil, err
	}
	var err error
	if m.lock, err = m.FS.Lock(filepath.Join(m.Dir, lockFile)); err != nil {
		return nil, err
	}
	if err := m.load(); err != nil {
		m.lock.Close()
		return nil, err
	}
	return m, nil
}

func (m *Monitor) load() error {
	data, err := load(m.FS, m.Dir, seenFile)
	if err == nil && data != nil {
		m.seen, err = parseSeen(data)
	}
	if err != nil {
		return err
	}
	if m.seen.signed != nil && m.seen.Origin != m.Origin {
		return &log.Error{Reason: "log-monitor-origin", Detail: fmt.Sprintf("%s follows %s, not %s", m.Dir, m.seen.Origin, m.Origin)}
	}
	data, err = load(m.FS, m.Dir, positionFile)
	if err != nil {
		return err
	}
	if data == nil {
		t, err := newTree(0, nil)
		m.at = position{tree: t, heads: new(heads.Map)}
		return err
	}
	if m.at, err = parsePosition(data); err != nil {
		return err
	}
	if m.saved = m.at.tree.size(); m.saved > m.seen.Size {
		return damaged("%s is beyond the checkpoint in %s", positionFile, seenFile)
	}
	return nil
}

// Seen returns the newest checkpoint that was accepted.
func (m *Monitor) Seen() log.Checkpoint { return m.seen.Checkpoint }

// Size returns the number of entries that were replayed.
func (m *Monitor) Size() int64 { return m.at.tree.size() }

// Broken is the first alarm that no later entry can mend, "" if there was none. It is remembered.
func (m *Monitor) Broken() string { return m.at.broken }

// Close saves how far the monitor came and gives up its folder.
func (m *Monitor) Close() error { return errors.Join(m.save(0), m.lock.Close()) }

// Step reads the newest checkpoint, replays what is new, and says how many alarms it raised. What could not be read is an error and
// no alarm; the next Step goes on from where this one came to.
func (m *Monitor) Step(ctx context.Context) (alarms int, err error) {
	alarm := func(a Alarm) error {
		alarms++
		return m.alarm(a)
	}
	if m.torn != nil {
		return 0, m.torn
	}
	signed, err := m.Source.Read(ctx, "checkpoint", maxRoot)
	if err == nil {
		err = m.step(ctx, signed, alarm)
	}
	return alarms, errors.Join(err, m.stale(alarm), m.save(math.MaxInt64))
}

// step is the order that must not change.
func (m *Monitor) step(ctx context.Context, signed []byte, alarm func(Alarm) error) error {
	c, err := m.Policy.Verify(signed, m.Origin)
	if err != nil {
		return alarm(Alarm{Code: Unsigned, Reason: reasonOf(err), Detail: err.Error(), Checkpoint: string(signed)})
	}
	// A crash before here leaves what was seen before: the checkpoint is served again, or is not, and then nobody was told of it.
	if a, err := m.consistent(ctx, c); err != nil || a != nil {
		return m.contradiction(a, signed, err, alarm)
	}
	if err := m.see(c, signed); err != nil {
		return err
	}
	// From here on every other tree is a fork. A crash leaves the position of an earlier save: entries are replayed again from there.
	if err := m.grow(ctx, c, alarm); err != nil || m.at.tree.size() < c.Size {
		return err
	}
	if m.Parse != nil && c.Size > 0 && !m.at.last {
		index := c.Size - 1
		return alarm(Alarm{Code: HeadsOrder, Index: &index, Detail: "the last entry under the published checkpoint is no heads entry", Checkpoint: string(signed)})
	}
	return nil
}

// consistent holds a checkpoint against the newest one that was accepted and against the entries that were replayed.
func (m *Monitor) consistent(ctx context.Context, c log.Checkpoint) (*Alarm, error) {
	last := m.seen.Checkpoint
	switch {
	case m.seen.signed == nil:
		return nil, nil
	case c.Size < last.Size:
		root, err := rootAt(ctx, m.Source, last, c.Size)
		if err == nil && root != c.Root {
			return &Alarm{Code: Fork, Detail: fmt.Sprintf("a tree of %d entries that is not the start of the one of %d seen before", c.Size, last.Size)}, nil
		}
		return &Alarm{Code: Rollback, Detail: fmt.Sprintf("%d entries are served, %d were seen", c.Size, last.Size)}, nil
	}
	for _, before := range []log.Checkpoint{last, {Size: m.at.tree.size(), Root: m.at.tree.root()}} {
		if before.Size == 0 {
			continue
		}
		root, err := rootAt(ctx, m.Source, c, before.Size)
		if err != nil {
			return nil, err
		}
		if root != before.Root {
			return &Alarm{Code: Fork, Detail: fmt.Sprintf("the tree of %d entries does not begin with the one of %d seen before", c.Size, before.Size)}, nil
		}
	}
	return nil, nil
}

// contradiction raises what consistent found, with both notes: they are the evidence.
func (m *Monitor) contradiction(a *Alarm, signed []byte, err error, alarm func(Alarm) error) error {
	if errors.Is(err, errTiles) {
		a, err = &Alarm{Code: Tiles, Detail: err.Error()}, nil
	}
	if err != nil {
		return err
	}
	a.Checkpoint, a.Seen = string(signed), string(m.seen.signed)
	return alarm(*a)
}

func (m *Monitor) see(c log.Checkpoint, signed []byte) error {
	next := seen{c, signed, m.Now().UTC().Truncate(time.Second)}
	if m.seen.signed != nil && c.Size == m.seen.Size {
		if string(signed) == string(m.seen.signed) {
			return nil
		}
		next.since = m.seen.since
	}
	if err := replace(m.FS, filepath.Join(m.Dir, seenFile), next.marshal()); err != nil {
		return err
	}
	m.seen = next
	return nil
}

// grow replays the entries up to a checkpoint, chunk by chunk. Each chunk is verified against the checkpoint's root before any of it is judged.
func (m *Monitor) grow(ctx context.Context, c log.Checkpoint, alarm func(Alarm) error) error {
	for m.at.tree.size() < c.Size {
		first := m.at.tree.size()
		to := min(c.Size, (first/chunk+1)*chunk)
		entries, err := m.fetch(ctx, first, to)
		if err == nil {
			err = m.take(ctx, c, first, entries, alarm)
		}
		if a, bad := m.misread(ctx, c, first, entries, err); bad {
			return alarm(a)
		}
		if err != nil {
			return err
		}
		if m.Progress != nil {
			m.Progress(to, c.Size)
		}
		if err := m.save(max(saveAfter, int64(m.at.heads.Len()))); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads the entries from first up to to, several bundles at once.
func (m *Monitor) fetch(ctx context.Context, first, to int64) ([][]byte, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	begin := first / tileWidth
	bundles := make([][][]byte, (to+tileWidth-1)/tileWidth-begin)
	for i := range bundles {
		index := begin + int64(i)
		t := log.Tile{Level: log.Entries, Index: index, Width: int(min(tileWidth, to-index*tileWidth))}
		group.Go(func() (err error) {
			bundles[i], err = bundle(ctx, m.Source, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var entries [][]byte
	for _, b := range bundles {
		entries = append(entries, b...)
	}
	return entries[first%tileWidth:], nil
}

// errEntries is wrapped by the error of entries that are not those of the root.
var errEntries = errors.New("the entries are not those of the root")

// take adds entries to the tree, verifies its root, keeps them where there is a mirror, and holds the rules against them.
func (m *Monitor) take(ctx context.Context, c log.Checkpoint, first int64, entries [][]byte, alarm func(Alarm) error) error {
	next := m.at.tree.clone()
	for _, e := range entries {
		if err := next.add(log.RecordHash(e)); err != nil {
			return err
		}
	}
	root, err := rootAt(ctx, m.Source, c, next.size())
	if err != nil {
		return err
	}
	if root != next.root() {
		return errEntries
	}
	if m.keep != nil {
		if err := m.keep(first, entries); err != nil {
			return err
		}
	}
	return m.replay(first, entries, next, alarm)
}

func (m *Monitor) replay(first int64, entries [][]byte, next tree, alarm func(Alarm) error) error {
	if m.Parse != nil {
		r := &replay{parse: m.Parse, watched: m.Watched, heads: m.at.heads, last: m.at.last}
		for i, e := range entries {
			for _, a := range r.entry(first+int64(i), e) {
				if err := alarm(a); err != nil {
					m.torn = err
					return err
				}
			}
		}
		m.at.last = r.last
	}
	m.at.tree = next
	return nil
}

// misread tells what the log is to blame for: bundles that are none or not of the root, tiles that are not.
func (m *Monitor) misread(ctx context.Context, c log.Checkpoint, first int64, entries [][]byte, err error) (Alarm, bool) {
	var syntax *log.Error
	switch {
	case errors.Is(err, errTiles):
		return Alarm{Code: Tiles, Detail: err.Error(), Checkpoint: string(m.seen.signed)}, true
	case errors.As(err, &syntax) && syntax.Reason == "bundle-syntax":
		return Alarm{Code: Entries, Reason: syntax.Reason, Detail: syntax.Detail, Checkpoint: string(m.seen.signed)}, true
	case !errors.Is(err, errEntries):
		return Alarm{}, false
	}
	a := Alarm{Code: Entries, Detail: "the bundles do not give the root that is signed", Checkpoint: string(m.seen.signed)}
	for i, e := range entries {
		index := first + int64(i)
		if leaf, err := leafAt(ctx, m.Source, c, index); err != nil || leaf != log.RecordHash(e) {
			a.Index = &index
			break
		}
	}
	return a, true
}

// stale raises an alarm where the newest checkpoint is older than it may be.
func (m *Monitor) stale(alarm func(Alarm) error) error {
	if m.MaxDelay == 0 || m.seen.signed == nil {
		return nil
	}
	of, witnessed, err := m.Policy.CosignedAt(m.seen.signed, m.Origin)
	if err != nil {
		return err
	}
	if !witnessed {
		of = m.seen.since
	}
	if age := m.Now().Sub(of); age > m.MaxDelay {
		return alarm(Alarm{Code: Stale, Detail: fmt.Sprintf("the newest checkpoint is of %s, %s ago; at most %s is allowed", of.Format(time.RFC3339), age.Truncate(time.Second), m.MaxDelay), Checkpoint: string(m.seen.signed)})
	}
	return nil
}

// alarm tells of an alarm, and remembers one that no later entry can mend.
func (m *Monitor) alarm(a Alarm) error {
	a.Origin = m.Origin
	if a.breaks() && m.at.broken == "" {
		m.at.broken = a.Code
		m.saved = -1 // so that it is saved, whatever the size
	}
	return m.Alarm(a)
}

// save writes the position, if more than the given number of entries were replayed since it was written.
func (m *Monitor) save(after int64) error {
	if size := m.at.tree.size(); m.torn != nil || m.saved == size || m.saved >= 0 && size-m.saved < after {
		return nil
	}
	if err := replace(m.FS, filepath.Join(m.Dir, positionFile), m.at.marshal()); err != nil {
		return err
	}
	m.saved = m.at.tree.size()
	return nil
}
