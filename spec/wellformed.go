package spec

import (
	"slices"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// This file holds the form of what a decision lists: nothing in a signed document is there and says nothing.

// UnmarshalJCS reads a checkpoint that was seen, in its one form.
func (s *Seen) UnmarshalJCS(v jcs.Value) error {
	type members Seen
	if err := v.Decode((*members)(s)); err != nil {
		return err
	}
	if s.Origin == "" || s.Size < 0 {
		return refuse("member-empty", "", "a checkpoint has an origin and a size from 0")
	}
	return checkDigest(s.Root, "/root")
}

// checkAll checks each element of a list, with its place in front.
func checkAll[T any](place string, list []T, check func(T) error) error {
	for i, e := range list {
		if err := check(e); err != nil {
			return at(place+"/"+itoa(i), err)
		}
	}
	return nil
}

func checkText(pointer string, texts ...string) error {
	if slices.Contains(texts, "") {
		return refuse("member-empty", pointer, "a text that is required is not empty")
	}
	return nil
}

func (d *Decision) checkLists() error {
	return firstError(
		func() error { return checkAll("/checks", d.Checks, Check.check) },
		func() error { return checkAll("/missing", d.Missing, Missing.check) },
		func() error { return checkAll("/usage", d.Usage, Usage.check) },
		func() error { return checkAll("/positions", d.Positions, Position.check) },
		d.checkAccounts,
		d.Inputs.check, d.Config.check,
		func() error { return checkText("/env", d.Env.Spec, d.Env.TZ, d.Env.Currency, d.Env.Rule) },
		func() error { return checkOptional(d.Resumes, "/resumes") },
	)
}

func (c Check) check() error {
	if !slices.Contains([]string{Pass, Fail, MissingLift}, c.Outcome) {
		return refuse("decision-check", "/outcome", "pass, fail or missing")
	}
	return checkText("/check", c.Check)
}

func (m Missing) check() error {
	switch {
	case m.Recovery < 0:
		return refuse("member-range", "/recovery", "the index of a clause")
	case !distinct(m.Approvers) || m.Threshold < 1:
		return refuse("threshold-range", "/threshold", "distinct approvers, at least one")
	}
	return firstError(
		func() error { return checkDigest(m.Mandate, "/mandate") },
		func() error { return checkAll("/lifts", m.Lifts, Lift.check) },
	)
}

func (l Lift) check() error {
	return firstError(
		func() error { return checkDigest(l.Owner, "/owner") },
		func() error { return checkText("/constraint", l.Constraint) },
	)
}

func (u Usage) check() error {
	return firstError(
		u.checkOwner,
		func() error { return checkText("/constraint", u.Constraint, u.Unit) },
		func() error {
			return checkText("/before", u.Before.Lifted, u.Before.Held, u.Before.Committed, u.Before.Excess)
		},
		func() error { return checkText("/max", u.Max, u.Amount) },
		func() error { return checkOptional(u.Supplement, "/supplement") },
		func() error {
			if u.Before.Lifts < 0 {
				return refuse("member-range", "/before/lifts", "a count")
			}
			return nil
		},
	)
}

func (p Position) check() error {
	if p.Seq < 1 || p.OpenHolds < 0 {
		return refuse("member-range", "/seq", "entries count from 1")
	}
	if !slices.Contains([]Status{StatusDraft, StatusActive, StatusSuspended, StatusRevoked, StatusDeclined}, p.Status) {
		return refuse("position-status", "/status", "no such status")
	}
	return firstError(
		func() error { return checkDigest(p.Mandate, "/mandate") },
		func() error { return checkDigest(p.Previous, "/previous") },
	)
}

func (in Inputs) check() error {
	return firstError(
		func() error { return checkDigest(in.Roster, "/inputs/roster") },
		func() error { return checkEach("/inputs/policies", in.Policies) },
		func() error { return checkDigest(in.Presentation, "/inputs/presentation") },
		func() error { return checkEach("/inputs/credentials", in.Credentials) },
		func() error { return checkOptional(in.Commit, "/inputs/commit") },
		func() error { return checkDigest(in.RequestBody, "/inputs/request") },
	)
}

func (c Config) check() error {
	if did.Check(c.Grantor) != nil {
		return refuse("did-syntax", "/config/grantor", "not a DID of a known method")
	}
	if _, err := ParseDuration(c.ExecuteWithin); err != nil {
		return at("/config/executeWithin", err)
	}
	return checkText("/config/resource", c.Resource)
}

// agentDID checks the subject of a supplement or receipt.
func agentDID(id string) error {
	if _, err := did.KeyOf(id); err != nil {
		return refuse("subject-key", "/credentialSubject/id", "an agent is a did:key or did:jwk")
	}
	return nil
}
