package verifier

import (
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Case is one request as open established it: everything that Decide needs beside the chains and the instant. It is data; a
// third party rebuilds it from a bundle and runs Decide again.
type Case struct {
	ID            string // the decision's id, drawn before
	Mode          string
	Epoch         int64
	Verifier      string
	Identity      string
	Agent         string
	Mandates      []Mandate // root first
	Action        *spec.Action
	ActionValue   jcs.Value
	Request       spec.Request
	RequestDigest string
	Presentation  string // digest
	Credentials   []Presented
	Templates     Templates // those that the mandates name
	Commit        string    // digest, "" where the executor did not commit
	Roster        string    // content digest of the root grantor's roster that open judged by
	Policies      []string  // content digests of the versions that open saw, of the root's policies in their order
	Owner         string    // the grantor to whom the relying party's map gives the action's resource, "" for nobody
	ExecuteWithin time.Duration
	Resumes       string // digest of the interim decision, "" for a new request
	ReceivedAt    time.Time
	Seen          *spec.Seen
	Env           spec.Env // the tables and rules that the answer rests on
}

// Mandate is one mandate of the chain with its content digest.
type Mandate struct {
	Content string
	Body    *spec.Mandate

	doc spec.Document // as it was presented, with its envelope
	sum [32]byte      // of its canonical bytes
}

func (c *Case) leaf() *Mandate { return &c.Mandates[len(c.Mandates)-1] }
func (c *Case) root() *Mandate { return &c.Mandates[0] }

// selfExecuted says whether the agent is the executor.
func (c *Case) selfExecuted() bool { return c.Request.Executor == c.Agent }

// Decide is Judge with its answer as a document, unsigned: the journal's form of a decision.
func Decide(c Case, states spec.States, now time.Time) ([]spec.Document, error) {
	decision, err := Judge(c, states, now)
	if err != nil {
		return nil, err
	}
	doc, err := spec.New(decision)
	if err != nil {
		return nil, err
	}
	return []spec.Document{doc}, nil
}

// Judge says what follows from a request, in these states, at this instant: one decision, or an error that leaves nothing. It is
// pure. The checks run in the order of protocol.md 9.1: authority is an error without a trace, then a violation that no
// recovery clause of its own document names ends in REJECTED, the others in COLLECT_MISSING, and none in AUTHORIZED with a hold.
func Judge(c Case, states spec.States, now time.Time) (*spec.Decision, error) {
	states = states.At(now)
	d := deciding{Case: c, states: states, now: now, out: new(answer), action: rule.Action{Type: c.Action.Type, Resource: c.Action.Resource,
		Amount: c.Action.Amount, Value: c.ActionValue, Agent: c.Agent}}
	d.checks, d.usage = d.out.checks[:0], d.out.usage[:0]
	d.action.Credentials = d.credentialsAt()
	if err := d.load(); err != nil {
		return nil, err
	}
	if err := d.unasked(); err != nil {
		return nil, err
	}
	if err := d.Templates.complete(d.Mandates); err != nil {
		return nil, err
	}
	if err := d.authority(); err != nil {
		return nil, err
	}
	if err := d.recoveryOpen(); err != nil {
		return nil, err
	}
	for _, d.name = range checks {
		if !d.failed && (d.name != "policy" || len(d.policies) > 0) {
			d.check()
		}
	}
	return d.decision(), nil
}

// checks are those of protocol.md 9.1 that leave a trace, in their order.
var checks = [...]string{"validity", "status", "delegation", "scope", "policy", "constraints", "budget"}

// answer is a decision with the room that its lists commonly take: one allocation.
type answer struct {
	spec.Decision
	checks    [len(checks)]spec.Check
	usage     [3]spec.Usage
	mandates  [1]string
	positions [1]spec.Position
}

// deciding is one run of Judge.
type deciding struct {
	Case
	states spec.States
	now    time.Time
	action rule.Action
	chain  [spec.MaxChain]*spec.State // of the mandates, root first
	roster *spec.State                // of the root's grantor
	out    *answer
	closed string // why nothing may be proposed again

	policies []policyInForce // of the root mandate
	shared   []policyInForce // those with an account that the action is charged to

	name    string // of the check that runs
	failed  bool
	checks  []spec.Check
	broken  []brokenLimit // by the action itself
	missing []spec.Missing
	usage   []spec.Usage
	written writtenAmount
}

// writtenAmount is the amount that was written last: several limits are asked about one.
type writtenAmount struct {
	units int64
	unit  string
	text  string
}

// brokenLimit is a constraint of the mandate at a place in the chain that the action does not keep, whether or not that is lifted.
type brokenLimit struct{ mandate, constraint int }

// chains are those that load found.
func (d *deciding) chains() []*spec.State { return d.chain[:len(d.Mandates)] }

// load finds the chains, and refuses a roster that is newer than what open judged by: the caller opens again.
func (d *deciding) load() error {
	if len(d.Mandates) > spec.MaxChain {
		return notEntitled("delegation-depth")
	}
	for i, m := range d.Mandates {
		s := d.states.ByContent(m.Content)
		if s == nil || s.Status == spec.StatusNone || s.Status == spec.StatusDraft || s.Status == spec.StatusDeclined {
			return notEntitled("chain-unknown")
		}
		d.chain[i] = s
	}
	if d.roster = d.states.Roster(d.root().Body.Terms().Grantor.ID); d.roster == nil {
		return notEntitled("roster-unknown")
	}
	if moved(d.roster, d.Roster) {
		return ErrMoved
	}
	return d.loadPolicies()
}

// authority: the resource belongs to the root grantor, and the executor is one that the grantor knows and that shares no
// key with the agent; or it is the agent, and every mandate of the chain says selfExecuted.
func (d *deciding) authority() error {
	grantor := d.root().Body.Terms().Grantor.ID
	if d.Owner == "" || d.Owner != grantor {
		return notEntitled("resource-owner")
	}
	if d.selfExecuted() {
		for _, m := range d.Mandates {
			if !m.Body.Terms().SelfExecuted {
				return notEntitled("executor-is-agent")
			}
		}
		return nil
	}
	for _, r := range d.roster.InForce(d.now) {
		e, ok := r.Terms().Executor(d.Request.Executor)
		if !ok {
			return notEntitled("executor-unknown")
		}
		for _, m := range d.Mandates {
			if did.HasKey(m.Body.Subject.ID, e.Key) {
				return notEntitled("executor-is-agent")
			}
		}
	}
	return nil
}

// recoveryOpen refuses to decide anew while people may still approve, and finds out why nothing may be proposed again.
func (d *deciding) recoveryOpen() error {
	for _, s := range d.chains() {
		for _, p := range s.Proposals {
			if d.Resumes == "" || p.Decision != d.Resumes {
				continue
			}
			over := !d.now.Before(p.Until)
			switch {
			case p.Status == spec.ProposalDeclined:
				d.closed = "declined"
			case over && d.closed == "":
				d.closed = "expired"
			case p.Status == spec.ProposalOpen && !over && !d.declined():
				return spec.Refuse("recovery-open", "", "people may still approve until %s", spec.At(p.Until))
			}
		}
	}
	return nil
}

func (d *deciding) declined() bool {
	return slices.ContainsFunc(d.chains(), func(s *spec.State) bool {
		return slices.ContainsFunc(s.Proposals, func(p spec.Proposal) bool {
			return p.Decision == d.Resumes && p.Status == spec.ProposalDeclined
		})
	})
}

// check runs the one that d names.
func (d *deciding) check() {
	before := len(d.checks)
	switch d.name { // no table of methods: through one d would escape to the heap
	case "validity":
		d.validity()
	case "status":
		d.status()
	case "delegation":
		d.delegation()
	case "scope":
		d.scope()
	case "policy":
		d.policy()
	case "constraints":
		d.constraints()
	case "budget":
		d.budget()
	}
	if len(d.checks) == before {
		d.checks = append(d.checks, spec.Check{Check: d.name, Outcome: spec.Pass})
	}
}

// fail records a violation that nothing lifts.
func (d *deciding) fail(reason, detail string) {
	d.failed = true
	d.checks = append(d.checks, spec.Check{Check: d.name, Outcome: spec.Fail, Reason: reason, Detail: detail})
}

func (d *deciding) validity() {
	for _, m := range d.Mandates {
		switch {
		case d.now.Before(m.Body.ValidFrom.Time):
			d.fail("mandate-not-yet-valid", m.Body.ValidFrom.String())
		case !d.now.Before(m.Body.ValidUntil.Time):
			d.fail("mandate-expired", m.Body.ValidUntil.String())
		}
	}
}

func (d *deciding) status() {
	for i, s := range d.chains() {
		if s.Status != spec.StatusActive {
			d.fail("mandate-"+string(s.Status), d.Mandates[i].Content)
		}
	}
}

// delegation holds every mandate against the one above; that every ancestor allows the action itself is what the checks
// around this one say, since they run over the whole chain.
func (d *deciding) delegation() {
	if !d.root().Body.IsRoot() {
		d.fail("child-parent", "the chain does not begin with a mandate that people granted")
		return
	}
	for i := 1; i < len(d.Mandates); i++ {
		if err := spec.CheckChild(d.Mandates[i].Body, d.Mandates[i-1].Body, d.Mandates[i-1].Content); err != nil {
			d.fail(reasonOf(err), d.Mandates[i].Content)
		}
	}
	if d.leaf().Body.Subject.ID != d.Agent {
		d.fail("subject-other", d.leaf().Content)
	}
}

func (d *deciding) scope() {
	for _, m := range d.Mandates {
		t := m.Body.Terms()
		if !slices.ContainsFunc(t.Actions, func(p string) bool { return rule.MatchAction(p, d.Action.Type) }) {
			d.fail("action-not-covered", m.Content)
		}
		if !slices.Contains(t.Resources, d.Action.Resource) {
			d.fail("resource-not-covered", m.Content)
		}
		for _, r := range t.Templates {
			d.form(r)
		}
	}
}

// constraints run what needs no account. Absent targets are violations, and so is a parameter that nobody limits or frees.
func (d *deciding) constraints() {
	for i, m := range d.Mandates {
		for j, c := range m.Body.Rules() {
			if v := c.Check(d.action, d.now); v != nil {
				d.broken = append(d.broken, brokenLimit{i, j})
				d.violation(i, c, v)
			}
		}
		for _, p := range d.Action.Parameters.Members() {
			if !m.Body.Reaches("/parameters/" + escape(p.Name)) {
				d.fail("member-unknown", "/parameters/"+escape(p.Name))
			}
		}
	}
}

// pointerEscapes are those of a reference token (RFC 6901 section 3).
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escape(name string) string { return pointerEscapes.Replace(name) }

// violation of a limit on a single action: over by an amount, it may be lifted; else it is final.
func (d *deciding) violation(i int, c rule.Constraint, v *rule.Violation) {
	detail := c.ID() + " of " + d.Mandates[i].Content
	if v.Over <= 0 || v.Over > maxUnits {
		d.fail(v.Reason, detail)
		return
	}
	if lift, _ := d.lift(i, c, rule.Draw{}); lift >= v.Over {
		return
	}
	d.missingOr(i, c, v.Reason, spec.Lift{Owner: d.Mandates[i].Content, Constraint: c.ID(),
		MaxOver: rule.Money{Minor: v.Over, Currency: v.Unit}}, spec.Window{})
}

// maxUnits bounds what a lift can mean; rule answers more where no lift helps.
const maxUnits = 1<<53 - 1

// budget charges every window of every mandate of the chain. An action that is above max by more than a lift admits is a
// violation; excess counts as used.
func (d *deciding) budget() {
	for i, m := range d.Mandates {
		if !d.selfExecuted() && d.chain[i].OpenHolds() >= m.Body.MaxOpenHolds() {
			d.fail("holds-many", m.Content)
		}
		for _, j := range m.Body.Draws() {
			if slices.Contains(d.broken, brokenLimit{i, j}) {
				continue // what it admits by a lift is no account's
			}
			c := m.Body.Rules()[j]
			if draw, ok := c.Draw(d.action, d.now); ok {
				d.charge(i, c, draw)
			}
		}
	}
}

func (d *deciding) charge(i int, c rule.Constraint, draw rule.Draw) {
	total := d.chain[i].Total(c.ID(), draw.Unit, draw.Sum.From, draw.Sum.To)
	lift, supplement := d.lift(i, c, draw)
	over := draw.Over(total.Used(), draw.Max, total.Lifted)
	if over > lift {
		d.row(d.Mandates[i].Content, c.ID(), &draw, &total)
		needed := spec.Lift{Owner: d.Mandates[i].Content, Constraint: c.ID(), Window: fixedPeriod(draw)}
		if !rule.IsApproval(c) {
			needed.MaxOver = rule.Money{Minor: over, Currency: draw.Unit}
		}
		d.missingOr(i, c, draw.Reason(), needed, total)
		return
	}
	if clause := d.Mandates[i].Body.RecoveryFor(c.ID()); over > 0 && !d.Mandates[i].Body.Terms().Recovery[clause].Admits(over, total) {
		d.row(d.Mandates[i].Content, c.ID(), &draw, &total)
		d.fail("lift-above-ceiling", c.ID()+" of "+d.Mandates[i].Content) // others were lifted since people signed this one
		return
	}
	u := d.row(d.Mandates[i].Content, c.ID(), &draw, &total)
	if over > 0 {
		u.Lift, u.Supplement = rule.FormatUnits(over, draw.Unit), supplement
	}
}

// row adds a usage row without a lift.
func (d *deciding) row(mandate, constraint string, draw *rule.Draw, total *spec.Window) *spec.Usage {
	u := d.newRow()
	u.Mandate, u.Constraint, u.Unit = mandate, constraint, draw.Unit
	u.From.Time, u.To.Time = draw.Bucket.From, draw.Bucket.To
	if !draw.Sum.From.Equal(draw.Bucket.From) {
		u.SumFrom.Time = draw.Sum.From
	}
	u.Max, u.Amount = draw.MaxText(), d.amount(draw)
	none := rule.FormatUnits(0, draw.Unit)
	units := func(n int64) string {
		if n == 0 {
			return none
		}
		return rule.FormatUnits(n, draw.Unit)
	}
	u.Before.Lifted, u.Before.Held = units(total.Lifted), units(total.Held)
	u.Before.Committed, u.Before.Excess, u.Before.Lifts = units(total.Committed), units(total.Excess), total.Lifts
	return u
}

// newRow is the next usage row, empty: in the answer's own room while there is some.
func (d *deciding) newRow() *spec.Usage {
	n := len(d.usage)
	if n == cap(d.usage) {
		d.usage = append(d.usage, spec.Usage{})
	}
	d.usage = d.usage[:n+1]
	return &d.usage[n]
}

// amount is what a draw takes, as text.
func (d *deciding) amount(draw *rule.Draw) string {
	if w := &d.written; w.text == "" || w.units != draw.Amount || w.unit != draw.Unit {
		*w = writtenAmount{draw.Amount, draw.Unit, rule.FormatUnits(draw.Amount, draw.Unit)}
	}
	return d.written.text
}

func (d *deciding) validUntil() time.Time {
	end := d.root().Body.ValidUntil.Time
	for _, m := range d.Mandates {
		end = earlier(end, m.Body.ValidUntil.Time)
	}
	return end
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// decision writes down the answer with every input that led to it.
func (d *deciding) decision() *spec.Decision {
	out := &d.out.Decision // written member by member: as one literal it would be made beside the answer and copied
	out.Type, out.Version, out.Mode, out.ID, out.Result, out.Epoch = "Decision", spec.Version, d.Mode, d.ID, d.result(), d.Epoch
	out.Agent, out.Grantor, out.Executor, out.Verifier = d.Agent, d.root().Body.Terms().Grantor.ID, d.Request.Executor, d.Verifier
	out.Checks, out.Request, out.Action, out.Resumes, out.Closed = d.checks, d.Request, d.ActionValue, d.Resumes, d.closed
	in := &out.Inputs
	in.Roster, in.Policies, in.Presentation, in.Credentials = d.Roster, d.Policies, d.Presentation, digestsOf(d.Credentials)
	in.Commit, in.RequestBody = d.Commit, d.RequestDigest
	out.Config.Resource, out.Config.Grantor, out.Config.ExecuteWithin = d.Action.Resource, d.Owner, spec.FormatDuration(d.ExecuteWithin)
	out.Env, out.Identity, out.ReceivedAt, out.At, out.Seen = d.Env, d.Identity, spec.At(d.received()), spec.At(d.now), d.Seen
	out.Mandates, out.Positions = d.out.mandates[:0], d.out.positions[:0]
	for i, m := range d.Mandates {
		s := d.chain[i]
		out.Mandates = append(out.Mandates, m.Content)
		out.Positions = append(out.Positions, spec.Position{Mandate: m.Content, Seq: s.Seq + 1, Previous: s.Head,
			Status: s.Status, OpenHolds: s.OpenHolds()})
	}
	out.Usage, out.Accounts = d.charged(), d.accounts()
	switch out.Result {
	case spec.Authorized:
		out.SelfExecuted = d.selfExecuted()
		out.Charged = d.Commit != "" || out.SelfExecuted
		out.ExecuteBefore = spec.At(earlier(d.now.Add(d.ExecuteWithin), d.validUntil()))
	case spec.CollectMissing:
		out.Missing = d.missing
	}
	return out
}

func (d *deciding) received() time.Time {
	if d.ReceivedAt.IsZero() {
		return d.now
	}
	return d.ReceivedAt
}

func (d *deciding) result() string {
	switch {
	case d.failed:
		return spec.Rejected
	case len(d.missing) > 0:
		return spec.CollectMissing
	}
	return spec.Authorized
}
