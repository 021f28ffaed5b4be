package issuer

import (
	"cmp"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// Draft is one content on its way to being issued: a mandate, a roster or policy version, or the supplement that an interim
// decision proposes. All live the one life of Next.
type Draft struct {
	Needs   spec.Needs
	Content jcs.Value // the unsigned credential, without approval entries
}

// Next says what follows from one approver's word on the draft: the word itself and, when with it enough distinct persons have
// approved, the credential with their approvals in its evidence, unsigned; the seal packages it. It is pure.
func (d Draft) Next(word spec.Document, states spec.States, now time.Time) ([]spec.Document, error) {
	judges, err := d.judges(states, now)
	if err != nil {
		return nil, err
	}
	if err := d.checkWord(word, states, judges, now); err != nil {
		return nil, err
	}
	after, touched, err := states.Apply(word, now)
	if err != nil {
		return nil, err
	}
	docs := []spec.Document{word}
	if word.Body.(*spec.Approval).Decision != spec.Approve {
		return docs, nil
	}
	words := d.wordsOn(after[touched[0]])
	_, err = spec.CheckApprovals(d.Needs, words, judges)
	if err != nil {
		err = d.recovered(after[touched[0]], now, err)
	}
	if isMissing(err) {
		return docs, nil
	}
	if err != nil {
		return nil, err
	}
	issued, err := spec.FromValue(spec.WithApprovals(d.Content, lastApproves(words, judges[0])))
	if err != nil {
		return nil, err
	}
	return append(docs, issued), nil
}

// judges are the roster versions that the approvers must stand in: those in force, or the first version itself.
func (d Draft) judges(states spec.States, now time.Time) ([]*spec.Roster, error) {
	if r := states.Roster(d.Needs.Grantor); r != nil {
		return r.InForce(now), nil
	}
	doc, err := spec.FromValue(d.Content)
	if err != nil {
		return nil, err
	}
	if first, ok := doc.Body.(*spec.Roster); ok {
		return []*spec.Roster{first}, nil
	}
	return nil, spec.Refuse("roster-unknown", "", "the grantor has no roster here")
}

// wordsOn are the approvals of this content that the chain has not spent yet, in log order.
func (d Draft) wordsOn(s *spec.State) []spec.LoggedApproval {
	pending := s.Pending
	if p := s.Proposal(d.Needs.Content); p != nil {
		pending = p.Pending
	}
	return slices.DeleteFunc(slices.Clone(pending), func(l spec.LoggedApproval) bool {
		return l.Body().Content != d.Needs.Content
	})
}

// lastApproves are the approvals that stand: of each person the last word, if it is approve.
func lastApproves(words []spec.LoggedApproval, roster *spec.Roster) []spec.Document {
	last := map[string]int{}
	signer := func(w spec.LoggedApproval) string { // a recovery key is no person's
		return cmp.Or(roster.Terms().PersonOf(w.Body().Approver), w.Body().Approver)
	}
	for i, w := range words {
		last[signer(w)] = i
	}
	var docs []spec.Document
	for i, w := range words {
		if last[signer(w)] == i && w.Body().Decision == spec.Approve {
			docs = append(docs, w.Document)
		}
	}
	return docs
}
