package spec

import (
	"slices"
	"time"

	"github.com/writ-trust/writ/spec/rule"
)

// This file is the table of protocol.md 7.3, one function a row: when an event is allowed, and its effect.

func (s *State) applyApproval(ss States, d Document, a *Approval, now time.Time) error {
	if !now.Before(a.Expires.Time) {
		return refuse("approval-expired", "/expires", "logged at or after its own expiry")
	}
	if err := s.hasRoom(a); err != nil {
		return err
	}
	logged := LoggedApproval{Document: d, At: now}
	switch a.Kind {
	case KindMandate:
		return s.draftApproval(logged)
	case KindRoster:
		return s.rosterApproval(logged)
	case KindPolicy:
		return s.policyApproval(logged)
	case KindSupplement:
		return s.proposalApproval(logged)
	case KindResume:
		return s.resumeApproval(ss, logged)
	case KindReconciliation:
		return s.reconcile(ss, logged)
	}
	return refuse("approval-kind", "/kind", "approvals of this kind are not part of this version")
}

func (s *State) draftApproval(l LoggedApproval) error {
	if s.Status != StatusNone && s.Status != StatusDraft {
		return refuse("draft-closed", "/content", "the mandate is %s", s.Status)
	}
	s.Status = StatusDraft
	if l.Body().declines() {
		s.Status = StatusDeclined
	}
	s.Pending = append(s.Pending, l)
	return nil
}

func (s *State) rosterApproval(l LoggedApproval) error {
	if s.Status == StatusDeclined {
		return refuse("draft-closed", "/content", "the roster was declined")
	}
	if s.Status == StatusNone {
		s.Status = StatusDraft
	}
	if l.Body().declines() && s.Status == StatusDraft {
		s.Status = StatusDeclined
	}
	s.Pending = append(s.Pending, l)
	return nil
}

func (s *State) proposalApproval(l LoggedApproval) error {
	p := s.proposal(l.Body().Content)
	switch {
	case p.Status != ProposalOpen:
		return refuse("proposal-closed", "/content", "the proposal is %s", p.Status)
	case !l.At.Before(p.Until):
		return refuse("proposal-expired", "/content", "the proposal was open until %s", At(p.Until))
	}
	p.Pending = append(p.Pending, l)
	if l.Body().declines() {
		p.Status = ProposalDeclined
	}
	return nil
}

// signerSkew is how far a signer's clock may be behind the ledger's.
const signerSkew = 10 * time.Second

// resumeApproval makes a suspended mandate active again when the root's full threshold has said so since.
func (s *State) resumeApproval(ss States, l LoggedApproval) error {
	if s.Status != StatusSuspended {
		return refuse("not-suspended", "/content", "the mandate is %s", s.Status)
	}
	if l.Body().At.Add(signerSkew).Before(s.Since) {
		return refuse("approval-stale", "/at", "signed before the mandate was suspended")
	}
	if l.Body().declines() { // this attempt is over; the mandate stays suspended
		s.Pending = dropKind(s.Pending, KindResume)
		return nil
	}
	s.Pending = append(s.Pending, l)
	root, err := ss.root(s.Mandate)
	if err != nil {
		return err
	}
	met, err := ss.met(rootNeeds(root, KindResume, s.Content), s.Pending, l.At)
	if met {
		s.Status, s.Pending = StatusActive, dropKind(s.Pending, KindResume)
	}
	return err
}

func (s *State) applyMandate(ss States, d Document, m *Mandate, now time.Time) error {
	if m.IsRoot() {
		if s.Status != StatusDraft {
			return refuse("draft-closed", "", "the mandate is %q", s.Status)
		}
		if _, err := ss.check(mandateNeeds(m, s.Content), s.Pending, now); err != nil {
			return err
		}
		if r := ss.Roster(m.Terms().Grantor.ID); !r.Newest().Terms().MayIssue(m.Issuer) {
			return refuse("issuer-unknown", "/issuer", "the issuer is the grantor or one of its seals")
		}
		if err := ss.CheckPolicies(m); err != nil {
			return err
		}
	} else if err := s.applyChild(ss, m); err != nil {
		return err
	}
	s.Status, s.Kind, s.Mandate, s.Pending = StatusActive, KindMandate, m, nil
	return nil
}

func (s *State) applyChild(ss States, m *Mandate) error {
	if s.Status != StatusNone {
		return refuse("mandate-exists", "", "the mandate is %s", s.Status)
	}
	parent := ss.ByContent(m.Terms().Parent)
	if parent == nil || parent.Status != StatusActive {
		return refuse("parent-inactive", mandateAt+"/parent", "the parent is not active here")
	}
	return CheckChild(m, parent.Mandate, parent.Content)
}

