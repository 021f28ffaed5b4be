package verifier

import (
	"math"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// This file is decide.go's half of recovery: which lifts are given already, and which are missing (protocol.md 9.3). It is as pure.

// lift finds what an issued supplement of the interim decision adds to a limit of its own owner, in this window; an approval is
// of the action as a whole.
func (d *deciding) lift(i int, c rule.Constraint, draw rule.Draw) (over int64, supplement string) {
	for j := range d.chain[i].Proposals {
		p := &d.chain[i].Proposals[j]
		if d.Resumes == "" || p.Decision != d.Resumes || p.Status != spec.ProposalIssued || !d.now.Before(p.Until) || !d.stands(i, p) {
			continue
		}
		for _, l := range p.Lifts {
			if l.Owner != d.Mandates[i].Content || l.Constraint != c.ID() || !samePeriod(l.Window, fixedPeriod(draw)) {
				continue
			}
			if rule.IsApproval(c) {
				return math.MaxInt64, p.Document
			}
			return l.MaxOver.Minor, p.Document
		}
	}
	return 0, ""
}

// stands asks again, when an issued supplement would be spent, whether its approvals still count: a key may have been called
// compromised since, from before they were logged.
func (d *deciding) stands(i int, p *spec.Proposal) bool {
	if len(p.Pending) == 0 {
		return false
	}
	needs := spec.NeedsOfSupplement(d.Mandates[i].Body, d.root().Body, p)
	_, err := spec.CheckApprovals(needs, p.Pending, d.roster.InForce(p.Pending[len(p.Pending)-1].At))
	return err == nil
}

// fixedPeriod is the window of what is drawn, nil where it rolls or is unbounded.
func fixedPeriod(draw rule.Draw) *spec.Period {
	if !draw.Fixed() {
		return nil
	}
	return spec.PeriodOf(draw.Bucket)
}

func samePeriod(a, b *spec.Period) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.From.Equal(b.From.Time) && a.To.Equal(b.To.Time)
}

// missingOr proposes the smallest lift that admits the action, within the ceilings of the clause that names the limit; a
// limit that no clause names, or a lift above a ceiling, is a violation for good.
func (d *deciding) missingOr(i int, c rule.Constraint, reason string, lift spec.Lift, total spec.Window) {
	m := d.Mandates[i]
	detail := c.ID() + " of " + m.Content
	clause := m.Body.RecoveryFor(c.ID())
	if clause < 0 {
		d.fail(reason, detail)
		return
	}
	r := m.Body.Terms().Recovery[clause]
	switch over := lift.MaxOver.Minor; {
	case d.closed != "":
		d.fail("recovery-"+d.closed, detail)
	case !r.Admits(over, total):
		d.fail("lift-above-ceiling", detail)
	default:
		d.collect(m, clause, r, reason, detail, lift)
	}
}

func (d *deciding) collect(m Mandate, clause int, r spec.Recovery, reason, detail string, lift spec.Lift) {
	d.checks = append(d.checks, spec.Check{Check: d.name, Outcome: spec.MissingLift, Reason: reason, Detail: detail})
	d.propose(m, clause, r, lift)
}

// propose gathers the lifts of one clause of one mandate.
func (d *deciding) propose(m Mandate, clause int, r spec.Recovery, lift spec.Lift) {
	for i := range d.missing {
		if p := &d.missing[i]; p.Mandate == m.Content && p.Recovery == int64(clause) {
			p.Lifts = append(p.Lifts, lift)
			return
		}
	}
	until := d.until(r.Within)
	if !d.now.Before(until) {
		d.fail("recovery-expired", "the caller does not wait")
		return
	}
	if d.openProposals(m.Content) >= m.Body.MaxOpenHolds() {
		d.fail("recoveries-many", m.Content)
		return
	}
	d.missing = append(d.missing, spec.Missing{Mandate: m.Content, Recovery: int64(clause), Lifts: []spec.Lift{lift},
		Approvers: r.Approvers, Threshold: r.Threshold, Until: spec.At(until)})
}

// openProposals counts the supplements that people may still sign, or have signed, on a mandate's chain.
func (d *deciding) openProposals(content string) (n int64) {
	for _, p := range d.states.ByContent(content).Proposals {
		if (p.Status == spec.ProposalOpen || p.Status == spec.ProposalIssued) && d.now.Before(p.Until) {
			n++
		}
	}
	return n
}

// until is now + within, at most the caller's patience and the chain's earliest end.
func (d *deciding) until(within string) time.Time {
	wait, _ := spec.ParseDuration(within)
	until := earlier(d.now.Add(wait), d.validUntil())
	if w := d.Request.WaitUntil; !w.IsZero() {
		until = earlier(until, w.Time)
	}
	return until
}
