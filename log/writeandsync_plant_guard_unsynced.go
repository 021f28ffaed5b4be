//go:build plant_guard_unsynced

package log

// Planted: the guard is written and not synced.

func writeAndSync(f File, data []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(data, 0)
	return err
}
