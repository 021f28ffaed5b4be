package spec_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// panel is Acme with one mandate to approve and the rosters in force.
type panel struct {
	*writtest.World
	mandate spec.Document
	rosters []*spec.Roster
}

func newPanel(t *testing.T, mandate func(*spec.Mandate), rosters ...func(*spec.Roster)) panel {
	t.Helper()
	w := writtest.Acme("panel")
	p := panel{World: w}
	if mandate == nil {
		mandate = func(*spec.Mandate) {}
	}
	p.mandate = w.Mandate(mandate)
	if len(rosters) == 0 {
		rosters = append(rosters, func(*spec.Roster) {})
	}
	for _, change := range rosters {
		p.rosters = append(p.rosters, w.Roster(change).Body.(*spec.Roster))
	}
	return p
}

func (p panel) body() *spec.Mandate { return p.mandate.Body.(*spec.Mandate) }

// check asks whether the documents, logged a minute apart, are enough.
func (p panel) check(documents ...spec.Document) (spec.Grade, error) {
	var logged []spec.LoggedApproval
	for i, d := range documents {
		logged = append(logged, spec.LoggedApproval{Document: d, At: p.Now.Add(time.Duration(i) * time.Minute)})
	}
	return spec.CheckApprovals(spec.NeedsOfMandate(p.body(), spec.ContentDigest(p.mandate.Value)), logged, p.rosters)
}

func (p panel) yes(person string) spec.Document { return p.ApproveMandate(person, p.mandate) }

func (p panel) say(person, decision string) spec.Document {
	return p.Say(person, decision, spec.KindMandate, spec.ContentDigest(p.mandate.Value), p.body().Lines(rule.English)...)
}

// signedBy is a person's approval signed with another's key.
func (p panel) signedBy(t *testing.T, person, key string) spec.Document {
	t.Helper()
	d := newDocument(t, p.yes(person).Body)
	v, err := vc.Sign(d.Value, vc.ProofOptions{VerificationMethod: p.KeyID(person), Purpose: did.CapabilityDelegation, Created: p.Now}, p.Key(key))
	if err != nil {
		t.Fatal(err)
	}
	if d, err = d.WithValue(v); err != nil {
		t.Fatal(err)
	}
	return d
}

// keyOf is the first key of a person in a roster.
func keyOf(r *spec.Roster, person string) *spec.PersonKey {
	for i := range r.Terms().Persons {
		if r.Terms().Persons[i].Person == person {
			return &r.Terms().Persons[i].Keys[0]
		}
	}
	return nil
}

