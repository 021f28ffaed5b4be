package verifier_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestEveryScalar changes every scalar of a valid bundle in turn: verification must fail each time, and name a check.
func TestEveryScalar(t *testing.T) {
	for name, bundle := range map[string]func(*story) []byte{"recovered": recoveredBundle, "delegated": delegatedBundle, "supplied": suppliedBundle, "formed": formedBundle, "policies": policyBundle,
		"headed": headedBundle, "headed policies": headedPolicyBundle} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, "mutation "+name)
			data := bundle(s)
			if c := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: "executed"}); !c.Holds {
				t.Fatalf("the bundle itself fails: %+v", c.Verdicts)
			}
			var root any
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			s.must(decoder.Decode(&root))
			changed := 0
			walk(root, "", func(pointer string, set func(any), old any) {
				for _, v := range mutants(old) {
					set(v)
					mutated, err := json.Marshal(root)
					s.must(err)
					c := verifier.CheckBundle(mutated, s.trust, verifier.CheckOptions{Expect: "executed"})
					if c.Holds {
						t.Errorf("%s changed from %v to %v, and the bundle still holds", pointer, old, v)
					} else if !slices.ContainsFunc(c.Verdicts, func(v verifier.Verdict) bool {
						return v.Outcome == verifier.Fails && v.Reason != "" && v.Reason != "internal"
					}) {
						t.Errorf("%s changed: no check is named: %+v", pointer, c.Verdicts)
					}
					changed++
				}
				set(old)
			})
			t.Logf("%d changes of scalars, each refused", changed)
			if changed < 500 {
				t.Errorf("only %d scalars were changed", changed)
			}
		})
	}
}

func recoveredBundle(s *story) []byte {
	mandate := s.enrol(s.Mandate())
	_, first := s.ask("invoice-1", "4200.00", mandate)
	s.execute(first)
	_, decision := s.recover("invoice-2", "6500.00", mandate)
	s.execute(decision)
	return s.export(decision)
}

// headedBundle is a delegated payment with the heads of its chains; the parent is used and then suspended afterwards.
func headedBundle(s *story) []byte {
	parent := s.enrol(s.Mandate())
	child := s.Seal(s.Child(parent))
	_, err := s.issuer.Delegate(s.t.Context(), org, child.Bytes())
	s.must(err)
	_, decision := s.ask("child-001", "1500.00", parent, child)
	s.execute(decision)
	_, later := s.ask("invoice-9", "10.00", parent)
	s.execute(later)
	return s.exportHeaded(decision)
}

func headedPolicyBundle(s *story) []byte {
	decision := policyDecision(s)
	return s.exportHeaded(decision)
}

func delegatedBundle(s *story) []byte {
	parent := s.enrol(s.Mandate())
	child := s.Seal(s.Child(parent))
	_, err := s.issuer.Delegate(s.t.Context(), org, child.Bytes())
	s.must(err)
	_, decision := s.ask("child-001", "1500.00", parent, child)
	s.execute(decision)
	return s.export(decision)
}

// recover asks for more than the limit, has the cfo lift it, and resumes.
func (s *story) recover(key, euros string, mandate spec.Document) (*spec.Decision, spec.Document) {
	s.t.Helper()
	_, interim := s.ask(key, euros, mandate)
	return s.lift(interim, mandate)
}

// lift has the cfo sign what an interim decision proposes, and resumes.
func (s *story) lift(interim, mandate spec.Document) (*spec.Decision, spec.Document) {
	s.t.Helper()
	proposals, err := s.issuer.Proposals(s.t.Context(), org, interim.Digest)
	s.must(err)
	supplement, err := spec.FromValue(proposals[0].Content)
	s.must(err)
	_, err = s.issuer.ApproveSupplement(s.t.Context(), org, interim.Digest, s.ApproveSupplement("cfo", mandate, supplement).Bytes())
	s.must(err)
	l, err := s.verifier.Resume(s.t.Context(), org, interim.Digest)
	s.must(err)
	d, _ := verifier.Decision(l)
	return d, l.Last().Document
}

// walk visits every scalar of a decoded document with a way to replace it.
func walk(v any, pointer string, visit func(pointer string, set func(any), old any)) {
	switch x := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(x) {
			child(x[name], pointer+"/"+name, func(v any) { x[name] = v }, visit)
		}
	case []any:
		for i := range x {
			child(x[i], fmt.Sprintf("%s/%d", pointer, i), func(v any) { x[i] = v }, visit)
		}
	}
}

func child(v any, pointer string, set func(any), visit func(string, func(any), any)) {
	switch v.(type) {
	case map[string]any, []any:
		walk(v, pointer, visit)
	default:
		visit(pointer, set, v)
	}
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mutants of a scalar: for a text its first, middle and last character changed in turn, so that prefixes, bodies and tails are
// all touched; the line ends of a proof are touched by its own mutants.
func mutants(v any) []any {
	switch x := v.(type) {
	case string:
		var out []any
		for _, i := range []int{0, len(x) / 2, len(x) - 1} {
			b := []byte(x)
			if b[i] == 'A' {
				b[i] = 'B'
			} else {
				b[i] = 'A'
			}
			out = append(out, string(b))
		}
		return append(out, x+"A")
	case json.Number:
		n, _ := x.Int64()
		return []any{json.Number(fmt.Sprint(n + 1))}
	case bool:
		return []any{!x}
	}
	return nil
}
