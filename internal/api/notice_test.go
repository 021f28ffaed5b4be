package api_test

import (
	"testing"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
)

// TestNoticeByIssuer: the agent that delegated a mandate takes it away with its own key, and no other of its kind.
func TestNoticeByIssuer(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	parent := s.grant()
	child := s.tick().Seal(s.Child(parent))
	c.Agent = s.Key("agent")
	_, err := c.Delegate(ctx, child)
	s.must(err)
	content := spec.ContentDigest(child.Value)
	by := func(name string) writ.Approver {
		return writ.Approver{KeyID: did.MethodID(s.DID(name)), Key: s.Key(name)}
	}
	if _, err := c.Notice(ctx, by("subagent"), spec.ActRevoke, content, ""); writ.ReasonOf(err) != "revoker-unknown" {
		t.Errorf("by its own subject: %v", err)
	}
	if _, err := c.Notice(ctx, by("agent"), spec.ActRevoke, spec.ContentDigest(parent.Value), ""); writ.ReasonOf(err) != "revoker-unknown" {
		t.Errorf("by the agent on its own mandate: %v", err)
	}
	_, err = c.Notice(ctx, by("agent"), spec.ActRevoke, content, "")
	s.must(err)
	m, err := c.Mandate(ctx, content)
	s.must(err)
	if m.Status != string(spec.StatusRevoked) {
		t.Errorf("the child is %s", m.Status)
	}
}
