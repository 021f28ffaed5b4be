//go:build !plant_excess_admitted

package spec

// Promise: excess counts as used: nothing is admitted against it (invariant 4).

// Used is what counts against the limit.
func (w Window) Used() int64 { return w.Held + w.Committed }
