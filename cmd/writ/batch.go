package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// This file is writ verify --batch: what the ledger would have decided, action by action.

// trial is one line of a batch: an action, what is presented with it, and the instant at which it is decided.
type trial struct {
	At          spec.Time   `json:"at"`
	Action      jcs.Value   `json:"action"`
	Credentials []jcs.Value `json:"credentials,omitempty"` // of others, and their status lists
}

// decided is the answer to one line, as it is printed and as a file of expected results has it. Reason is that of the first check
// that does not pass; Over is what a lift would have to add.
type decided struct {
	Line   int    `json:"line"`
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
	Over   string `json:"over,omitempty"`
}

// tally is the summary of a batch.
type tally struct {
	Actions        int `json:"actions"`
	Authorized     int `json:"authorized"`
	CollectMissing int `json:"collect_missing"`
	Rejected       int `json:"rejected"`
	// Refused are those that get no decision, by their reason.
	Refused map[string]int `json:"refused,omitempty"`
	*comparison
}

// comparison is the part of a summary that --expect asks for.
type comparison struct {
	Expected int `json:"expected"` // lines compared
	Differ   int `json:"differ"`
}

// maxDiffer is how many lines that differ are printed.
const maxDiffer = 20

// maxTrials bounds a batch file, in bytes.
const maxTrials = 256 << 20

func (c verifyCmd) batch(sys *system) error {
	if len(c.Mandate) == 0 || c.Roster == "" {
		return usage(errors.New("--batch needs --mandate FILE, for each mandate of the chain, and --roster FILE"))
	}
	l, err := c.openLedger(sys)
	if err != nil {
		return err
	}
	lines, err := readLines(sys, c.Batch)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return ends(exitRefused, "%s has no action: nothing would be tried", c.Batch)
	}
	expected, err := readExpected(sys, c.Expect)
	if err != nil {
		return err
	}
	sum, err := c.decideAll(sys, l, lines, expected)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printLine(sys.out, map[string]tally{"summary": sum})
	} else {
		table(sys.out, sum.rows())
	}
	if err == nil && sum.comparison != nil && sum.Differ > 0 {
		return silent(exitFails)
	}
	return err
}

// rows are the summary for people.
func (t tally) rows() [][]string {
	rows := [][]string{{"actions", fmt.Sprint(t.Actions)}, {spec.Authorized, fmt.Sprint(t.Authorized)},
		{spec.CollectMissing, fmt.Sprint(t.CollectMissing)}, {spec.Rejected, fmt.Sprint(t.Rejected)}}
	for _, reason := range sortedKeys(t.Refused) {
		rows = append(rows, []string{"refused", fmt.Sprint(t.Refused[reason]), reason})
	}
	if t.comparison != nil {
		rows = append(rows, []string{"as expected", fmt.Sprintf("%d of %d", t.Expected-t.Differ, t.Expected)})
	}
	return rows
}

func (c verifyCmd) decideAll(sys *system, l *trialLedger, lines []numbered, expected map[int]decided) (sum tally, err error) {
	if c.Expect != "" {
		sum.comparison = &comparison{}
	}
	bar := progress(sys, len(lines), "deciding")
	defer bar.Finish()
	out := bufio.NewWriter(sys.out)
	defer out.Flush()
	for _, line := range lines {
		var t trial
		if err := jcs.Unmarshal(line.text, &t); err != nil {
			return sum, atLine(c.Batch, line.number, err)
		}
		d, err := l.decide(t)
		if err != nil {
			return sum, atLine(c.Batch, line.number, err)
		}
		d.Line = line.number
		sum.count(d)
		if c.JSON {
			if err := printLine(out, d); err != nil {
				return sum, err
			}
		}
		if c.Expect != "" {
			sum.compare(sys, d, expected)
		}
		bar.Add(1)
	}
	if c.Expect != "" && sum.Differ > maxDiffer {
		fmt.Fprintf(sys.err, "and %d lines more\n", sum.Differ-maxDiffer)
	}
	if c.Expect != "" && len(expected) > len(lines) {
		return sum, ends(exitFails, "%s expects %d results, the batch has %d actions", c.Expect, len(expected), len(lines))
	}
	return sum, nil
}

