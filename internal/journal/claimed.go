//go:build !plant_key_forgotten

package journal

import (
	"context"

	"github.com/writ-trust/writ/spec"
)

// Promise: a request that was answered is known for good, after a restart too (invariant 6).

// claimed finds what a request key led to.
func (j *Journal) claimed(ctx context.Context, _ *batch, k spec.RequestKey) (r claim, found bool, err error) {
	found, err = one(ctx, &j.writer, `SELECT org, body, first, last, decision, final FROM request WHERE leaf = ? AND key = ?`,
		[]any{k.Leaf, k.Key}, &r.org, &r.body, &r.first, &r.last, &r.decision, &r.final)
	return r, found, err
}
