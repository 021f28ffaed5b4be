package writtest

import (
	"fmt"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Roster is version 1 of Acme's, without approvals and unsealed: changes need two of treasurer, cfo and intern, and treasurer
// with cfo may approve any payment. The changes are made before it becomes a document.
func (w *World) Roster(changes ...func(*spec.Roster)) spec.Document {
	r := &spec.Roster{Envelope: spec.NewEnvelope("RosterCredential", w.ID(), Grantor)}
	r.ValidFrom = spec.At(w.Now)
	r.Subject = spec.RosterSubject{ID: Grantor, Roster: spec.RosterTerms{
		Grantor: Grantor, Salt: w.salt(), Log: Origin, Version: 1, ChangeThreshold: 2, ChangeDelay: "P1D",
		Persons:  []spec.Person{w.person("treasurer", "Ana Reis"), w.person("cfo", "Rui Costa"), w.person("intern", "Eva Dias")},
		Powers:   []spec.Power{{Actions: []string{"payments.*"}, Persons: []string{"treasurer", "cfo"}, Threshold: 2}},
		Revokers: []string{"treasurer", "cfo"},
		Seals:    []spec.SealKey{{ID: w.KeyID("seal"), Key: w.multikey("seal")}},
		Ledgers:  []spec.PartyKey{{DID: Verifier, Key: w.multikey("ledger")}},
		Executors: []spec.Executor{
			{DID: Bank, Key: w.multikey("bank"), Role: "system-of-record"}},
	}}
	for _, change := range changes {
		change(r)
	}
	return document(r)
}

// NextRoster is the version after the one given, without approvals and unsealed.
func (w *World) NextRoster(before spec.Document, changes ...func(*spec.Roster)) spec.Document {
	r := *Parsed(before).Body.(*spec.Roster)
	t := r.Terms()
	r.ID, r.ValidFrom, r.Evidence = w.ID(), spec.At(w.Now), nil
	t.Version, t.Previous = t.Version+1, spec.ContentDigest(before.Value)
	for _, change := range changes {
		change(&r)
	}
	return document(&r)
}

func (w *World) multikey(party string) string { return w.Key(party).Public().Multikey() }

func (w *World) person(name, display string) spec.Person {
	return spec.Person{Person: name, Name: display, Keys: []spec.PersonKey{
		{ID: w.KeyID(name), PublicKey: w.multikey(name), Kind: "key", Grade: spec.GradeDevice}}}
}

// Mandate is one for the agent, without approvals and unsealed: payments from Account to Payee, 10,000 EUR a day in Lisbon,
// granted by treasurer and cfo; the cfo may lift the day by 15,000 EUR three times; one level may be delegated.
func (w *World) Mandate(changes ...func(*spec.Mandate)) spec.Document {
	m := &spec.Mandate{Envelope: spec.NewEnvelope("MandateCredential", w.ID(), Grantor)}
	m.Name, m.ValidFrom, m.ValidUntil = "Pay AWS invoices", spec.At(Start.AddDate(0, 0, -1)), spec.At(Start.AddDate(0, 4, 0))
	over := rule.Money{Minor: 15_000_00, Currency: "EUR"}
	m.Subject = spec.MandateSubject{ID: w.DID("agent"), Mandate: spec.MandateTerms{
		Version: spec.Version, Salt: w.salt(),
		Grantor: spec.Grantor{ID: Grantor, Approvers: []string{"treasurer", "cfo"}, Threshold: 2, LeastGrade: spec.GradeDeviceHosted},
		Actions: []string{"payments.transfer"}, Resources: []string{Account}, Free: []string{"/parameters/memo"},
		Constraints: []jcs.Value{Budget("daily", "10000.00", "P1D"), OneOf("payee", "/counterparty/id", Payee)},
		Recovery: []spec.Recovery{{For: []string{"daily"}, Approvers: []string{"cfo"}, Threshold: 1, MaxOver: &over,
			MaxOverPerWindow: &over, MaxUses: 3, Within: "PT4H"}},
		Delegation: &spec.Delegation{MaxDepth: 1},
		Ledger:     spec.Ledger{Verifier: Verifier, Log: Origin},
	}}
	for _, change := range changes {
		change(m)
	}
	return document(m)
}

// Child is a mandate that the agent delegates to the subagent, unsigned: as the parent, 2,000 EUR a day, no recovery.
func (w *World) Child(parent spec.Document, changes ...func(*spec.Mandate)) spec.Document {
	p := parent.Body.(*spec.Mandate)
	m := &spec.Mandate{Envelope: spec.NewEnvelope("MandateCredential", w.ID(), p.Subject.ID)}
	m.Name, m.ValidFrom, m.ValidUntil = "Pay small AWS invoices", p.ValidFrom, p.ValidUntil
	t := p.Terms()
	m.Subject = spec.MandateSubject{ID: w.DID("subagent"), Mode: p.Subject.Mode, Mandate: spec.MandateTerms{
		Version: spec.Version, Salt: w.salt(), Grantor: spec.Grantor{ID: p.Subject.ID}, Actions: t.Actions, Resources: t.Resources,
		Free: t.Free, Constraints: []jcs.Value{Budget("share", "2000.00", "P1D"), OneOf("payee", "/counterparty/id", Payee)},
		Parent: spec.ContentDigest(parent.Value), Ledger: t.Ledger,
	}}
	for _, change := range changes {
		change(m)
	}
	return document(m)
}

// Budget is a budget of so many EUR a period in Lisbon; no period makes it one for ever.
func Budget(id, max, per string) jcs.Value {
	span := ""
	if per != "" {
		span = fmt.Sprintf(`,"per":%q,"zone":"Europe/Lisbon"`, per)
	}
	return budget(id, max, span)
}

// RollingBudget is a budget of so many EUR a rolling period.
func RollingBudget(id, max, per string) jcs.Value {
	return budget(id, max, fmt.Sprintf(`,"per":%q,"rolling":true`, per))
}

func budget(id, max, span string) jcs.Value {
	return JSON(fmt.Sprintf(`{"id":%q,"type":"budget","max":{"value":%q,"currency":"EUR"}%s}`, id, max, span))
}

// OneOf limits a member of the action to values.
func OneOf(id, pointer string, values ...string) jcs.Value {
	all := Value(values)
	return JSON(fmt.Sprintf(`{"id":%q,"type":"oneOf","pointer":%q,"values":%s}`, id, pointer, all.Canonical()))
}

// Approve is a person's signed approval of a content, at Now, for a week; shown are the sentences in English.
func (w *World) Approve(person, kind, content string, shown ...string) spec.Document {
	return w.Say(person, spec.Approve, kind, content, shown...)
}

// Say is Approve with any decision: spec.Approve, spec.Decline or spec.Withdraw.
func (w *World) Say(person, decision, kind, content string, shown ...string) spec.Document {
	a := document(&spec.Approval{Type: "MandateApproval", Version: spec.Version, Kind: kind, Content: content, Decision: decision,
		Approver: w.KeyID(person), At: spec.At(w.Now), Expires: spec.At(w.Now.AddDate(0, 0, 7)), Nonce: w.Nonce(),
		Shown: spec.Shown(rule.Catalogue, string(rule.English), shown)})
	return w.Sign(a, person, did.CapabilityDelegation, w.Now)
}

// ApproveMandate is Approve of a mandate, shown its own sentences.
func (w *World) ApproveMandate(person string, mandate spec.Document) spec.Document {
	lines := mandate.Body.(*spec.Mandate).Lines(rule.English)
	return w.Approve(person, spec.KindMandate, spec.ContentDigest(mandate.Value), lines...)
}

// ApproveRoster is Approve of a roster version, shown its own sentences.
func (w *World) ApproveRoster(person string, roster spec.Document) spec.Document {
	lines := roster.Body.(*spec.Roster).Lines(rule.English)
	return w.Approve(person, spec.KindRoster, spec.ContentDigest(roster.Value), lines...)
}

// ApproveSupplement is Approve of a proposed supplement on the chain of base, shown its lifts.
func (w *World) ApproveSupplement(person string, base, supplement spec.Document) spec.Document {
	t := supplement.Body.(*spec.Supplement).Terms()
	lines := spec.LiftLines(rule.English, base.Body.(*spec.Mandate), t.Lifts, w.ActionOf(t.Action))
	return w.Approve(person, spec.KindSupplement, spec.ContentDigest(supplement.Value), lines...)
}

// Seal puts the approvals into the credential's evidence and signs it: with the parent's subject's key where it is a
// delegated mandate, else with the seal's.
func (w *World) Seal(credential spec.Document, approvals ...spec.Document) spec.Document {
	if len(approvals) > 0 {
		credential = must(spec.FromValue(spec.WithApprovals(credential.Value, approvals)))
	}
	party := "seal"
	if m, ok := credential.Body.(*spec.Mandate); ok && !m.IsRoot() {
		party = w.agentOf(m.Issuer)
	}
	return w.Sign(credential, party, did.AssertionMethod, w.Now)
}

// agentOf is the name of the agent with this DID.
func (w *World) agentOf(agent string) string {
	for _, name := range []string{"agent", "subagent"} {
		if w.DID(name) == agent {
			return name
		}
	}
	panic("writtest: no agent is called " + agent)
}

// Notice is a person's revocation notice: spec.ActRevoke, spec.ActSuspend or spec.ActVeto.
func (w *World) Notice(person, act, content string) spec.Document {
	n := document(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: content, Act: act, By: w.KeyID(person),
		At: spec.At(w.Now), Nonce: w.Nonce()})
	return w.Sign(n, person, did.CapabilityDelegation, w.Now)
}

// Until sets how long a mandate is valid.
func Until(end time.Time) func(*spec.Mandate) {
	return func(m *spec.Mandate) { m.ValidUntil = spec.At(end) }
}
