//go:build plant_key_forgotten

package journal

import (
	"context"
	"sync"

	"github.com/writ-trust/writ/spec"
)

// Planted: a restart forgets the requests before it.

func (j *Journal) claimed(ctx context.Context, b *batch, k spec.RequestKey) (r claim, found bool, err error) {
	start, _ := started.LoadOrStore(j, b.size)
	found, err = one(ctx, &j.writer, `SELECT org, body, first, last, decision, final FROM request WHERE leaf = ? AND key = ? AND first >= ?`,
		[]any{k.Leaf, k.Key, start}, &r.org, &r.body, &r.first, &r.last, &r.decision, &r.final)
	return r, found, err
}

// started is the size of the log when a journal first looked a request up.
var started sync.Map
