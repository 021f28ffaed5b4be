//go:build plant_other_action_begun

package spec

// Planted: any action may be executed under any hold.

func (h *Hold) isOf(string) bool { return true }
