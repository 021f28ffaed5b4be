//go:build plant_excess_admitted

package spec

// Planted: what was reported above a hold does not count.

// Used is wrong here.
func (w Window) Used() int64 { return w.Held + w.Committed - w.Excess }
