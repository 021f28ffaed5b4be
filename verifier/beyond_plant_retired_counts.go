//go:build plant_retired_counts

package verifier

// Planted: an ended log goes on.

func beyond(_, _ int64) bool { return false }
