package issuer

import (
	"context"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
)

// Delegate takes a mandate that an agent signed for another one, below its own. The parent's chain decides whether it may.
func (i *Issuer) Delegate(ctx context.Context, org string, data []byte) (spec.Logged, error) {
	doc, err := spec.Parse(data)
	if err != nil {
		return spec.Logged{}, err
	}
	m, ok := doc.Body.(*spec.Mandate)
	switch {
	case !ok || m.IsRoot():
		return spec.Logged{}, spec.Refuse("type-unknown", "/type", "a delegated mandate is wanted")
	case m.Subject.Mode != i.Mode:
		return spec.Logged{}, spec.Refuse("mode-other", "", "a test document and a live ledger never mix")
	}
	if err := i.templatesKnown(ctx, org, m); err != nil {
		return spec.Logged{}, err
	}
	ancestors, err := i.ancestors(ctx, org, m)
	if err != nil {
		return spec.Logged{}, err
	}
	if err := spec.CheckChild(m, ancestors[0].Mandate, ancestors[0].Content); err != nil {
		return spec.Logged{}, err
	}
	key, err := did.KeyOf(ancestors[0].Mandate.Subject.ID)
	if err != nil {
		return spec.Logged{}, err
	}
	if err := spec.CheckSignature(doc, key, did.MethodID(m.Issuer), did.AssertionMethod); err != nil {
		return spec.Logged{}, err
	}
	op := spec.Op{Org: org, Document: doc.Digest, Write: []spec.ChainRef{mandateRef(m, spec.ContentDigest(doc.Value))}}
	for _, a := range ancestors {
		op.Read = append(op.Read, spec.ChainRef{Content: a.Content, Kind: spec.KindMandate})
	}
	return i.Journal.Run(ctx, op, func(states spec.States, _ time.Time) ([]spec.Document, error) {
		for _, a := range ancestors {
			if s := states.ByContent(a.Content); s.Status != spec.StatusActive {
				return nil, spec.Refuse("parent-inactive", "/credentialSubject/mandate/parent", "an ancestor is %s", s.Status)
			}
		}
		return []spec.Document{doc}, nil
	})
}

// ancestors are the chains above a mandate, parent first.
func (i *Issuer) ancestors(ctx context.Context, org string, m *spec.Mandate) ([]*spec.State, error) {
	var up []*spec.State
	for !m.IsRoot() {
		if len(up) == spec.MaxChain {
			return nil, spec.Refuse("delegation-depth", "", "at most %d mandates", spec.MaxChain)
		}
		parent := m.Terms().Parent
		states, err := i.Journal.States(ctx, org, mandateRefs([]string{parent}), nil)
		if err != nil {
			return nil, notFoundAs(err, "parent-unknown", "no such parent here")
		}
		s := states.ByContent(parent)
		if s == nil || s.Mandate == nil {
			return nil, spec.Refuse("parent-unknown", "/credentialSubject/mandate/parent", "no such parent here")
		}
		up, m = append(up, s), s.Mandate
	}
	return up, nil
}
