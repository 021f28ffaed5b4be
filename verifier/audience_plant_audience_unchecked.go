//go:build plant_audience_unchecked

package verifier

import "github.com/writ-trust/writ/vc"

// Planted: a presentation made for somebody else is replayed here.

func (v *Verifier) addressed(vc.Proof) bool { return true }
