package issuer

import (
	"context"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
)

// Notice takes a revocation or a suspension: by a revoker of the roster, or for a delegated mandate by its issuer too. Its entry
// with proof is the acknowledgement; no AUTHORIZED follows it in ledger order.
func (i *Issuer) Notice(ctx context.Context, org string, data []byte) (spec.Logged, error) {
	doc, err := spec.Parse(data)
	if err != nil {
		return spec.Logged{}, err
	}
	n, ok := doc.Body.(*spec.Notice)
	switch {
	case !ok:
		return spec.Logged{}, spec.Refuse("type-unknown", "/type", "a revocation notice is wanted")
	case n.Mode != i.Mode:
		return spec.Logged{}, spec.Refuse("mode-other", "/mode", "a test document and a live ledger never mix")
	}
	op, roster, err := i.openNotice(ctx, org, doc, n)
	if err != nil {
		return spec.Logged{}, err
	}
	return i.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		if err := i.revokes(doc, states.ByContent(n.Content), states.ByContent(roster.Content), now); err != nil {
			return nil, err
		}
		return []spec.Document{doc}, nil
	})
}

func (i *Issuer) openNotice(ctx context.Context, org string, doc spec.Document, n *spec.Notice) (spec.Op, *spec.State, error) {
	if n.Act == spec.ActVeto {
		return i.openVeto(ctx, org, doc, n)
	}
	_, _, roster, err := i.lineage(ctx, org, n.Content)
	if err != nil {
		return spec.Op{}, nil, err
	}
	op := spec.Op{Org: org, Document: doc.Digest, Write: mandateRefs([]string{n.Content}), Read: []spec.ChainRef{rosterRef(roster)}}
	return op, roster, nil
}

// openVeto finds the roster whose version is vetoed by the draft that it was.
func (i *Issuer) openVeto(ctx context.Context, org string, doc spec.Document, n *spec.Notice) (spec.Op, *spec.State, error) {
	kept, err := i.Drafts.DraftByContent(ctx, org, n.Content)
	if err != nil {
		return spec.Op{}, nil, notFoundAs(err, "not-found", "no roster version with this content")
	}
	draft, err := spec.Parse(kept.Body)
	if err != nil {
		return spec.Op{}, nil, err
	}
	version, ok := draft.Body.(*spec.Roster)
	if !ok {
		return spec.Op{}, nil, spec.Refuse("notice-act", "/act", "a mandate is revoked or suspended, a roster version vetoed")
	}
	roster, err := i.Journal.RosterState(ctx, org, version.Terms().Grantor)
	if err != nil {
		return spec.Op{}, nil, err
	}
	return spec.Op{Org: org, Document: doc.Digest, Write: []spec.ChainRef{rosterRef(roster)}}, roster, nil
}

// revokes holds a notice against the roster in force: signed by a revoker, or for a delegated mandate by its issuer.
func (i *Issuer) revokes(doc spec.Document, s, roster *spec.State, now time.Time) error {
	n := doc.Body.(*spec.Notice)
	if s != nil && s.Mandate != nil && !s.Mandate.IsRoot() && n.By == did.MethodID(s.Mandate.Issuer) {
		key, err := did.KeyOf(s.Mandate.Issuer)
		if err != nil {
			return err
		}
		return spec.CheckSignature(doc, key, n.By, did.AssertionMethod)
	}
	return roster.CheckNotice(doc, now)
}

// lineage finds a mandate's chain, the mandate that people granted above it, and that grantor's roster.
func (i *Issuer) lineage(ctx context.Context, org, content string) (s *spec.State, root *spec.State, roster *spec.State, err error) {
	states, err := i.Journal.States(ctx, org, mandateRefs([]string{content}), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	s = states.ByContent(content)
	if s == nil || s.Mandate == nil {
		return nil, nil, nil, spec.Refuse("not-found", "/content", "no such mandate here")
	}
	root = s
	if up, err := i.ancestors(ctx, org, s.Mandate); err != nil {
		return nil, nil, nil, err
	} else if len(up) > 0 {
		root = up[len(up)-1]
	}
	roster, err = i.Journal.RosterState(ctx, org, root.Mandate.Terms().Grantor.ID)
	return s, root, roster, err
}

// approveResume takes one person's word that a suspended mandate may act again; it does when the root's full threshold says so.
func (i *Issuer) approveResume(ctx context.Context, org string, doc spec.Document, a *spec.Approval) (spec.Logged, error) {
	s, root, roster, err := i.lineage(ctx, org, a.Content)
	if err != nil {
		return spec.Logged{}, err
	}
	op := spec.Op{Org: org, Document: doc.Digest, Write: mandateRefs([]string{s.Content}), Read: []spec.ChainRef{rosterRef(roster)}}
	up, err := i.ancestors(ctx, org, s.Mandate)
	if err != nil {
		return spec.Logged{}, err
	}
	for _, m := range up {
		op.Read = append(op.Read, spec.ChainRef{Content: m.Content, Kind: spec.KindMandate})
	}
	needs := spec.NeedsOfMandate(root.Mandate, root.Content)
	return i.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		if err := spec.CheckWord(doc, needs, now, states.ByContent(roster.Content).InForce(now)); err != nil {
			return nil, err
		}
		return []spec.Document{doc}, nil
	})
}
