//go:build !plant_late_report_unnoticed

package spec

// Promise: what an executor reports above its hold, or after it lapsed, suspends the leaf mandate (invariant 4).

// alarm suspends the mandate under which more was executed than it held.
func (s *State) alarm(h *Hold) {
	if s.Content == h.Mandates[len(h.Mandates)-1] && s.Status == StatusActive {
		s.Status = StatusSuspended
	}
}
