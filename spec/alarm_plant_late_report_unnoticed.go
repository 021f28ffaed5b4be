//go:build plant_late_report_unnoticed

package spec

// Planted: the mandate stays active.

func (s *State) alarm(*Hold) {}
