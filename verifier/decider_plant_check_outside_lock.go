//go:build plant_check_outside_lock

package verifier

import (
	"context"
	"slices"
	"time"

	"github.com/writ-trust/writ/spec"
)

// Planted: the budget is judged by the states as they were before the lock.

func (v *Verifier) decider(ctx context.Context, o *opened) decideFunc {
	early, err := v.Journal.States(ctx, o.op.Org, append(slices.Clone(o.op.Write), o.op.Read...), []string{o.Resumes})
	return func(states spec.States, now time.Time) ([]spec.Document, error) {
		if err != nil {
			return nil, err
		}
		docs, err := Decide(o.Case, early, now)
		if err != nil {
			return nil, err
		}
		placed, err := spec.Place(docs[0], states)
		return []spec.Document{placed}, err
	}
}
