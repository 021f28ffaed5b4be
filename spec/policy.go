package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Bounds of policies.
const (
	MaxPolicies          = 4 // that one mandate names
	maxPolicyConstraints = 64
)

// Policy is limits that an organisation sets once for all mandates that name them (protocol.md 4.11). Its versions follow each
// other on one chain; the newest one applies at once.
type Policy struct {
	Envelope
	Subject  PolicySubject `json:"credentialSubject"`
	Evidence []jcs.Value   `json:"evidence,omitempty"`

	rules []rule.Constraint // parsed once by check
}

// PolicySubject wraps the terms; its id is the grantor.
type PolicySubject struct {
	ID     string      `json:"id"`
	Mode   string      `json:"mode,omitempty"`
	Policy PolicyTerms `json:"policy"`
}

// PolicyTerms are the limits. Version counts from 1; Previous is the content digest of the version before. Shared names the
// constraints whose account is one for all mandates that name the policy; the others count for each mandate by itself.
type PolicyTerms struct {
	Grantor     string      `json:"grantor"`
	Salt        string      `json:"salt"`
	Log         string      `json:"log"`
	Version     int64       `json:"version"`
	Previous    string      `json:"previous,omitempty"`
	Scope       PolicyScope `json:"scope"`
	Constraints []jcs.Value `json:"constraints"`
	Shared      []string    `json:"shared,omitempty"`
}

// PolicyScope is what a policy is about: action patterns and, if any are named, resources. It does not judge any other action.
type PolicyScope struct {
	Actions   []string `json:"actions"`
	Resources []string `json:"resources,omitempty"`
}

func (p *Policy) docType() string { return TypePolicy }
func (p *Policy) mode() string    { return p.Subject.Mode }

// Terms are the policy proper.
func (p *Policy) Terms() *PolicyTerms { return &p.Subject.Policy }

// Rules are the constraints in their order.
func (p *Policy) Rules() []rule.Constraint { return p.rules }

// Covers says whether the policy is about an action.
func (p *Policy) Covers(actionType, resource string) bool {
	s := p.Terms().Scope
	return slices.ContainsFunc(s.Actions, func(a string) bool { return rule.MatchAction(a, actionType) }) &&
		(len(s.Resources) == 0 || slices.Contains(s.Resources, resource))
}

// Shares says whether the account of a constraint is one for all mandates that name the policy.
func (p *Policy) Shares(constraint string) bool { return slices.Contains(p.Terms().Shared, constraint) }

const policyAt = "/credentialSubject/policy"

func (p *Policy) check() error {
	if err := p.Envelope.check("PolicyCredential"); err != nil {
		return err
	}
	t := p.Terms()
	switch {
	case p.Subject.ID != t.Grantor:
		return refuse("grantor-mismatch", policyAt+"/grantor", "the grantor is the credential's subject")
	case did.Check(t.Grantor) != nil:
		return refuse("did-syntax", policyAt+"/grantor", "not a DID of a known method")
	case t.Version < 1 || (t.Version == 1) != (t.Previous == ""):
		return refuse("policy-version", policyAt+"/version", "version 1 has no previous, every later one has")
	case t.Log == "":
		return refuse("ledger-syntax", policyAt+"/log", "a log's origin is not empty")
	}
	return firstError(
		func() error { return checkSalt(t.Salt, policyAt+"/salt") },
		func() error { return checkOptional(t.Previous, policyAt+"/previous") },
		func() error { return checkMode(p.Subject.Mode) },
		p.checkScope, p.checkShown, p.checkRules, p.checkShared,
		func() error { return checkEvidence(p.Evidence) },
	)
}

func (p *Policy) checkScope() error {
	s := p.Terms().Scope
	for i, a := range s.Actions {
		if !rule.ValidPattern(a) {
			return refuse("action-pattern", policyAt+"/scope/actions/"+itoa(i), "not an action pattern")
		}
	}
	if !distinct(s.Resources) {
		return refuse("resource-repeated", policyAt+"/scope/resources", "resources are distinct and non-empty")
	}
	return nil
}

func (p *Policy) checkShown() error {
	t := p.Terms()
	if slices.ContainsFunc(slices.Concat([]string{p.Name, t.Log}, t.Scope.Resources), func(s string) bool { return strings.ContainsFunc(s, hidden) }) {
		return refuse("text-hidden", policyAt, "a name or resource has characters that do not show")
	}
	return nil
}