func (s *State) applyRoster(d Document, r *Roster, now time.Time) error {
	t := r.Terms()
	content := d.Content()
	judges := []*Roster{r}
	if t.Version == 1 {
		if s.Status != StatusDraft {
			return refuse("draft-closed", "", "the roster is %q", s.Status)
		}
	} else {
		newest := s.Newest()
		if newest == nil || t.Previous != s.NewestContent() || t.Version != newest.Terms().Version+1 {
			return refuse("roster-previous", "/credentialSubject/roster/previous", "not the version in force")
		}
		if t.Grantor != newest.Terms().Grantor || t.Salt != newest.Terms().Salt || t.Log != newest.Terms().Log {
			return refuse("roster-identity", "/credentialSubject/roster", "grantor, salt and log stay")
		}
		if s.versionOf(content) >= 0 {
			return refuse("roster-repeated", "", "this content was vetoed, or another version took its place")
		}
		judges = s.InForce(now)
	}
	var countsFrom time.Time
	_, err := CheckApprovals(rosterNeeds(judges[0], r, content), s.Pending, judges) // asks each of the judges
	if err != nil {
		countsFrom, err = s.Recovered(r, content, now, err)
	}
	if err != nil {
		return err
	}
	s.supersede(now)
	s.Status, s.Kind, s.Pending = StatusActive, KindRoster, nil
	s.Versions = append(s.Versions, RosterVersion{Document: d, Content: content, At: now, CountsFrom: countsFrom, Waits: now.Before(countsFrom)})
	return nil
}

func (s *State) applySupplement(ss States, d Document, sup *Supplement, now time.Time) error {
	p := s.proposal(d.Content())
	switch {
	case p == nil:
		return refuse("proposal-unknown", "", "nothing was proposed with this content")
	case p.Status != ProposalOpen:
		return refuse("proposal-closed", "", "the proposal is %s", p.Status)
	case !now.Before(p.Until):
		return refuse("proposal-expired", "", "the proposal was open until %s", At(p.Until))
	}
	root, err := ss.root(s.Mandate)
	if err != nil {
		return err
	}
	if _, err := ss.check(NeedsOfSupplement(s.Mandate, root, p), p.Pending, now); err != nil {
		return err
	}
	p.Status, p.Document = ProposalIssued, d.Digest
	return nil
}

func (s *State) applyDecision(d Document, dec *Decision, now time.Time) error {
	if err := s.checkPosition(dec); err != nil {
		return err
	}
	switch dec.Result {
	case Authorized:
		return s.applyAuthorized(d, dec, now)
	case CollectMissing:
		return s.applyMissing(d, dec)
	}
	s.closeProposals(dec.Resumes)
	if dec.Resumes != "" {
		return nil
	}
	return s.refuseOnce(now)
}

// checkPosition keeps a decision on the chain as it was found: the entry before, and the status.
func (s *State) checkPosition(dec *Decision) error {
	if s.Kind == KindAccount {
		return s.checkAccountPosition(dec)
	}
	i := slices.IndexFunc(dec.Positions, func(p Position) bool { return p.Mandate == s.Content })
	if i < 0 || s.Mandate == nil {
		return refuse("position-absent", "/positions", "a decision has a position on each of its chains")
	}
	if p := dec.Positions[i]; p.Seq != s.Seq+1 || p.Previous != s.Head || p.Status != s.Status {
		return refuse("position-stale", "/positions", "the chain has moved on")
	}
	return nil
}

func (s *State) applyAuthorized(d Document, dec *Decision, now time.Time) error {
	if err := s.mayHold(d, dec, now); err != nil {
		return err
	}
	h, err := newHold(d, dec)
	if err != nil {
		return err
	}
	for _, u := range dec.Usage {
		if u.chain() != s.Content {
			continue
		}
		if err := s.checkLift(u, dec.Resumes, now); err != nil {
			return err
		}
		line, err := s.take(u, dec.SelfExecuted)
		if err != nil {
			return err
		}
		h.Lines = append(h.Lines, line)
	}
	s.Holds = append(s.Holds, h)
	s.spend(dec.Resumes)
	return nil
}

// mayHold refuses an AUTHORIZED decision on a chain that has no leave, or no room, for it.
func (s *State) mayHold(d Document, dec *Decision, now time.Time) error {
	switch {
	case s.Kind == KindAccount:
		return s.mayCharge(d)
	case s.Status != StatusActive:
		return refuse("mandate-"+string(s.Status), "", "the mandate is not active")
	case now.Before(s.Mandate.ValidFrom.Time) || !now.Before(s.Mandate.ValidUntil.Time):
		return refuse("mandate-expired", "", "outside the mandate's validity")
	case !dec.SelfExecuted && s.OpenHolds() >= s.Mandate.MaxOpenHolds():
		return refuse("holds-many", "", "the mandate has its most open holds")
	case s.hold(d.Digest) != nil:
		return refuse("decision-repeated", "", "the decision holds already")
	}
	return nil
}

