//go:build !plant_check_outside_lock

package verifier

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
)

// Promise: what is decided is decided under the lock, over the states as they are there (invariant 4).

// decider is Decide for the states that the journal hands in.
func (v *Verifier) decider(_ context.Context, o *opened) decideFunc {
	return func(states spec.States, now time.Time) ([]spec.Document, error) { return Decide(o.Case, states, now) }
}