func (p *Policy) checkRules() (err error) {
	if p.rules, err = parseRules(p.Terms().Constraints, maxPolicyConstraints, policyAt+"/constraints"); err != nil {
		return err
	}
	for i, c := range p.rules {
		if rule.IsApproval(c) {
			return refuse("approval-clause", policyAt+"/constraints/"+itoa(i), "a policy has no recovery clause that says whose approval it asks for")
		}
	}
	return nil
}

func (p *Policy) checkShared() error {
	for i, id := range p.Terms().Shared {
		if slices.Contains(p.Terms().Shared[:i], id) || !slices.ContainsFunc(p.rules, func(c rule.Constraint) bool { return c.ID() == id && rule.IsAccount(c) }) {
			return refuse("policy-shared", policyAt+"/shared/"+itoa(i), "only what keeps an account is shared, and is named once")
		}
	}
	return nil
}

// parseRules reads the constraints of a mandate or policy: at most so many, with distinct ids.
func parseRules(values []jcs.Value, most int, place string) ([]rule.Constraint, error) {
	if len(values) > most {
		return nil, refuse("constraints-many", place, "at most %d", most)
	}
	ids, rules := map[string]bool{}, make([]rule.Constraint, 0, len(values))
	for i, v := range values {
		c, err := rule.Parse(v)
		if err != nil {
			return nil, at(place+"/"+itoa(i), err)
		}
		if ids[c.ID()] {
			return nil, refuse("constraint-repeated", place+"/"+itoa(i)+"/id", "constraint ids are distinct")
		}
		ids[c.ID()] = true
		if err := checkPinned(c); err != nil {
			return nil, at(place+"/"+itoa(i), err)
		}
		rules = append(rules, c)
	}
	return rules, nil
}

// checkPinned holds the issuers that a constraint pins to the DIDs that are keys, so that nothing is resolved to judge by them.
func checkPinned(c rule.Constraint) error {
	for i, issuer := range rule.PinnedIssuers(c) {
		if _, err := did.KeyOf(issuer); err != nil {
			return refuse(rule.ReasonConstraintInvalid, "/issuers/"+itoa(i), "not a did:key or did:jwk of a known key")
		}
	}
	return nil
}

// checkPolicies is the part of a mandate's form that names policies. Only a root does: a delegated mandate is bound by its root's.
func (t *MandateTerms) checkPolicies() error {
	switch {
	case len(t.Policies) == 0:
		return nil
	case t.Parent != "":
		return refuse("child-policies", mandateAt+"/policies", "the policies are those of the mandate that people granted")
	case len(t.Policies) > MaxPolicies || !distinct(t.Policies):
		return refuse("policies-many", mandateAt+"/policies", "at most %d, each once", MaxPolicies)
	}
	return checkEach(mandateAt+"/policies", t.Policies)
}

// constraint finds a constraint object by its id.
func (t *PolicyTerms) constraint(id string) (jcs.Value, bool) {
	for _, c := range t.Constraints {
		if name, _ := c.Member("id"); !name.IsZero() {
			if text, _ := name.Text(); text == id {
				return c, true
			}
		}
	}
	return jcs.Value{}, false
}

// Narrows says whether the version lets through nothing that the one before it did not (protocol.md 6.7): it is about as much at
// least, every limit stands and is as narrow at least, and what is shared is so still. Other limits may come.
func (p *Policy) Narrows(before *Policy) bool {
	is, was := p.Terms(), before.Terms()
	return is.Scope.reaches(was.Scope) && !slices.ContainsFunc(before.rules, func(c rule.Constraint) bool {
		old, _ := was.constraint(c.ID())
		now, stands := is.constraint(c.ID())
		return !stands || !rule.Narrows(now, old) || p.Shares(c.ID()) != before.Shares(c.ID())
	})
}

// reaches says whether the scope is about all that the other one is about.
func (s PolicyScope) reaches(other PolicyScope) bool {
	if len(s.Resources) > 0 && (len(other.Resources) == 0 || slices.ContainsFunc(other.Resources, func(r string) bool { return !slices.Contains(s.Resources, r) })) {
		return false
	}
	return !slices.ContainsFunc(other.Actions, func(inner string) bool {
		return !slices.ContainsFunc(s.Actions, func(outer string) bool { return rule.CoversPattern(outer, inner) })
	})
}

