package journal

import (
	"context"
	"errors"
	"time"

	"github.com/writ-trust/writ/spec"
)

// PolicyState returns the chain of the policy that has a version of this content.
func (j *Journal) PolicyState(ctx context.Context, org, content string) (*spec.State, error) {
	var state *spec.State
	err := j.snapshot(ctx, func(q querier) error {
		var first string
		ok, err := one(ctx, q, `SELECT c.content FROM roster_version AS v JOIN chain AS c ON c.id = v.chain
			WHERE v.content = ?1 AND c.kind = 'policy' AND (c.org = ?2 OR ?2 = '')`, []any{content, org}, &first)
		if err != nil || !ok {
			return errors.Join(err, notFoundUnless(ok))
		}
		found, err := loadStates(ctx, q, &j.parsed, []string{first}, scope{now: j.Now()})
		if err == nil {
			state = found[first].state
		}
		return err
	})
	return state, err
}

// addVersion gives a chain its next version: a policy's have nothing to veto.
func (l *loading) addVersion(h *held, document string, v spec.RosterVersion) {
	s := h.state
	if s.Kind != spec.KindPolicy {
		i := len(s.Versions)
		s.Versions = append(s.Versions, v)
		l.want(docKey{h.org, document}, func(d spec.Document) { s.Versions[i].Document = d })
		return
	}
	i := len(s.Policies)
	s.Policies = append(s.Policies, spec.PolicyVersion{Content: v.Content, At: v.At})
	l.want(docKey{h.org, document}, func(d spec.Document) { s.Policies[i].Document = d })
}

// policyVersion projects a version of a policy.
func (p *projections) policyVersion(chain string, v spec.PolicyVersion, leaf int64) {
	p.versions.put(key(chain, v.Content), chain, v.Body().Terms().Version, v.Content, v.Document.Digest, millis(v.At), false, millis(time.Time{}), millis(time.Time{}), false, leaf)
}
