package verifier_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestCommitInItsPlace: the executor's signature is verified beside the agent's, and judged behind it as before. One that is not the
// executor's entitles nobody, and where both are bad the answer is about the agent's.
func TestCommitInItsPlace(t *testing.T) {
	s := newStory(t, "c1")
	mandate := s.enrol(s.Mandate())
	present := func(i int) spec.Document {
		return s.Present([]spec.Document{mandate}, s.Action("10.00"), s.Request(fmt.Sprintf("request-%06d", i)), s.Now)
	}
	other := present(0)
	stolen, _ := other.Value.Lookup("/proof/proofValue")
	for i, c := range []struct{ agent, executor, want string }{
		{"", "", ""}, {"", "signature", "proof-signature"}, {"", "request", "commit-other"},
		{"signature", "", "proof-signature"}, {"signature", "request", "proof-signature"},
	} {
		p := present(i + 1)
		commit := s.Commit(p, s.Now)
		switch c.executor {
		case "signature":
			unsigned, err := spec.New(commit.Body)
			s.must(err)
			commit = s.Sign(unsigned, "cfo", did.AssertionMethod, s.Now)
		case "request":
			commit = s.Commit(other, s.Now)
		}
		if proof, _ := p.Value.Member("proof"); c.agent != "" {
			broken, err := p.WithValue(p.Value.With("proof", proof.With("proofValue", stolen)))
			s.must(err)
			p = broken
		}
		_, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes(), Commit: commit.Bytes()})
		got := ""
		if hidden := (*verifier.NotEntitledError)(nil); errors.As(err, &hidden) {
			got = hidden.Reason
		} else if err != nil {
			got = reason(err)
		}
		if got != c.want {
			t.Errorf("agent's bad %q, executor's bad %q: %q (%v), want %q", c.agent, c.executor, got, err, c.want)
		}
	}
}
