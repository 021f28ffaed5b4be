package log

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// maxOpenFiles limits the files held open between two publications; beyond it Keep syncs them itself.
const maxOpenFiles = 128

// store keeps each tile and bundle in one file, named as if full, that only ever grows: a write never touches
// bytes that were synced before, so a power cut can spoil only what is not published. (Like SQLite, this counts on
// a disk that leaves bytes alone which are outside the range it is writing.)
type store struct {
	fs  FS
	dir string
	unsynced
}

// unsynced is what must be synced to make durable what was written. Files stay open until then, because only the
// descriptor that wrote is sure to be told of a failed write.
type unsynced struct {
	files map[string]File
	dirs  map[string]bool
}

func newUnsynced() unsynced { return unsynced{map[string]File{}, map[string]bool{}} }

func (s *store) path(t Tile) string {
	t.Width = tileWidth
	return filepath.Join(s.dir, filepath.FromSlash(t.Path()))
}

func (s *store) read(t Tile) ([]byte, error) { return s.fs.ReadFile(s.path(t)) }

// extend writes the bytes of a tile from offset on. What a crash left behind them does no harm: readers know how
// many hashes or entries they want.
func (s *store) extend(t Tile, offset int64, data []byte) error {
	name := s.path(t)
	f, open := s.files[name]
	if !open {
		var err error
		if f, err = s.open(name, offset); err != nil {
			return err
		}
	}
	_, err := f.WriteAt(data, offset)
	return err
}

func (s *store) open(name string, offset int64) (File, error) {
	if offset == 0 {
		if err := s.fs.MkdirAll(filepath.Dir(name)); err != nil {
			return nil, err
		}
		for dir := filepath.Dir(name); len(dir) >= len(s.dir); dir = filepath.Dir(dir) {
			s.dirs[dir] = true
		}
	}
	f, err := s.fs.OpenFile(name)
	if err != nil {
		return nil, err
	}
	s.files[name] = f
	return f, nil
}

// take hands over what is unsynced; the store goes on with nothing unsynced.
func (s *store) take() unsynced {
	u := s.unsynced
	s.unsynced = newUnsynced()
	return u
}

// sync and close go in the order of the names, so that a run on a simulated disk can be repeated.
func (u unsynced) sync(fs FS) error {
	if err := u.syncFiles(); err != nil {
		return err
	}
	for _, dir := range slices.Sorted(maps.Keys(u.dirs)) {
		if err := fs.SyncDir(dir); err != nil {
			return fmt.Errorf("sync %s: %w", dir, err)
		}
	}
	return nil
}

func (u unsynced) close() error {
	var first error
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		if err := u.files[name].Close(); err != nil && first == nil {
			first = fmt.Errorf("close %s: %w", name, err)
		}
	}
	return first
}

// replaceFile makes data, durably, the whole content of a file: after a crash it has all of it or the old content.
func replaceFile(fs FS, name string, data []byte) error {
	next := name + ".next"
	f, err := fs.OpenFile(next)
	if err != nil {
		return err
	}
	if err := writeAndSync(f, data); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fs.Rename(next, name); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(name))
}
