package spec

import (
	"unicode/utf8"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Erasure says that the document of an earlier entry, and what opens that entry, is gone from the ledger; its effect stays (protocol.md
// 7.12). It is signed by the verifier's decision key. It is never erased itself: Reason and Who name no person.
type Erasure struct {
	Type     string `json:"type"`
	Version  string `json:"version"`
	Mode     string `json:"mode,omitempty"`
	Chain    string `json:"chain"` // the id of a mandate's chain
	Seq      int64  `json:"seq"`   // of the entry there, from 1
	Reason   string `json:"reason"`
	Who      string `json:"who"` // who asked for it
	Verifier string `json:"verifier"`
	At       Time   `json:"at"` // ledger time
}

// maxErasureText is the longest reason and who, in code points.
const maxErasureText = 200

func (e *Erasure) docType() string { return TypeErasure }
func (e *Erasure) mode() string    { return e.Mode }

func (e *Erasure) check() error {
	switch {
	case e.Type != "Erasure":
		return refuse("type-fixed", "/type", "exactly Erasure")
	case e.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case e.Seq < 1:
		return refuse("member-range", "/seq", "entries count from 1")
	case did.Check(e.Verifier) != nil:
		return refuse("did-syntax", "/verifier", "not a DID of a known method")
	}
	return firstError(
		func() error { return checkMode(e.Mode) },
		func() error { return checkDigest(e.Chain, "/chain") },
		func() error { return checkErasureText("/reason", e.Reason) },
		func() error { return checkErasureText("/who", e.Who) },
	)
}

func checkErasureText(pointer, text string) error {
	if n := utf8.RuneCountInString(text); n < 1 || n > maxErasureText {
		return refuse("member-range", pointer, "1 to %d characters", maxErasureText)
	}
	for _, r := range text {
		if hidden(r) {
			return refuse("text-hidden", pointer, "a character that does not show")
		}
	}
	return nil
}

// applyErasure changes nothing but the chain's length: what the erased entry did, stays done.
func (s *State) applyErasure(e *Erasure) error {
	if s.Kind != KindMandate || e.Seq > s.Seq {
		return refuse("erasure-unknown", "/seq", "no mandate's chain has such an entry")
	}
	return nil
}

// chainByID finds the content of a chain by its id.
func (ss States) chainByID(id string) ([]string, error) {
	if s := ss[id]; s != nil {
		return []string{s.Content}, nil
	}
	return nil, refuse("chain-unknown", "/chain", "no such chain here")
}

// residue is what stays of an erased document: the numbers that Apply folds, and whose they are; nothing of what was done, for whom, or
// by whose agent.
type residue struct {
	Result        string            `json:"result,omitempty"` // of a decision; also the members down to accounts
	Amount        *rule.Money       `json:"amount,omitempty"` // of the action, or of a report
	Mandates      []string          `json:"mandates,omitempty"`
	Executor      string            `json:"executor,omitempty"`
	ExecuteBefore Time              `json:"executeBefore,omitempty"`
	Charged       bool              `json:"charged,omitempty"`
	SelfExecuted  bool              `json:"selfExecuted,omitempty"`
	Usage         []Usage           `json:"usage,omitempty"`
	Positions     []Position        `json:"positions,omitempty"`
	Accounts      []AccountPosition `json:"accounts,omitempty"`
	Decision      string            `json:"decision,omitempty"` // of a begin or report; also the members below
	Action        string            `json:"action,omitempty"`
	Outcome       string            `json:"outcome,omitempty"`
	Final         bool              `json:"final,omitempty"`
}

// Erased is the name of an erased document of its own entry, which says nothing of what it was: the leaf hash that everybody can read.
func Erased(entry []byte) string { return LeafHash(entry) }

// Residue writes down what stays of a decision, begin or report that is erased. names has the new name of each erased decision and
// action by the old one. ActionOf tells the action's. Reason: erasure-kept, of any other document.
func Residue(d Document, names map[string]string) ([]byte, error) {
	var r residue
	switch b := d.Body.(type) {
	case *Decision:
		if !b.Final() || b.Resumes != "" {
			return nil, refuse("erasure-kept", "", "the words of people rest on a request that waited")
		}
		a, err := ParseAction(b.Action)
		if err != nil {
			return nil, err
		}
		r = residue{Result: b.Result, Amount: a.Amount, Mandates: b.Mandates, Executor: b.Executor, ExecuteBefore: b.ExecuteBefore, Charged: b.Charged,
			SelfExecuted: b.SelfExecuted, Usage: b.Usage, Positions: b.Positions, Accounts: b.Accounts}
	case *Begin:
		r = residue{Decision: names[b.Decision], Action: names[b.Action], Executor: b.Executor}
	case *Report:
		r = residue{Decision: names[b.Decision], Action: names[b.Action], Outcome: b.Outcome, Amount: b.Amount, Final: b.Final}
	default:
		return nil, refuse("erasure-kept", "", "a %s is what other evidence rests on", d.Type)
	}
	return jcs.Marshal(r)
}

// ParseResidue gives what Residue wrote back as the document that Apply folds, under its new name. It is no document for anybody else.
func ParseResidue(docType, name string, data []byte) (Document, error) {
	var r residue
	if err := jcs.Unmarshal(data, &r); err != nil {
		return Document{}, err
	}
	d := Document{Type: docType, Digest: name}
	switch docType {
	case TypeDecision:
		action, err := ErasedAction(name, r.Amount)
		if err != nil {
			return Document{}, err
		}
		d.Body = &Decision{Result: r.Result, Action: action, Mandates: r.Mandates, Executor: r.Executor, ExecuteBefore: r.ExecuteBefore,
			Charged: r.Charged, SelfExecuted: r.SelfExecuted, Usage: r.Usage, Positions: r.Positions, Accounts: r.Accounts}
	case TypeBegin:
		d.Body = &Begin{Decision: r.Decision, Action: r.Action, Executor: r.Executor}
	case TypeReport:
		d.Body = &Report{Decision: r.Decision, Action: r.Action, Outcome: r.Outcome, Amount: r.Amount, Final: r.Final}
	default:
		return Document{}, refuse("erasure-kept", "", "nothing stays of a %s", docType)
	}
	return d, nil
}

// ErasedAction stands for the action of an erased decision: its amount, and nothing else of it.
func ErasedAction(name string, amount *rule.Money) (jcs.Value, error) {
	return jcs.ValueOf(Action{Type: "erased", Resource: "erased", Amount: amount, Nonce: name})
}
