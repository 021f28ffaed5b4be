package journal

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// rewrite makes durable the write-ahead log that a process before this one left, by writing its bytes once more. That process may have
// died of a sync that failed: Linux then shows what was not written as if it were, and never writes it. What SQLite reads in it would be
// acknowledged, and gone after a power cut, with everything behind it. The lock of the log keeps out other processes that live.
func (j *Journal) rewrite() error {
	name := j.Path + "-wal"
	data, err := j.FS.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	file, err := j.FS.OpenFile(name)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncNames makes the names of the database and its write-ahead log durable: SQLite does it too, but goes on where that fails.
func (j *Journal) syncNames() error { return j.FS.SyncDir(filepath.Dir(j.Path)) }
