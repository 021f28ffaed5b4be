package verifier_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

func (s *story) verdicts(data []byte, trust *verifier.Trust) map[string]verifier.Verdict {
	s.t.Helper()
	all := map[string]verifier.Verdict{}
	for _, v := range verifier.CheckBundle(data, trust, verifier.CheckOptions{Expect: "executed"}).Verdicts {
		all[v.Name] = v
	}
	return all
}

// TestHeadInBundle: with a head, usage is proven and no roster can be newer; without one neither is said.
func TestHeadInBundle(t *testing.T) {
	s := newStory(t, "head")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	bare := s.verdicts(s.export(decision), s.trust)
	if bare[verifier.Usage].Outcome != verifier.NotAsked || bare[verifier.Anchored].Detail != "roster newest: not proven" {
		t.Errorf("without a head: %+v", bare)
	}
	headed := s.verdicts(s.exportHeaded(decision), s.trust)
	if v := headed[verifier.Usage]; v.Outcome != verifier.Holds || !strings.HasSuffix(v.Detail, ", asserted") {
		t.Errorf("usage: %+v", v)
	}
	if v := headed[verifier.Anchored]; v.Detail != "roster newest: proven (asserted)" {
		t.Errorf("anchored: %+v", v)
	}
}

// TestStaleHeadIsLeftOut: an exporter adds no head that is older than what the bundle has.
func TestStaleHeadIsLeftOut(t *testing.T) {
	s := newStory(t, "stale head")
	mandate := s.enrol(s.Mandate())
	s.ledger.LogHeads()
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	if v := s.verdicts(s.exportWith(s.ledger, decision), s.trust); v[verifier.Usage].Outcome != verifier.NotAsked || v[verifier.Executed].Outcome != verifier.Holds {
		t.Errorf("%+v", v)
	}
}

// TestHeadShowsWhatFollowed: a revocation after the payment does not undo it, and is said.
func TestHeadShowsWhatFollowed(t *testing.T) {
	s := newStory(t, "revoked later")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	s.Advance(time.Second)
	_, err := s.issuer.Notice(t.Context(), org, s.Notice("treasurer", spec.ActRevoke, spec.ContentDigest(mandate.Value)).Bytes())
	s.must(err)
	if v := s.verdicts(s.exportHeaded(decision), s.trust)[verifier.Usage]; v.Outcome != verifier.Holds || !strings.HasSuffix(v.Detail, " revoked") {
		t.Errorf("%+v", v)
	}
}

// TestReplayedHead: a head is replayed once the mirrors' quorum has cosigned, and not by less.
func TestReplayedHead(t *testing.T) {
	s := newStory(t, "replayed")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	s.execute(decision)
	data := s.exportHeaded(decision)
	one, two := mirror(t, "mirror-1"), mirror(t, "mirror-2")
	trust := *s.trust
	trust.Mirrors = trust.Policy[:strings.Index(trust.Policy, "quorum")] + "witness one " + one.Verifier().String() + "\nwitness two " + two.Verifier().String() +
		"\ngroup both all one two\nquorum both\n"
	file, err := trust.Bytes()
	s.must(err)
	mirrored, err := verifier.ParseTrust(file)
	s.must(err)
	if v := s.verdicts(data, mirrored); !strings.HasSuffix(v[verifier.Usage].Detail, "asserted") {
		t.Errorf("without cosignatures: %+v", v)
	}
	if v := s.verdicts(cosigned(t, data, one), mirrored); !strings.HasSuffix(v[verifier.Usage].Detail, "asserted") {
		t.Errorf("by one of two: %+v", v)
	}
	v := s.verdicts(cosigned(t, data, one, two), mirrored)
	if !strings.HasSuffix(v[verifier.Usage].Detail, "replayed") || v[verifier.Anchored].Detail != "roster newest: proven (replayed)" {
		t.Errorf("by both: %+v", v)
	}
	if v := s.verdicts(cosigned(t, data, one, two), s.trust)[verifier.Anchored]; v.Reason != "checkpoint-lines" {
		t.Errorf("lines of keys that nobody knows: %+v", v)
	}
}

func mirror(t *testing.T, name string) *torchwood.CosignatureSigner {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	m, err := torchwood.NewCosignatureSigner(name, ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cosigned adds the mirrors' lines to the checkpoint that all proofs of a bundle end in.
func cosigned(t *testing.T, data []byte, mirrors ...note.Signer) []byte {
	t.Helper()
	var b verifier.Bundle
	if err := jcs.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	p, err := log.ParseProof([]byte(b.Logged[0].Proof))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(p.Checkpoint, note.VerifierList())
	if unverified := new(note.UnverifiedNoteError); errors.As(err, &unverified) {
		n = unverified.Note
	}
	lines, err := note.Sign(&note.Note{Text: n.Text}, mirrors...)
	if err != nil {
		t.Fatal(err)
	}
	escape := func(b []byte) string { return strings.ReplaceAll(string(b), "\n", `\n`) }
	_, added, _ := strings.Cut(string(lines), "\n\n")
	return []byte(strings.ReplaceAll(string(data), escape(p.Checkpoint), escape(append(p.Checkpoint, added...))))
}