// keepsAccounts refuses a version that gives the id of an account, of any version before, to another one: what was counted under it
// would be lost, or count for what it is not.
func (p *Policy) keepsAccounts(versions []PolicyVersion) error {
	for _, v := range versions {
		for i, c := range p.rules {
			old, was := v.Body().Terms().constraint(c.ID())
			if was && rule.IsAccount(c) && !rule.SameAccount(p.Terms().Constraints[i], old) && v.Body().keeps(c.ID()) {
				return refuse("policy-account", policyAt+"/constraints/"+itoa(i), "an account keeps its type, period, zone and currency; another one has another id")
			}
		}
	}
	return nil
}

// keeps says whether the constraint of this id is an account.
func (p *Policy) keeps(id string) bool {
	return slices.ContainsFunc(p.rules, func(c rule.Constraint) bool { return c.ID() == id && rule.IsAccount(c) })
}

// Lines are the sentences of rule.Catalogue that say a policy version to the person who approves it, in order.
func (p *Policy) Lines(l rule.Locale) []string {
	t := p.Terms()
	lines := []string{pick(l, "Policy: ", "Política: ") + p.Name,
		fmt.Sprintf(pick(l, "Set by %s, version %d", "Definida por %s, versão %d"), t.Grantor, t.Version)}
	if t.Previous != "" {
		lines = append(lines, pick(l, "In place of ", "Em vez de ")+t.Previous)
	}
	lines = append(lines, pick(l, "Limits every mandate that names it, in: ", "Limita todos os mandatos que a nomeiam, em: ")+listed(t.Scope.Actions))
	if len(t.Scope.Resources) > 0 {
		lines = append(lines, pick(l, "On: ", "Sobre: ")+listed(t.Scope.Resources))
	}
	for _, c := range p.rules {
		s := c.Sentence(l)
		switch {
		case p.Shares(c.ID()):
			s += pick(l, " (all mandates together)", " (todos os mandatos em conjunto)")
		case rule.IsAccount(c):
			s += pick(l, " (each mandate by itself)", " (cada mandato por si)")
		}
		lines = append(lines, s)
	}
	return append(lines, pick(l, "Kept in ", "Mantida em ")+t.Log)
}

// NeedsOfPolicy is what a policy version asks: judge is the newest roster version, before the version that it follows, nil for the
// first. One that only narrows needs one of the revokers, who could take the authority away as a whole (protocol.md 6.7).
func NeedsOfPolicy(judge *Roster, p, before *Policy, content string) Needs {
	n := Needs{Kind: KindPolicy, Content: content, Grantor: p.Terms().Grantor, Lines: p.Lines,
		Narrows: before != nil && p.Narrows(before) && len(judge.Terms().Revokers) > 0}
	n.Approvers, n.Threshold = n.changers(judge.Terms())
	return n
}

// changers are the persons of a roster version who may change a roster or policy, and how many of them must.
func (n Needs) changers(t *RosterTerms) (persons []string, threshold int64) {
	if n.Narrows {
		return t.Revokers, 1
	}
	return t.names(), t.ChangeThreshold
}

// PolicyVersion is one version of a policy with its content digest and the ledger time from which it counts.
type PolicyVersion struct {
	Document Document
	Content  string
	At       time.Time
}

// Body is the version itself.
func (v PolicyVersion) Body() *Policy { return v.Document.Body.(*Policy) }

// NewestPolicy is the version in force with its content digest, nil where there is none.
func (s *State) NewestPolicy() (p *Policy, content string) {
	if len(s.Policies) == 0 {
		return nil, ""
	}
	v := s.Policies[len(s.Policies)-1]
	return v.Body(), v.Content
}

// PolicyRef names the chain of a policy by the content of its version 1.
func PolicyRef(content string) ChainRef { return ChainRef{Content: content, Kind: KindPolicy} }

// AccountRef names the chain of what a policy's mandates share; content is that of version 1. The chain begins with the first
// decision that is charged to it.
func (p *Policy) AccountRef(content string) ChainRef {
	return ChainRef{Content: AccountContent(content), Kind: KindAccount, Salt: p.Terms().Salt, Log: p.Terms().Log}
}

