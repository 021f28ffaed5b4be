package spec

import (
	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec/rule"
)

// Outcomes of a report, and of a receipt.
const (
	OutcomeExecuted   = "executed"
	OutcomeFailed     = "failed"
	OutcomeNotEntered = "not_entered"
	OutcomeReversed   = "reversed"
	OutcomeHeld       = "held"      // receipt only: authorised, and nobody has begun
	OutcomeCharged    = "charged"   // receipt only: by commit or self-execution, no report
	OutcomeUnknown    = "unknown"   // receipt only: begun, no report
	OutcomeException  = "exception" // receipt only: more was executed than was held
)

// Commit is the executor's word before the decision that it will execute at once: its begin (protocol.md 10.1).
type Commit struct {
	Type     string `json:"type"`
	Version  string `json:"version"`
	Mode     string `json:"mode,omitempty"`
	Request  string `json:"request"` // the request's identity
	Action   string `json:"action"`
	Executor string `json:"executor"`
	At       Time   `json:"at"`
	Nonce    string `json:"nonce"`
	Seen     *Seen  `json:"seen,omitempty"`
}

// Begin is the executor's word right before the effect; its entry with proof is the leave to execute.
type Begin struct {
	Type     string `json:"type"`
	Version  string `json:"version"`
	Mode     string `json:"mode,omitempty"`
	Decision string `json:"decision"`
	Action   string `json:"action"`
	Executor string `json:"executor"`
	At       Time   `json:"at"`
	Nonce    string `json:"nonce"`
	Seen     *Seen  `json:"seen,omitempty"`
}

// Report is the executor's word on what became of the action.
type Report struct {
	Type          string      `json:"type"`
	Version       string      `json:"version"`
	Mode          string      `json:"mode,omitempty"`
	Decision      string      `json:"decision"`
	Action        string      `json:"action"`
	PayloadDigest string      `json:"payloadDigest,omitempty"`
	Outcome       string      `json:"outcome"`
	Amount        *rule.Money `json:"amount,omitempty"`
	Final         bool        `json:"final"`
	ExternalRef   string      `json:"externalRef,omitempty"`
	At            Time        `json:"at"`
	Seen          *Seen       `json:"seen,omitempty"`
}

func (c *Commit) docType() string { return TypeCommit }
func (c *Commit) mode() string    { return c.Mode }
func (b *Begin) docType() string  { return TypeBegin }
func (b *Begin) mode() string     { return b.Mode }
func (r *Report) docType() string { return TypeReport }
func (r *Report) mode() string    { return r.Mode }

func (c *Commit) check() error {
	return firstError(
		func() error { return checkExecutor(c.Executor, c.Nonce) },
		func() error {
			return checkExecution("Commit", c.Type, c.Version, c.Mode, "/request", c.Request, c.Action)
		},
	)
}

func (b *Begin) check() error {
	return firstError(
		func() error { return checkExecutor(b.Executor, b.Nonce) },
		func() error {
			return checkExecution("Begin", b.Type, b.Version, b.Mode, "/decision", b.Decision, b.Action)
		},
	)
}

func (r *Report) check() error {
	switch r.Outcome {
	case OutcomeExecuted, OutcomeFailed, OutcomeNotEntered, OutcomeReversed:
	default:
		return refuse("report-outcome", "/outcome", "executed, failed, not_entered or reversed")
	}
	if r.Amount != nil && r.Outcome != OutcomeExecuted && r.Outcome != OutcomeReversed {
		return refuse("report-amount", "/amount", "only what was executed or reversed has an amount")
	}
	if r.PayloadDigest != "" {
		if err := checkDigest(r.PayloadDigest, "/payloadDigest"); err != nil {
			return err
		}
	}
	return checkExecution("Report", r.Type, r.Version, r.Mode, "/decision", r.Decision, r.Action)
}

func checkExecutor(executor, nonce string) error {
	if did.Check(executor) != nil {
		return refuse("did-syntax", "/executor", "not a DID of a known method")
	}
	if nonce == "" {
		return refuse("member-empty", "/nonce", "a nonce is not empty")
	}
	return nil
}

func checkExecution(want, docType, version, mode, place, subject, action string) error {
	if docType != want {
		return refuse("type-fixed", "/type", "exactly %s", want)
	}
	if version != Version {
		return refuse("version-unknown", "/version", "only version 1 is known")
	}
	return firstError(
		func() error { return checkDigest(subject, place) },
		func() error { return checkDigest(action, "/action") },
		func() error { return checkMode(mode) },
	)
}
