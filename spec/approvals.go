package spec

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec/rule"
)

// Needs is what one content asks of its approvers.
type Needs struct {
	Kind        string
	Content     string
	Grantor     string
	Approvers   []string // persons who may sign
	Threshold   int64
	LeastGrade  Grade
	RequestedBy string                       // never counts
	Narrows     bool                         // a policy version that only narrows the one before
	Mandate     *Mandate                     // root mandates: the roster's powers are asked too
	Lines       func(l rule.Locale) []string // the sentences that an approver was shown
}

// mandateNeeds are a root mandate's: its own threshold and the roster's powers.
func mandateNeeds(m *Mandate, content string) Needs {
	g := m.Terms().Grantor
	return Needs{Kind: KindMandate, Content: content, Grantor: g.ID, Approvers: g.Approvers, Threshold: g.Threshold,
		LeastGrade: g.LeastGrade, RequestedBy: m.Terms().RequestedBy, Mandate: m, Lines: m.Lines}
}

// NeedsOfMandate is what a root mandate asks of its approvers.
func NeedsOfMandate(m *Mandate, content string) Needs { return mandateNeeds(m, content) }

// rootNeeds are those of what the root's full threshold decides about a mandate that exists: resume, reconciliation.
func rootNeeds(root *Mandate, kind, content string) Needs {
	n := mandateNeeds(root, content)
	n.Kind, n.Mandate = kind, nil
	n.Lines = func(l rule.Locale) []string { return ActLines(l, kind, content, root.Name) }
	return n
}

func supplementNeeds(m *Mandate, p *Proposal) Needs {
	r := m.Terms().Recovery[p.Recovery]
	return Needs{Kind: KindSupplement, Content: p.Content, Grantor: m.Terms().Grantor.ID, Approvers: r.Approvers,
		Threshold: r.Threshold, LeastGrade: strictest(r.LeastGrade, m.Terms().Grantor.LeastGrade),
		RequestedBy: m.Terms().RequestedBy, Lines: func(l rule.Locale) []string { return LiftLines(l, m, p.Lifts, p.Action) }}
}

// NeedsOfSupplement is what a proposal on the chain of m asks; root is the mandate that people granted.
func NeedsOfSupplement(m, root *Mandate, p *Proposal) Needs {
	n := supplementNeeds(m, p)
	n.Grantor = root.Terms().Grantor.ID
	n.LeastGrade = strictest(n.LeastGrade, root.Terms().Grantor.LeastGrade)
	return n
}

func rosterNeeds(judge, version *Roster, content string) Needs {
	t := judge.Terms()
	return Needs{Kind: KindRoster, Content: content, Grantor: t.Grantor, Approvers: t.names(), Threshold: t.ChangeThreshold, Lines: version.Lines}
}

// NeedsOfRoster is what a roster version asks; judge is the version before, or the first version itself.
func NeedsOfRoster(judge, version *Roster, content string) Needs {
	return rosterNeeds(judge, version, content)
}

func (t *RosterTerms) names() []string {
	var names []string
	for _, p := range t.Persons {
		names = append(names, p.Person)
	}
	return names
}

func strictest(a, b Grade) Grade {
	if a.AtLeast(b) {
		return a
	}
	return b
}

// check asks CheckApprovals of the roster versions in force among the states.
func (ss States) check(n Needs, approvals []LoggedApproval, now time.Time) (Grade, error) {
	r := ss.Roster(n.Grantor)
	if r == nil {
		return "", refuse("roster-unknown", "", "the grantor has no roster here")
	}
	return CheckApprovals(n, approvals, r.InForce(now))
}

// met is check where too few approvals is an answer, not an error.
func (ss States) met(n Needs, approvals []LoggedApproval, now time.Time) (bool, error) {
	_, err := ss.check(n, approvals, now)
	if isMissing(err) {
		return false, nil
	}
	return err == nil, err
}

func isMissing(err error) bool { return hasReason(err, ReasonApprovalsMissing) }

