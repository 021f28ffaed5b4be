package verifier_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// FuzzCheckBundle looks for bytes that hold and are none of the bundles that do, and for panics.
func FuzzCheckBundle(f *testing.F) {
	s := newStory(f, "fuzz")
	mandate := s.enrol(s.Mandate())
	_, d := s.ask("request-1", "42.00", mandate)
	s.execute(d)
	good := [][]byte{s.export(d), policyBundle(s)}
	for _, bundle := range good {
		f.Add(bundle)
	}
	f.Add([]byte(`{"type":"WritBundle","version":"1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: spec.OutcomeExecuted}).Holds {
			return
		}
		v, err := jcs.ParseDocument(data)
		if err != nil || !slices.ContainsFunc(good, func(b []byte) bool { return bytes.Equal(v.Canonical(), b) }) {
			t.Errorf("another bundle holds: %s", data)
		}
	})
}

// FuzzParseTrust: what parses is written back as it was read.
func FuzzParseTrust(f *testing.F) {
	s := newStory(f, "fuzz trust")
	good, err := s.trust.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":"1","rosters":[],"policy":"","resources":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		trust, err := verifier.ParseTrust(data)
		if err != nil {
			return
		}
		again, err := trust.Bytes()
		v, _ := jcs.ParseDocument(data)
		if err != nil || !bytes.Equal(again, v.Canonical()) {
			t.Errorf("%s came back as %s (%v)", data, again, err)
		}
	})
}
