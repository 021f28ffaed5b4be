//go:build !plant_record_unsynced

package log

// Promise: an entry is on the disk before a checkpoint over it is signed (invariant 8).

// syncRecord makes durable what was written to the write-ahead record.
func syncRecord(f File) error { return f.Sync() }
