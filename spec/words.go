package spec

import "slices"

// maxWords bounds the words by one key that wait on one chain, whatever contents they are on. It is a bound of each key, not of the
// chain: nobody uses up what others need to approve or to decline.
const maxWords = 64

// hasRoom refuses a word where maxWords by its key wait on the chain already. What takes the key's own approve back goes in all the
// same, so that nobody is held to an approval because of others; each of those follows an approve that counts, so at most as many.
func (s *State) hasRoom(a *Approval) error {
	waiting := s.waiting(a)
	if len(waiting) < maxWords || a.Decision != Approve && isApproved(waiting, a) {
		return nil
	}
	return refuse("words-many", "/approver", "%d words by this key wait on the chain", maxWords)
}

// waiting are the words by the same key that wait with this one: on the same proposal, or on the chain.
func (s *State) waiting(a *Approval) (own []*Approval) {
	pending := s.Pending
	if p := s.proposal(a.Content); p != nil && a.Kind == KindSupplement {
		pending = p.Pending
	}
	for _, l := range pending {
		if b := l.Body(); b.Approver == a.Approver {
			own = append(own, b)
		}
	}
	return own
}

// isApproved says whether the key's last word on the content is approve.
func isApproved(own []*Approval, a *Approval) bool {
	for _, b := range slices.Backward(own) {
		if b.Kind == a.Kind && b.Content == a.Content {
			return b.Decision == Approve
		}
	}
	return false
}
