//go:build plant_lift_kept

package spec

// Planted: the lift stays when its hold is released.

func (w *Window) unlift(*HoldLine) {}
