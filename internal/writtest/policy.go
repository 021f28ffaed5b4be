package writtest

import (
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Policy is version 1 of Acme's on payments, without approvals and unsealed: 12,000 EUR a day in Lisbon for all mandates together,
// 9,000 EUR for each by itself, and no more than 8,000 EUR at once.
func (w *World) Policy(changes ...func(*spec.Policy)) spec.Document {
	p := &spec.Policy{Envelope: spec.NewEnvelope("PolicyCredential", w.ID(), Grantor)}
	p.Name = "Payments of Acme"
	p.Subject = spec.PolicySubject{ID: Grantor, Policy: spec.PolicyTerms{Grantor: Grantor, Salt: w.salt(), Log: Origin, Version: 1,
		Scope: spec.PolicyScope{Actions: []string{"payments.*"}},
		Constraints: []jcs.Value{Budget("together", "12000.00", "P1D"), Budget("daily", "9000.00", "P1D"),
			JSON(`{"id":"each","type":"amount","max":{"value":"8000.00","currency":"EUR"}}`)},
		Shared: []string{"together"}}}
	for _, change := range changes {
		change(p)
	}
	return document(p)
}

// Enact logs version 1 of a policy with the approvals of treasurer and cfo, and returns it sealed.
func (w *World) Enact(ss spec.States, changes ...func(*spec.Policy)) (spec.States, spec.Document) {
	return w.issue(ss, w.Policy(changes...), w.ApprovePolicy)
}

// NextPolicy is the version after the one given, without approvals and unsealed.
func (w *World) NextPolicy(before spec.Document, changes ...func(*spec.Policy)) spec.Document {
	p := *Parsed(before).Body.(*spec.Policy)
	p.ID, p.Evidence = w.ID(), nil
	p.Terms().Version, p.Terms().Previous = p.Terms().Version+1, spec.ContentDigest(before.Value)
	for _, change := range changes {
		change(&p)
	}
	return Parsed(document(&p))
}

// ApprovePolicy is Approve of a policy version, shown its own sentences.
func (w *World) ApprovePolicy(person string, policy spec.Document) spec.Document {
	return w.Approve(person, spec.KindPolicy, spec.ContentDigest(policy.Value), policy.Body.(*spec.Policy).Lines(rule.English)...)
}

// Limit replaces the constraint of the same id, or adds one.
func Limit(c jcs.Value) func(*spec.Policy) {
	return func(p *spec.Policy) {
		id, _ := c.Member("id")
		limits := []jcs.Value{}
		replaced := false
		for _, old := range p.Terms().Constraints {
			if name, _ := old.Member("id"); name.Equal(id) {
				old, replaced = c, true
			}
			limits = append(limits, old)
		}
		if !replaced {
			limits = append(limits, c)
		}
		p.Terms().Constraints = limits
	}
}

// Under names policies in a mandate, by the contents of their versions 1.
func Under(policies ...spec.Document) func(*spec.Mandate) {
	return func(m *spec.Mandate) {
		for _, p := range policies {
			m.Terms().Policies = append(m.Terms().Policies, spec.ContentDigest(p.Value))
		}
	}
}

// underPolicies draws the action from the accounts of the policies that the root mandate names, where they are among the states.
func (w *World) underPolicies(d *spec.Decision, ss spec.States) {
	root := ss.ByContent(d.Mandates[0])
	for _, content := range root.Mandate.Terms().Policies {
		p, newest := ss.ByContent(content).NewestPolicy()
		d.Inputs.Policies = append(d.Inputs.Policies, newest)
		account := ss.ByContent(spec.AccountContent(content))
		if account != nil {
			d.Accounts = append(d.Accounts, spec.AccountPositionOf(content, account))
		}
		for _, c := range p.Rules() {
			keeper, name, owner := root, spec.PolicyAccount(content, c.ID()), root.Content
			if p.Shares(c.ID()) {
				keeper, name, owner = account, c.ID(), ""
			}
			if keeper == nil {
				continue
			}
			if u, ok := w.draw(keeper, name, c, d.Action); ok {
				u.Mandate, u.Policy = owner, content
				d.Usage = append(d.Usage, u)
			}
		}
	}
}
