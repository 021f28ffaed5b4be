package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// measuredCost is the median time of one call, and what it allocates.
type measuredCost struct {
	took   time.Duration
	allocs float64
	bytes  float64
}

// cost measures a function on one core, in groups that are long beside the clock's own cost.
func (r *run) cost(f func() error) (c measuredCost, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	start := r.now()
	if err := f(); err != nil {
		return c, err
	}
	group := max(1, int(200*time.Microsecond/max(r.now().Sub(start), 1)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	calls := 0
	took, err := r.each(r.several(300, 10), func() error {
		calls += group
		for range group {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
	runtime.ReadMemStats(&after)
	return measuredCost{quantile(took, 0.5) / time.Duration(group), float64(after.Mallocs-before.Mallocs) / float64(calls),
		float64(after.TotalAlloc-before.TotalAlloc) / float64(calls)}, err
}

func (c measuredCost) note() string {
	return fmt.Sprintf("%.0f allocations, %.0f bytes", c.allocs, c.bytes)
}

// pure are the figures without disk or network.
func (r *run) pure() error {
	return errors.Join(r.coldMandate(), r.bundle(), r.deciding())
}

// coldMandate reads one mandate from its bytes as a stranger would: strict parse, canonical form, content digest, seal, and the
// approvals of two people under the roster.
func (r *run) coldMandate() error {
	w := writtest.Acme(seed)
	ss, roster := w.Found(nil)
	_, sealed := w.Grant(ss, ample)
	data, rosters := sealed.Bytes(), []*spec.Roster{roster.Body.(*spec.Roster)}
	const signatures = 3
	c, err := r.cost(func() error { return checkMandate(data, w, rosters) })
	if err != nil {
		return err
	}
	r.add("mandate checked cold", fmt.Sprintf("%d bytes, %d signatures", len(data), signatures), µs(c.took), "µs").
		over(signatures * µs(r.floor.verify)).ratioAtMost(1.3).noting(c.note())
	return nil
}

func checkMandate(data []byte, w *writtest.World, rosters []*spec.Roster) error {
	doc, err := spec.Parse(data)
	if err != nil {
		return err
	}
	seal, ok := rosters[0].Terms().Seal(w.KeyID("seal"))
	if !ok {
		return errors.New("the roster has no such seal")
	}
	key, err := did.ParseMultikey(seal.Key)
	if err != nil {
		return err
	}
	if err := spec.CheckSignature(doc, key, seal.ID, did.AssertionMethod); err != nil {
		return err
	}
	approvals, err := spec.Approvals(doc.Value)
	if err != nil {
		return err
	}
	var logged []spec.LoggedApproval
	for _, a := range approvals {
		logged = append(logged, spec.LoggedApproval{Document: a, At: w.Now})
	}
	_, err = spec.CheckApprovals(spec.NeedsOfMandate(doc.Body.(*spec.Mandate), spec.ContentDigest(doc.Value)), logged, rosters)
	return err
}

// bundle checks a receipt offline, with everything that it rests on, as writ verify and writ audit do.
func (r *run) bundle() error {
	data, trust, err := r.exported()
	if err != nil {
		return err
	}
	signatures := bytes.Count(data, []byte(`"proofValue"`)) + 1
	c, err := r.cost(func() error {
		if checked := verifier.CheckBundle(data, trust, verifier.CheckOptions{}); !checked.Holds {
			return fmt.Errorf("a good bundle does not hold: %v", checked.Verdicts)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.add("bundle of one receipt checked", fmt.Sprintf("%d bytes, %d signatures, one core", len(data), signatures), µs(c.took), "µs").
		over(float64(signatures) * µs(r.floor.verify)).ratioAtMost(1.3).noting(c.note())
	return nil
}

// exported is the bundle of one call, made by a ledger as it is served.
func (r *run) exported() ([]byte, *verifier.Trust, error) {
	f, err := r.fill(r.memory, 1)
	if err != nil {
		return nil, nil, err
	}
	defer f.remove()
	l, trust, err := f.open(r.machine)
	if err != nil {
		return nil, nil, err
	}
	data, err := l.oneBundle(r.ctx, trust, f.mandates[0])
	return data, trust, errors.Join(err, l.close())
}

func (l *ledger) oneBundle(ctx context.Context, trust *verifier.Trust, m mandate) ([]byte, error) {
	v, err := l.verifier(trust)
	if err != nil {
		return nil, err
	}
	presentation, err := l.parties.present(m, "bundle-key", l.now())
	if err != nil {
		return nil, err
	}
	commit, err := l.parties.commit(m, presentation, l.now())
	if err != nil {
		return nil, err
	}
	logged, err := v.Verify(ctx, verifier.Request{Org: org, Presentation: presentation.Bytes(), Commit: commit.Bytes()})
	if err != nil {
		return nil, err
	}
	decision := logged.Last().Document.Digest
	receipt, at, err := verifier.Receipt(ctx, l.journal, org, decision)
	if err != nil {
		return nil, err
	}
	if receipt, err = l.sign(ctx, receipt, at); err != nil {
		return nil, err
	}
	return verifier.Export(ctx, l.journal, nil, org, decision, receipt, l.log.Proof)
}

// Eight constraints of the common kinds; and the last of them as an expression.
const (
	lastPlain      = `{"id":"n","type":"oneOf","pointer":"/parameters/n","values":[4711,4712]}`
	lastExpression = `{"id":"n","type":"expression","expression":"action.amount <= money(\"5000.00\",\"EUR\") && action.parameters.n in [4711,4712] && action.resource.startsWith(\"iban:PT\")"}`
)

var commonLimits = []string{
	`{"id":"each","type":"amount","max":{"value":"5000.00","currency":"EUR"}}`,
	`{"id":"daily","type":"budget","max":{"value":"10000.00","currency":"EUR"},"per":"P1D","zone":"Europe/Lisbon"}`,
	`{"id":"weekly","type":"budget","max":{"value":"50000.00","currency":"EUR"},"per":"P1W","rolling":true}`,
	`{"id":"office","type":"hours","days":["mon","tue","wed","thu","fri"],"from":"08:00","to":"18:00","zone":"Europe/Lisbon"}`,
	`{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["` + writtest.Payee + `"]}`,
	`{"id":"often","type":"count","max":50,"per":"P1D","rolling":true}`,
	`{"id":"not","type":"noneOf","pointer":"/resource","values":["iban:DE89370400440532013000"]}`,
}

// lastLimits are the two cases of a decision, with the microseconds that its judgement may take.
var lastLimits = []struct {
	name, text string
	target     float64
}{{"8 constraints", lastPlain, 2}, {"8 constraints, one an expression", lastExpression, 5}}

// deciding is a decision over eight constraints: the judgement (all checks, the accounts, the answer with its inputs), the same with
// the answer as a document with its digest, and what the constraints alone take of it.
func (r *run) deciding() error {
	for _, last := range lastLimits {
		c, states, now, err := decidingCase(append(commonLimits[:len(commonLimits):len(commonLimits)], last.text))
		if err != nil {
			return err
		}
		cost, err := r.cost(func() error { _, err := verifier.Judge(c, states, now); return err })
		if err != nil {
			return err
		}
		r.add("Decide", last.name+", the judgement", µs(cost.took), "µs").atMost(last.target).noting(cost.note())
		if cost, err = r.cost(func() error { _, err := verifier.Decide(c, states, now); return err }); err != nil {
			return err
		}
		r.add("Decide", last.name+", with document and digest", µs(cost.took), "µs").noting(cost.note())
		if cost, err = r.cost(func() error { return checkLimits(c, now) }); err != nil {
			return err
		}
		r.add("Decide", last.name+", checks and draws alone", µs(cost.took), "µs").noting(cost.note())
	}
	return nil
}

// checkLimits asks every constraint what Decide asks it.
func checkLimits(c verifier.Case, now time.Time) error {
	a := rule.Action{Type: c.Action.Type, Resource: c.Action.Resource, Amount: c.Action.Amount, Value: c.ActionValue}
	for _, limit := range c.Mandates[0].Body.Rules() {
		if v := limit.Check(a, now); v != nil {
			return fmt.Errorf("%s: %s", limit.ID(), v.Reason)
		}
		limit.Draw(a, now)
	}
	return nil
}

// decidingCase is a request that is authorised, and the states that it is decided in.
func decidingCase(limits []string) (c verifier.Case, states spec.States, now time.Time, err error) {
	w := writtest.Acme(seed)
	ss, roster := w.Found(nil)
	ss, m := w.Grant(ss, func(m *spec.Mandate) {
		m.Terms().Recovery = nil
		m.Terms().Constraints = nil
		for _, text := range limits {
			m.Terms().Constraints = append(m.Terms().Constraints, writtest.JSON(text))
		}
	})
	p := w.Present([]spec.Document{m}, w.Action("420.00", func(a *spec.Action) { a.Parameters = writtest.JSON(`{"n":4711}`) }), w.Request("deciding-key"), w.Now)
	asked := p.Body.(*spec.Presentation)
	a, err := spec.ParseAction(asked.Action)
	if err != nil {
		return c, nil, now, err
	}
	var id [10]byte
	c = verifier.Case{ID: spec.UUIDv7(w.Now, id), Epoch: 1, Verifier: writtest.Verifier, Identity: spec.IdentityPresented, Agent: asked.Holder,
		Mandates: []verifier.Mandate{{Content: spec.ContentDigest(m.Value), Body: m.Body.(*spec.Mandate)}}, Action: a, ActionValue: asked.Action,
		Request: asked.Request, RequestDigest: writtest.RequestDigest(p), Presentation: p.Digest, Roster: spec.ContentDigest(roster.Value),
		Owner: writtest.Grantor, ExecuteWithin: 15 * time.Minute, Env: spec.CurrentEnv()}
	docs, err := verifier.Decide(c, ss, w.Now)
	if err != nil {
		return c, ss, w.Now, err
	}
	if d := docs[0].Body.(*spec.Decision); d.Result != spec.Authorized {
		return c, ss, w.Now, fmt.Errorf("the action is %s: %v", d.Result, d.Checks)
	}
	return c, ss, w.Now, nil
}
