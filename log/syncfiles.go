//go:build !plant_tile_unsynced

package log

import (
	"fmt"
	"maps"
	"slices"
)

// Promise: what is published is on the disk before anybody is shown it (invariant 8).

// syncFiles makes what was written to the open files durable, in the order of their names.
func (u unsynced) syncFiles() error {
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		if err := u.files[name].Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", name, err)
		}
	}
	return nil
}
