package spec_test

import (
	"errors"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestNarrows: which changes of a policy take only away.
func TestNarrows(t *testing.T) {
	w := writtest.Acme("narrows")
	limit := func(text string) func(*spec.Policy) { return writtest.Limit(writtest.JSON(text)) }
	terms := func(change func(*spec.PolicyTerms)) func(*spec.Policy) {
		return func(p *spec.Policy) { change(p.Terms()) }
	}
	policy := w.Policy(limit(`{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["lei:A","lei:B"]}`),
		limit(`{"id":"not","type":"noneOf","pointer":"/counterparty/id","values":["lei:C","lei:D"]}`),
		limit(`{"id":"often","type":"count","max":5,"per":"P1D","zone":"Europe/Lisbon"}`),
		limit(`{"id":"office","type":"hours","days":["mon"],"from":"08:00","to":"20:00","zone":"Europe/Lisbon"}`),
		limit(`{"id":"least","type":"amount","min":{"value":"1.00","currency":"EUR"}}`),
		terms(func(t *spec.PolicyTerms) { t.Scope.Resources = []string{writtest.Account} }))
	for name, row := range map[string]struct {
		change func(*spec.Policy)
		want   bool
	}{
		"the same":                  {func(*spec.Policy) {}, true},
		"a smaller budget":          {writtest.Limit(writtest.Budget("daily", "8999.99", "P1D")), true},
		"a larger budget":           {writtest.Limit(writtest.Budget("daily", "9000.01", "P1D")), false},
		"a budget of another zone":  {limit(`{"id":"daily","type":"budget","max":{"value":"1.00","currency":"EUR"},"per":"P1D","zone":"UTC"}`), false},
		"a budget of another unit":  {limit(`{"id":"daily","type":"budget","max":{"value":"1.00","currency":"USD"},"per":"P1D","zone":"Europe/Lisbon"}`), false},
		"another type":              {limit(`{"id":"daily","type":"amount","max":{"value":"1.00","currency":"EUR"}}`), false},
		"fewer times":               {limit(`{"id":"often","type":"count","max":4,"per":"P1D","zone":"Europe/Lisbon"}`), true},
		"more times":                {limit(`{"id":"often","type":"count","max":6,"per":"P1D","zone":"Europe/Lisbon"}`), false},
		"one payee less":            {limit(`{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["lei:B"]}`), true},
		"another payee":             {limit(`{"id":"payee","type":"oneOf","pointer":"/counterparty/id","values":["lei:B","lei:E"]}`), false},
		"one more that is excluded": {limit(`{"id":"not","type":"noneOf","pointer":"/counterparty/id","values":["lei:C","lei:D","lei:E"]}`), true},
		"one excluded less":         {limit(`{"id":"not","type":"noneOf","pointer":"/counterparty/id","values":["lei:D","lei:E"]}`), false},
		"longer hours":              {limit(`{"id":"office","type":"hours","days":["mon"],"from":"08:00","to":"21:00","zone":"Europe/Lisbon"}`), false},
		"a least amount with a max": {limit(`{"id":"least","type":"amount","min":{"value":"1.00","currency":"EUR"},"max":{"value":"2.00","currency":"EUR"}}`), true},
		"a lower least amount":      {limit(`{"id":"least","type":"amount","min":{"value":"0.50","currency":"EUR"}}`), false},
		"a limit more":              {limit(`{"id":"new","type":"count","max":1}`), true},
		"a limit less":              {terms(func(t *spec.PolicyTerms) { t.Constraints = t.Constraints[:len(t.Constraints)-1] }), false},
		"a limit under another id": {terms(func(t *spec.PolicyTerms) {
			t.Constraints = append([]jcs.Value{writtest.Budget("per-day", "9000.00", "P1D"), t.Constraints[0]}, t.Constraints[2:]...)
		}), false},
		"nothing is shared":  {terms(func(t *spec.PolicyTerms) { t.Shared = nil }), false},
		"one more is shared": {terms(func(t *spec.PolicyTerms) { t.Shared = []string{"together", "daily"} }), false},
		"a new one is shared": {func(p *spec.Policy) {
			limit(`{"id":"new","type":"count","max":1}`)(p)
			p.Terms().Shared = append([]string{"new"}, p.Terms().Shared...)
		}, true},
		"more actions":      {terms(func(t *spec.PolicyTerms) { t.Scope.Actions = []string{"orders.place", "payments.*"} }), true},
		"fewer actions":     {terms(func(t *spec.PolicyTerms) { t.Scope.Actions = []string{"payments.transfer"} }), false},
		"every resource":    {terms(func(t *spec.PolicyTerms) { t.Scope.Resources = nil }), true},
		"another resource":  {terms(func(t *spec.PolicyTerms) { t.Scope.Resources = []string{"iban:PT51"} }), false},
		"one resource more": {terms(func(t *spec.PolicyTerms) { t.Scope.Resources = []string{"iban:PT51", writtest.Account} }), true},
		"the order of the rules": {terms(func(t *spec.PolicyTerms) {
			t.Constraints = append(t.Constraints[1:len(t.Constraints):len(t.Constraints)], t.Constraints[0])
		}), true},
	} {
		next := w.NextPolicy(policy, row.change)
		if got := next.Body.(*spec.Policy).Narrows(policy.Body.(*spec.Policy)); got != row.want {
			t.Errorf("%s: narrows %v", name, got)
		}
	}
}

// TestPolicyAccounts: an id that was an account's in any version before is that account's for ever.
func TestPolicyAccounts(t *testing.T) {
	w := writtest.Acme("accounts")
	ss, _ := w.Found(nil)
	ss, first := w.Enact(ss)
	next := func(change func(*spec.Policy)) error {
		p := w.NextPolicy(first, change)
		approvals := []spec.Document{w.ApprovePolicy("treasurer", p), w.ApprovePolicy("cfo", p)}
		for _, d := range append(approvals, w.Seal(p, approvals...)) {
			after, _, err := ss.Apply(d, w.Now)
			if err != nil {
				return err
			}
			ss = after
		}
		first = p
		return nil
	}
	without := func(p *spec.Policy) { p.Terms().Constraints, p.Terms().Shared = p.Terms().Constraints[1:], nil }
	if err := next(without); err != nil {
		t.Fatalf("a limit less: %v", err)
	}
	var e *spec.Error
	for name, c := range map[string]jcs.Value{"a longer period": writtest.Budget("together", "1.00", "P1W"), "rolling": writtest.RollingBudget("together", "1.00", "P1D"),
		"no period": writtest.Budget("together", "1.00", ""), "a count": writtest.JSON(`{"id":"together","type":"count","max":1}`)} {
		if err := next(writtest.Limit(c)); !errors.As(err, &e) || e.Reason != "policy-account" {
			t.Errorf("%s under the id of version 1: %v", name, err)
		}
	}
	if err := next(writtest.Limit(writtest.Budget("together", "99000.00", "P1D"))); err != nil {
		t.Errorf("the same account, larger: %v", err)
	}
}

// TestAccountPositions: an AUTHORIZED stands on an account chain where it says that it does, once for each policy, and lifts nothing there.
func TestAccountPositions(t *testing.T) {
	w := writtest.Acme("positions")
	ss, _ := w.Found(nil)
	ss, policy := w.Enact(ss)
	ss, mandate := w.Grant(ss, writtest.Under(policy))
	content := spec.ContentDigest(policy.Value)
	ref := policy.Body.(*spec.Policy).AccountRef(content)
	id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
	if err != nil {
		t.Fatal(err)
	}
	ss[id] = &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content}
	p := w.Present([]spec.Document{mandate}, w.Action("100.00"), w.Request("request-1"), w.Now)
	shared := func(d *spec.Decision) *spec.Usage {
		for i := range d.Usage {
			if d.Usage[i].Mandate == "" {
				return &d.Usage[i]
			}
		}
		t.Fatal("nothing is shared")
		return nil
	}
	for name, row := range map[string]struct {
		change func(*spec.Decision)
		want   string
	}{
		"as found":      {func(*spec.Decision) {}, ""},
		"elsewhere":     {func(d *spec.Decision) { d.Accounts[0].Seq, d.Accounts[0].Previous = 2, content }, "position-stale"},
		"on nothing":    {func(d *spec.Decision) { d.Accounts[0].Policy = spec.ContentDigest(mandate.Value) }, "chain-unknown"},
		"above the max": {func(d *spec.Decision) { shared(d).Amount = "12000.01" }, "budget-exceeded"},
		"lifted":        {func(d *spec.Decision) { shared(d).Lift, shared(d).Supplement = "1.00", content }, "lift-unbacked"},
	} {
		_, touched, err := ss.Apply(w.Decision(p, ss, row.change), w.Now)
		var e *spec.Error
		if got := errors.As(err, &e); got != (row.want != "") || got && e.Reason != row.want {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
		if err == nil && len(touched) != 2 {
			t.Errorf("%s: %d chains", name, len(touched))
		}
	}
}
