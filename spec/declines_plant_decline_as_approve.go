//go:build plant_decline_as_approve

package spec

// Planted: a decline counts as an approval.

func (a *Approval) declines() bool { return false }
