//go:build !plant_stale_presentation

package verifier

import (
	"time"

	"github.com/writ-trust/writ/vc"
)

// Promise: a request is of now, at ledger time (invariant 9).

// isOfNow says whether the proof has begun to count, a skew of clocks aside, and has not ended.
func isOfNow(p vc.Proof, now time.Time) bool {
	return !now.Before(p.Created.Add(-clockSkew)) && now.Before(p.Expires)
}
