package conformance

import (
	"maps"
	"slices"
	"testing"

	"github.com/writ-trust/writ/spec"
)

// least is how many vectors each group has at least: a folder that is lost, or a glob that finds nothing, fails.
var least = map[string]int{
	"action": 27, "approval": 38, "policy": 20, "bundle": 88, "erasure": 6, "constraint": 45, "credential": 25, "delegation": 22, "entry": 14,
	"execution": 38, "head": 40, "jcs": 30, "key": 24, "log": 18, "mandate": 49, "money": 28,
	"proof": 17, "reconcile": 10, "template": 24, "recovery": 26, "recoverykeys": 16, "refusals": 7, "request": 32, "revocation": 7, "roster": 18, "status": 17,
	"trust": 10, "window": 18, "word": 32,
}

func TestVectors(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	counted, refused, good := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, v := range all {
		counted[v.Group()]++
		refused[v.Group()] = refused[v.Group()] || v.refuses()
		good[v.Group()] = good[v.Group()] || v.takes()
		t.Run(v.Path, func(t *testing.T) {
			if v.Title == "" || v.Section == "" {
				t.Error("a vector says what is wrong and which clause says so")
			}
			if err := v.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, group := range slices.Sorted(maps.Keys(counted)) {
		t.Logf("%-12s %d", group, counted[group])
		if _, known := least[group]; !known || !refused[group] || !good[group] {
			t.Errorf("group %s: known %v, has a mistake %v, has a good one %v", group, known, refused[group], good[group])
		}
	}
	for group, n := range least {
		if counted[group] < n {
			t.Errorf("group %s: only %d vectors, at least %d are expected", group, counted[group], n)
		}
	}
}

// refuses says whether anything in the vector is refused.
func (v Vector) refuses() bool {
	switch v.Kind {
	case KindDocument:
		return !v.Document.Want.Accept
	case KindRule:
		return !v.Rule.Want.Holds
	case KindBundle:
		return !v.Bundle.Want.Holds
	case KindHead:
		return v.Head.Want.Reason != ""
	}
	return slices.ContainsFunc(v.Trace.Steps, func(s Step) bool {
		return s.Want.Outcome == Refused || s.Want.Outcome == spec.Rejected || s.Want.Outcome == spec.CollectMissing || s.Want.Outcome == Same
	})
}

// takes says whether anything in the vector is taken, so that a runner that refuses everything fails.
func (v Vector) takes() bool {
	if v.Kind != KindTrace {
		return !v.refuses()
	}
	return slices.ContainsFunc(v.Trace.Steps, func(s Step) bool {
		return s.Want.Outcome == Recorded || s.Want.Outcome == spec.Authorized
	})
}
