package spec

import (
	"reflect"
	"slices"

	"github.com/writ-trust/writ/spec/rule"
)

// Receipt is a signed view of one authorised action: a pure function of its decision, its begin and its reports, the same
// bytes each time (protocol.md 10.3). It is no event of a chain.
type Receipt struct {
	Envelope
	Subject ReceiptSubject `json:"credentialSubject"`
}

// ReceiptSubject is the agent and what became of its action.
type ReceiptSubject struct {
	ID      string       `json:"id"`
	Mode    string       `json:"mode,omitempty"`
	Receipt ReceiptTerms `json:"receipt"`
}

// ReceiptTerms say who claims the execution; comparing it with the bank's books is the reader's work.
type ReceiptTerms struct {
	Decision string `json:"decision"`
	Begin    string `json:"begin,omitempty"`
	// Reconciliation is the word with which people took the charge for not executed.
	Reconciliation string      `json:"reconciliation,omitempty"`
	Report         string      `json:"report,omitempty"`
	Grantor        string      `json:"grantor"`
	Mandates       []string    `json:"mandates"`
	Action         string      `json:"action"`
	Outcome        string      `json:"outcome"`
	Amount         *rule.Money `json:"amount,omitempty"`
	ExecutedBy     string      `json:"executedBy,omitempty"` // agent, gateway or system-of-record
	Executor       string      `json:"executor"`
	ExternalRef    string      `json:"externalRef,omitempty"`
	At             Time        `json:"at"`
}

func (r *Receipt) docType() string { return TypeReceipt }
func (r *Receipt) mode() string    { return r.Subject.Mode }

var receiptOutcomes = []string{OutcomeHeld, OutcomeCharged, OutcomeExecuted, OutcomeFailed, OutcomeNotEntered, OutcomeUnknown,
	OutcomeException, OutcomeReversed}

// Terms are the receipt proper.
func (r *Receipt) Terms() *ReceiptTerms { return &r.Subject.Receipt }

func (r *Receipt) check() error {
	const place = "/credentialSubject/receipt"
	t := r.Terms()
	return firstError(
		func() error { return r.Envelope.check("ReceiptCredential") },
		func() error { return checkMode(r.Subject.Mode) },
		func() error { return agentDID(r.Subject.ID) },
		func() error {
			if !slices.Contains(receiptOutcomes, t.Outcome) {
				return refuse("receipt-outcome", place+"/outcome", "no such outcome")
			}
			return nil
		},
		func() error { return checkDIDs(place, "grantor", t.Grantor, "executor", t.Executor) },
		func() error { return checkDigest(t.Decision, place+"/decision") },
		func() error { return checkDigest(t.Action, place+"/action") },
		func() error { return checkOptional(t.Begin, place+"/begin") },
		func() error { return checkOptional(t.Report, place+"/report") },
		func() error { return checkOptional(t.Reconciliation, place+"/reconciliation") },
		func() error { return checkEach(place+"/mandates", t.Mandates) },
	)
}

// Execution is what a receipt is a view of: the decision, and the documents that followed it with their ledger times.
// Reports are in log order; Role is the executor's in the roster that was in force at the decision, "" where the executor is the agent.
type Execution struct {
	Decision Document
	Begin    Document
	// Reconciled is the word with which people turned the charge into not_entered, zero where they did not. Reports come after it.
	Reconciled Document
	Reports    []Document
	LastAt     Time // ledger time of the last of these entries
	Role       string
}

// ReceiptOf makes the unsigned receipt of an authorised action.
func ReceiptOf(x Execution) (Document, error) {
	r, err := x.receipt()
	if err != nil {
		return Document{}, err
	}
	return New(r)
}

// IsReceipt says whether doc, without its proof, is ReceiptOf x. Documents are read in their one form, so equal bodies are equal bytes;
// the receipt is written only where Go keeps apart what may be one document.
func IsReceipt(doc Document, x Execution) (bool, error) {
	r, err := x.receipt()
	if err != nil {
		return false, err
	}
	if body, ok := doc.Body.(*Receipt); ok && reflect.DeepEqual(r, body) {
		return true, nil
	}
	written, err := New(r)
	return err == nil && written.Value.Equal(doc.Value.Without("proof")), err
}

func (x Execution) receipt() (*Receipt, error) {
	d, ok := x.Decision.Body.(*Decision)
	if !ok || d.Result != Authorized {
		return nil, refuse("receipt-none", "", "only an authorised action has a receipt")
	}
	r := &Receipt{Envelope: NewEnvelope("ReceiptCredential", uuidOf(x.Decision.Digest+"/receipt"), d.Verifier)}
	r.ValidFrom = x.LastAt
	t := ReceiptTerms{Decision: x.Decision.Digest, Grantor: d.Grantor, Mandates: d.Mandates, Action: ActionDigest(d.Action),
		Executor: d.Executor, ExecutedBy: x.Role, At: x.LastAt, Outcome: heldOutcome(x, d)}
	switch {
	case d.Executor == d.Agent:
		t.ExecutedBy = "agent"
	case x.Role == "":
		return nil, refuse("executor-unknown", "", "the roster of the decision lists no such executor")
	}
	if !x.Begin.IsZero() {
		t.Begin = x.Begin.Digest
	}
	if !x.Reconciled.IsZero() {
		t.Reconciliation = x.Reconciled.Digest
	}
	if err := t.addReports(x.Reports, d); err != nil {
		return nil, err
	}
	r.Subject = ReceiptSubject{ID: d.Agent, Mode: d.Mode, Receipt: t}
	return r, nil
}

// heldOutcome is the outcome where nobody has reported: charged at the decision, or begun and unknown; people may have said that it was
// not executed.
func heldOutcome(x Execution, d *Decision) string {
	switch {
	case !x.Reconciled.IsZero():
		return OutcomeNotEntered
	case d.Charged:
		return OutcomeCharged
	case !x.Begin.IsZero():
		return OutcomeUnknown
	}
	return OutcomeHeld
}

// addReports folds the reports: executed amounts add up; above what was held, without a begin, or after the hold was given back,
// they make an exception.
func (t *ReceiptTerms) addReports(reports []Document, d *Decision) error {
	action, err := ParseAction(d.Action)
	if err != nil {
		return err
	}
	closed := t.Reconciliation != ""
	for _, doc := range reports {
		r, ok := doc.Body.(*Report)
		if !ok || r.Decision != t.Decision {
			return refuse("receipt-foreign", "", "a report of another decision")
		}
		t.Report = doc.Digest
		if r.ExternalRef != "" {
			t.ExternalRef = r.ExternalRef
		}
		if t.Outcome != OutcomeException {
			t.Outcome = r.Outcome
		}
		if r.Outcome != OutcomeExecuted {
			closed = closed || r.Outcome != OutcomeReversed
			continue
		}
		if closed || t.Begin == "" && !d.Charged { // nothing was open for it
			t.Outcome = OutcomeException
		}
		if action.Amount == nil {
			continue
		}
		sum := reportedAmount(r, action)
		if t.Amount != nil {
			if sum, err = t.Amount.Add(sum); err != nil {
				return refuse("money-overflow", "", "the reported amounts overflow")
			}
		}
		t.Amount = &sum
		if c, err := sum.Cmp(*action.Amount); err == nil && c > 0 {
			t.Outcome = OutcomeException
		}
	}
	return nil
}

// reportedAmount is what a report executed: the action's amount where the report names none.
func reportedAmount(r *Report, a *Action) rule.Money {
	if r.Amount != nil {
		return *r.Amount
	}
	return *a.Amount
}
