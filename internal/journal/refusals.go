package journal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/writ-trust/writ/spec"
)

// beyond counts a refusal that gets no entry (spec.BeyondError), for the operations behind it in the batch too. The number is
// operational: it is durable, and becomes part of what is proven when a RefusalCount is logged.
func (b *batch) beyond(org string, err error) {
	var refused *spec.BeyondError
	if !errors.As(err, &refused) {
		return
	}
	h, ok := b.chains[refused.Mandate]
	if !ok || h.org != org {
		return
	}
	counted := *h.state
	counted.Refusals.Beyond++
	after := *h
	after.state = &counted
	b.chains[refused.Mandate] = &after
	b.rows.beyond(&counted)
}

func (p *projections) beyond(s *spec.State) {
	p.refusals.put(s.Chain, s.Chain, s.Refusals.Beyond)
}

// finishUnlogged ends a batch without entries. What it counted is made durable all the same; nothing is numbered for it. A crash here
// leaves nothing, or the counts.
func (j *Journal) finishUnlogged(ctx context.Context, b *batch) {
	if len(b.rows.refusals.rows) == 0 {
		j.states.read(b.chains, b.now, b.size)
		if err := j.rollback(ctx); err != nil {
			b.finish(&IndeterminateError{Err: err})
			return
		}
		b.finish(nil)
		return
	}
	err := j.writer.insert(ctx, b.rows.refusals.statement, b.rows.refusals.rows)
	if err == nil {
		_, err = j.writer.exec(ctx, "COMMIT")
	}
	switch {
	case diskFailed(err):
		b.refuse(j.fail(err))
	case err != nil:
		j.again(ctx, b, err)
	default:
		j.states.committed(b.chains, b.now, b.size)
		b.finish(nil)
	}
}

// Uncounted is a mandate of which refusals wait for the entry that counts them.
type Uncounted struct {
	Org     string
	Content string
}

// Uncounted returns the mandates whose minute of refusals is over and has refusals without an entry.
func (j *Journal) Uncounted(ctx context.Context) ([]Uncounted, error) {
	var all []Uncounted
	over := millis(j.Now().Add(-time.Minute))
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT c.org, c.content FROM refusal AS r JOIN chain AS c ON c.id = r.chain
			WHERE r.beyond > 0 AND c.refused_from <= ? ORDER BY c.id`, func(rows *sql.Rows) error {
			var u Uncounted
			err := rows.Scan(&u.Org, &u.Content)
			all = append(all, u)
			return err
		}, over)
	})
	return all, err
}
