package spec

import (
	"crypto/hmac"
	"crypto/sha256"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Bounds of a mandate.
const (
	MaxChain         = 8  // mandates in one delegation chain, and links of one log entry
	DefaultOpenHolds = 16 // open holds of a mandate that says nothing
	MaxOpenHolds     = 4096
	maxConstraints   = 32
)

// Mandate says which agent may do what, within which limits, until when, approved by whom (protocol.md 4.2).
type Mandate struct {
	Envelope
	Subject          MandateSubject `json:"credentialSubject"`
	CredentialStatus []jcs.Value    `json:"credentialStatus,omitempty"`
	CredentialSchema []jcs.Value    `json:"credentialSchema,omitempty"`
	RelatedResource  []jcs.Value    `json:"relatedResource,omitempty"`
	Evidence         []jcs.Value    `json:"evidence,omitempty"`

	rules   []rule.Constraint // parsed once by check
	draws   []int             // places in rules
	reached []string          // pointers of what they and the free list reach
}

// MandateSubject is the agent, by its DID, and the terms.
type MandateSubject struct {
	ID      string       `json:"id"`
	Mode    string       `json:"mode,omitempty"`
	Mandate MandateTerms `json:"mandate"`
}

// MandateTerms are the limits.
type MandateTerms struct {
	Version      string        `json:"version"`
	Salt         string        `json:"salt"`
	Grantor      Grantor       `json:"grantor"`
	RequestedBy  string        `json:"requestedBy,omitempty"`
	Actions      []string      `json:"actions"`
	Resources    []string      `json:"resources"`
	Free         []string      `json:"free,omitempty"`
	Constraints  []jcs.Value   `json:"constraints,omitempty"`
	Recovery     []Recovery    `json:"recovery,omitempty"`
	Templates    []TemplateRef `json:"templates,omitempty"`
	Delegation   *Delegation   `json:"delegation,omitempty"`
	Parent       string        `json:"parent,omitempty"`
	Policies     []string      `json:"policies,omitempty"`
	SelfExecuted bool          `json:"selfExecuted,omitempty"`
	StatusMaxAge string        `json:"statusMaxAge,omitempty"`
	MaxOpenHolds int64         `json:"maxOpenHolds,omitempty"`
	Ledger       Ledger        `json:"ledger"`
}

// Grantor is whose authority it is. A delegated mandate's grantor is the parent's subject and has no approvers.
type Grantor struct {
	ID         string   `json:"id"`
	Approvers  []string `json:"approvers,omitempty"`
	Threshold  int64    `json:"threshold,omitempty"`
	LeastGrade Grade    `json:"leastGrade,omitempty"`
}

// Recovery names the constraints of its own document that its approvers may lift, and the ceilings of that.
type Recovery struct {
	For              []string    `json:"for"`
	Approvers        []string    `json:"approvers"`
	Threshold        int64       `json:"threshold"`
	LeastGrade       Grade       `json:"leastGrade,omitempty"`
	MaxOver          *rule.Money `json:"maxOver,omitempty"`
	MaxOverPerWindow *rule.Money `json:"maxOverPerWindow,omitempty"`
	MaxUses          int64       `json:"maxUses,omitempty"`
	Within           string      `json:"within"`
}

// Delegation allows mandates below this one; MaxDepth counts their levels.
type Delegation struct {
	MaxDepth int64 `json:"maxDepth"`
}

// Ledger is the one verifier and log that keep this mandate's account.
type Ledger struct {
	Verifier string `json:"verifier"`
	Log      string `json:"log"`
}

func (m *Mandate) docType() string { return TypeMandate }
func (m *Mandate) mode() string    { return m.Subject.Mode }

// Terms are the mandate proper.
func (m *Mandate) Terms() *MandateTerms { return &m.Subject.Mandate }

// IsRoot says whether people granted it; every other mandate is delegated by its parent's subject.
func (m *Mandate) IsRoot() bool { return m.Terms().Parent == "" }

// Rules are the constraints in their order.
func (m *Mandate) Rules() []rule.Constraint { return m.rules }

// Draws are the places in Rules of those that draw from a window, ascending.
func (m *Mandate) Draws() []int { return m.draws }

// Reaches says whether a constraint, or the free list, reaches the member of the action at a pointer as a whole.
func (m *Mandate) Reaches(pointer string) bool { return slices.Contains(m.reached, pointer) }

// MaxOpenHolds is the bound on holds that are given and not settled.
func (m *Mandate) MaxOpenHolds() int64 {
	if n := m.Terms().MaxOpenHolds; n > 0 {
		return n
	}
	return DefaultOpenHolds
}

// MaxDepth is how many levels may stand below: 0 where delegation is absent.
func (m *Mandate) MaxDepth() int64 {
	if d := m.Terms().Delegation; d != nil {
		return d.MaxDepth
	}
	return 0
}

// RecoveryFor returns the clause of this document that names the constraint, -1 where none does.
func (m *Mandate) RecoveryFor(constraint string) int {
	return slices.IndexFunc(m.Terms().Recovery, func(r Recovery) bool { return slices.Contains(r.For, constraint) })
}

const mandateAt = "/credentialSubject/mandate"

func (m *Mandate) check() error {
	return firstError(
		func() error { return m.Envelope.check("MandateCredential") },
		m.checkShown, m.checkTerms, m.checkRules, m.checkTemplates, m.checkRecovery, m.checkLineage,
		func() error { return checkMode(m.Subject.Mode) },
		func() error { return checkEvidence(m.Evidence) },
	)
}

// checkShown refuses what would not show, or would show as something else, in the sentences that people approve.
func (m *Mandate) checkShown() error {
	t := m.Terms()
	texts := slices.Concat([]string{m.Name, t.RequestedBy, t.Ledger.Log}, t.Resources, t.Free, t.Grantor.Approvers)
	for _, r := range t.Recovery {
		texts = append(texts, r.Approvers...)
	}
	if slices.ContainsFunc(texts, func(s string) bool { return strings.ContainsFunc(s, hidden) }) {
		return refuse("text-hidden", mandateAt, "a name, person or resource has characters that do not show")
	}
	return nil
}

func (m *Mandate) checkTerms() error {
	t := m.Terms()
	switch {
	case t.Version != Version:
		return refuse("version-unknown", mandateAt+"/version", "only version 1 is known")
	case m.ValidFrom.IsZero() || m.ValidUntil.IsZero():
		return refuse("validity-absent", "/validUntil", "a mandate has validFrom and validUntil")
	case did.Check(t.Grantor.ID) != nil:
		return refuse("did-syntax", mandateAt+"/grantor/id", "not a DID of a known method")
	case did.Check(t.Ledger.Verifier) != nil || t.Ledger.Log == "":
		return refuse("ledger-syntax", mandateAt+"/ledger", "a ledger is a DID and a log origin")
	case t.MaxOpenHolds < 0 || t.MaxOpenHolds > MaxOpenHolds:
		return refuse("member-range", mandateAt+"/maxOpenHolds", "between 1 and %d", MaxOpenHolds)
	case !distinct(t.Resources):
		return refuse("resource-repeated", mandateAt+"/resources", "resources are distinct and non-empty")
	}
	if _, err := did.KeyOf(m.Subject.ID); err != nil {
		return refuse("subject-key", "/credentialSubject/id", "an agent is a did:key or did:jwk")
	}
	for i, a := range t.Actions {
		if !rule.ValidPattern(a) {
			return refuse("action-pattern", mandateAt+"/actions/"+strconv.Itoa(i), "not an action pattern")
		}
	}
	if t.StatusMaxAge != "" {
		if _, err := ParseDuration(t.StatusMaxAge); err != nil {
			return at(mandateAt+"/statusMaxAge", err)
		}
	}
	if err := firstError(func() error { return checkFree(t.Free) }, t.checkPolicies); err != nil {
		return err
	}
	for _, members := range [][]jcs.Value{m.CredentialStatus, m.CredentialSchema, m.RelatedResource} {
		if slices.ContainsFunc(members, func(v jcs.Value) bool { return v.Kind() != jcs.Object }) {
			return refuse("member-type", "", "status, schema and related resource entries are objects")
		}
	}
	return checkSalt(t.Salt, mandateAt+"/salt")
}

func checkFree(free []string) error {
	for i, p := range free {
		name, ok := strings.CutPrefix(p, "/parameters/")
		if !ok || name == "" || strings.Contains(name, "/") {
			return refuse("pointer-syntax", mandateAt+"/free/"+strconv.Itoa(i), "only a whole member of parameters can be free")
		}
	}
	return nil
}

func (m *Mandate) checkRules() (err error) {
	m.rules, err = parseRules(m.Terms().Constraints, maxConstraints, mandateAt+"/constraints")
	m.reached, m.draws = slices.Clone(m.Terms().Free), nil
	for i, c := range m.rules {
		m.reached = append(m.reached, c.Targets()...)
		if rule.Draws(c) {
			m.draws = append(m.draws, i)
		}
	}
	return err
}

func (m *Mandate) checkRecovery() error {
	named := map[string]bool{}
	for i := range m.Terms().Recovery {
		r := &m.Terms().Recovery[i]
		place := mandateAt + "/recovery/" + strconv.Itoa(i)
		if _, err := ParseDuration(r.Within); err != nil {
			return at(place+"/within", err)
		}
		if err := checkThreshold(r.Approvers, r.Threshold, r.LeastGrade, place); err != nil {
			return err
		}
		if r.MaxUses < 0 {
			return refuse("member-range", place+"/maxUses", "at least 1")
		}
		for _, id := range r.For {
			if named[id] {
				return refuse("recovery-repeated", place+"/for", "a constraint has one recovery clause")
			}
			named[id] = true
			if err := m.checkLiftable(id, r, place); err != nil {
				return err
			}
		}
	}
	for i, c := range m.rules {
		if rule.IsApproval(c) && !named[c.ID()] {
			return refuse("approval-clause", mandateAt+"/constraints/"+strconv.Itoa(i), "a recovery clause says whose approval it asks for")
		}
	}
	return nil
}

// checkLiftable keeps a clause to what a lift means: an amount of money above a limit in the same currency.
func (m *Mandate) checkLiftable(id string, r *Recovery, place string) error {
	i := slices.IndexFunc(m.rules, func(c rule.Constraint) bool { return c.ID() == id })
	if i < 0 {
		return refuse("recovery-foreign", place+"/for", "a clause lifts constraints of its own document only")
	}
	if rule.IsApproval(m.rules[i]) {
		if r.MaxOver != nil || r.MaxOverPerWindow != nil || r.MaxUses > 0 {
			return refuse("recovery-window", place, "an approval has no amount: name it in a clause of its own, without ceilings")
		}
		return nil
	}
	_, window, currency, bounded := m.rules[i].Reach()
	switch {
	case window == math.MaxInt64 && (r.MaxUses > 0 || r.MaxOverPerWindow != nil):
		return refuse("recovery-window", place, "a limit on a single action has no window in which lifts could be counted")
	case !bounded:
		return refuse("recovery-unliftable", place+"/for", "only limits in money can be lifted")
	case r.MaxOver == nil:
		return refuse("recovery-unbounded", place+"/maxOver", "a lift has a ceiling")
	case r.MaxOver.Currency != currency, r.MaxOverPerWindow != nil && r.MaxOverPerWindow.Currency != currency:
		return refuse("currency-other", place, "the ceiling is in the limit's currency")
	}
	return nil
}

// checkLineage separates the two kinds: people's mandates have approvers, delegated ones have none.
func (m *Mandate) checkLineage() error {
	t := m.Terms()
	if d := t.Delegation; d != nil && (d.MaxDepth < 0 || d.MaxDepth > MaxChain-1) {
		return refuse("delegation-depth", mandateAt+"/delegation/maxDepth", "between 0 and %d", MaxChain-1)
	}
	if m.IsRoot() {
		return checkThreshold(t.Grantor.Approvers, t.Grantor.Threshold, t.Grantor.LeastGrade, mandateAt+"/grantor")
	}
	approvals, err := Approvals(jcs.Value{}.With("evidence", arrayOf(m.Evidence)))
	switch {
	case err != nil:
		return err
	case len(approvals) > 0 || len(t.Grantor.Approvers) > 0 || t.Grantor.Threshold != 0:
		return refuse("child-approvers", mandateAt+"/grantor", "a delegated mandate has no approvers")
	case len(m.CredentialStatus) > 0:
		return refuse("child-status", "/credentialStatus", "a delegated mandate has no status list: its chain decides")
	case t.Grantor.ID != m.Issuer:
		return refuse("child-issuer", "/issuer", "a delegated mandate is issued by its grantor")
	}
	return checkDigest(t.Parent, mandateAt+"/parent")
}

func checkThreshold(persons []string, threshold int64, least Grade, place string) error {
	switch {
	case !distinct(persons):
		return refuse("approver-repeated", place+"/approvers", "approvers are distinct and non-empty")
	case threshold < 1 || int(threshold) > len(persons):
		return refuse("threshold-range", place+"/threshold", "between 1 and the number of approvers")
	case least != "" && !least.known():
		return refuse("grade-unknown", place+"/leastGrade", "no such grade")
	}
	return nil
}

// CheckChild holds a delegated mandate against its parent (protocol.md 4.4): same principal, same ledger, validity
// inside, one level less, self-execution only where the parent has it. Limits need no comparison: every ancestor is
// decided too.
func CheckChild(child, parent *Mandate, parentContent string) error {
	c, p := child.Terms(), parent.Terms()
	switch {
	case c.Parent != parentContent:
		return refuse("child-parent", mandateAt+"/parent", "names another parent")
	case c.Grantor.ID != parent.Subject.ID:
		return refuse("child-grantor", mandateAt+"/grantor/id", "only the parent's subject may delegate")
	case c.Ledger != p.Ledger:
		return refuse("child-ledger", mandateAt+"/ledger", "the ledger is the parent's")
	case child.ValidFrom.Before(parent.ValidFrom.Time) || child.ValidUntil.After(parent.ValidUntil.Time):
		return refuse("child-validity", "/validUntil", "validity lies inside the parent's")
	case parent.MaxDepth() < 1 || child.MaxDepth() >= parent.MaxDepth():
		return refuse("child-depth", mandateAt+"/delegation/maxDepth", "the depth is smaller than the parent's")
	case c.SelfExecuted && !p.SelfExecuted:
		return refuse("child-self-executed", mandateAt+"/selfExecuted", "only if the parent has it")
	case child.Subject.Mode != parent.Subject.Mode:
		return refuse("mode-other", "/credentialSubject/mode", "a test mandate and a live one never mix")
	}
	return nil
}

// ChainID derives the chain of a content in a log (protocol.md 7.1): derived, never chosen, so one mandate has
// exactly one chain in exactly one log. For a roster the content is that of version 1.
func ChainID(salt, log, content string) (string, error) {
	key, err := jcs.DecodeKey(salt)
	if err != nil {
		return "", refuse("salt-syntax", "", "a salt is 32 bytes, multibase base64url")
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("writ/chain/v1" + log + "\x00" + content))
	return jcs.FormatDigest([32]byte(mac.Sum(nil))), nil
}
