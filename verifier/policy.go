package verifier

import (
	"context"
	"slices"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// This file is about policies (protocol.md 4.11): open finds which versions are in force and which accounts an action is charged to
// as a whole; Decide judges by them under the lock.

// openPolicies names the chains of the root's policies among those that the operation reads, and of what their mandates share among
// those that it writes. A policy that is not here leaves the question open: it is no answer.
func (v *Verifier) openPolicies(ctx context.Context, org string, o *opened) error {
	names := o.root().Body.Terms().Policies
	if len(names) == 0 {
		return nil
	}
	var chains []spec.ChainRef
	for _, content := range names {
		chains = append(chains, spec.PolicyRef(content))
	}
	states, err := v.Journal.States(ctx, org, chains, nil)
	if isNotFound(err) {
		return policyAbsent()
	}
	if err != nil {
		return err
	}
	o.op.Read = append(o.op.Read, chains...)
	for _, content := range names {
		p, newest := states.ByContent(content).NewestPolicy()
		if p == nil {
			return policyAbsent()
		}
		o.Policies = append(o.Policies, newest)
		if o.charges(p) {
			o.op.Write = append(o.op.Write, p.AccountRef(content))
		}
	}
	return nil
}

func policyAbsent() error {
	return spec.Refuse("indeterminate", "", "a policy of the mandate could not be read; try again")
}

// charges says whether the action is charged to the account of what the policy's mandates share.
func (c *Case) charges(p *spec.Policy) bool {
	return len(p.Terms().Shared) > 0 && p.Covers(c.Action.Type, c.Action.Resource)
}

// policyInForce is one policy of the root mandate as it is under the lock.
type policyInForce struct {
	*spec.Policy
	content string      // of version 1: the policy's name
	account *spec.State // of what its mandates share; nil where the action is not charged to it
}

// loadPolicies finds the versions in force, and refuses those that are newer than what open saw: the caller opens again.
func (d *deciding) loadPolicies() error {
	names := d.root().Body.Terms().Policies
	if len(names) != len(d.Policies) {
		return policyAbsent()
	}
	for i, content := range names {
		s := d.states.ByContent(content)
		if s == nil || len(s.Policies) == 0 {
			return policyAbsent()
		}
		newest, version := s.NewestPolicy()
		if version != d.Policies[i] {
			return ErrMoved
		}
		p := policyInForce{Policy: newest, content: content}
		if d.charges(newest) {
			if p.account = d.states.ByContent(spec.AccountContent(content)); p.account == nil {
				return policyAbsent()
			}
			d.shared = append(d.shared, p)
		}
		d.policies = append(d.policies, p)
	}
	return nil
}

// policy holds the action against the policies in force that are about it: nothing lifts their limits. What is shared is charged to
// the policy's own account, the rest to the mandate's that names it.
func (d *deciding) policy() {
	if len(d.Mandates)+len(d.shared) > spec.MaxChain {
		d.fail("too-many-chains", "")
		return
	}
	for _, p := range d.policies {
		if !p.Covers(d.Action.Type, d.Action.Resource) {
			continue
		}
		if p.account != nil && p.account.OpenHolds() >= spec.MaxOpenHolds {
			d.fail("holds-many", p.content)
		}
		for _, c := range p.Rules() {
			d.limit(p, c)
		}
	}
}

// limit is one constraint of a policy.
func (d *deciding) limit(p policyInForce, c rule.Constraint) {
	detail := c.ID() + " of " + p.content
	if v := c.Check(d.action, d.now); v != nil {
		d.fail(v.Reason, detail)
		return
	}
	draw, ok := c.Draw(d.action, d.now)
	if !ok {
		return
	}
	owner, keeper, account := d.root().Content, d.chain[0], spec.PolicyAccount(p.content, c.ID())
	if p.Shares(c.ID()) {
		owner, keeper, account = "", p.account, c.ID()
	}
	total := keeper.Total(account, draw.Unit, draw.Sum.From, draw.Sum.To)
	d.row(owner, c.ID(), &draw, &total).Policy = p.content
	if draw.Over(total.Used(), draw.Max, 0) > 0 {
		d.fail(draw.Reason(), detail)
	}
}

// accounts are the positions on the account chains of policies.
func (d *deciding) accounts() []spec.AccountPosition {
	var all []spec.AccountPosition
	for _, p := range d.shared {
		all = append(all, spec.AccountPositionOf(p.content, p.account))
	}
	return all
}

// policies are the versions of the policies that the root mandate names, as a bundle has them, in log order of each.
func (x *exporter) policies(d *spec.Decision) error {
	root := x.mandates[d.Mandates[0]]
	if root == nil {
		return spec.Refuse("not-found", "/mandates", "the root mandate is not in the presentation")
	}
	for _, content := range root.Terms().Policies {
		chain, err := x.upTo(content)
		if err != nil {
			return err
		}
		for _, r := range chain {
			if r.Document.Type != spec.TypePolicy {
				continue
			}
			x.bundle.Policies = append(x.bundle.Policies, r.Document.Value)
			if err := x.carries(r.Document); err != nil {
				return err
			}
		}
		if err := x.words(chain); err != nil {
			return err
		}
	}
	return nil
}

// firstPolicy finds version 1 of a policy among the bundle's by its content.
func (c *checking) firstPolicy(content string) (*spec.Policy, bool) {
	i := slices.IndexFunc(c.policies, func(d spec.Document) bool { return spec.ContentDigest(d.Value) == content })
	if i < 0 {
		return nil, false
	}
	return c.policies[i].Body.(*spec.Policy), true
}

// accountChains are the chains of what policies' mandates share. They begin anywhere in a bundle: other requests are charged to them.
func (c *checking) accountChains() (map[string]string, error) {
	policies := map[string]string{} // by chain
	for _, d := range c.policies {
		p, content := d.Body.(*spec.Policy), spec.ContentDigest(d.Value)
		if p.Terms().Version != 1 {
			continue
		}
		ref := p.AccountRef(content)
		id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
		if err != nil {
			return nil, err
		}
		policies[id] = content
	}
	return policies, nil
}

// restoreAccounts puts the account chains of policies where the decision says that it found them.
func (c *checking) restoreAccounts(d *spec.Decision) error {
	for i, a := range d.Accounts {
		p, ok := c.firstPolicy(a.Policy)
		if !ok {
			return spec.Refuse("policy-unknown", "/accounts", "the policy of account %d is not in the bundle", i)
		}
		ref := p.AccountRef(a.Policy)
		id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
		if err != nil {
			return err
		}
		s := &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content, Seq: a.Seq - 1, Head: a.Previous}
		if a.Seq > 1 {
			s.Status = spec.StatusActive
		}
		for range min(a.OpenHolds, spec.MaxOpenHolds) {
			s.Holds = append(s.Holds, spec.Hold{Status: spec.HoldEntered})
		}
		for _, u := range d.Usage {
			if u.Mandate == "" && u.Policy == a.Policy {
				s.Windows = append(s.Windows, u.Window())
			}
		}
		c.states[id] = s
	}
	return nil
}

