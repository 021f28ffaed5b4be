package verifier_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// history is a random life of one root mandate, one delegated below it, and one that its agent executes itself, with a model of
// their accounts in plain arithmetic beside it.
type history struct {
	*story
	r       *rapid.T
	policy  spec.Document // the newest version; root and self are under it
	named   string        // its name: the content of its first version
	root    spec.Document
	child   spec.Document
	self    spec.Document
	charges []*charge
	interim []spec.Document
	asked   []asked
	calls   int
	// every is run after each step; it is the invariant that the test is about.
	every func(*history)
	// authorized is run for each new AUTHORIZED, with the chains as they were right before.
	authorized func(h *history, before spec.States, d *spec.Decision)
}

// charge is the model of one AUTHORIZED decision.
type charge struct {
	doc      spec.Document
	d        *spec.Decision
	amount   int64
	entered  bool
	closed   bool            // not entered, failed, or a final report: nothing is open any more
	final    bool            // a final report came
	given    bool            // back: people took it for not executed
	by       map[string]bool // who has said so
	captured int64
	within   int64 // of captured, what the hold was open for
	excess   int64
}

type asked struct {
	presentation spec.Document
	request      spec.Request
	commit       []byte
	answer       spec.Document
}

func newHistory(r *rapid.T) *history {
	s := newStory(r, fmt.Sprint(rapid.Uint32().Draw(r, "seed")))
	h := &history{story: s, r: r}
	h.policy = s.enrol(s.Policy(func(p *spec.Policy) {
		p.Terms().Constraints = []jcs.Value{writtest.Budget("together", "26000.00", "P1D"), writtest.Budget("daily", "20000.00", "P1D")}
	}))
	h.named = spec.ContentDigest(h.policy.Value)
	h.root = s.enrol(s.Mandate(writtest.Under(h.policy)))
	h.self = s.enrol(s.Mandate(writtest.Under(h.policy), func(m *spec.Mandate) { m.Subject.Mandate.SelfExecuted = true }))
	h.child = s.Seal(s.Child(h.root))
	_, err := s.issuer.Delegate(r.Context(), org, h.child.Bytes())
	s.must(err)
	return h
}

// live takes random steps and checks the invariant after each.
func live(t *testing.T, every func(*history), authorized func(*history, spec.States, *spec.Decision)) {
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(r)
		h.every, h.authorized = every, authorized
		step := func(f func()) func(*rapid.T) { return func(*rapid.T) { f() } }
		r.Repeat(map[string]func(*rapid.T){
			"ask": step(h.askSome), "ask2": step(h.askSome), "begin": step(h.beginSome), "report": step(h.reportSome), "wait": step(h.wait),
			"recover": step(h.answerSome), "replay": step(h.replaySome), "suspend": step(h.suspendSome), "resume": step(h.resumeSome), "reconcile": step(h.reconcileSome), "roster": step(h.changeRoster), "policy": step(h.changePolicy),
			"": func(*rapid.T) {
				if h.every != nil {
					h.every(h)
				}
			},
		})
	})
}

func (h *history) chains() [][]spec.Document {
	return [][]spec.Document{{h.root}, {h.root, h.child}, {h.self}}
}

func (h *history) askSome() {
	which := rapid.IntRange(0, 2).Draw(h.r, "mandate")
	euros := rapid.SampledFrom([]string{"1.00", "499.99", "2000.00", "4200.00", "6500.00", "10000.00", "10000.01", "24999.99"}).Draw(h.r, "euros")
	h.calls++
	request := h.Request(fmt.Sprintf("request-%06d", h.calls), func(r *spec.Request) {
		if which == 2 && rapid.Bool().Draw(h.r, "itself") {
			r.Executor = h.DID("agent")
		}
	})
	p := h.Present(h.chains()[which], h.Action(euros), request, h.Now)
	var commit []byte
	if request.Executor == writtest.Bank && rapid.IntRange(0, 3).Draw(h.r, "commit") == 0 {
		commit = h.Commit(p, h.Now).Bytes()
	}
	h.verify(p, request, commit)
}

func (h *history) verify(p spec.Document, request spec.Request, commit []byte) {
	before := h.ledger.All().At(h.Now)
	l, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: p.Bytes(), Commit: commit})
	if beyond := (*spec.BeyondError)(nil); errors.As(err, &beyond) { // refused and counted; TestRefusalStorm is about it
		return
	}
	h.must(err)
	h.asked = append(h.asked, asked{p, request, commit, l.Last().Document})
	h.decided(before, l)
}

