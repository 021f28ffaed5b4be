//go:build !plant_judged_for_ever

package verifier

import "github.com/writ-trust/writ/spec"

// Promise: what was judged once is judged anew under a new roster (invariant 9).

// judgedBy names a mandate and the roster version that judges it.
func judgedBy(m Mandate, roster *spec.State) judgedKey {
	return judgedKey{m.sum, roster.NewestContent()}
}
