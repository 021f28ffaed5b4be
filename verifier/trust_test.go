package verifier_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestTrustNamesALog: a policy may say that it wants no witness, and not that it knows no log.
func TestTrustNamesALog(t *testing.T) {
	w := writtest.Acme("trust")
	members := map[string]any{"version": "1", "policy": "quorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(w.Roster().Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}}
	data, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	var e *spec.Error
	if _, err := verifier.ParseTrust(data); !errors.As(err, &e) || e.Reason != "trust-empty" || e.Pointer != "/policy" {
		t.Errorf("a policy without a log: %v", err)
	}
}