// checkLift holds the lift of a usage line against what backs it, a supplement of the interim decision, issued here, not spent, in
// time; and against the ceilings of the clause that names the limit, with the lifts that stand now.
func (s *State) checkLift(u Usage, interim string, now time.Time) error {
	switch {
	case u.Lift == "":
		return nil
	case u.Policy != "":
		return refuse("lift-unbacked", "/usage", "nothing lifts a limit of a policy")
	}
	n, err := u.units()
	if err != nil {
		return err
	}
	backed := slices.ContainsFunc(s.Proposals, func(p Proposal) bool {
		return p.Decision == interim && p.Status == ProposalIssued && p.Document == u.Supplement && now.Before(p.Until) &&
			slices.ContainsFunc(p.Lifts, func(l Lift) bool {
				return l.Owner == s.Content && l.Constraint == u.Constraint && l.admits(u.Unit, n.lift)
			})
	})
	clause := s.Mandate.RecoveryFor(u.Constraint)
	if !backed || clause < 0 {
		return refuse("lift-unbacked", "/usage", "no issued supplement lifts %s this far", u.Constraint)
	}
	if total := s.Total(u.Constraint, u.Unit, u.sumFrom(), u.To.Time); !s.Mandate.Terms().Recovery[clause].Admits(n.lift, total) {
		return refuse("lift-above-ceiling", "/usage", "the lifts of %s that stand leave no room for this one", u.Constraint)
	}
	return nil
}

// Admits says whether a lift by over is within the clause's ceilings, beside the lifts that stand in the window. A clause without
// ceilings, an approval's, admits every one.
func (r *Recovery) Admits(over int64, window Window) bool {
	switch {
	case r.MaxOver != nil && over > r.MaxOver.Minor:
		return false
	case r.MaxOverPerWindow != nil && (over > r.MaxOverPerWindow.Minor || window.Lifted > r.MaxOverPerWindow.Minor-over):
		return false
	}
	return r.MaxUses == 0 || window.Lifts < r.MaxUses
}

// admits says whether the lift reaches so far. One without MaxOver is of the action as a whole; it is proposed only for approval
// constraints.
func (l Lift) admits(unit string, over int64) bool {
	return l.MaxOver == rule.Money{} || l.MaxOver.Currency == unit && over <= l.MaxOver.Minor
}

func newHold(d Document, dec *Decision) (Hold, error) {
	a, err := ParseAction(dec.Action)
	if err != nil {
		return Hold{}, err
	}
	h := Hold{Decision: d.Digest, Mandates: dec.Mandates, Policies: dec.Shared(), Action: ActionDigest(dec.Action), Payload: a.PayloadDigest(),
		Executor: dec.Executor, SelfExecuted: dec.SelfExecuted, Charged: dec.Charged, ExecuteBefore: dec.ExecuteBefore.Time,
		Status: HoldHeld}
	if dec.Charged {
		h.Status = HoldEntered
	}
	if dec.SelfExecuted {
		h.Status = HoldCommitted
	}
	if a.Amount != nil {
		h.Currency, h.Amount = a.Amount.Currency, a.Amount.Minor
	}
	return h, nil
}

// spend ends all proposals of the interim decision that an AUTHORIZED resumes.
func (s *State) spend(interim string) {
	for i := range s.Proposals {
		if p := &s.Proposals[i]; p.Decision == interim && p.Status == ProposalIssued {
			p.Status, p.Pending = ProposalSpent, nil
		}
	}
	s.closeProposals(interim)
}

// closeProposals ends what is still open of an interim decision when its request is final.
func (s *State) closeProposals(interim string) {
	for i := range s.Proposals {
		if p := &s.Proposals[i]; p.Decision == interim && p.Status == ProposalOpen {
			p.Status = ProposalDeclined
		}
	}
}

func (s *State) applyMissing(d Document, dec *Decision) error {
	s.closeProposals(dec.Resumes)
	for i, m := range dec.Missing {
		if m.Mandate != s.Content {
			continue
		}
		sup, err := Propose(d, i, s.Mandate)
		if err != nil {
			return err
		}
		s.Proposals = append(s.Proposals, Proposal{Decision: d.Digest, Index: i, Content: sup.Content(),
			Until: m.Until.Time, Recovery: int(m.Recovery), Lifts: m.Lifts, Action: dec.Action, Status: ProposalOpen})
	}
	return nil
}

