package verifier_test

import (
	"encoding/json"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestNotReached: behind a verdict that fails, what was asked is not reached, and what nobody asked for stays not asked.
func TestNotReached(t *testing.T) {
	w := writtest.Acme("verdicts")
	data, err := json.Marshal(map[string]any{"version": "1", "policy": "log " + w.LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(w.Roster().Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
	if err != nil {
		t.Fatal(err)
	}
	trust, err := verifier.ParseTrust(data)
	if err != nil {
		t.Fatal(err)
	}
	const fails, notReached, notAsked = verifier.Fails, verifier.NotReached, verifier.NotAsked
	for expect, want := range map[string][]string{
		"":         {fails, notReached, notAsked, notReached, notReached, notAsked, notAsked},
		"executed": {fails, notReached, notAsked, notReached, notReached, notAsked, notReached},
	} {
		checked := verifier.CheckBundle([]byte(`{"type":"nothing"}`), trust, verifier.CheckOptions{Expect: expect})
		if checked.Holds || len(checked.Verdicts) != len(want) {
			t.Fatalf("%+v", checked)
		}
		for i, v := range checked.Verdicts {
			if v.Outcome != want[i] {
				t.Errorf("expecting %q, %s is %q, want %q", expect, v.Name, v.Outcome, want[i])
			}
		}
	}
}
