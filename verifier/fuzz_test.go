package verifier_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
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

// FuzzCheckHead looks for bytes that show another head than those that the ledger showed, and for panics.
func FuzzCheckHead(f *testing.F) {
	s := newStory(f, "fuzz head")
	mandate := s.enrol(s.Mandate())
	s.ledger.LogHeads()
	chain := s.ledger.All().ByContent(spec.ContentDigest(mandate.Value)).Chain
	good, err := verifier.ShowHead(f.Context(), s.ledger, org, chain, nil, s.ledger.Proof)
	s.must(err)
	want, err := verifier.CheckHead(good, s.trust)
	s.must(err)
	f.Add(good)
	f.Add([]byte(`{"type":"HeadProof","version":"1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := verifier.CheckHead(data, s.trust)
		if err != nil {
			return
		}
		if a.State = want.State; !reflect.DeepEqual(a, want) { // whether the state is opened is the exporter's to say
			t.Errorf("another head passes: %s", data)
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

// FuzzPresented looks for a second text that passes for the credential which the chamber signed, and for panics.
func FuzzPresented(f *testing.F) {
	s := newStory(f, "fuzz presented")
	good, list := s.Supplier(writtest.Payee, 7), s.SupplierStatus(bits(f, 0))
	p := s.Present([]spec.Document{s.supplied("")}, s.Action("42.00"), s.Request("invoice-0"), s.Now).Body.(*spec.Presentation)
	f.Add(good.Canonical())
	f.Add(list.Canonical())
	asked := 0
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := jcs.ParseDocument(data)
		if err != nil {
			return
		}
		asked++
		next := *p
		next.Credential, next.Request = []jcs.Value{p.Credential[0], v, list}, s.Request(fmt.Sprintf("invoice-%d", asked))
		unsigned, err := spec.New(&next)
		if err != nil {
			return
		}
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: s.Presented(unsigned).Bytes()})
		if d, _ := verifier.Decision(l); err == nil && d.Result == spec.Authorized && !v.Equal(good) {
			t.Errorf("authorised by %s", data)
		}
	})
}
