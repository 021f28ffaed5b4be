package conformance

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// Trace is a ledger's life. Everything that is signed is in it, so that nobody needs to sign: the salts of the ledger's entries,
// the ids of its decisions and its own keys are given too (README.md), so that its decisions come out byte for byte.
type Trace struct {
	Seed      string               `json:"seed"`
	Mode      string               `json:"mode,omitempty"`
	Verifier  string               `json:"verifier"`
	Log       string               `json:"log"`
	Seal      string               `json:"seal"`
	Trust     json.RawMessage      `json:"trust"`
	Documents map[string]jcs.Value `json:"documents"` // by name
	Steps     []Step               `json:"steps"`
	Accounts  []Account            `json:"accounts,omitempty"` // after the last step, at its time
}

// Step is one call of the ledger.
type Step struct {
	At       spec.Time `json:"at"`                 // ledger time
	Do       string    `json:"do"`                 // one of the names in calls
	Document string    `json:"document,omitempty"` // its name
	Commit   string    `json:"commit,omitempty"`   // present: the name of the executor's commit
	Decision string    `json:"decision,omitempty"` // approve-supplement, resume, reconcile: the decision's digest
	ID       string    `json:"id,omitempty"`       // present, resume: the id of the decision that is made
	Want     StepEnd   `json:"want"`
}

// Outcomes of a step beside the results of decisions.
const (
	Recorded = "recorded"
	Refused  = "refused"
	Same     = "same" // nothing was written, the answer is that of before
	Drafted  = "drafted"
)

// StepEnd is what a step comes to.
type StepEnd struct {
	Outcome string   `json:"outcome"`           // recorded, refused, same, drafted, or a decision's result
	Entries int      `json:"entries"`           // that it added to the log
	Reason  string   `json:"reason,omitempty"`  // refused: the reason; REJECTED: that of the check that fails
	Pointer string   `json:"pointer,omitempty"` // refused: the place
	Because string   `json:"because,omitempty"` // refused with not-entitled: what the ledger alone knows
	Check   string   `json:"check,omitempty"`   // REJECTED or COLLECT_MISSING: the check that does not pass
	Lifts   []string `json:"lifts,omitempty"`   // COLLECT_MISSING: what is proposed; AUTHORIZED: what was used
	Issued  bool     `json:"issued,omitempty"`  // with this approval the credential is issued
	Digest  string   `json:"digest,omitempty"`  // of the decision
}

// Account is a mandate's account in one window of a limit, with the status of its chain.
type Account struct {
	Mandate    string      `json:"mandate"` // content digest
	Status     spec.Status `json:"status"`
	Constraint string      `json:"constraint,omitempty"`
	From       spec.Time   `json:"from,omitzero"`
	Used       string      `json:"used,omitempty"`
	Lifted     string      `json:"lifted,omitempty"`
	Excess     string      `json:"excess,omitempty"`
}

const org = "acme"

// machine plays a trace with this implementation.
type machine struct {
	trace    *Trace
	world    *writtest.World
	ledger   *writtest.Ledger
	issuer   *issuer.Issuer
	verifier *verifier.Verifier
	id       string        // of the decision that the step makes
	last     spec.Document // of the newest answer
}

func newMachine(t *Trace) (*machine, error) {
	m := &machine{trace: t, world: writtest.Acme(t.Seed)}
	m.ledger = writtest.NewLedger(m.world)
	trust, err := verifier.ParseTrust(t.Trust)
	if err != nil {
		return nil, err
	}
	now := func() time.Time { return m.world.Now }
	if m.issuer, err = issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: t.Verifier, Log: t.Log}, Seal: t.Seal, Mode: t.Mode,
		SealKey: spec.SealKey{ID: m.world.KeyID("seal"), Key: m.world.Key("seal").Public().Multikey()}, DecisionKey: m.world.Key("ledger").Public().Multikey(),
		Journal: m.ledger, Drafts: m.ledger, Random: bytes.NewReader(make([]byte, 1<<16)), Now: now}); err != nil {
		return nil, err
	}
	m.verifier, err = verifier.New(verifier.Options{DID: t.Verifier, Key: m.world.Key("ledger").Public().Multikey(), Log: t.Log, Mode: t.Mode, Epoch: 1, Journal: m.ledger,
		Trust: func() *verifier.Trust { return trust }, Random: ids{m}, Now: now})
	return m, err
}

// ids draws the random part of the id that the step gives.
type ids struct{ m *machine }

func (r ids) Read(p []byte) (int, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(r.m.id, "urn:uuid:"), "-", ""))
	if err != nil || len(raw) != 16 || len(p) != 10 {
		return len(p), nil // a step that makes no decision names no id
	}
	return copy(p, raw[6:]), nil
}

func (t *Trace) run() error {
	m, err := newMachine(t)
	if err != nil {
		return err
	}
	for i, s := range t.Steps {
		got, err := m.do(s)
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if err := same(got, s.Want); err != nil {
			return fmt.Errorf("step %d (%s %s): %w", i, s.Do, s.Document, err)
		}
	}
	for _, a := range t.Accounts {
		if err := m.account(a); err != nil {
			return err
		}
	}
	return nil
}

func same(got, want StepEnd) error {
	a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	return difference("the end", a, b)
}

