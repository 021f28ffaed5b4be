//go:build !plant_retired_counts

package verifier

// Promise: what a log has behind its end never counts (spec/protocol.md 12.4).

// beyond says that an entry is none of those that count, in a log that ended at a size.
func beyond(size, index int64) bool { return index >= size }
