package writtest

import (
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// Action is a payment of so many EUR from Account to Payee, with a nonce of its own.
func (w *World) Action(euros string, changes ...func(*spec.Action)) jcs.Value {
	amount := must(rule.ParseAmount(euros, "EUR"))
	a := &spec.Action{Type: "payments.transfer", Resource: Account, Amount: &amount,
		Counterparty: &spec.Counterparty{ID: Payee, Name: "AWS"}, Nonce: w.Nonce(),
		Payload: &spec.Payload{Mapping: "pain.001/1", Digest: jcs.Digest("payload\n", []byte(w.Nonce()))}}
	for _, change := range changes {
		change(a)
	}
	v := Value(a)
	if w.actions == nil {
		w.actions = map[string]jcs.Value{}
	}
	w.actions[spec.ActionDigest(v)] = v
	return v
}

// ActionOf is the action of the world that has this digest.
func (w *World) ActionOf(digest string) jcs.Value { return w.actions[digest] }

// Request asks this ledger and the bank, under an idempotency key of 8 to 128 characters.
func (w *World) Request(key string, changes ...func(*spec.Request)) spec.Request {
	r := spec.Request{IdempotencyKey: key, Ledger: Verifier, Executor: Bank}
	for _, change := range changes {
		change(&r)
	}
	return r
}

// Present is the presentation of sealed mandates, root first, signed at an instant by the last one's subject for a minute.
func (w *World) Present(mandates []spec.Document, action jcs.Value, request spec.Request, at time.Time) spec.Document {
	return w.PresentWith(mandates, nil, action, request, at)
}

// PresentWith is Present with credentials of others behind the mandates.
func (w *World) PresentWith(mandates []spec.Document, credentials []jcs.Value, action jcs.Value, request spec.Request, at time.Time) spec.Document {
	leaf := mandates[len(mandates)-1].Body.(*spec.Mandate)
	p := &spec.Presentation{Context: spec.Contexts(), Type: []string{"VerifiablePresentation"}, Mode: leaf.Subject.Mode,
		Holder: leaf.Subject.ID, Action: action, Request: request}
	for _, m := range mandates {
		p.Credential = append(p.Credential, m.Value)
	}
	p.Credential = append(p.Credential, credentials...)
	return w.signPresentation(document(p), at)
}

// Presented signs a presentation that a test has put together itself, at Now.
func (w *World) Presented(unsigned spec.Document) spec.Document {
	return w.signPresentation(unsigned, w.Now)
}

func (w *World) signPresentation(unsigned spec.Document, at time.Time) spec.Document {
	p := unsigned.Body.(*spec.Presentation)
	return w.sign(unsigned, w.agentOf(p.Holder), vc.ProofOptions{Purpose: did.Authentication, Created: at,
		Expires: at.Add(time.Minute), Domain: p.Request.Ledger})
}

// RequestDigest is the identity of a presentation's request.
func RequestDigest(presentation spec.Document) string {
	p := presentation.Body.(*spec.Presentation)
	return must(spec.RequestDigest(p.Holder, contents(p), p.Action, p.Request))
}

func contents(p *spec.Presentation) []string {
	var all []string
	for _, m := range p.Mandates() {
		all = append(all, spec.ContentDigest(m))
	}
	return all
}

// Decision is the unsigned AUTHORIZED of a presentation in these states at Now, as Decide would make it: the usage rows are
// drawn and nothing is checked. Changes make it another result.
func (w *World) Decision(presentation spec.Document, ss spec.States, changes ...func(*spec.Decision)) spec.Document {
	p := presentation.Body.(*spec.Presentation)
	d := &spec.Decision{Type: "Decision", Version: spec.Version, Mode: p.Mode, ID: w.ID(), Result: spec.Authorized, Epoch: 1,
		Agent: p.Holder, Grantor: Grantor, Checks: []spec.Check{{Check: "validity", Outcome: spec.Pass}}, Request: p.Request,
		Action: p.Action, Mandates: contents(p), Executor: p.Request.Executor, ExecuteBefore: spec.At(w.Now.Add(15 * time.Minute)),
		SelfExecuted: p.Request.Executor == p.Holder, Charged: p.Request.Executor == p.Holder, Identity: spec.IdentityPresented,
		ReceivedAt: spec.At(w.Now), At: spec.At(w.Now), Verifier: Verifier, Env: spec.CurrentEnv(),
		Config: spec.Config{Resource: Account, Grantor: Grantor, ExecuteWithin: "PT15M"},
		Inputs: spec.Inputs{Presentation: presentation.Digest, RequestBody: RequestDigest(presentation)}}
	if r := ss.Roster(Grantor); r != nil {
		d.Inputs.Roster = r.NewestContent()
	}
	for _, content := range d.Mandates {
		s := ss.ByContent(content)
		d.Usage = append(d.Usage, w.usage(s, p.Action)...)
		d.Positions = append(d.Positions, spec.Position{Mandate: content, Seq: s.Seq + 1, Previous: s.Head, Status: s.Status,
			OpenHolds: s.OpenHolds()})
	}
	w.underPolicies(d, ss)
	for _, change := range changes {
		change(d)
	}
	return document(d)
}

// usage draws the action from every window of one mandate.
func (w *World) usage(s *spec.State, action jcs.Value) []spec.Usage {
	var rows []spec.Usage
	for _, c := range s.Mandate.Rules() {
		if u, ok := w.draw(s, c.ID(), c, action); ok {
			u.Mandate = s.Content
			rows = append(rows, u)
		}
	}
	return rows
}

// draw is what the action takes from an account of a chain by a limit; whose it is, is left out.
func (w *World) draw(s *spec.State, account string, c rule.Constraint, action jcs.Value) (spec.Usage, bool) {
	a := must(spec.ParseAction(action))
	draw, ok := c.Draw(rule.Action{Type: a.Type, Resource: a.Resource, Amount: a.Amount, Value: action}, w.Now)
	if !ok {
		return spec.Usage{}, false
	}
	total := s.Total(account, draw.Unit, draw.Sum.From, draw.Sum.To)
	units := func(n int64) string { return rule.FormatUnits(n, draw.Unit) }
	u := spec.Usage{Constraint: c.ID(), From: spec.Time{Time: draw.Bucket.From},
		To: spec.Time{Time: draw.Bucket.To}, Unit: draw.Unit, Max: units(draw.Max), Amount: units(draw.Amount),
		Before: spec.Totals{Lifted: units(total.Lifted), Held: units(total.Held), Committed: units(total.Committed),
			Excess: units(total.Excess), Lifts: total.Lifts}}
	if !draw.Sum.From.Equal(draw.Bucket.From) {
		u.SumFrom = spec.Time{Time: draw.Sum.From}
	}
	return u, true
}

// Collect turns a decision into COLLECT_MISSING: one lift of so many EUR of the first limit charged, by the mandate's first
// recovery clause, until the instant.
func Collect(euros string, until time.Time) func(*spec.Decision) {
	return func(d *spec.Decision) {
		u := d.Usage[0]
		d.Result, d.Usage, d.ExecuteBefore, d.Charged, d.SelfExecuted = spec.CollectMissing, nil, spec.Time{}, false, false
		d.Missing = []spec.Missing{{Mandate: u.Mandate, Lifts: []spec.Lift{{Owner: u.Mandate, Constraint: u.Constraint,
			Window: &spec.Period{From: u.From, To: u.To}, MaxOver: must(rule.ParseAmount(euros, "EUR"))}},
			Approvers: []string{"cfo"}, Threshold: 1, Until: spec.At(until)}}
	}
}

// Reject turns a decision into REJECTED for a reason.
func Reject(reason string) func(*spec.Decision) {
	return func(d *spec.Decision) {
		d.Result, d.Usage, d.ExecuteBefore, d.Charged, d.SelfExecuted = spec.Rejected, nil, spec.Time{}, false, false
		d.Checks = []spec.Check{{Check: "budget", Outcome: spec.Fail, Reason: reason}}
	}
}

// SignDecision signs with the ledger's decision key.
func (w *World) SignDecision(decision spec.Document, at time.Time) spec.Document {
	return w.Sign(decision, "ledger", did.AssertionMethod, at)
}

// Commit is the bank's word before the decision on a presentation's request.
func (w *World) Commit(presentation spec.Document, at time.Time) spec.Document {
	p := presentation.Body.(*spec.Presentation)
	c := document(&spec.Commit{Type: "Commit", Version: spec.Version, Mode: p.Mode, Request: RequestDigest(presentation),
		Action: spec.ActionDigest(p.Action), Executor: Bank, At: spec.At(at), Nonce: w.Nonce()})
	return w.Sign(c, "bank", did.AssertionMethod, at)
}

// Begin is the executor's word right before the effect.
func (w *World) Begin(decision spec.Document, at time.Time) spec.Document {
	d := decision.Body.(*spec.Decision)
	b := document(&spec.Begin{Type: "Begin", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest,
		Action: spec.ActionDigest(d.Action), Executor: d.Executor, At: spec.At(at), Nonce: w.Nonce()})
	return w.Sign(b, w.executorOf(d), did.AssertionMethod, at)
}

// Report is the executor's word on what became of the action; euros may be empty.
func (w *World) Report(decision spec.Document, outcome, euros string, final bool, at time.Time) spec.Document {
	d := decision.Body.(*spec.Decision)
	r := &spec.Report{Type: "Report", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest,
		Action: spec.ActionDigest(d.Action), PayloadDigest: must(spec.ParseAction(d.Action)).PayloadDigest(), Outcome: outcome,
		Final: final, ExternalRef: "e2e:" + w.Nonce(), At: spec.At(at)}
	if euros != "" {
		amount := must(rule.ParseAmount(euros, "EUR"))
		r.Amount = &amount
	}
	return w.Sign(document(r), w.executorOf(d), did.AssertionMethod, at)
}

// executorOf names the party that executes: the bank, or the agent itself.
func (w *World) executorOf(d *spec.Decision) string {
	if d.Executor == d.Agent {
		return w.agentOf(d.Agent)
	}
	return "bank"
}
