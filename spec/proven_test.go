package spec_test

import (
	"testing"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestProven: a document that was verified by one key is not verified by another, nor is another value that took its place.
func TestProven(t *testing.T) {
	w := writtest.Acme("proven")
	doc := w.ApproveMandate("cfo", w.Mandate())
	check := func(d spec.Document, by string) string {
		err := spec.CheckSignature(d, w.Key(by).Public(), w.KeyID("cfo"), did.CapabilityDelegation)
		if err == nil {
			return ""
		}
		return err.(*spec.Error).Reason
	}
	copied := doc
	for i, row := range []struct {
		by, want string
		count    int
	}{{"cfo", "", 1}, {"treasurer", "proof-signature", 2}, {"cfo", "", 2}, {"treasurer", "proof-signature", 3}, {"cfo", "", 3}} {
		if got := check(copied, row.by); got != row.want || doc.Verifications() != row.count {
			t.Errorf("%d, by %s: %q after %d verifications, want %q after %d", i, row.by, got, doc.Verifications(), row.want, row.count)
		}
	}
	replaced := doc
	replaced.Value = w.ApproveMandate("treasurer", w.Mandate()).Value
	if got := check(replaced, "cfo"); got != "proof-signature" {
		t.Errorf("another value in its place: %q", got)
	}
	if replaced.Content() == doc.Content() || replaced.Content() != spec.ContentDigest(replaced.Value) || doc.Content() != spec.ContentDigest(doc.Value) {
		t.Error("the content digest is that of another value")
	}
	again, err := spec.Parse(doc.Bytes())
	if err != nil || again.Verifications() != 0 || check(again, "treasurer") != "proof-signature" {
		t.Errorf("equal bytes, read again: %d verifications, %v", again.Verifications(), err)
	}
}