func TestCheckApprovals(t *testing.T) {
	w := writtest.Acme("panel")
	anyGrade := func(m *spec.Mandate) { m.Terms().Grantor.LeastGrade = "" }
	grade := func(person string, g spec.Grade) func(*spec.Roster) {
		return func(r *spec.Roster) { keyOf(r, person).Grade = g }
	}
	compromised := func(after time.Duration) func(*spec.Roster) {
		return func(r *spec.Roster) { keyOf(r, "cfo").CompromisedSince = spec.At(w.Now.Add(after)) }
	}
	secondKey := func(r *spec.Roster) {
		k := *keyOf(r, "treasurer")
		k.ID, k.PublicKey = w.KeyID("treasurer2"), w.Key("treasurer2").Public().Multikey()
		r.Terms().Persons[0].Keys = append(r.Terms().Persons[0].Keys, k)
	}
	sharedKey := func(r *spec.Roster) { keyOf(r, "cfo").PublicKey = keyOf(r, "treasurer").PublicKey }
	otherKey := func(r *spec.Roster) { keyOf(r, "cfo").PublicKey = w.Key("cfo2").Public().Multikey() }
	withoutCFO := func(r *spec.Roster) {
		r.Terms().Persons = append(r.Terms().Persons[:1], r.Terms().Persons[2])
		r.Terms().Powers[0].Persons, r.Terms().Revokers = []string{"treasurer", "intern"}, nil
	}
	swapped := func(r *spec.Roster) {
		a, b := keyOf(r, "treasurer"), keyOf(r, "cfo")
		*a, *b = *b, *a
	}
	asIs := func(*spec.Roster) {}
	type sign func(t *testing.T, p panel) []spec.Document
	both := func(_ *testing.T, p panel) []spec.Document { return []spec.Document{p.yes("treasurer"), p.yes("cfo")} }
	said := func(words ...string) sign { // person and decision in turn
		return func(_ *testing.T, p panel) (docs []spec.Document) {
			for i := 0; i < len(words); i += 2 {
				docs = append(docs, p.say(words[i], words[i+1]))
			}
			return docs
		}
	}
	for _, row := range []struct {
		name    string
		mandate func(*spec.Mandate)
		rosters []func(*spec.Roster)
		signed  sign
		reason  string
		grade   spec.Grade
	}{
		{name: "two of two", signed: both, grade: spec.GradeDevice},
		{name: "nobody", signed: said(), reason: "approvals-missing"},
		{name: "one of two", signed: said("cfo", spec.Approve), reason: "approvals-missing"},
		{name: "one person twice", signed: said("cfo", spec.Approve, "cfo", spec.Approve), reason: "approvals-missing"},
		{name: "one person with two keys", rosters: []func(*spec.Roster){secondKey},
			signed: said("treasurer", spec.Approve, "treasurer2", spec.Approve), reason: "approvals-missing"},
		{name: "either key of a person", rosters: []func(*spec.Roster){secondKey},
			signed: said("treasurer2", spec.Approve, "cfo", spec.Approve), grade: spec.GradeDevice},
		{name: "equal keys of two persons", rosters: []func(*spec.Roster){sharedKey},
			signed: func(t *testing.T, p panel) []spec.Document {
				return []spec.Document{p.yes("treasurer"), p.signedBy(t, "cfo", "treasurer")}
			}, reason: "approvals-missing"},
		{name: "a decline with a shared key", mandate: func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 1 },
			rosters: []func(*spec.Roster){sharedKey},
			signed: func(t *testing.T, p panel) []spec.Document {
				no := p.signedBy(t, "cfo", "treasurer").Body.(*spec.Approval)
				no.Decision = spec.Decline
				v, err := vc.Sign(newDocument(t, no).Value, vc.ProofOptions{VerificationMethod: p.KeyID("cfo"),
					Purpose: did.CapabilityDelegation, Created: p.Now}, p.Key("treasurer"))
				if err != nil {
					t.Fatal(err)
				}
				d, err := spec.FromValue(v)
				if err != nil {
					t.Fatal(err)
				}
				return []spec.Document{p.yes("treasurer"), d}
			}, reason: "approval-declined"},
		{name: "the requester", mandate: func(m *spec.Mandate) { m.Terms().RequestedBy = "cfo" }, signed: both, reason: "approvals-missing"},
		{name: "the requester declines", mandate: func(m *spec.Mandate) {
			m.Terms().RequestedBy, m.Terms().Grantor.Approvers = "intern", []string{"treasurer", "cfo", "intern"}
		}, signed: said("intern", spec.Decline, "treasurer", spec.Approve, "cfo", spec.Approve), grade: spec.GradeDevice},
		{name: "declined", signed: said("treasurer", spec.Approve, "cfo", spec.Approve, "cfo", spec.Decline), reason: "approval-declined"},
		{name: "declined, then approved", signed: said("cfo", spec.Decline, "treasurer", spec.Approve, "cfo", spec.Approve), reason: "approval-declined"},
		{name: "declined by somebody else", signed: said("intern", spec.Decline, "treasurer", spec.Approve, "cfo", spec.Approve), grade: spec.GradeDevice},
		{name: "withdrawn", signed: said("treasurer", spec.Approve, "cfo", spec.Approve, "cfo", spec.Withdraw), reason: "approvals-missing"},
		{name: "withdrawn before", signed: said("cfo", spec.Withdraw, "treasurer", spec.Approve, "cfo", spec.Approve), grade: spec.GradeDevice},
		{name: "withdrawn, then approved", signed: said("cfo", spec.Approve, "cfo", spec.Withdraw, "treasurer", spec.Approve, "cfo", spec.Approve),
			grade: spec.GradeDevice},
		{name: "decline relabelled as approve", signed: func(t *testing.T, p panel) []spec.Document {
			yes := p.yes("cfo")
			no, _ := p.say("cfo", spec.Decline).Value.Member("proof")
			d, err := spec.FromValue(yes.Value.With("proof", no))
			if err != nil {
				t.Fatal(err)
			}
			return []spec.Document{p.yes("treasurer"), d}
		}, reason: "proof-signature"},
		{name: "signed by another", signed: func(t *testing.T, p panel) []spec.Document {
			return []spec.Document{p.yes("treasurer"), p.signedBy(t, "cfo", "intern")}
		}, reason: "proof-signature"},
		{name: "for another purpose", signed: func(t *testing.T, p panel) []spec.Document {
			d := p.Sign(newDocument(t, p.yes("cfo").Body), "cfo", did.AssertionMethod, p.Now)
			return []spec.Document{p.yes("treasurer"), d}
		}, reason: "proof-purpose"},
		{name: "of another content", signed: func(_ *testing.T, p panel) []spec.Document {
			return []spec.Document{p.yes("treasurer"), p.Approve("cfo", spec.KindMandate, emptyDigest, p.body().Lines(rule.English)...)}
		}, reason: "approvals-missing"},
		{name: "of another kind", signed: func(_ *testing.T, p panel) []spec.Document {
			return []spec.Document{p.yes("treasurer"),
				p.Approve("cfo", spec.KindResume, spec.ContentDigest(p.mandate.Value), p.body().Lines(rule.English)...)}
		}, reason: "approvals-missing"},
		{name: "by somebody whom the mandate does not name", signed: said("treasurer", spec.Approve, "intern", spec.Approve), reason: "approvals-missing"},
		{name: "by a key that nobody knows", signed: said("treasurer", spec.Approve, "stranger", spec.Approve), reason: "approvals-missing"},
		{name: "logged at its expiry", signed: func(t *testing.T, p panel) []spec.Document {
			late := *p.yes("cfo").Body.(*spec.Approval)
			late.At, late.Expires = spec.At(p.Now.Add(-time.Hour)), spec.At(p.Now.Add(time.Minute))
			return []spec.Document{p.yes("treasurer"), p.Sign(newDocument(t, &late), "cfo", did.CapabilityDelegation, p.Now)}
		}, reason: "approval-expired"},
		{name: "compromised before", rosters: []func(*spec.Roster){compromised(-time.Hour)}, signed: both, reason: "approvals-missing"},
		{name: "compromised at that instant", rosters: []func(*spec.Roster){compromised(time.Minute)}, signed: both, reason: "approvals-missing"},
		{name: "compromised later", rosters: []func(*spec.Roster){compromised(2 * time.Minute)}, signed: both, grade: spec.GradeDevice},
		{name: "two rosters in force", rosters: []func(*spec.Roster){asIs, asIs}, signed: both, grade: spec.GradeDevice},
		{name: "removed by the newer roster", rosters: []func(*spec.Roster){withoutCFO, asIs}, signed: both, reason: "approvals-missing"},
		{name: "added by the newer roster", rosters: []func(*spec.Roster){asIs, withoutCFO}, signed: both, reason: "approvals-missing"},
		{name: "key exchanged in the newer roster", rosters: []func(*spec.Roster){otherKey, asIs}, signed: both, reason: "approvals-missing"},
		{name: "keys swapped between persons", rosters: []func(*spec.Roster){asIs, swapped}, signed: both, reason: "approvals-missing"},
		{name: "compromised in one of two rosters", rosters: []func(*spec.Roster){asIs, compromised(-time.Hour)}, signed: both, reason: "approvals-missing"},
		{name: "weaker grade in one of two rosters", rosters: []func(*spec.Roster){asIs, grade("cfo", spec.GradeDeviceHosted)}, signed: both,
			grade: spec.GradeDeviceHosted},
		{name: "grade below least", rosters: []func(*spec.Roster){grade("cfo", spec.GradeProvider)}, signed: both, reason: "approvals-missing"},
		{name: "weakest grade that counted", rosters: []func(*spec.Roster){grade("treasurer", spec.GradeQualified)}, signed: both, grade: spec.GradeDevice},
		{name: "key of an unknown kind", rosters: []func(*spec.Roster){func(r *spec.Roster) { keyOf(r, "cfo").Kind = "wallet" }}, signed: both,
			reason: "approvals-missing"},
		{name: "shown something else", signed: func(_ *testing.T, p panel) []spec.Document {
			return []spec.Document{p.yes("treasurer"), p.Approve("cfo", spec.KindMandate, spec.ContentDigest(p.mandate.Value), "Pay nobody")}
		}, reason: "approvals-missing"},
		{name: "shown something else, any grade", mandate: anyGrade, signed: func(_ *testing.T, p panel) []spec.Document {
			return []spec.Document{p.yes("treasurer"), p.Approve("cfo", spec.KindMandate, spec.ContentDigest(p.mandate.Value), "Pay nobody")}
		}, grade: spec.GradeServer},
		{name: "shown in Portuguese", signed: func(t *testing.T, p panel) []spec.Document {
			a := *p.yes("cfo").Body.(*spec.Approval)
			a.Shown = spec.Shown(rule.Catalogue, string(rule.Portuguese), p.body().Lines(rule.Portuguese))
			return []spec.Document{p.yes("treasurer"), p.Sign(newDocument(t, &a), "cfo", did.CapabilityDelegation, p.Now)}
		}, grade: spec.GradeDevice},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPanel(t, row.mandate, row.rosters...)
			got, err := p.check(row.signed(t, p)...)
			wantReason(t, err, row.reason)
			if got != row.grade {
				t.Errorf("grade is %q, want %q", got, row.grade)
			}
		})
	}
}

