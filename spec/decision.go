package spec

import (
	"slices"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Results of a decision. AUTHORIZED and REJECTED are final, COLLECT_MISSING is interim.
const (
	Authorized     = "AUTHORIZED"
	CollectMissing = "COLLECT_MISSING"
	Rejected       = "REJECTED"
)

// Identities under which a request reached the verifier.
const (
	IdentityPresented = "presented" // signed by the agent
	IdentityHosted    = "hosted"    // signed by the server with a hosted agent key, for a caller with an API key
)

// Decision is the verifier's signed answer, with every input that led to it, so that a third party can run it again
// (protocol.md 4.8). Its usage rows are the hold.
type Decision struct {
	Type          string     `json:"type"`
	Version       string     `json:"version"`
	Mode          string     `json:"mode,omitempty"`
	ID            string     `json:"id"`
	Result        string     `json:"result"`
	Epoch         int64      `json:"epoch"`
	Agent         string     `json:"agent"`
	Grantor       string     `json:"grantor"` // the root's
	Checks        []Check    `json:"checks"`
	Missing       []Missing  `json:"missing,omitempty"`
	Request       Request    `json:"request"`
	Action        jcs.Value  `json:"action"`
	Mandates      []string   `json:"mandates"` // content digests, root first
	Executor      string     `json:"executor"`
	ExecuteBefore Time       `json:"executeBefore,omitempty"`
	Charged       bool       `json:"charged,omitempty"`
	SelfExecuted  bool       `json:"selfExecuted,omitempty"`
	Resumes       string     `json:"resumes,omitempty"` // digest of the interim decision
	Closed        string     `json:"closed,omitempty"`  // why nothing may be proposed again: declined or expired
	Usage         []Usage    `json:"usage,omitempty"`
	Positions     []Position `json:"positions"`
	Inputs        Inputs     `json:"inputs"`
	Config        Config     `json:"config"`
	Env           Env        `json:"env"`
	Identity      string     `json:"identity"`
	ReceivedAt    Time       `json:"receivedAt"`
	At            Time       `json:"at"`
	Seen          *Seen      `json:"seen,omitempty"`
	Verifier      string     `json:"verifier"`

	// Accounts are what was found on the account chains of policies: those that the action is charged to as a whole.
	Accounts []AccountPosition `json:"accounts,omitempty"`
}

// Check is one check of protocol.md 9.1 and its outcome.
type Check struct {
	Check   string `json:"check"`
	Outcome string `json:"outcome"` // pass, fail or missing
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Outcomes of a check; missing is a violation that a recovery clause can lift.
const (
	Pass        = "pass"
	Fail        = "fail"
	MissingLift = "missing"
)

// Missing names the smallest supplement that would turn this exact action to AUTHORIZED: for one recovery clause of one
// mandate, the lifts, who may sign them, how many must, and until when.
type Missing struct {
	Mandate   string   `json:"mandate"`
	Recovery  int64    `json:"recovery"`
	Lifts     []Lift   `json:"lifts"`
	Approvers []string `json:"approvers"`
	Threshold int64    `json:"threshold"`
	Until     Time     `json:"until"`
}

// Lift raises one limit of its owner once, by MaxOver, in one window (absent for a limit on a single action, a rolling limit, and
// an approval). A lift of an approval constraint is of the action as a whole: it has no MaxOver.
type Lift struct {
	Owner      string     `json:"owner"`
	Constraint string     `json:"constraint"`
	Window     *Period    `json:"window,omitempty"`
	MaxOver    rule.Money `json:"maxOver,omitempty"`
}

// Period is [From, To) in UTC; absent bounds are open.
type Period struct {
	From Time `json:"from,omitempty"`
	To   Time `json:"to,omitempty"`
}

// PeriodOf is the window of a limit as documents write it, nil where it is unbounded on both sides.
func PeriodOf(w rule.Window) *Period {
	if w.From.IsZero() && w.To.IsZero() {
		return nil
	}
	return &Period{From: Time{w.From}, To: Time{w.To}}
}

// Usage is what the action would take from one window of one limit, and what was taken before; in an AUTHORIZED decision it
// is a line of the hold. Amounts are decimals in the unit (a currency, or count).
type Usage struct {
	Mandate    string `json:"mandate,omitempty"` // whose account it is; absent where all mandates of the policy share it
	Policy     string `json:"policy,omitempty"`  // whose limit it is, by the content of version 1; absent where it is the mandate's
	Constraint string `json:"constraint"`
	From       Time   `json:"from,omitempty"`
	To         Time   `json:"to,omitempty"`
	SumFrom    Time   `json:"sumFrom,omitempty"` // rolling limits: start of what is summed, where it is before From
	Unit       string `json:"unit"`
	Max        string `json:"max"`
	Before     Totals `json:"before"`
	Amount     string `json:"amount"`
	Lift       string `json:"lift,omitempty"`
	Supplement string `json:"supplement,omitempty"`
}

// Totals of a window before the action. Used is Held + Committed, which contains Excess; Lifts counts the standing lifts.
type Totals struct {
	Lifted    string `json:"lifted"`
	Held      string `json:"held"`
	Committed string `json:"committed"`
	Excess    string `json:"excess"`
	Lifts     int64  `json:"lifts,omitempty"`
}

// Position is what the decision found on one mandate's chain: the entry before, the status, the open holds. On the chains
// that it is an event of, Seq is its own place; on the others the place that comes next.
type Position struct {
	Mandate   string `json:"mandate"`
	Seq       int64  `json:"seq"`
	Previous  string `json:"previous"`
	Status    Status `json:"status"`
	OpenHolds int64  `json:"openHolds,omitempty"`
}

// Inputs are the digests of what was judged beside the mandates.
type Inputs struct {
	Roster       string `json:"roster"` // content digest of the version in force
	Presentation string `json:"presentation"`
	// Credentials are those of others in the presentation, and their status lists, in its order.
	Credentials []string `json:"credentials,omitempty"`
	Commit      string   `json:"commit,omitempty"`
	RequestBody string   `json:"request"` // the request's identity

	// Policies are the content digests of the versions in force, in the order of the root's policies.
	Policies []string `json:"policies,omitempty"`
}

// Config is what Decide took from the relying party: its resource map's row for the action and its settings.
type Config struct {
	Resource      string `json:"resource"`
	Grantor       string `json:"grantor"`
	ExecuteWithin string `json:"executeWithin"` // ISO 8601 duration
}

// Env is what the answer depends on beside the documents: versions of the rules and of pinned tables.
type Env struct {
	Spec     string `json:"spec"`
	TZ       string `json:"tz"`
	Currency string `json:"currency"`
	Rule     string `json:"rule"`
}

// CurrentEnv is the environment of this build.
func CurrentEnv() Env {
	return Env{Spec: Version, TZ: rule.TZRelease, Currency: rule.CurrencyRelease, Rule: rule.Version}
}

func (d *Decision) docType() string { return TypeDecision }
func (d *Decision) mode() string    { return d.Mode }

// Final says whether the decision ends its request.
func (d *Decision) Final() bool { return d.Result != CollectMissing }

// Leaf is the content digest of the mandate that the agent acts under.
func (d *Decision) Leaf() string { return d.Mandates[len(d.Mandates)-1] }

// Chains are the content digests of the chains that the decision is an event of (protocol.md 7.3).
func (d *Decision) Chains() []string {
	switch d.Result {
	case Authorized:
		return slices.Concat(d.Mandates, accountContents(d.Shared()))
	case Rejected:
		return []string{d.Leaf()}
	}
	chains := []string{d.Leaf()}
	for _, m := range d.Missing {
		if !slices.Contains(chains, m.Mandate) {
			chains = append(chains, m.Mandate)
		}
	}
	return chains
}

func (d *Decision) check() error {
	switch {
	case d.Type != "Decision":
		return refuse("type-fixed", "/type", "exactly Decision")
	case d.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case d.Result != Authorized && d.Result != CollectMissing && d.Result != Rejected:
		return refuse("decision-result", "/result", "no such result")
	case !isUUID(d.ID):
		return refuse("id-syntax", "/id", "an id is urn:uuid:…")
	case len(d.Mandates) > MaxChain:
		return refuse("delegation-depth", "/mandates", "at most %d mandates", MaxChain)
	case (d.Result == CollectMissing) != (len(d.Missing) > 0):
		return refuse("decision-missing", "/missing", "exactly COLLECT_MISSING names what is missing")
	case d.Result == Authorized && d.ExecuteBefore.IsZero():
		return refuse("decision-execute-before", "/executeBefore", "AUTHORIZED says until when")
	case d.Identity != IdentityPresented && d.Identity != IdentityHosted:
		return refuse("decision-identity", "/identity", "presented or hosted")
	case d.Epoch < 1:
		return refuse("member-range", "/epoch", "epochs count from 1")
	}
	if _, err := ParseAction(d.Action); err != nil {
		return at("/action", err)
	}
	return firstError(
		d.Request.check,
		func() error { return checkMode(d.Mode) },
		func() error {
			return checkDIDs("", "agent", d.Agent, "grantor", d.Grantor, "executor", d.Executor, "verifier", d.Verifier)
		},
		func() error { return checkEach("/mandates", d.Mandates) },
		d.checkLists,
	)
}

// Place puts an unsigned decision where the chains stand at its instant: the positions are part of it, so it becomes another
// document.
// Documents of other types are returned as they are.
func Place(d Document, ss States) (Document, error) {
	dec, ok := d.Body.(*Decision)
	if !ok || d.Signed() {
		return d, nil
	}
	placed, ss := *dec, ss.At(dec.At.Time)
	placed.Positions = make([]Position, len(dec.Mandates))
	for i, content := range dec.Mandates {
		s := ss.ByContent(content)
		if s == nil {
			return Document{}, refuse("chain-unknown", "/mandates", "no such chain here")
		}
		placed.Positions[i] = Position{Mandate: content, Seq: s.Seq + 1, Previous: s.Head, Status: s.Status, OpenHolds: s.OpenHolds()}
	}
	placed.Accounts = slices.Clone(dec.Accounts)
	for i, a := range placed.Accounts {
		s := ss.ByContent(AccountContent(a.Policy))
		if s == nil {
			return Document{}, refuse("chain-unknown", "/accounts", "no such chain here")
		}
		placed.Accounts[i] = AccountPositionOf(a.Policy, s)
	}
	return New(&placed)
}
