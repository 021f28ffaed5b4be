//go:build plant_hold_freed_twice

package spec

// Planted: the line stays open, so that the next release gives it back again.

func (l *HoldLine) settle() {}
