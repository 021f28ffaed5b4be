//go:build !plant_guard_unsynced

package log

// Promise: the guard knows of everything that was published (invariant 8).

// writeAndSync makes data the whole content of a file, and durable.
func writeAndSync(f File, data []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}
