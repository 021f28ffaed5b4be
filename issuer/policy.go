package issuer

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/writ-trust/writ/spec"
)

// admitPolicy refuses a policy version that could never be issued, or never be used here.
func (i *Issuer) admitPolicy(ctx context.Context, org string, p *spec.Policy) error {
	t := p.Terms()
	if t.Log != i.Ledger.Log {
		return spec.Refuse("ledger-other", "/credentialSubject/policy/log", "this log is %s", i.Ledger.Log)
	}
	roster, err := i.Journal.RosterState(ctx, org, t.Grantor)
	if err != nil {
		return notFoundAs(err, "roster-unknown", "the grantor has no roster here")
	}
	if err := i.listed(roster.Newest().Terms()); err != nil {
		return err
	}
	if !roster.Newest().Terms().MayIssue(p.Issuer) {
		return spec.Refuse("issuer-unknown", "/issuer", "the issuer is the grantor or one of its seals")
	}
	_, state, err := i.policyBefore(ctx, org, p)
	if err != nil || state == nil {
		return err
	}
	if _, newest := state.NewestPolicy(); newest != t.Previous {
		return spec.Refuse("policy-previous", "/credentialSubject/policy/previous", "not the version in force")
	}
	return nil
}

// policyBefore is the version that a policy version names as the one before, with its chain; both are nil for the first. Whether it
// is still in force is for the chain to say.
func (i *Issuer) policyBefore(ctx context.Context, org string, p *spec.Policy) (*spec.Policy, *spec.State, error) {
	if p.Terms().Version == 1 {
		return nil, nil, nil
	}
	state, err := i.Journal.PolicyState(ctx, org, p.Terms().Previous)
	if err != nil {
		return nil, nil, notFoundAs(err, "policy-previous", "no such version here")
	}
	n := slices.IndexFunc(state.Policies, func(v spec.PolicyVersion) bool { return v.Content == p.Terms().Previous })
	return state.Policies[n].Body(), state, nil
}

// PolicyNeeds is what a policy version asks of its approvers by the newest roster, and its chain.
func (i *Issuer) PolicyNeeds(ctx context.Context, org string, p *spec.Policy, content string) (spec.Needs, spec.ChainRef, error) {
	roster, err := i.Journal.RosterState(ctx, org, p.Terms().Grantor)
	if err != nil {
		return spec.Needs{}, spec.ChainRef{}, notFoundAs(err, "roster-unknown", "the grantor has no roster here")
	}
	before, state, err := i.policyBefore(ctx, org, p)
	if err != nil {
		return spec.Needs{}, spec.ChainRef{}, err
	}
	chain := spec.ChainRef{Content: content, Kind: spec.KindPolicy, Salt: p.Terms().Salt, Log: p.Terms().Log}
	if state != nil {
		chain = spec.PolicyRef(state.Content)
	}
	return spec.NeedsOfPolicy(roster.Newest(), p, before, content), chain, nil
}

// openPolicy finds who judges a policy version, and its chain: the first version's begins with its first word.
func (i *Issuer) openPolicy(ctx context.Context, org string, p *spec.Policy, content string, op *spec.Op) (spec.Needs, error) {
	needs, chain, err := i.PolicyNeeds(ctx, org, p, content)
	if err != nil {
		return needs, err
	}
	roster, err := i.Journal.RosterState(ctx, org, p.Terms().Grantor)
	if err != nil {
		return needs, err
	}
	op.Write, op.Read = []spec.ChainRef{chain}, []spec.ChainRef{rosterRef(roster)}
	return needs, nil
}

// namedPolicies are the chains of the policies that a mandate names. Each must be here, of the mandate's grantor.
func (i *Issuer) namedPolicies(ctx context.Context, org string, m *spec.Mandate) ([]spec.ChainRef, error) {
	var refs []spec.ChainRef
	states := spec.States{}
	for n, content := range m.Terms().Policies {
		ref := spec.PolicyRef(content)
		found, err := i.Journal.States(ctx, org, []spec.ChainRef{ref}, nil)
		if err != nil {
			return nil, notFoundAt(err, "policy-unknown", "/credentialSubject/mandate/policies/"+strconv.Itoa(n), "no such policy is in force here")
		}
		maps.Copy(states, found)
		refs = append(refs, ref)
	}
	return refs, states.CheckPolicies(m)
}