func (t *tally) count(d decided) {
	t.Actions++
	switch d.Result {
	case spec.Authorized:
		t.Authorized++
	case spec.CollectMissing:
		t.CollectMissing++
	case spec.Rejected:
		t.Rejected++
	default:
		if t.Refused == nil {
			t.Refused = map[string]int{}
		}
		t.Refused[d.Reason]++
	}
}

func (t *tally) compare(sys *system, d decided, expected map[int]decided) {
	t.Expected++
	if want := expected[d.Line]; want != d {
		if t.Differ++; t.Differ <= maxDiffer {
			fmt.Fprintf(sys.err, "line %d: %s, expected %s\n", d.Line, d, want)
		}
	}
}

// String is the answer for people.
func (d decided) String() string {
	text := d.Result
	if text == "" {
		return "nothing"
	}
	if d.Reason != "" {
		text += " (" + d.Reason + ")"
	}
	if d.Over != "" {
		text += " over by " + d.Over
	}
	return text
}

func atLine(path string, number int, err error) error {
	return fmt.Errorf("%s line %d: %w", path, number, err)
}

// trialLedger keeps the account of one mandate chain in memory.
type trialLedger struct {
	chain    []verifier.Mandate
	states   spec.States
	roster   string   // content digest
	policies []string // content digests

	templates verifier.Templates

	executor string
	owner    func(resource string) string
	within   time.Duration // how long a hold is given for
	last     time.Time
	decided  int
}

func (c verifyCmd) openLedger(sys *system) (*trialLedger, error) {
	l := &trialLedger{states: spec.States{}, within: time.Minute}
	roster, r, err := readContent[*spec.Roster](sys, c.Roster, "a roster")
	if err != nil {
		return nil, err
	}
	l.roster = spec.ContentDigest(roster.Value)
	if l.executor = c.Executor; l.executor == "" && len(r.Terms().Executors) > 0 {
		l.executor = r.Terms().Executors[0].DID
	}
	if err := c.openTrust(sys, l, r); err != nil {
		return nil, err
	}
	if err := l.enrol(roster); err != nil {
		return nil, err
	}
	for _, path := range c.Mandate {
		if err := l.addMandate(sys, path); err != nil {
			return nil, err
		}
	}
	if err := l.feasible(r); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Mandate[0], err)
	}
	if err := l.addPolicies(sys, c.Policy); err != nil {
		return nil, err
	}
	return l, l.addTemplates(sys, c.Template)
}

// feasible refuses a root mandate that its approvers could never issue by this roster, as the ledger does.
func (l *trialLedger) feasible(r *spec.Roster) error {
	root := l.chain[0].Body
	if root.Terms().Grantor.ID != r.Terms().Grantor {
		return spec.Refuse("roster-unknown", "/credentialSubject/mandate/grantor/id", "the roster is that of %s", r.Terms().Grantor)
	}
	return spec.CheckFeasible(root, []*spec.Roster{r})
}

// openTrust takes the owners of resources from the trust file; without one every resource is the roster's grantor's.
func (c verifyCmd) openTrust(sys *system, l *trialLedger, r *spec.Roster) error {
	grantor := r.Terms().Grantor
	if c.Trust == "" {
		l.owner = func(string) string { return grantor }
		return nil
	}
	trust, err := c.readTrust(sys)
	if err != nil {
		return &exit{exitTrust, err}
	}
	if pinned := trust.Roster(grantor); pinned == "" || r.Terms().Version == 1 && pinned != l.roster {
		return spec.Refuse("roster-not-pinned", "", "%s is not the roster that the trust file pins for %s", c.Roster, grantor)
	}
	l.owner = trust.Owner
	return nil
}

// enrol puts a roster in force.
func (l *trialLedger) enrol(roster spec.Document) error {
	l.roster = spec.ContentDigest(roster.Value)
	t := roster.Body.(*spec.Roster).Terms()
	return l.add(&spec.State{Kind: spec.KindRoster, Content: l.roster, Status: spec.StatusActive, Seq: 1,
		Versions: []spec.RosterVersion{{Document: roster, Content: l.roster}}}, t.Salt, t.Log)
}

