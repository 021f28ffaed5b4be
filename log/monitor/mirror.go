package monitor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/writ-trust/writ/log"
)

// Mirror holds the entries of another's log, and cosigns each checkpoint whose entries it holds, has replayed and has found in order
// (spec/protocol.md 18.3). Its folder has the log below Prefix, as files that any web server may serve.
type Mirror struct {
	*Monitor
	cosign func(text string, at time.Time) ([]byte, error)
	dirs   map[string]bool // folders whose names are durable
	signed []byte          // the note that was cosigned last
	when   time.Time
}

// cosignAgain is how old a cosignature of an unchanged checkpoint may become.
const cosignAgain = 10 * time.Minute

// Prefix is where a mirror's folder has the log of an origin (tlog-mirror.md, "Introduction").
func Prefix(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return "public/" + hex.EncodeToString(sum[:])
}

// OpenMirror opens a mirror's folder, or makes it. cosign returns a signature line over a note's text, by a key that signs nothing
// else and for no other folder. Options.Parse must be set. Reasons: those of Open.
func OpenMirror(o Options, cosign func(text string, at time.Time) (line []byte, err error)) (*Mirror, error) {
	monitor, err := Open(o)
	if err != nil {
		return nil, err
	}
	m := &Mirror{Monitor: monitor, cosign: cosign, dirs: map[string]bool{}}
	m.Monitor.keep = m.keep
	return m, nil
}

// Step is Monitor.Step, and cosigns if nothing was found, now or ever, that breaks the log.
func (m *Mirror) Step(ctx context.Context) (alarms int, err error) {
	alarms, err = m.Monitor.Step(ctx)
	if err != nil || !m.replayed(alarms) {
		return alarms, err
	}
	return 0, m.publish()
}

// publish is the order that must not change.
func (m *Mirror) publish() error {
	// The entries up to this checkpoint are on the disk and were replayed, and it is consistent with each one that was cosigned before,
	// since seen never moved but to a tree that begins with the one before.
	now := m.Now()
	if bytes.Equal(m.signed, m.seen.signed) && now.Sub(m.when) < cosignAgain {
		return nil
	}
	line, err := m.cosign(m.seen.Text(), now)
	if err != nil {
		return err
	}
	// A crash here leaves the checkpoint before, or this one; the next start cosigns again.
	note := append(slices.Clone(m.seen.signed), line...)
	if err := m.write(filepath.Join(m.root(), "checkpoint"), note); err != nil {
		return err
	}
	m.signed, m.when = m.seen.signed, now
	return nil
}

func (m *Mirror) root() string { return filepath.Join(m.Dir, filepath.FromSlash(Prefix(m.Origin))) }

// keep writes entries, and the tiles that they make, before anything is said about them.
func (m *Mirror) keep(first int64, entries [][]byte) error {
	if err := m.keepBundles(first, entries); err != nil {
		return err
	}
	level := make([]log.Hash, len(entries))
	for i, e := range entries {
		level[i] = log.RecordHash(e)
	}
	for n := 0; len(level) > 0; n++ {
		var err error
		if level, err = m.keepTiles(n, first>>(8*n), level); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mirror) keepBundles(first int64, entries [][]byte) error {
	for len(entries) > 0 {
		data, err := m.begun(log.Tile{Level: log.Entries, Index: first / tileWidth, Width: int(first % tileWidth)})
		if err != nil {
			return err
		}
		n := min(tileWidth-first%tileWidth, int64(len(entries)))
		for _, e := range entries[:n] {
			data = log.AppendEntry(data, e)
		}
		if err := m.write(m.path(log.Tile{Level: log.Entries, Index: first / tileWidth, Width: int(first%tileWidth + n)}), data); err != nil {
			return err
		}
		first, entries = first+n, entries[n:]
	}
	return nil
}

// keepTiles writes hashes of a level from position first on, and returns those that they complete on the level above.
func (m *Mirror) keepTiles(level int, first int64, hashes []log.Hash) (above []log.Hash, err error) {
	for len(hashes) > 0 {
		data, err := m.begun(log.Tile{Level: level, Index: first / tileWidth, Width: int(first % tileWidth)})
		if err != nil {
			return nil, err
		}
		n := min(tileWidth-first%tileWidth, int64(len(hashes)))
		for _, h := range hashes[:n] {
			data = append(data, h[:]...)
		}
		t := log.Tile{Level: level, Index: first / tileWidth, Width: int(first%tileWidth + n)}
		if err := m.write(m.path(t), data); err != nil {
			return nil, err
		}
		if t.Width == tileWidth {
			above = append(above, tileRoot(data))
		}
		first, hashes = first+n, hashes[n:]
	}
	return above, nil
}

// tileRoot is the node over all hashes of a full tile.
func tileRoot(tile []byte) log.Hash {
	var hashes []log.Hash
	for ; len(tile) > 0; tile = tile[sha256.Size:] {
		hashes = append(hashes, log.Hash(tile[:sha256.Size]))
	}
	return fold(hashes)
}

// fold is the root of a tree of hashes, one or more.
func fold(hashes []log.Hash) log.Hash {
	t := tree{ranges.NewEmptyRange(0)}
	for _, h := range hashes {
		_ = t.add(h) // which fails only at 2^64 hashes
	}
	return t.root()
}

// begun is what the mirror has of a tile or bundle that it goes on with: of width zero nothing.
func (m *Mirror) begun(t log.Tile) ([]byte, error) {
	if t.Width == 0 {
		return nil, nil
	}
	return m.FS.ReadFile(m.path(t))
}

func (m *Mirror) path(t log.Tile) string {
	return filepath.Join(m.root(), filepath.FromSlash(t.Path()))
}

// write makes a file, and the names of the folders that it is in, durable.
func (m *Mirror) write(name string, data []byte) error {
	if err := m.FS.MkdirAll(filepath.Dir(name)); err != nil {
		return err
	}
	var err error
	for dir := filepath.Dir(name); !m.dirs[dir] && len(dir) >= len(m.Dir); dir = filepath.Dir(dir) {
		m.dirs[dir] = true
		err = errors.Join(err, m.FS.SyncDir(filepath.Dir(dir)))
	}
	return errors.Join(err, replace(m.FS, name, data))
}
