//go:build !plant_audience_unchecked

package verifier

import "github.com/writ-trust/writ/vc"

// Promise: a presentation is for the ledger that it names (invariant 5).

// addressed says whether the presentation was made for this ledger.
func (v *Verifier) addressed(p vc.Proof) bool { return p.Domain == v.DID }