func (s *State) applyBegin(d Document, b *Begin, now time.Time) error {
	h := s.hold(b.Decision)
	switch {
	case h == nil:
		return refuse("decision-unknown", "/decision", "no authorised decision with this digest")
	case !h.isOf(b.Action):
		return refuse("action-other", "/action", "another action than the one decided")
	case h.Executor != b.Executor:
		return refuse("executor-other", "/executor", "another executor than the one decided")
	}
	if err := h.admits(d.Digest, now); err != nil {
		return err
	}
	if s.Status != StatusActive {
		return refuse("mandate-"+string(s.Status), "/decision", "a mandate of the chain is not active")
	}
	h.Status, h.Begin = HoldEntered, d.Digest
	return nil
}

func (s *State) applyReport(r *Report) error {
	h := s.hold(r.Decision)
	switch {
	case h == nil:
		return refuse("decision-unknown", "/decision", "no authorised decision with this digest")
	case !h.isOf(r.Action):
		return refuse("action-other", "/action", "another action than the one decided")
	case h.Payload != r.PayloadDigest:
		return refuse("payload-other", "/payloadDigest", "another payload than the one decided")
	}
	switch r.Outcome {
	case OutcomeExecuted:
		return s.executed(h, r)
	case OutcomeReversed:
		if !h.Executed {
			return refuse("report-order", "/outcome", "only what was executed is reversed")
		}
		return nil
	}
	return s.notExecuted(h, r)
}

func (s *State) executed(h *Hold, r *Report) error {
	if h.Final {
		return refuse("report-final", "/final", "a final report came before")
	}
	amount := h.Amount
	if r.Amount != nil {
		if r.Amount.Currency != h.Currency {
			return refuse("currency-other", "/amount/currency", "another currency than the one decided")
		}
		amount = r.Amount.Minor
	}
	exceeded, err := s.capture(h, amount)
	if err != nil {
		return err
	}
	h.Executed, h.Final = true, r.Final
	if h.Final && !h.SelfExecuted {
		s.release(h) // nothing is open of a hold that lapsed
		h.Status = HoldCommitted
	}
	if exceeded {
		s.alarm(h)
	}
	return nil
}

func (s *State) notExecuted(h *Hold, r *Report) error {
	switch {
	case h.SelfExecuted:
		return refuse("report-agent", "/outcome", "no report of the agent lowers a charge")
	case !h.IsOpen():
		return refuse("hold-closed", "/decision", "the hold is %s", h.Status)
	}
	s.release(h)
	h.Status, h.Final = HoldNotEntered, r.Final
	if h.Executed {
		h.Status = HoldCommitted
	}
	return nil
}

func (s *State) applyNotice(n *Notice, now time.Time) error {
	if n.Act == ActVeto {
		return s.veto(n, now)
	}
	if s.Status != StatusActive && !(s.Status == StatusSuspended && n.Act == ActRevoke) {
		return refuse("status-transition", "/act", "the mandate is %s", s.Status)
	}
	if s.Kind != KindMandate {
		return refuse("status-transition", "/act", "only a mandate is suspended or revoked")
	}
	s.Status = StatusSuspended
	s.Pending = dropKind(s.Pending, KindResume)
	if n.Act == ActRevoke {
		s.Status = StatusRevoked
	}
	return nil
}

// veto takes back a roster version while its delay still runs, and every version built on it.
func (s *State) veto(n *Notice, now time.Time) error {
	i := s.versionOf(n.Content)
	waits := i > 0 && !s.Versions[i].Vetoed && (s.Versions[i].Waits || slices.ContainsFunc(s.live(now), func(w waitingVersion) bool {
		return w.roster == s.Versions[i].Document.Body.(*Roster) && now.Before(w.matures)
	}))
	if !waits {
		return refuse("veto-late", "/content", "only a version whose delay still runs can be vetoed")
	}
	for ; i < len(s.Versions); i++ {
		if v := &s.Versions[i]; !v.Vetoed {
			v.Vetoed, v.VetoedAt = true, now
		}
	}
	return nil
}

func dropKind(pending []LoggedApproval, kind string) []LoggedApproval {
	return slices.DeleteFunc(slices.Clone(pending), func(l LoggedApproval) bool { return l.Body().Kind == kind })
}

// root walks up to the mandate that people granted.
func (ss States) root(m *Mandate) (*Mandate, error) {
	for depth := 0; m != nil && depth < MaxChain; depth++ {
		if m.IsRoot() {
			return m, nil
		}
		parent := ss.ByContent(m.Terms().Parent)
		if parent == nil {
			break
		}
		m = parent.Mandate
	}
	return nil, refuse("ancestor-missing", "", "an ancestor is not among the states")
}