// AccountContent is the content of the account chain of a policy, by the content of its version 1 (protocol.md 7.8).
func AccountContent(policy string) string { return jcs.Digest("writ/account/v1\n", []byte(policy)) }

// AccountPosition is what a decision found on the account chain of a policy: the entry before, absent for the first, and the open
// holds. Seq is the place that comes next, its own where it is an event of the chain.
type AccountPosition struct {
	Policy    string `json:"policy"` // content digest of version 1
	Seq       int64  `json:"seq"`
	Previous  string `json:"previous,omitempty"`
	OpenHolds int64  `json:"openHolds,omitempty"`
}

// AccountPositionOf is the position on an account chain as it stands.
func AccountPositionOf(policy string, s *State) AccountPosition {
	return AccountPosition{Policy: policy, Seq: s.Seq + 1, Previous: s.Head, OpenHolds: s.OpenHolds()}
}

func (s *State) checkAccountPosition(dec *Decision) error {
	i := slices.IndexFunc(dec.Accounts, func(a AccountPosition) bool { return AccountContent(a.Policy) == s.Content })
	switch {
	case i < 0:
		return refuse("position-absent", "/accounts", "a decision has a position on each of its chains")
	case dec.Accounts[i].Seq != s.Seq+1 || dec.Accounts[i].Previous != s.Head:
		return refuse("position-stale", "/accounts", "the chain has moved on")
	}
	return nil
}

func (d *Decision) checkAccounts() error {
	if len(d.Accounts) > MaxPolicies || !distinct(d.Shared()) {
		return refuse("policies-many", "/accounts", "at most %d, each once", MaxPolicies)
	}
	return checkAll("/accounts", d.Accounts, AccountPosition.check)
}

func (u Usage) checkOwner() error {
	if u.Mandate == "" && u.Policy == "" {
		return refuse("member-missing", "/mandate", "a limit is a mandate's or a policy's")
	}
	return firstError(
		func() error { return checkOptional(u.Mandate, "/mandate") },
		func() error { return checkOptional(u.Policy, "/policy") },
	)
}

func (p AccountPosition) check() error {
	if p.Seq < 1 || p.OpenHolds < 0 || (p.Seq == 1) != (p.Previous == "") {
		return refuse("member-range", "/seq", "entries count from 1, and only the first follows none")
	}
	return firstError(
		func() error { return checkDigest(p.Policy, "/policy") },
		func() error { return checkOptional(p.Previous, "/previous") },
	)
}

// accountContents are the contents of the account chains of policies.
func accountContents(policies []string) []string {
	var all []string
	for _, p := range policies {
		all = append(all, AccountContent(p))
	}
	return all
}

// Shared are the policies that a decision is charged to as a whole, by the contents of their versions 1.
func (d *Decision) Shared() []string {
	var all []string
	for _, a := range d.Accounts {
		all = append(all, a.Policy)
	}
	return all
}

// ChainRefs name the chains that the decision is an event of, all of which exist.
func (d *Decision) ChainRefs() []ChainRef {
	var refs []ChainRef
	for _, content := range d.Chains() {
		kind := KindAccount
		if slices.Contains(d.Mandates, content) {
			kind = KindMandate
		}
		refs = append(refs, ChainRef{Content: content, Kind: kind})
	}
	return refs
}

// chain is the content of the chain that keeps the row's account: the mandate's, or that of what the policy's mandates share.
func (u Usage) chain() string {
	if u.Mandate == "" {
		return AccountContent(u.Policy)
	}
	return u.Mandate
}

// account is the limit's name on that chain. A policy's limit that counts for a mandate by itself never has the name of one of the
// mandate's own.
func (u Usage) account() string {
	if u.Mandate == "" || u.Policy == "" {
		return u.Constraint
	}
	return PolicyAccount(u.Policy, u.Constraint)
}

// PolicyAccount is what the account of a policy's limit is called on the chain of a mandate that names the policy.
func PolicyAccount(policy, constraint string) string { return policy + "/" + constraint }

// This half of the table of protocol.md 7.3 is about policies.

func (s *State) policyApproval(l LoggedApproval) error {
	if s.Kind != KindPolicy {
		return refuse("approval-kind", "/kind", "the content is no policy")
	}
	return s.rosterApproval(l)
}

