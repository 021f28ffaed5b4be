package spec

import (
	"maps"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Status is where a chain stands: draft → active ⇄ suspended → revoked, or draft → declined. Expiry is time, not status.
type Status string

// The statuses; StatusNone is that of a chain without an entry.
const (
	StatusNone      Status = ""
	StatusDraft     Status = "draft"
	StatusActive    Status = "active"
	StatusSuspended Status = "suspended"
	StatusRevoked   Status = "revoked"
	StatusDeclined  Status = "declined"
)

// State is what one chain of signed documents adds up to. It is a value: Apply never changes the state that it is given.
// Ask it at an instant (At), since holds lapse by time.
type State struct {
	Chain   string // HMAC of the content, see ChainID
	Kind    string // KindMandate, KindRoster, KindPolicy or KindAccount
	Content string // content digest; of version 1 for a roster or policy, AccountContent for an account
	Status  Status
	Seq     int64     // entries so far
	Head    string    // leaf hash of the newest entry
	At      time.Time // ledger time of the newest entry; it never goes back
	Since   time.Time // ledger time from which Status is what it is

	Mandate   *Mandate         // the mandate, once active
	Pending   []LoggedApproval // approvals not yet part of an effect, in log order
	Windows   []Window         // sorted; those not over, with an open hold, or asked for
	Holds     []Hold           // the open ones, and those asked for by the decision's digest
	Proposals []Proposal       // supplements proposed on this chain
	Versions  []RosterVersion  // rosters: every version, oldest first
	Policies  []PolicyVersion  // policies: every version, oldest first
	Refusals  Refusals         // of the newest minute that has any
}

// LoggedApproval is an approval with the ledger time of its entry.
type LoggedApproval struct {
	Document Document
	At       time.Time
}

// Body is the approval itself.
func (l LoggedApproval) Body() *Approval { return l.Document.Body.(*Approval) }

// RosterVersion is one version with its content digest and the ledger time from which it counts for removals.
type RosterVersion struct {
	Document Document
	Content  string
	At       time.Time
	Vetoed   bool      // by a notice, or because it is Superseded
	VetoedAt time.Time // ledger time of what vetoed or superseded it

	// CountsFrom is set where recovery keys approved it: it counts for nothing before, its removals neither. Waits says that this is not
	// yet; it is of the instant at which the state is asked.
	CountsFrom time.Time
	Waits      bool

	// Superseded says that another version came while it waited for CountsFrom (protocol.md 6.8).
	Superseded bool
}

// Window is the account of one limit in one window. Used is Held + Committed; Committed contains Excess, which is what
// executors reported above their holds. Always Held + Committed ≤ Max + Lifted + Excess. Amounts are in minor units.
type Window struct {
	Constraint string
	Unit       string
	From, To   time.Time
	Max        int64
	Lifted     int64
	Held       int64
	Committed  int64
	Excess     int64
	Lifts      int64 // standing lifts
}

// Totals are the window as documents show it.
func (w Window) Totals() WindowTotals {
	units := func(n int64) string { return rule.FormatUnits(n, w.Unit) }
	return WindowTotals{Constraint: w.Constraint, From: Time{w.From}, To: Time{w.To}, Unit: w.Unit, Max: units(w.Max),
		Lifted: units(w.Lifted), Held: units(w.Held), Committed: units(w.Committed), Excess: units(w.Excess), Lifts: w.Lifts}
}

// Hold statuses: held → entered → committed | not_entered. Lapsed is held after its time.
const (
	HoldHeld       = "held"
	HoldEntered    = "entered"
	HoldCommitted  = "committed"
	HoldNotEntered = "not_entered"
	HoldLapsed     = "lapsed"
)

// Hold is what one AUTHORIZED decision took on this chain, and how far it is settled.
type Hold struct {
	Decision      string
	Mandates      []string // root first
	Policies      []string // whose accounts it is charged to as a whole, by the contents of their versions 1
	Action        string
	Payload       string // payload digest, "" where the action has none
	Executor      string
	SelfExecuted  bool
	Charged       bool // born entered (by commit), or charged in full (self-executed): no begin may follow
	ExecuteBefore time.Time
	Status        string
	Begin         string // digest of the begin
	Currency      string // "" where the action has no amount
	Amount        int64  // of the action, minor units
	Captured      int64  // reported executed so far
	Executed      bool
	Final         bool
	Reconciled    bool       // people turned the charge into not_entered
	Lines         []HoldLine // this chain's
}

// HoldLine is one line of a hold in one window: Open is what is neither captured nor released, Lift what stands of its lift.
type HoldLine struct {
	Constraint string
	Unit       string
	From       time.Time
	Amount     int64
	Open       int64
	Lift       int64
}

// IsOpen says whether a report may still settle the hold's account.
func (h *Hold) IsOpen() bool { return h.Status == HoldHeld || h.Status == HoldEntered }

// Proposal statuses: open → issued → spent; open → declined.
const (
	ProposalOpen     = "open"
	ProposalIssued   = "issued"
	ProposalSpent    = "spent"
	ProposalDeclined = "declined"
)

// Proposal is one supplement that a COLLECT_MISSING decision asked for, on the chain of the mandate that owns the limits.
type Proposal struct {
	Decision string // the interim decision
	Index    int    // in its missing[]
	Content  string // the supplement's content digest: what people sign
	Until    time.Time
	Recovery int
	Lifts    []Lift
	Action   jcs.Value // of the decision: what the supplement is for
	Status   string
	Pending  []LoggedApproval // its approvals, until it is spent or declined
	Document string           // digest of the issued supplement
}

// States are the chains that an operation has locked, by chain id. It is a value too: Apply returns another one.
type States map[string]*State

// ByContent finds the chain of a content, nil where it is not among the states.
func (ss States) ByContent(content string) *State {
	for _, s := range ss {
		if s.Content == content {
			return s
		}
	}
	return nil
}

// Roster finds the roster chain of a grantor, nil where it is not among the states or has no version.
func (ss States) Roster(grantor string) *State {
	for _, s := range ss {
		if s.Kind == KindRoster && len(s.Versions) > 0 && s.Versions[0].Document.Body.(*Roster).Terms().Grantor == grantor {
			return s
		}
	}
	return nil
}

// At asks the states at an instant. Where nothing has changed by then they are themselves.
func (ss States) At(now time.Time) States {
	next, copied := ss, false
	for id, s := range ss {
		then := s.AsOf(now)
		if then == s {
			continue
		}
		if !copied {
			next, copied = maps.Clone(ss), true
		}
		next[id] = then
	}
	return next
}

// AsOf asks the state at an instant: holds that no executor entered in time count nothing from that instant on, and what recovery keys
// approved counts from its own.
func (s *State) AsOf(now time.Time) *State {
	if !s.lapsesBy(now) && !s.maturesBy(now) {
		return s
	}
	next := s.clone()
	next.lapse(now)
	next.mature(now)
	return next
}

func (s *State) lapsesBy(now time.Time) bool {
	for i := range s.Holds {
		if s.Holds[i].lapsesBy(now) {
			return true
		}
	}
	return false
}

func (h *Hold) lapsesBy(now time.Time) bool {
	return h.Status == HoldHeld && !h.SelfExecuted && !now.Before(h.ExecuteBefore)
}

func (s *State) lapse(now time.Time) {
	for i := range s.Holds {
		if h := &s.Holds[i]; h.lapsesBy(now) {
			s.release(h)
			h.Status = HoldLapsed
		}
	}
}

// clone copies all that Apply may change.
func (s *State) clone() *State {
	c := *s
	c.Pending = slices.Clone(s.Pending)
	c.Windows = slices.Clone(s.Windows)
	c.Holds = slices.Clone(s.Holds)
	for i := range c.Holds {
		c.Holds[i].Lines = slices.Clone(c.Holds[i].Lines)
	}
	c.Proposals = slices.Clone(s.Proposals)
	for i := range c.Proposals {
		c.Proposals[i].Pending = slices.Clone(c.Proposals[i].Pending)
	}
	c.Versions = slices.Clone(s.Versions)
	c.Policies = slices.Clone(s.Policies)
	return &c
}

// Apply says what the chains add up to once the document is logged at ledger time now, and which chains it touches, sorted.
// What is not in the table of protocol.md 7.3 is an error, and never written. Signatures of single documents are
// the caller's work (open); thresholds and everything that depends on what was logged before are decided here.
func (ss States) Apply(d Document, now time.Time) (next States, touched []string, err error) {
	contents, err := ss.chainsOf(d)
	if err != nil {
		return nil, nil, err
	}
	next = maps.Clone(ss)
	for id, s := range next {
		if s.maturesBy(now) {
			next[id] = s.AsOf(now)
		}
	}
	for _, content := range contents {
		s := next.ByContent(content)
		if s == nil {
			return nil, nil, refuse("chain-unknown", "", "no such chain here")
		}
		if now.Before(s.At) {
			return nil, nil, refuse("time-backwards", "", "ledger time never goes back on a chain")
		}
		s = s.clone()
		s.lapse(now)
		next[s.Chain] = s
		touched = append(touched, s.Chain)
	}
	for _, chain := range touched {
		s := next[chain]
		before := s.Status
		if err := s.apply(next, d, now); err != nil {
			return nil, nil, err
		}
		if s.Seq, s.At = s.Seq+1, now; s.Status != before {
			s.Since = now
		}
	}
	slices.Sort(touched)
	return next, touched, nil
}

// chainsOf are the contents of the chains that a document is an event of.
func (ss States) chainsOf(d Document) ([]string, error) {
	switch b := d.Body.(type) {
	case *Mandate:
		return []string{d.Content()}, nil
	case *Roster:
		return ss.rosterChain(b, d.Content())
	case *Policy:
		return ss.policyChain(b, d.Content())
	case *Supplement:
		return []string{b.Terms().Base}, nil
	case *Decision:
		return b.Chains(), nil
	case *Begin:
		return ss.begunChains(b.Decision)
	case *Report:
		return ss.holdChains(b.Decision)
	case *Notice:
		return ss.contentChain(b.Content)
	case *RefusalCount:
		return ss.contentChain(b.Mandate)
	case *Erasure:
		return ss.chainByID(b.Chain)
	case *Approval:
		switch b.Kind {
		case KindSupplement:
			return ss.proposalChain(b.Content)
		case KindPolicy:
			return ss.policyWordChain(b.Content)
		case KindReconciliation:
			return ss.reconciledChains(b.Content)
		}
		return ss.contentChain(b.Content)
	}
	return nil, refuse("not-an-event", "", "a document of this type is no event of a chain")
}

// contentChain finds a mandate's chain, or the roster chain that has or would have this version.
func (ss States) contentChain(content string) ([]string, error) {
	if ss.ByContent(content) != nil {
		return []string{content}, nil
	}
	for _, s := range ss {
		if s.Kind == KindRoster {
			return []string{s.Content}, nil
		}
	}
	return nil, refuse("chain-unknown", "", "no such chain here")
}

func (ss States) rosterChain(r *Roster, content string) ([]string, error) {
	if r.Terms().Version == 1 {
		return []string{content}, nil
	}
	if s := ss.Roster(r.Terms().Grantor); s != nil {
		return []string{s.Content}, nil
	}
	return nil, refuse("chain-unknown", "", "the grantor has no roster here")
}

func (ss States) proposalChain(content string) ([]string, error) {
	for _, s := range ss {
		if s.proposal(content) != nil {
			return []string{s.Content}, nil
		}
	}
	return nil, refuse("proposal-unknown", "/content", "nothing was proposed with this content")
}

func (ss States) holdChains(decision string) ([]string, error) {
	for _, s := range ss {
		if h := s.hold(decision); h != nil {
			return h.chains(), nil
		}
	}
	return nil, refuse("decision-unknown", "/decision", "no authorised decision with this digest")
}

func (ss States) reconciledChains(content string) ([]string, error) {
	for _, s := range ss {
		for _, h := range s.Holds {
			if ReconciliationContent(h.Decision) == content {
				return h.chains(), nil
			}
		}
	}
	return nil, refuse("decision-unknown", "/content", "no charge to reconcile with this content")
}

// apply is one chain's part of the table. ss are all states of the operation, with s itself already copied.
func (s *State) apply(ss States, d Document, now time.Time) error {
	switch b := d.Body.(type) {
	case *Approval:
		return s.applyApproval(ss, d, b, now)
	case *Mandate:
		return s.applyMandate(ss, d, b, now)
	case *Roster:
		return s.applyRoster(d, b, now)
	case *Policy:
		return s.applyPolicy(ss, d, b, now)
	case *Supplement:
		return s.applySupplement(ss, d, b, now)
	case *Decision:
		return s.applyDecision(d, b, now)
	case *Begin:
		return s.applyBegin(d, b, now)
	case *Report:
		return s.applyReport(b)
	case *Notice:
		return s.applyNotice(b, now)
	case *RefusalCount:
		return s.applyCount(b, now)
	case *Erasure:
		return s.applyErasure(b)
	}
	return refuse("not-an-event", "", "a document of this type is no event of a chain")
}

func (s *State) hold(decision string) *Hold {
	for i := range s.Holds {
		if s.Holds[i].Decision == decision {
			return &s.Holds[i]
		}
	}
	return nil
}

func (s *State) proposal(content string) *Proposal {
	for i := range s.Proposals {
		if s.Proposals[i].Content == content {
			return &s.Proposals[i]
		}
	}
	return nil
}

// Hold finds the hold of a decision, nil where the state has none.
func (s *State) Hold(decision string) *Hold { return s.hold(decision) }

// Proposal finds a proposed supplement by its content digest, nil where the state has none.
func (s *State) Proposal(content string) *Proposal { return s.proposal(content) }

// OpenHolds counts holds that are given and not settled.
func (s *State) OpenHolds() int64 {
	var n int64
	for i := range s.Holds {
		if h := &s.Holds[i]; h.IsOpen() && !h.SelfExecuted {
			n++
		}
	}
	return n
}

// Newest is the newest roster version that was not vetoed and, if recovery keys approved it, counts.
func (s *State) Newest() *Roster {
	for i := len(s.Versions) - 1; i >= 0; i-- {
		if !s.Versions[i].Vetoed && !s.Versions[i].Waits {
			return s.Versions[i].Document.Body.(*Roster)
		}
	}
	return nil
}

// NewestContent is its content digest.
func (s *State) NewestContent() string {
	for i := len(s.Versions) - 1; i >= 0; i-- {
		if !s.Versions[i].Vetoed && !s.Versions[i].Waits {
			return s.Versions[i].Content
		}
	}
	return ""
}

// versionOf is the place of the version with a content, -1 where there is none. A content is a version once, also after a veto.
func (s *State) versionOf(content string) int {
	return slices.IndexFunc(s.Versions, func(v RosterVersion) bool { return v.Content == content })
}

// InForce are the roster versions that an approval must satisfy at an instant: the newest one whose change delay is over, and
// every one logged since. So a removal counts at once (the newest lacks it) and an addition or a looser power only after the
// delay (the one before lacks it). A version waits for the longest delay of those in force when it was logged: its own shorter
// delay, or a further version, shortens nothing. Versions logged later than the instant are not in force yet; but what any
// version says of a compromised key counts in all. Newest first.
func (s *State) InForce(now time.Time) []*Roster {
	live, dead := s.live(now), s.compromised()
	force := make([]*Roster, len(live))
	for i, w := range live {
		force[len(live)-1-i] = w.roster.withCompromised(dead)
	}
	return force
}

// InForceThen are the versions in force at an instant as it was known then: a veto that came later, or in the same millisecond, takes
// none of them away.
func (s *State) InForceThen(then time.Time) []*Roster {
	known := *s
	known.Versions = slices.Clone(s.Versions)
	for i := range known.Versions {
		if v := &known.Versions[i]; !v.VetoedAt.Before(then) {
			v.Vetoed = false
		}
	}
	return known.InForce(then)
}

// live are the versions in force, oldest first: the matured one, and those that wait.
func (s *State) live(now time.Time) []waitingVersion {
	return s.liveIn(make([]waitingVersion, 0, 4), now) // on the stack of a caller that keeps it there
}

func (s *State) liveIn(live []waitingVersion, now time.Time) []waitingVersion {
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.Vetoed || v.start().After(now) {
			continue
		}
		live = matured(live, v.start())
		live = append(live, waitingVersion{v.Document.Body.(*Roster), v.matures(live)})
	}
	return matured(live, now)
}