// calls are what a step may do.
var calls = map[string]func(*machine, Step, []byte) (spec.Logged, error){
	"approve": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		return m.issuer.Approve(context.Background(), org, doc)
	},
	"approve-supplement": func(m *machine, s Step, doc []byte) (spec.Logged, error) {
		return m.issuer.ApproveSupplement(context.Background(), org, s.Decision, doc)
	},
	"reconcile": func(m *machine, s Step, doc []byte) (spec.Logged, error) {
		return m.issuer.Reconcile(context.Background(), org, s.Decision, doc)
	},
	"delegate": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		return m.issuer.Delegate(context.Background(), org, doc)
	},
	"add-template": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		_, err := m.issuer.AddTemplate(context.Background(), org, doc)
		return spec.Logged{}, err
	},
	"notice": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		return m.issuer.Notice(context.Background(), org, doc)
	},
	"present": func(m *machine, s Step, doc []byte) (spec.Logged, error) {
		r := verifier.Request{Org: org, Presentation: doc}
		if s.Commit != "" {
			r.Commit = m.trace.Documents[s.Commit].Canonical()
		}
		return m.verifier.Verify(context.Background(), r)
	},
	"resume": func(m *machine, s Step, _ []byte) (spec.Logged, error) {
		return m.verifier.Resume(context.Background(), org, s.Decision)
	},
	"begin": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		return m.verifier.Begin(context.Background(), org, doc)
	},
	"report": func(m *machine, _ Step, doc []byte) (spec.Logged, error) {
		return m.verifier.Report(context.Background(), org, doc)
	},
}

// do takes one step and says what it came to; the error is a mistake of the vector.
func (m *machine) do(s Step) (StepEnd, error) {
	doc, known := m.trace.Documents[s.Document]
	if s.Document != "" && !known {
		return StepEnd{}, fmt.Errorf("no document %q", s.Document)
	}
	m.world.Now, m.id = s.At.Time, s.ID
	before := len(m.ledger.Records())
	if s.Do == "propose" {
		_, err := m.issuer.Propose(context.Background(), org, doc)
		return m.end(StepEnd{Outcome: Drafted}, spec.Logged{}, err, before)
	}
	call, ok := calls[s.Do]
	if !ok {
		return StepEnd{}, fmt.Errorf("no step %q", s.Do)
	}
	logged, err := call(m, s, doc.Canonical())
	return m.end(StepEnd{Outcome: Recorded}, logged, err, before)
}

func (m *machine) end(end StepEnd, logged spec.Logged, err error, before int) (StepEnd, error) {
	end.Entries = len(m.ledger.Records()) - before
	if err != nil {
		r := refusalOf(err)
		end.Outcome, end.Reason, end.Pointer, end.Because = Refused, r.reason, r.pointer, r.because
		return end, nil
	}
	m.last = logged.Last().Document
	d, decided := m.last.Body.(*spec.Decision)
	if decided {
		end.Outcome, end.Digest = d.Result, m.last.Digest
		end.addChecks(d)
		end.addLifts(d)
	}
	if logged.Known {
		end.Outcome = Same
	}
	end.Issued = !decided && len(logged.Records) > 1
	return end, nil
}

// addChecks names the check that does not pass, and why.
func (e *StepEnd) addChecks(d *spec.Decision) {
	bad := spec.Fail
	if d.Result == spec.CollectMissing {
		bad = spec.MissingLift
	}
	i := slices.IndexFunc(d.Checks, func(c spec.Check) bool { return c.Outcome == bad })
	if i >= 0 {
		e.Check, e.Reason = d.Checks[i].Check, d.Checks[i].Reason
	}
}

func (e *StepEnd) addLifts(d *spec.Decision) {
	for _, m := range d.Missing {
		for _, l := range m.Lifts {
			e.Lifts = append(e.Lifts, l.Constraint+" "+l.MaxOver.Value())
		}
	}
	for _, u := range d.Usage {
		if u.Lift != "" {
			e.Lifts = append(e.Lifts, u.Constraint+" "+u.Lift)
		}
	}
}

func (m *machine) account(want Account) error {
	got, err := m.read(want)
	if err != nil {
		return err
	}
	return difference("the account", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
}

// read is the account of the asked mandate, in the asked window where one is named.
func (m *machine) read(asked Account) (Account, error) {
	s := m.ledger.All().At(m.world.Now).ByContent(asked.Mandate)
	if s == nil {
		return Account{}, errors.New("account of a mandate that is not here")
	}
	got := Account{Mandate: asked.Mandate, Status: s.Status, Constraint: asked.Constraint, From: asked.From}
	if asked.Constraint != "" {
		i := slices.IndexFunc(s.Windows, func(w spec.Window) bool {
			return w.Constraint == asked.Constraint && w.From.Equal(asked.From.Time)
		})
		if i < 0 {
			return Account{}, fmt.Errorf("no window of %s from %s", asked.Constraint, asked.From)
		}
		w := s.Windows[i]
		got.Used, got.Lifted, got.Excess = rule.FormatUnits(w.Used(), w.Unit), rule.FormatUnits(w.Lifted, w.Unit), rule.FormatUnits(w.Excess, w.Unit)
	}
	return got, nil
}