func hasReason(err error, reason string) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == reason
}

// ReasonApprovalsMissing says that nothing is wrong with the approvals, there are only too few.
const ReasonApprovalsMissing = "approvals-missing"

const reasonDeclined = "approval-declined"

// CheckApprovals says whether the approvals, in log order, are enough for the content: distinct persons, each with a valid
// signature by a key of every roster version in force, not withdrawn, none declined; as many as the content's threshold
// asks and, for a root mandate, as the roster's powers ask for its reach. It returns the weakest grade that counted.
// Too few is ReasonApprovalsMissing.
func CheckApprovals(n Needs, approvals []LoggedApproval, rosters []*Roster) (Grade, error) {
	if len(rosters) == 0 {
		return "", refuse("roster-unknown", "", "no roster version is in force")
	}
	grades, err := n.countPersons(approvals, rosters)
	if err != nil {
		return "", err
	}
	enough, weakest := n.reach(grades, n.Approvers, n.Threshold, n.LeastGrade)
	if !enough {
		return "", refuse(ReasonApprovalsMissing, "", "%d distinct persons of those named must approve", n.Threshold)
	}
	if n.Kind == KindRoster || n.Kind == KindPolicy { // a version is approved by the change threshold of each that is in force
		for _, r := range rosters {
			persons, threshold := n.changers(r.Terms())
			if ok, _ := n.reach(grades, persons, threshold, ""); !ok {
				return "", refuse(ReasonApprovalsMissing, "", "%d distinct persons of each roster version in force must approve", threshold)
			}
		}
	}
	if n.Mandate != nil {
		for _, r := range rosters {
			if err := n.checkPowers(r.Terms(), grades); err != nil {
				return "", err
			}
		}
	}
	return weakest, nil
}

// countPersons gives each person whose last word is approve the grade of that word. Equal keys are one person: a key that
// has counted for one name counts for no other.
func (n Needs) countPersons(approvals []LoggedApproval, rosters []*Roster) (map[string]Grade, error) {
	last, keys := map[string]Grade{}, map[did.PublicKey]string{}
	shown := n.catalogue()
	for _, l := range approvals {
		a := l.Body()
		if a.Kind != n.Kind || a.Content != n.Content {
			continue
		}
		person, key, grade, ok := judge(a.Approver, l.At, rosters)
		if !ok || person == n.RequestedBy || !slices.Contains(n.Approvers, person) {
			continue
		}
		if err := verifyApproval(l.Document, key); err != nil {
			return nil, err
		}
		if a.declines() {
			return nil, refuse(reasonDeclined, "", "%s declined", person)
		}
		if heldByAnother(keys, key, person) {
			continue
		}
		keys[key] = person
		switch {
		case a.Decision == Withdraw:
			delete(last, person)
		case !l.At.Before(a.Expires.Time):
			return nil, refuse("approval-expired", "/expires", "logged at or after its own expiry")
		default:
			last[person] = capped(grade, shown(a.Shown))
		}
	}
	return last, nil
}

// CheckWord refuses a single word that could not count: of a key that not every roster version in force gives to the same person,
// or that is compromised; of a person who is not asked; or not signed by that key.
func CheckWord(word Document, n Needs, now time.Time, rosters []*Roster) error {
	a := word.Body.(*Approval)
	person, key, _, ok := judge(a.Approver, now, rosters)
	switch {
	case len(rosters) == 0 || !ok:
		return refuse("approver-unknown", "/approver", "the roster in force has no such key, or it is compromised")
	case person == n.RequestedBy || !slices.Contains(n.Approvers, person):
		return refuse("approver-not-named", "/approver", "%s may not approve this", person)
	}
	return verifyApproval(word, key)
}

