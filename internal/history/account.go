package history

import "math"

// account is one window of one limit of one mandate.
type account struct{ mandate, constraint, unit, from string }

type totals struct{ held, committed int64 }

// hold is what an AUTHORIZED decision took.
type hold struct {
	*Document
	entered, closed bool
}

// replay adds up the accounts of one chain, entry by entry.
type replay struct {
	*Result
	chain    Start
	spans    map[string]span
	holds    map[string]*hold
	accounts map[account]*totals
	steps    map[account][]step
}

// step is one change of an account, or a look at it.
type step struct {
	span
	held, committed int64   // what it adds
	saw             *totals // what a decision found before
	before          totals  // by the replay
}

func (p *replay) event(e event) {
	p.lapse(e.At)
	switch e.Kind {
	case Decision:
		p.decision(e)
	case Begin, Report:
		p.execution(e)
	default:
		p.problem("unknown: seq %d of %s is a %q", e.seq, p.chain.Chain, e.Kind)
	}
}

// decision holds each usage row against the account, and takes what was authorised.
func (p *replay) decision(e event) {
	for _, u := range e.Usage {
		if u.Mandate != p.chain.Mandate {
			continue
		}
		p.Accounts++
		a, now := p.account(u)
		saw := totals{u.Held, u.Committed}
		switch {
		case u.Foreign != "":
			p.problem("unknown: seq %d of %s has %s", e.seq, p.chain.Chain, u.Foreign)
		case saw != *now:
			p.problem("seq %d of %s found %+v of %s, and there was %+v", e.seq, p.chain.Chain, saw, u.Constraint, *now)
		case e.Authorized && now.held+now.committed+u.Amount > u.Max:
			p.problem("seq %d of %s takes %d of %s above %d", e.seq, p.chain.Chain, u.Amount, u.Constraint, u.Max)
		}
		took := int64(0)
		if e.Authorized {
			took = u.Amount
		}
		p.change(a, step{span: spanOf(p.spans, e.Document), held: took, saw: &saw})
	}
	if e.Authorized {
		p.holds[e.Digest] = &hold{Document: e.Document}
	}
}

// execution enters a hold, or settles it.
func (p *replay) execution(e event) {
	h := p.holds[e.Decision]
	switch {
	case h == nil:
		p.problem("seq %d of %s is about a decision that is not before it", e.seq, p.chain.Chain)
	case h.closed:
		p.problem("seq %d of %s is about a hold that was settled or has lapsed", e.seq, p.chain.Chain)
	case e.Kind == Begin && h.entered:
		p.problem("seq %d of %s enters a hold again", e.seq, p.chain.Chain)
	case e.Kind == Begin:
		h.entered = true
	default:
		p.settle(h, spanOf(p.spans, e.Document), e)
	}
}

// settle gives a hold back; what was executed of it is committed instead.
func (p *replay) settle(h *hold, s span, e event) {
	h.closed = true
	for _, u := range h.Usage {
		if u.Mandate != p.chain.Mandate {
			continue
		}
		a, _ := p.account(u)
		executed := int64(0)
		switch {
		case e.Document == nil || !e.Executed:
		case u.Unit == "count":
			executed = 1
		case e.Amount == 0:
			executed = u.Amount
		default:
			executed = e.Amount
		}
		if executed > u.Amount {
			p.problem("unknown: seq %d of %s executes more than was held", e.seq, p.chain.Chain)
		}
		p.change(a, step{span: s, held: -u.Amount, committed: executed})
	}
}

// lapse gives back what nobody entered in time.
func (p *replay) lapse(now int64) {
	for _, h := range p.holds {
		if !h.entered && !h.closed && h.ExecuteBefore <= now {
			p.settle(h, span{0, math.MaxInt64}, event{})
		}
	}
}

func (p *replay) account(u Usage) (account, *totals) {
	a := account{u.Mandate, u.Constraint, u.Unit, u.From}
	if p.accounts[a] == nil {
		p.accounts[a] = &totals{}
	}
	return a, p.accounts[a]
}

func (p *replay) change(a account, s step) {
	now := p.accounts[a]
	s.before = *now
	now.held += s.held
	now.committed += s.committed
	p.steps[a] = append(p.steps[a], s)
}
