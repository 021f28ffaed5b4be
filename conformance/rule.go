package conformance

import (
	"errors"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Rule asks the language of limits: one of Constraint, Window and Pattern is there.
type Rule struct {
	Constraint jcs.Value `json:"constraint,omitzero"`
	Action     jcs.Value `json:"action,omitzero"`
	Agent      string    `json:"agent,omitempty"`
	// Credentials are those that the agent presented.
	Credentials []Credential `json:"credentials,omitempty"`
	At          spec.Time    `json:"at,omitzero"`
	Window      *WindowAsk   `json:"window,omitempty"`
	Pattern     string       `json:"pattern,omitempty"`
	Type        string       `json:"actionType,omitempty"`
	Want        RuleEnd      `json:"want"`
}

// WindowAsk asks which window of a zone, or which rolling one, holds the instant.
type WindowAsk struct {
	Per     string `json:"per"`
	Zone    string `json:"zone,omitempty"`
	Rolling bool   `json:"rolling,omitempty"`
}

// RuleEnd is the answer: whether the constraint holds or the pattern covers the type, or the violation; the window.
type RuleEnd struct {
	Holds     bool      `json:"holds"`
	Violation string    `json:"violation,omitempty"`
	Pointer   string    `json:"pointer,omitempty"`
	Over      string    `json:"over,omitempty"`   // the smallest lift that would admit the action
	Reason    string    `json:"reason,omitempty"` // the question itself is refused
	From      spec.Time `json:"from,omitzero"`
	To        spec.Time `json:"to,omitzero"`
	SumFrom   spec.Time `json:"sumFrom,omitzero"` // rolling: what is summed begins here
}

func (r *Rule) run() error { return r.ask().differs(r.Want) }

// differs compares instants as instants, however they are written.
func (got RuleEnd) differs(want RuleEnd) error {
	same := func(a, b spec.Time) bool { return a.Equal(b.Time) }
	if same(got.From, want.From) && same(got.To, want.To) && same(got.SumFrom, want.SumFrom) {
		got.From, got.To, got.SumFrom = want.From, want.To, want.SumFrom
	}
	if got != want {
		return unequal(got, want)
	}
	return nil
}

func (r *Rule) ask() RuleEnd {
	switch {
	case r.Window != nil:
		return r.askWindow()
	case r.Pattern != "":
		return RuleEnd{Holds: rule.MatchAction(r.Pattern, r.Type)}
	}
	c, err := rule.Parse(r.Constraint)
	if err != nil {
		return refusedRule(err)
	}
	a, err := spec.ParseAction(r.Action)
	if err != nil {
		return refusedRule(err)
	}
	v := c.Check(rule.Action{Type: a.Type, Resource: a.Resource, Amount: a.Amount, Value: r.Action, Agent: r.Agent, Credentials: r.presented()}, r.At.Time)
	if v == nil {
		return RuleEnd{Holds: true}
	}
	end := RuleEnd{Violation: v.Reason, Pointer: v.Pointer}
	if v.Over > 0 {
		end.Over = rule.FormatUnits(v.Over, v.Unit)
	}
	return end
}

func (r *Rule) askWindow() RuleEnd {
	if r.Window.Rolling {
		bucket, sum, _, err := rule.Rolling(r.Window.Per, r.At.Time)
		if err != nil {
			return refusedRule(err)
		}
		return RuleEnd{Holds: true, From: spec.At(bucket.From), To: spec.At(bucket.To), SumFrom: spec.At(sum.From)}
	}
	w, err := rule.Calendar(r.Window.Per, r.Window.Zone, r.At.Time)
	if err != nil {
		return refusedRule(err)
	}
	return RuleEnd{Holds: true, From: spec.At(w.From), To: spec.At(w.To)}
}

func refusedRule(err error) RuleEnd {
	var e *jcs.Error
	if errors.As(err, &e) {
		return RuleEnd{Reason: e.Reason, Pointer: e.Pointer}
	}
	return RuleEnd{Reason: err.Error()}
}
