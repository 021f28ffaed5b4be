package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/writ-trust/writ/spec/rule"
)

// reconcile turns a charge without a report into not_entered once the root's full threshold has said so since (protocol.md 7.9). A
// decline ends the attempt: what was said before counts no more.
func (s *State) reconcile(ss States, l LoggedApproval) error {
	content := l.Body().Content
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return ReconciliationContent(h.Decision) == content })
	if i < 0 {
		return refuse("decision-unknown", "/content", "no charge to reconcile with this content")
	}
	h := &s.Holds[i]
	if !h.chargedOnly() {
		return refuse("not-a-charge", "/content", "only a charge without a report is reconciled")
	}
	if l.Body().Decision == Decline {
		s.dropContent(content)
		return nil
	}
	s.Pending = append(s.Pending, l)
	root, err := ss.rootOf(h)
	if err != nil {
		return err
	}
	met, err := ss.met(NeedsOfReconciliation(root, h), s.Pending, l.At)
	if !met {
		return err
	}
	if h.SelfExecuted {
		s.uncommit(h)
	}
	s.release(h)
	h.Status, h.Reconciled = HoldNotEntered, true
	s.dropContent(content)
	return nil
}

// chargedOnly says whether the hold is charged and nobody has reported: entered, or the agent's own.
func (h *Hold) chargedOnly() bool {
	return !h.Executed && !h.Final && !h.Reconciled && (h.Status == HoldEntered || h.SelfExecuted)
}

// uncommit moves a self-executed charge back to held, so that it is released like any other.
func (s *State) uncommit(h *Hold) {
	for _, l := range h.Lines {
		if w := s.window(l.Constraint, l.Unit, l.From); w != nil {
			w.Committed -= l.Open
			w.Held += l.Open
		}
	}
}

func (s *State) dropContent(content string) {
	s.Pending = slices.DeleteFunc(s.Pending, func(p LoggedApproval) bool { return p.Body().Content == content })
}

// NeedsOfReconciliation is what turning a charge into not_entered asks: the threshold of the mandate that people granted.
func NeedsOfReconciliation(root *Mandate, h *Hold) Needs {
	n := rootNeeds(root, KindReconciliation, ReconciliationContent(h.Decision))
	money := rule.Money{Minor: h.Amount, Currency: h.Currency}
	n.Lines = func(l rule.Locale) []string { return reconcileLines(l, root.Name, n.Content, money, h.Action) }
	return n
}

// ReconcileLines say to the person who signs it that an authorised action is taken for not executed. root is the mandate that people
// granted. An error says that the document is no decision.
func ReconcileLines(l rule.Locale, root *Mandate, decision Document) ([]string, error) {
	d, ok := decision.Body.(*Decision)
	if !ok {
		return nil, refuse("type-unknown", "/type", "a decision is wanted")
	}
	a, err := ParseAction(d.Action)
	if err != nil {
		return nil, err
	}
	var money rule.Money
	if a.Amount != nil {
		money = *a.Amount
	}
	return reconcileLines(l, root.Name, ReconciliationContent(decision.Digest), money, ActionDigest(d.Action)), nil
}

func reconcileLines(l rule.Locale, name, content string, money rule.Money, action string) []string {
	said := fmt.Sprintf(pick(l, "The action with the digest %s", "A ação com o resumo %s"), action)
	if money.Currency != "" {
		said += pick(l, ", of ", ", de ") + l.Money(money)
	}
	return append(ActLines(l, KindReconciliation, content, name), said)
}

// Follow adds an event that was logged at an instant to what a receipt is a view of. Others than the decision and what followed it change
// nothing. reconciled says that people turned the charge into not_entered: the last word on it did.
func (x *Execution) Follow(d Document, at time.Time, reconciled bool) {
	switch b := d.Body.(type) {
	case *Decision:
	case *Begin:
		x.Begin = d
	case *Report:
		x.Reports = append(x.Reports, d)
	case *Approval:
		if !reconciled || b.Content != ReconciliationContent(x.Decision.Digest) {
			return
		}
		x.Reconciled = d
	default:
		return
	}
	x.LastAt = At(at)
}