func TestCheckApprovalsNeedsARoster(t *testing.T) {
	p := newPanel(t, nil)
	p.rosters = nil
	_, err := p.check(p.yes("treasurer"), p.yes("cfo"))
	wantReason(t, err, "roster-unknown")
}

// TestPowers asks the roster's powers for the reach of a mandate: 10,000.00 a day, and lifts of 15,000.00 in a window.
func TestPowers(t *testing.T) {
	upTo := func(each int64, perDay *rule.Money) func(*spec.Roster) {
		return func(r *spec.Roster) { r.Terms().Powers[0].UpTo = &spec.UpTo{Each: *euros(each), PerDay: perDay} }
	}
	each := writtest.JSON(`{"id":"each","type":"amount","max":{"value":"500.00","currency":"EUR"}}`)
	noRecovery := func(m *spec.Mandate) { m.Terms().Recovery = nil }
	for _, row := range []struct {
		name    string
		mandate func(*spec.Mandate)
		roster  func(*spec.Roster)
		reason  string
	}{
		{"as far as the lifts", nil, upTo(25_000_00, nil), ""},
		{"a cent short of the lifts", nil, upTo(25_000_00-1, nil), "power-missing"},
		{"without recovery", noRecovery, upTo(10_000_00, nil), ""},
		{"a cent short", noRecovery, upTo(10_000_00-1, nil), "power-missing"},
		{"the smallest limit counts", func(m *spec.Mandate) { m.Terms().Constraints = append(m.Terms().Constraints, each) }, upTo(500_00, nil), ""},
		{"per day", nil, upTo(25_000_00, euros(25_000_00)), ""},
		{"a cent short per day", nil, upTo(25_000_00, euros(25_000_00-1)), "power-missing"},
		{"per day, budgets alone", func(m *spec.Mandate) {
			m.Terms().Constraints, m.Terms().Recovery = []jcs.Value{each}, nil
		}, upTo(500_00, euros(500_00)), "power-missing"},
		{"other currency", nil, func(r *spec.Roster) {
			r.Terms().Powers[0].UpTo = &spec.UpTo{Each: rule.Money{Minor: math.MaxInt32, Currency: "USD"}}
		}, "power-missing"},
		{"unbounded reach", func(m *spec.Mandate) { m.Terms().Constraints, m.Terms().Recovery = nil, nil }, upTo(math.MaxInt32, nil), "power-missing"},
		{"unbounded reach and power", func(m *spec.Mandate) { m.Terms().Constraints, m.Terms().Recovery = nil, nil }, func(*spec.Roster) {}, ""},
		{"uses times the lift", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxOverPerWindow = nil }, upTo(55_000_00, nil), ""},
		{"a cent short of uses times the lift", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxOverPerWindow = nil }, upTo(55_000_00-1, nil), "power-missing"},
		{"unbounded lifts", func(m *spec.Mandate) {
			m.Terms().Recovery[0].MaxOverPerWindow, m.Terms().Recovery[0].MaxUses = nil, 0
		}, upTo(math.MaxInt32, nil), "power-missing"},
		{"other actions", func(m *spec.Mandate) { m.Terms().Actions = []string{"mail.send"} }, func(*spec.Roster) {}, "power-missing"},
		{"one of two patterns", func(m *spec.Mandate) { m.Terms().Actions = []string{"payments.transfer", "mail.send"} }, func(*spec.Roster) {}, "power-missing"},
		{"the segment itself", func(m *spec.Mandate) { m.Terms().Actions = []string{"payments"} }, func(*spec.Roster) {}, "power-missing"},
		{"wider than the power", func(m *spec.Mandate) { m.Terms().Actions = []string{"payments.*"} },
			func(r *spec.Roster) { r.Terms().Powers[0].Actions = []string{"payments.transfer"} }, "power-missing"},
		{"a power of others", nil, func(r *spec.Roster) { r.Terms().Powers[0].Persons = []string{"treasurer", "intern"} }, "power-missing"},
		{"a power that asks for more than the mandate", func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 2 },
			func(r *spec.Roster) {
				r.Terms().ChangeThreshold = 3
				r.Terms().Powers[0].Persons, r.Terms().Powers[0].Threshold = []string{"treasurer", "cfo", "intern"}, 3
			}, "power-missing"},
		{"a power's grade", nil, func(r *spec.Roster) { r.Terms().Powers[0].LeastGrade = spec.GradeQualified }, "approvals-missing"},
		{"a second power", nil, func(r *spec.Roster) {
			narrow := r.Terms().Powers[0]
			narrow.UpTo = &spec.UpTo{Each: *euros(1)}
			r.Terms().Powers = []spec.Power{narrow, r.Terms().Powers[0]}
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPanel(t, row.mandate, row.roster)
			_, err := p.check(p.yes("treasurer"), p.yes("cfo"))
			wantReason(t, err, row.reason)
			if row.reason != "approvals-missing" { // grades are known only once people have signed
				wantReason(t, spec.CheckFeasible(p.body(), p.rosters), row.reason)
			}
			if row.reason != "" { // one roster of those in force is enough to refuse
				p = newPanel(t, row.mandate, func(*spec.Roster) {}, row.roster)
				_, err = p.check(p.yes("treasurer"), p.yes("cfo"))
				wantReason(t, err, row.reason)
			}
		})
	}
}