// CheckNotice refuses a notice that is not signed by a revoker of the roster: a person whom every version in force lets revoke, with a
// key that all of them give to that person and that is not compromised. A veto is judged by the versions before the one that it is
// of: that one, and what is built on it, do not say who may veto them.
func (s *State) CheckNotice(notice Document, now time.Time) error {
	n := notice.Body.(*Notice)
	before := *s
	if i := s.versionOf(n.Content); n.Act == ActVeto && i > 0 {
		before.Versions = s.Versions[:i]
	}
	rosters := before.InForce(now)
	person, key, _, ok := judge(n.By, now, rosters)
	if len(rosters) == 0 || !ok || slices.ContainsFunc(rosters, func(r *Roster) bool { return !slices.Contains(r.Terms().Revokers, person) }) {
		return refuse("revoker-unknown", "/by", "the roster in force lets no such key revoke")
	}
	return CheckSignature(notice, key, n.By, did.CapabilityDelegation)
}

// judge finds the holder of a key in every roster version in force: same person, same public key, not compromised at the
// approval's ledger time. The grade is the lowest declared.
func judge(keyID string, at time.Time, rosters []*Roster) (person string, key did.PublicKey, grade Grade, ok bool) {
	for i, r := range rosters {
		p, k := r.Terms().keyOf(keyID)
		if p == nil || k.Kind != "key" || k.compromisedAt(at) {
			return "", key, "", false
		}
		pub, err := did.ParseMultikey(k.PublicKey)
		if err != nil || i > 0 && (p.Person != person || pub != key) {
			return "", key, "", false
		}
		if i == 0 || !k.Grade.AtLeast(grade) {
			grade = k.Grade
		}
		person, key = p.Person, pub
	}
	return person, key, grade, true
}

// CheckSignature verifies a document's proof against one key, the method that must be named and the purpose.
func CheckSignature(d Document, key did.PublicKey, method, purpose string) error {
	p, err := d.verified(key)
	switch {
	case err != nil:
		return err
	case p.VerificationMethod != method:
		return refuse("proof-method", "/proof/verificationMethod", "the proof names another key")
	case p.ProofPurpose != purpose:
		return refuse("proof-purpose", "/proof/proofPurpose", "the proof is for another purpose")
	}
	return nil
}

func verifyApproval(d Document, key did.PublicKey) error {
	return CheckSignature(d, key, d.Body.(*Approval).Approver, did.CapabilityDelegation)
}

// capped is the grade, at most server where the sentences that the approver was shown are not those of a known catalogue.
func capped(grade Grade, known bool) Grade {
	if known {
		return grade
	}
	return GradeServer
}

// catalogue says whether a digest is that of the sentences in one of the languages. Each language is written once, and only when it
// is asked for: most approvals of one content were shown the same.
func (n Needs) catalogue() func(shown string) bool {
	if n.Lines == nil {
		return func(string) bool { return true }
	}
	var written []string
	locales := rule.Locales()
	return func(shown string) bool {
		for i := range locales {
			if i == len(written) {
				written = append(written, Shown(rule.Catalogue, string(locales[i]), n.Lines(locales[i])))
			}
			if written[i] == shown {
				return true
			}
		}
		return false
	}
}

// reach counts the persons among those allowed whose grade suffices, and the weakest of them.
func (n Needs) reach(grades map[string]Grade, allowed []string, threshold int64, least Grade) (enough bool, weakest Grade) {
	var count int64
	for person, g := range grades {
		if !slices.Contains(allowed, person) || !g.AtLeast(least) {
			continue
		}
		if count++; weakest == "" || !g.AtLeast(weakest) {
			weakest = g
		}
	}
	return count >= threshold, weakest
}