func (l *trialLedger) addMandate(sys *system, path string) error {
	doc, m, err := readContent[*spec.Mandate](sys, path, "a mandate")
	if err != nil {
		return err
	}
	return l.keepMandate(doc, m)
}

// keepMandate puts a mandate below the chain, in force and without any use.
func (l *trialLedger) keepMandate(doc spec.Document, m *spec.Mandate) error {
	content := spec.ContentDigest(doc.Value)
	l.chain = append(l.chain, verifier.Mandate{Content: content, Body: m})
	state := &spec.State{Kind: spec.KindMandate, Content: content, Status: spec.StatusActive, Seq: 1, Mandate: m,
		Head: spec.LeafHash(doc.Bytes())} // of an entry that there is not: a decision names the one before it
	return l.add(state, m.Terms().Salt, m.Terms().Ledger.Log)
}

func (l *trialLedger) add(s *spec.State, salt, origin string) (err error) {
	s.Chain, err = spec.ChainID(salt, origin, s.Content)
	l.states[s.Chain] = s
	return err
}

// decide asks what the ledger would have said, and settles what it allowed as executed in full.
func (l *trialLedger) decide(t trial) (decided, error) {
	if t.At.Before(l.last) {
		return decided{}, spec.Refuse("batch-order", "/at", "the line before is later")
	}
	l.last = t.At.Time
	action, err := l.fill(&t)
	if err != nil {
		return decided{}, under("/action", err)
	}
	c, err := l.caseOf(action, t)
	if err != nil {
		return decided{}, err
	}
	if c.Credentials, err = l.present(t.Credentials); err != nil {
		return decided{Result: stepRefused, Reason: reasonOf(err)}, nil
	}
	docs, err := verifier.Decide(c, l.states, t.At.Time)
	if err != nil {
		return notEntitled(err)
	}
	d := docs[0].Body.(*spec.Decision)
	if d.Result == spec.Authorized {
		err = l.execute(docs[0], d, action, t.At)
	}
	return summarize(d), err
}

// fill reads the action, after nonce and payload have been filled in where it leaves them out: no limit is about them.
func (l *trialLedger) fill(t *trial) (*spec.Action, error) {
	filled := map[string]any{"nonce": fmt.Sprintf("writ-trial-%d", l.decided+1),
		"payload": spec.Payload{Mapping: l.mapping(textAt(t.Action, "/type")), Digest: jcs.Digest("", fmt.Append(nil, l.decided+1))}}
	value, err := withAll(t.Action, absent(t.Action, filled))
	if err != nil {
		return nil, err
	}
	t.Action = value
	return spec.ParseAction(value)
}

// present reads what the agent would present, as the ledger does.
func (l *trialLedger) present(credentials []jcs.Value) ([]verifier.Presented, error) {
	if len(credentials) > spec.MaxPresented {
		return nil, spec.Refuse("credentials-many", "", "at most %d credentials and status lists", spec.MaxPresented)
	}
	return verifier.OpenCredentials(credentials, l.chain, l.chain[0].Body.Subject.Mode)
}

// caseOf is the request as open would have established it. Each has an id and a key of its own; where the decision names a
// presentation, which nobody made, the action's digest stands in.
func (l *trialLedger) caseOf(action *spec.Action, t trial) (verifier.Case, error) {
	l.decided++
	root, leaf := l.chain[0].Body, l.chain[len(l.chain)-1].Body
	number := fmt.Sprintf("%012x", l.decided)
	c := verifier.Case{Env: spec.CurrentEnv(), ID: "urn:uuid:00000000-0000-7000-8000-" + number, Mode: leaf.Subject.Mode, Epoch: 1,
		Verifier: root.Terms().Ledger.Verifier, Identity: spec.IdentityPresented, Agent: leaf.Subject.ID, Mandates: l.chain,
		Action: action, ActionValue: t.Action, Presentation: spec.ActionDigest(t.Action), Roster: l.roster, Policies: l.policies, Templates: l.templates,
		Owner: l.owner(action.Resource), ExecuteWithin: l.within,
		Request: spec.Request{IdempotencyKey: "batch-" + number, Ledger: root.Terms().Ledger.Verifier, Executor: l.executor}}
	var contents []string
	for _, m := range l.chain {
		contents = append(contents, m.Content)
	}
	var err error
	c.RequestDigest, err = spec.RequestDigest(c.Agent, contents, t.Action, c.Request)
	return c, err
}

