//go:build !plant_witness_unsynced

package witness

import (
	"errors"
	"path/filepath"

	"github.com/writ-trust/writ/log"
)

// Promise: no cosignature gets out before the checkpoint that it is over is on the disk (invariant 8).

// replaceFile makes data, durably, the whole content of a file: after a crash it has all of it or the old content.
func replaceFile(fs log.FS, name string, data []byte) error {
	next := name + ".next"
	f, err := fs.OpenFile(next)
	if err != nil {
		return err
	}
	if err := errors.Join(writeAndSync(f, data), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(next, name); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(name))
}