// checkPowers asks for each action pattern of the mandate one power of the roster that covers it, that reaches as far as
// the mandate does, and whose own threshold the approvers meet (protocol.md 6.5).
func (n Needs) checkPowers(t *RosterTerms, grades map[string]Grade) error {
	for _, pattern := range n.Mandate.Terms().Actions {
		met := false
		for _, p := range t.Powers {
			if !p.covers(pattern, n.Mandate) {
				continue
			}
			if enough, _ := n.reach(grades, p.Persons, p.Threshold, p.LeastGrade); enough {
				met = true
				break
			}
		}
		if met {
			continue
		}
		if !n.couldMeet(t, pattern) {
			return refuse("power-missing", mandateAt+"/grantor/approvers",
				"by the roster, the named approvers may not approve %s this far", pattern)
		}
		return refuse(ReasonApprovalsMissing, "", "the roster asks for more approvers of %s", pattern)
	}
	return nil
}

// CheckFeasible refuses a mandate that its own named approvers could never issue, whoever of them approves.
func CheckFeasible(m *Mandate, rosters []*Roster) error {
	n := mandateNeeds(m, "")
	for _, r := range rosters {
		for i, a := range n.Approvers {
			if r.Terms().person(a) == nil {
				return refuse("approver-unknown", mandateAt+"/grantor/approvers/"+itoa(i), "no such person in the roster")
			}
		}
		for _, pattern := range m.Terms().Actions {
			if !n.couldMeet(r.Terms(), pattern) {
				return refuse("power-missing", mandateAt+"/grantor/approvers",
					"by the roster, the named approvers may not approve %s this far", pattern)
			}
		}
	}
	return nil
}

func (n Needs) couldMeet(t *RosterTerms, pattern string) bool {
	everyone := map[string]Grade{}
	for _, a := range n.Approvers {
		if a != n.RequestedBy {
			everyone[a] = GradeQualified
		}
	}
	return slices.ContainsFunc(t.Powers, func(p Power) bool {
		if !p.covers(pattern, n.Mandate) {
			return false
		}
		enough, _ := n.reach(everyone, p.Persons, p.Threshold, p.LeastGrade)
		return enough
	})
}

// covers says whether the power extends to the pattern as far as the mandate reaches.
func (p Power) covers(pattern string, m *Mandate) bool {
	if !slices.ContainsFunc(p.Actions, func(outer string) bool { return rule.CoversPattern(outer, pattern) }) {
		return false
	}
	if p.UpTo == nil {
		return true
	}
	each, _ := m.Reach(p.UpTo.Each.Currency)
	if each > p.UpTo.Each.Minor {
		return false
	}
	if p.UpTo.PerDay == nil {
		return true
	}
	_, day := m.Reach(p.UpTo.PerDay.Currency)
	return day <= p.UpTo.PerDay.Minor
}

// Reach is how far a mandate goes in a currency, minor units: the smallest, over its limits in that currency, of the limit
// plus the lifts that its recovery clauses allow in a window; each over all limits, perWindow over budgets alone.
// math.MaxInt64 is unbounded.
func (m *Mandate) Reach(currency string) (each, perWindow int64) {
	each, perWindow = math.MaxInt64, math.MaxInt64
	for _, c := range m.rules {
		one, window, cur, bounded := c.Reach()
		if !bounded || cur != currency {
			continue
		}
		lift := m.liftsPerWindow(c.ID(), window)
		each = min(each, addCapped(one, lift))
		if window != math.MaxInt64 {
			perWindow = min(perWindow, addCapped(window, lift))
		}
	}
	return each, perWindow
}

// liftsPerWindow is the most that a recovery clause adds to a limit in one window; a limit on a single action (window is
// math.MaxInt64) is lifted once an action.
func (m *Mandate) liftsPerWindow(constraint string, window int64) int64 {
	i := m.RecoveryFor(constraint)
	if i < 0 {
		return 0
	}
	r := m.Terms().Recovery[i]
	switch {
	case window == math.MaxInt64:
		return r.MaxOver.Minor
	case r.MaxOverPerWindow != nil:
		return r.MaxOverPerWindow.Minor
	case r.MaxUses > 0 && r.MaxOver.Minor <= math.MaxInt64/r.MaxUses:
		return r.MaxOver.Minor * r.MaxUses
	}
	return math.MaxInt64
}

func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
