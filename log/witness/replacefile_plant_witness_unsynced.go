//go:build plant_witness_unsynced

package witness

import (
	"errors"

	"github.com/writ-trust/writ/log"
)

// Planted: the new name of the file is not synced.

func replaceFile(fs log.FS, name string, data []byte) error {
	next := name + ".next"
	f, err := fs.OpenFile(next)
	if err != nil {
		return err
	}
	if err := errors.Join(writeAndSync(f, data), f.Close()); err != nil {
		return err
	}
	return fs.Rename(next, name)
}
