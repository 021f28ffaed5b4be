package verifier

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
)

// counted is what follows from a new request where its refusal may be one too many (protocol.md 7.10): beyond those that get a decision in
// a minute there is a BeyondError, which the journal counts; and the first refusal after such a minute comes behind the count of it.
func (v *Verifier) counted(leaf *spec.State, docs []spec.Document, now time.Time) ([]spec.Document, error) {
	if d, ok := docs[0].Body.(*spec.Decision); !ok || d.Result != spec.Rejected {
		return docs, nil
	}
	if until, full := leaf.Refusals.Full(now); full {
		return nil, &spec.BeyondError{Mandate: leaf.Content, Until: until}
	}
	if !leaf.Refusals.Due(now) {
		return docs, nil
	}
	count, err := spec.NewRefusalCount(leaf, v.DID, v.Mode, now)
	return append([]spec.Document{count}, docs...), err
}

// CountRefusals logs how many requests of a mandate were refused without an entry in a minute that is over; nothing where there are none.
// content is the mandate's.
func (v *Verifier) CountRefusals(ctx context.Context, org, content string) (spec.Logged, error) {
	op := spec.Op{Org: org, Write: []spec.ChainRef{{Content: content, Kind: spec.KindMandate}}}
	return v.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		s := states.ByContent(content)
		if !s.Refusals.Due(now) {
			return nil, nil
		}
		count, err := spec.NewRefusalCount(s, v.DID, v.Mode, now)
		return []spec.Document{count}, err
	})
}