func (s *State) applyPolicy(ss States, d Document, p *Policy, now time.Time) error {
	t, content := p.Terms(), ContentDigest(d.Value)
	before, previous := s.NewestPolicy()
	switch {
	case before == nil && (t.Version != 1 || s.Status != StatusDraft):
		return refuse("draft-closed", "", "the policy is %q", s.Status)
	case before != nil && (t.Previous != previous || t.Version != before.Terms().Version+1):
		return refuse("policy-previous", policyAt+"/previous", "not the version in force")
	case before != nil && (t.Grantor != before.Terms().Grantor || t.Salt != before.Terms().Salt || t.Log != before.Terms().Log):
		return refuse("policy-identity", policyAt, "grantor, salt and log stay")
	}
	if err := p.keepsAccounts(s.Policies); err != nil {
		return err
	}
	roster := ss.Roster(t.Grantor)
	if roster == nil {
		return refuse("roster-unknown", "", "the grantor has no roster here")
	}
	if _, err := ss.check(NeedsOfPolicy(roster.Newest(), p, before, content), s.Pending, now); err != nil {
		return err
	}
	if !roster.Newest().Terms().MayIssue(p.Issuer) {
		return refuse("issuer-unknown", "/issuer", "the issuer is the grantor or one of its seals")
	}
	s.Status, s.Kind, s.Pending = StatusActive, KindPolicy, nil
	s.Policies = append(s.Policies, PolicyVersion{Document: d, Content: content, At: now})
	return nil
}

// CheckPolicies refuses a mandate that names a policy which is not in force among the states, or is another grantor's, in another
// log or of another mode.
func (ss States) CheckPolicies(m *Mandate) error {
	for i, content := range m.Terms().Policies {
		place := mandateAt + "/policies/" + itoa(i)
		s := ss.ByContent(content)
		if s == nil || len(s.Policies) == 0 {
			return refuse("policy-unknown", place, "no such policy is in force here")
		}
		p := s.Policies[0].Body()
		if t := p.Terms(); t.Grantor != m.Terms().Grantor.ID || t.Log != m.Terms().Ledger.Log || p.Subject.Mode != m.Subject.Mode {
			return refuse("policy-foreign", place, "the policy is another grantor's, or in another log")
		}
	}
	return nil
}

// policyChain finds the chain of a policy version: its own, or that of the version before.
func (ss States) policyChain(p *Policy, content string) ([]string, error) {
	if p.Terms().Version == 1 {
		return []string{content}, nil
	}
	for _, s := range ss {
		if slices.ContainsFunc(s.Policies, func(v PolicyVersion) bool { return v.Content == p.Terms().Previous }) {
			return []string{s.Content}, nil
		}
	}
	return nil, refuse("policy-previous", policyAt+"/previous", "no such version here")
}

// policyWordChain finds the chain of a word on a policy version: the one that has it as its first, or the only one among the states.
func (ss States) policyWordChain(content string) ([]string, error) {
	if ss.ByContent(content) != nil {
		return []string{content}, nil
	}
	var only *State
	for _, s := range ss {
		if s.Kind != KindPolicy {
			continue
		}
		if only != nil {
			return nil, refuse("chain-unknown", "/content", "of which policy it is, cannot be told")
		}
		only = s
	}
	if only == nil {
		return nil, refuse("chain-unknown", "/content", "no such chain here")
	}
	return []string{only.Content}, nil
}

// mayCharge refuses an AUTHORIZED decision on the account chain of what a policy's mandates share. The chain begins with the first.
func (s *State) mayCharge(d Document) error {
	switch {
	case s.OpenHolds() >= MaxOpenHolds:
		return refuse("holds-many", "", "the policy has its most open holds")
	case s.hold(d.Digest) != nil:
		return refuse("decision-repeated", "", "the decision holds already")
	}
	s.Status = StatusActive
	return nil
}

// chains are the contents of the chains that the hold is on.
func (h Hold) chains() []string { return slices.Concat(h.Mandates, accountContents(h.Policies)) }

// rootOf is the mandate that people granted, under which a hold was given.
func (ss States) rootOf(h *Hold) (*Mandate, error) {
	if s := ss.ByContent(h.Mandates[0]); s != nil && s.Mandate != nil {
		return s.Mandate, nil
	}
	return nil, refuse("ancestor-missing", "", "an ancestor is not among the states")
}
