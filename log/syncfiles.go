//go:build !plant_tile_unsynced

package log

import "fmt"

// Promise: what is published is on the disk before anybody is shown it (invariant 8).

// syncFiles makes what was written to the open files durable.
func (u unsynced) syncFiles() error {
	for name, f := range u.files {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", name, err)
		}
	}
	return nil
}