func (h *history) decided(before spec.States, l spec.Logged) {
	d, _ := verifier.Decision(l)
	switch {
	case l.Known:
	case d.Result == spec.Authorized:
		if h.authorized != nil {
			h.authorized(h, before, d)
		}
		a, err := spec.ParseAction(d.Action)
		h.must(err)
		h.charges = append(h.charges, &charge{doc: l.Last().Document, d: d, amount: a.Amount.Minor, entered: d.Charged && !d.SelfExecuted})
	case d.Result == spec.CollectMissing:
		h.interim = append(h.interim, l.Last().Document)
	}
}

func (h *history) someCharge() *charge {
	if len(h.charges) == 0 {
		return nil
	}
	return h.charges[rapid.IntRange(0, len(h.charges)-1).Draw(h.r, "charge")]
}

func (c *charge) lapsed(now time.Time) bool {
	return !c.entered && !c.closed && !c.d.SelfExecuted && !now.Before(c.d.ExecuteBefore.Time)
}

func (h *history) active(contents []string) bool {
	for _, m := range contents {
		if h.ledger.All().ByContent(m).Status != spec.StatusActive {
			return false
		}
	}
	return true
}

func (h *history) beginSome() {
	c := h.someCharge()
	if c == nil {
		return
	}
	may := !c.d.Charged && !c.entered && !c.closed && !c.d.SelfExecuted && !c.lapsed(h.Now) && h.active(c.d.Mandates)
	_, err := h.verifier.Begin(h.t.Context(), org, h.Begin(c.doc, h.Now).Bytes())
	if may != (err == nil) {
		h.t.Fatalf("begin: may %v, got %v", may, err)
	}
	c.entered = c.entered || err == nil
}

func (h *history) reportSome() {
	c := h.someCharge()
	if c == nil {
		return
	}
	outcome := rapid.SampledFrom([]string{spec.OutcomeExecuted, spec.OutcomeExecuted, spec.OutcomeFailed, spec.OutcomeNotEntered, spec.OutcomeReversed}).Draw(h.r, "outcome")
	part := rapid.SampledFrom([]int64{c.amount, c.amount/2 + 1, c.amount + 100}).Draw(h.r, "part")
	final := rapid.Bool().Draw(h.r, "final")
	euros := ""
	if outcome == spec.OutcomeExecuted {
		euros = rule.FormatUnits(part, "EUR")
	}
	_, err := h.verifier.Report(h.t.Context(), org, h.Report(c.doc, outcome, euros, final, h.Now).Bytes())
	if may := c.mayReport(outcome, h.Now); may != (err == nil) {
		h.t.Fatalf("report %s: may %v, got %v", outcome, may, err)
	}
	if err == nil {
		c.report(outcome, part, final, h.Now)
	}
}

func (c *charge) mayReport(outcome string, now time.Time) bool {
	switch outcome {
	case spec.OutcomeExecuted:
		return !c.final
	case spec.OutcomeReversed:
		return c.captured > 0
	}
	return !c.closed && !c.d.SelfExecuted && !c.lapsed(now)
}

// report books by the words of protocol.md 7.6: the whole amount counts, what was open for it is within, the rest excess.
func (c *charge) report(outcome string, amount int64, final bool, now time.Time) {
	switch outcome {
	case spec.OutcomeReversed:
		return
	case spec.OutcomeFailed, spec.OutcomeNotEntered:
		c.closed, c.final = true, final
		return
	}
	open := int64(0)
	if c.entered && !c.closed || c.d.SelfExecuted && !c.given {
		open = max(0, c.amount-c.within)
	}
	within := min(open, amount)
	c.captured, c.within, c.excess = c.captured+amount, c.within+within, c.excess+amount-within
	c.closed, c.final = c.closed || final, final
}

// used is what a charge takes from a budget, and the lift that stands for it, at an instant.
func (c *charge) used(now time.Time) int64 {
	switch {
	case c.d.SelfExecuted && !c.given:
		return c.amount + c.excess
	case c.closed || c.lapsed(now):
		return c.captured
	}
	return c.amount - c.within + c.captured
}

func (c *charge) lift(owner string, now time.Time) int64 {
	var lift int64
	for _, u := range c.d.Usage {
		if u.Mandate == owner && u.Policy == "" && u.Lift != "" {
			lift, _ = rule.ParseUnits(u.Lift, u.Unit)
		}
	}
	if released := c.amount - c.within; c.given || !c.d.SelfExecuted && (c.closed || c.lapsed(now)) {
		lift = max(0, lift-released)
	}
	return lift
}

func (h *history) wait() {
	h.Advance(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 15 * time.Minute, 3 * time.Hour, 11 * time.Hour}).Draw(h.r, "wait"))
}