// notEntitled is an answer where the action is not the grantor's to allow, and an error otherwise.
func notEntitled(err error) (decided, error) {
	var e *verifier.NotEntitledError
	if errors.As(err, &e) {
		return decided{Result: "refused", Reason: e.Reason}, nil
	}
	return decided{}, err
}

// execute applies the decision, and settles it. Settled holds are forgotten: only their totals count from here on.
func (l *trialLedger) execute(decision spec.Document, d *spec.Decision, action *spec.Action, at spec.Time) error {
	if err := l.apply(decision, at); err != nil {
		return err
	}
	if err := l.settle(decision, d, action, at); err != nil {
		return err
	}
	for _, s := range l.states {
		s.Holds = nil
	}
	return nil
}

// settle applies the executor's begin and its final report in full, at the instant of the decision.
func (l *trialLedger) settle(decision spec.Document, d *spec.Decision, action *spec.Action, at spec.Time) error {
	digest := spec.ActionDigest(d.Action)
	bodies := []spec.Body{
		&spec.Begin{Type: "Begin", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest, Action: digest, Executor: d.Executor, At: at, Nonce: "batch"},
		&spec.Report{Type: "Report", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest, Action: digest,
			PayloadDigest: action.PayloadDigest(), Outcome: spec.OutcomeExecuted, Final: true, At: at},
	}
	if d.Charged {
		bodies = bodies[1:]
	}
	for _, body := range bodies {
		doc, err := spec.New(body)
		if err != nil {
			return err
		}
		if err := l.apply(doc, at); err != nil {
			return err
		}
	}
	return nil
}

func (l *trialLedger) apply(d spec.Document, at spec.Time) error {
	next, _, err := l.states.Apply(d, at.Time)
	if err == nil {
		l.states = next
	}
	return err
}

func summarize(d *spec.Decision) decided {
	s := decided{Result: d.Result}
	for _, check := range d.Checks {
		if check.Outcome != spec.Pass {
			s.Reason = check.Reason
			break
		}
	}
	if len(d.Missing) > 0 {
		over := d.Missing[0].Lifts[0].MaxOver
		s.Over = over.Value() + " " + over.Currency
	}
	return s
}

// under puts a pointer in front of the place that an error names.
func under(pointer string, err error) error {
	var e *spec.Error
	if errors.As(err, &e) {
		return &spec.Error{Reason: e.Reason, Pointer: pointer + e.Pointer, Detail: e.Detail}
	}
	return err
}

// numbered is one line that is not empty, with its number from 1.
type numbered struct {
	number int
	text   []byte
}

func readLines(sys *system, path string) ([]numbered, error) {
	data, err := readInput(sys, path, maxTrials)
	if err != nil {
		return nil, &exit{exitUnchecked, err}
	}
	var lines []numbered
	number := 0
	for text := range bytes.Lines(data) {
		number++
		if text = bytes.TrimSpace(text); len(text) > 0 {
			lines = append(lines, numbered{number, text})
		}
	}
	return lines, nil
}

func readExpected(sys *system, path string) (map[int]decided, error) {
	if path == "" {
		return nil, nil
	}
	lines, err := readLines(sys, path)
	if err != nil {
		return nil, err
	}
	expected := map[int]decided{}
	for _, line := range lines {
		var d decided
		if err := jcs.Unmarshal(line.text, &d); err != nil {
			return nil, atLine(path, line.number, err)
		}
		expected[d.Line] = d
	}
	return expected, nil
}

// progress is a bar on a terminal and nothing elsewhere.
func progress(sys *system, total int, what string) *progressbar.ProgressBar {
	if !isTerminal(sys.err) {
		return progressbar.DefaultSilent(int64(total))
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(sys.err), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(65*time.Millisecond))
}
