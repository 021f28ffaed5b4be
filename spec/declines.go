//go:build !plant_decline_as_approve

package spec

// Promise: a decline is a decline, wherever a word is counted (invariant 1).

// declines says that the approver said no.
func (a *Approval) declines() bool { return a.Decision == Decline }
