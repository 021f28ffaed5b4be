package verifier_test

import (
	"bytes"
	"encoding/json"
	"testing"

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
		if got := auditor.Check(mutated); !bytes.Equal(encode(t, got.Verdicts), encode(t, alone.Verdicts)) {
			t.Errorf("%s changed: the auditor says %+v, alone it is %+v", pointer, got.Verdicts, alone.Verdicts)
		}
	})
	if changed < 200 {
		t.Errorf("only %d scalars", changed)
	}
}