func TestPowerNeedsMoreThanTheMandate(t *testing.T) {
	p := newPanel(t, func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 1 })
	_, err := p.check(p.yes("cfo"))
	wantReason(t, err, "approvals-missing")
	_, err = p.check(p.yes("cfo"), p.yes("treasurer"))
	wantReason(t, err, "")
}

func TestCheckFeasibleNamesTheApprover(t *testing.T) {
	p := newPanel(t, func(m *spec.Mandate) { m.Terms().Grantor.Approvers = []string{"treasurer", "cfo", "nobody"} })
	var e *spec.Error
	if err := spec.CheckFeasible(p.body(), p.rosters); !errors.As(err, &e) || e.Reason != "approver-unknown" ||
		e.Pointer != "/credentialSubject/mandate/grantor/approvers/2" {
		t.Errorf("got %v", err)
	}
}

// TestRosterApprovals: a roster version is judged by the persons of another one, without powers or grades.
func TestRosterApprovals(t *testing.T) {
	w := writtest.Acme("roster")
	first := w.Roster()
	next := w.NextRoster(first)
	judge := first.Body.(*spec.Roster)
	content := spec.ContentDigest(next.Value)
	logged := func(persons ...string) (all []spec.LoggedApproval) {
		for _, person := range persons {
			all = append(all, spec.LoggedApproval{Document: w.ApproveRoster(person, next), At: w.Now})
		}
		return all
	}
	for _, row := range []struct {
		persons []string
		reason  string
	}{
		{[]string{"treasurer", "intern"}, ""}, {[]string{"intern"}, "approvals-missing"}, {[]string{"intern", "intern"}, "approvals-missing"},
		{[]string{"intern", "stranger"}, "approvals-missing"},
	} {
		_, err := spec.CheckApprovals(spec.NeedsOfRoster(judge, judge, content), logged(row.persons...), []*spec.Roster{judge})
		wantReason(t, err, row.reason)
	}
}

func TestGrades(t *testing.T) {
	order := []spec.Grade{"", spec.GradeServer, spec.GradeProvider, spec.GradeDeviceHosted, spec.GradeDevice, spec.GradeQualified}
	for i, a := range order {
		for j, b := range order {
			if a.AtLeast(b) != (i >= j) {
				t.Errorf("%q at least %q is %v", a, b, a.AtLeast(b))
			}
		}
		if spec.Grade("platinum").AtLeast(a) {
			t.Errorf("an unknown grade is at least %q", a)
		}
	}
}