// policiesInForce are the content digests of the versions that the fold has in force, of the root's policies in their order.
func (c *checking) policiesInForce() []string {
	var all []string
	for _, content := range c.mandates[0].Body.Terms().Policies {
		if s := c.states.ByContent(content); s != nil {
			_, newest := s.NewestPolicy()
			all = append(all, newest)
		}
	}
	return all
}

// oneAccount refuses an entry of a decision that stands elsewhere on an account chain than the decision says.
func oneAccount(d *spec.Decision, s *spec.State, o spec.Opening) error {
	for _, a := range d.Accounts {
		if spec.AccountContent(a.Policy) == s.Content && (a.Seq != o.Seq || a.Previous != o.Previous) {
			return spec.Refuse("position-other", "", "the decision names another place than its entry has")
		}
	}
	return nil
}

// amongPolicies are the states without the policies that an entry does not link: of a word on a later version, only the entry's link
// says of which policy it is.
func (c *checking) amongPolicies(e event) spec.States {
	a, ok := e.doc.Body.(*spec.Approval)
	if !ok || a.Kind != spec.KindPolicy {
		return c.states
	}
	some := spec.States{}
	for id, s := range c.states {
		if _, linked := e.entry.Link(id); linked || s.Kind != spec.KindPolicy {
			some[id] = s
		}
	}
	return some
}
