//go:build !plant_other_action_begun

package spec

// Promise: what is begun and reported is the action that was decided (invariant 7).

// isOf says whether the hold is of the action with this digest.
func (h *Hold) isOf(action string) bool { return h.Action == action }