// waitingVersion is a roster version with the instant from which its additions count.
type waitingVersion struct {
	roster  *Roster
	matures time.Time
}

// matures is from when on a version's additions count; live are those in force when it became one, on which it is built. One that
// recovery keys approved has waited by itself, but counts not before what it is built on.
func (v RosterVersion) matures(live []waitingVersion) time.Time {
	if v.CountsFrom.IsZero() {
		return v.At.Add(longestDelay(live))
	}
	if before := live[len(live)-1].matures; v.CountsFrom.Before(before) {
		return before
	}
	return v.CountsFrom
}

// matured drops the versions before the newest one whose delay is over.
func matured(live []waitingVersion, now time.Time) []waitingVersion {
	for i := len(live) - 1; i > 0; i-- {
		if !now.Before(live[i].matures) {
			return live[i:]
		}
	}
	return live
}

func longestDelay(live []waitingVersion) (longest time.Duration) {
	for _, w := range live {
		longest = max(longest, w.roster.Terms().changeDelay())
	}
	return longest
}

// compromised are the public keys that any version calls compromised, with the earliest instant. A later version that leaves the
// key out, or lists it under another id, takes nothing back.
func (s *State) compromised() map[string]time.Time {
	var dead map[string]time.Time
	for _, v := range s.Versions {
		if v.Vetoed || v.Waits {
			continue
		}
		for _, p := range v.Document.Body.(*Roster).Terms().Persons {
			for _, k := range p.Keys {
				if k.CompromisedSince.IsZero() {
					continue
				}
				if dead == nil {
					dead = map[string]time.Time{}
				}
				if since, ok := dead[k.PublicKey]; !ok || k.CompromisedSince.Before(since) {
					dead[k.PublicKey] = k.CompromisedSince.Time
				}
			}
		}
	}
	return dead
}

// withCompromised is the roster with what is known of compromised keys.
func (r *Roster) withCompromised(dead map[string]time.Time) *Roster {
	if len(dead) == 0 {
		return r
	}
	known := *r
	t := known.Terms()
	t.Persons = slices.Clone(t.Persons)
	for i := range t.Persons {
		keys := slices.Clone(t.Persons[i].Keys)
		for j := range keys {
			if since, ok := dead[keys[j].PublicKey]; ok {
				keys[j].CompromisedSince = Time{since}
			}
		}
		t.Persons[i].Keys = keys
	}
	return &known
}