// answerSome has the cfo approve or decline a proposal, or lets it be, and decides anew where that is time.
func (h *history) answerSome() {
	if len(h.interim) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.interim)-1).Draw(h.r, "interim")
	interim := h.interim[i]
	word := rapid.SampledFrom([]string{spec.Approve, spec.Approve, spec.Decline}).Draw(h.r, "word")
	proposals, err := h.issuer.Proposals(h.t.Context(), org, interim.Digest)
	h.must(err)
	for _, p := range proposals {
		sup, err := spec.FromValue(p.Content)
		h.must(err)
		base := h.ledger.All().ByContent(sup.Body.(*spec.Supplement).Terms().Base).Mandate
		say := h.Say("cfo", word, spec.KindSupplement, p.Needs.Content, spec.LiftLines(rule.English, base, sup.Body.(*spec.Supplement).Terms().Lifts, h.ActionOf(sup.Body.(*spec.Supplement).Terms().Action))...)
		_, _ = h.issuer.ApproveSupplement(h.t.Context(), org, interim.Digest, say.Bytes()) // too late is an error, and nothing
	}
	before := h.ledger.All().At(h.Now)
	l, err := h.verifier.Resume(h.t.Context(), org, interim.Digest)
	if reason(err) == "recovery-open" {
		return
	}
	h.must(err)
	h.decided(before, l)
}

// replaySome asks again what was asked before, as it was or signed anew.
func (h *history) replaySome() {
	if len(h.asked) == 0 {
		return
	}
	a := h.asked[rapid.IntRange(0, len(h.asked)-1).Draw(h.r, "asked")]
	l, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: a.presentation.Bytes(), Commit: a.commit})
	h.must(err)
	if !l.Known {
		h.t.Fatalf("a request that is known was decided again")
	}
}

func (h *history) suspendSome() {
	chain := h.chains()[rapid.IntRange(0, 2).Draw(h.r, "mandate")]
	content := spec.ContentDigest(chain[len(chain)-1].Value)
	act := rapid.SampledFrom([]string{spec.ActSuspend, spec.ActSuspend, spec.ActSuspend, spec.ActRevoke}).Draw(h.r, "act")
	_, _ = h.issuer.Notice(h.t.Context(), org, h.Notice("cfo", act, content).Bytes())
}

func (h *history) resumeSome() {
	chain := h.chains()[rapid.IntRange(0, 2).Draw(h.r, "mandate")]
	content := spec.ContentDigest(chain[len(chain)-1].Value)
	root := chain[0].Body.(*spec.Mandate)
	for _, person := range []string{"treasurer", "cfo"} {
		word := h.Approve(person, spec.KindResume, content, spec.ActLines(rule.English, spec.KindResume, content, root.Name)...)
		_, _ = h.issuer.Approve(h.t.Context(), org, word.Bytes())
	}
}

// changeRoster puts a new version in force: persons, powers and the bank stay, so what follows may go on.
func (h *history) changeRoster() {
	h.change(func(r *spec.Roster) { r.Name = fmt.Sprintf("version %d", r.Subject.Roster.Version) })
}

// changePolicy narrows what both mandates share, or loosens it; a narrowing needs one of the two words.
func (h *history) changePolicy() {
	most := rapid.SampledFrom([]string{"9000.00", "18000.00", "26000.00", "40000.00"}).Draw(h.r, "together")
	next := h.NextPolicy(h.policy, writtest.Limit(writtest.Budget("together", most, "P1D")))
	h.proposed(next)
	for _, person := range []string{"treasurer", "cfo"} {
		l, err := h.issuer.Approve(h.t.Context(), org, h.ApprovePolicy(person, next).Bytes())
		h.must(err)
		if h.policy = l.Last().Document; h.policy.Type == spec.TypePolicy {
			return
		}
	}
	h.t.Fatalf("two words changed no policy")
}

// booked says on which chain a usage row is booked, and as what.
func booked(u spec.Usage) (content, account string) {
	switch {
	case u.Policy == "":
		return u.Mandate, u.Constraint
	case u.Mandate == "":
		return spec.AccountContent(u.Policy), u.Constraint
	}
	return u.Mandate, spec.PolicyAccount(u.Policy, u.Constraint)
}

// account is the model's view of one account of one chain in one window.
func (h *history) account(content, account string, from time.Time) (used, lifts, excess int64) {
	for _, c := range h.charges {
		for _, u := range c.d.Usage {
			if on, as := booked(u); on == content && as == account && u.From.Equal(from) {
				used += c.used(h.Now)
				excess += c.excess
				if u.Policy == "" {
					lifts += c.lift(content, h.Now)
				}
			}
		}
	}
	return used, lifts, excess
}
