package verifier_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestAuditor: an auditor that has seen the whole bundle says of each changed one what CheckBundle says, and counts what it computed.
func TestAuditor(t *testing.T) {
	s := newStory(t, "auditor")
	data := recoveredBundle(s)
	options := verifier.CheckOptions{Expect: spec.OutcomeExecuted}
	auditor := verifier.NewAuditor(s.trust, options)
	first := auditor.Check(data)
	if !first.Holds || auditor.Verified() != first.Signatures {
		t.Fatalf("holds %v, %d signatures, %d computed", first.Holds, first.Signatures, auditor.Verified())
	}
	const shared = 6 // roster and mandate: a seal and two approvals each
	again := auditor.Check(data)
	if !again.Holds || again.Signatures != first.Signatures || auditor.Verified() != 2*first.Signatures-shared {
		t.Errorf("again: holds %v, %d signatures, %d computed", again.Holds, again.Signatures, auditor.Verified())
	}
	var root any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	s.must(decoder.Decode(&root))
	changed := 0
	walk(root, "", func(pointer string, set func(any), old any) {
		changed++
		if changed%7 != 0 { // TestEveryScalar changes all of them
			return
		}
		set(mutants(old)[0])
		mutated := encode(t, root)
		set(old)
		alone := verifier.CheckBundle(mutated, s.trust, options)
		if got := auditor.Check(mutated); !bytes.Equal(encode(t, got.Verdicts), encode(t, alone.Verdicts)) || got.Signatures != alone.Signatures {
			t.Errorf("%s changed: the auditor says %+v, alone it is %+v", pointer, got, alone)
		}
	})
	if changed < 200 {
		t.Errorf("only %d scalars", changed)
	}
}

// TestNoUncountedSignatures: presented credentials and status lists are verified, so they are counted, in what a bundle rests on and in
// what an auditor computed.
func TestNoUncountedSignatures(t *testing.T) {
	s := newStory(t, "counted")
	mandate := s.supplied("")
	count := func(key string, presented ...jcs.Value) int {
		t.Helper()
		_, doc, err := s.askWith(key, mandate, presented...)
		s.must(err)
		auditor := verifier.NewAuditor(s.trust, verifier.CheckOptions{})
		c := auditor.Check(s.export(doc))
		if !c.Holds || auditor.Verified() != c.Signatures {
			t.Fatalf("%d computed of %+v", auditor.Verified(), c)
		}
		return c.Signatures
	}
	none, one := count("request-0"), count("request-1", s.Supplier(writtest.Payee, 7))
	unlisted := count("request-2", s.Supplier(writtest.Payee, -1))
	listed := count("request-3", s.Supplier(writtest.Payee, 7), s.SupplierStatus(bits(t, 131072)))
	if one != none+1 || listed != unlisted+1 {
		t.Errorf("rejected: %d signatures, with a credential %d; authorised by one: %d, by one with a list %d", none, one, unlisted, listed)
	}
}
