package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/rdfc"
	"github.com/writ-trust/writ/vc/status"
)

// listed asks for a place on both status lists.
func listed(m *spec.Mandate) {
	for _, purpose := range []string{"revocation", "suspension"} {
		m.CredentialStatus = append(m.CredentialStatus, writtest.JSON(`{"type":"BitstringStatusListEntry","statusPurpose":"`+purpose+`"}`))
	}
}

// hasBothProofs holds an exported credential against a key, and returns it as Writ has it.
func (s *server) hasBothProofs(credential vc.Value, party string) vc.Value {
	s.t.Helper()
	second, err := rdfc.Verify(credential, s.Key(party).Public())
	s.must(err)
	first, ok := credential.Lookup("/proof/0")
	if !ok {
		s.t.Fatalf("no list of proofs: %s", credential.Canonical())
	}
	own := credential.With("proof", first)
	proof, err := vc.Verify(own, s.Key(party).Public())
	s.must(err)
	if !proof.Created.Equal(second.Created) || proof.VerificationMethod != second.VerificationMethod {
		s.t.Errorf("the proofs say different things: %+v, %+v", proof, second)
	}
	return own
}

// TestExport: mandates and receipts leave with a second proof where one is asked for; what is kept has one.
func TestExport(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant(listed)
	exported, err := c.ExportMandate(ctx, spec.ContentDigest(mandate.Value))
	s.must(err)
	if !s.hasBothProofs(exported, "seal").Equal(mandate.Value) {
		t.Error("the export is of another mandate")
	}
	if kept, err := c.Mandate(ctx, spec.ContentDigest(mandate.Value)); err != nil || !kept.Credential.Equal(mandate.Value) {
		t.Errorf("the mandate as it is kept: %v", err)
	}
	a := s.verify(s.ask("invoice-1", s.pay("4200.00"), mandate))
	receipt, err := c.ExportReceipt(ctx, a.ID)
	s.must(err)
	own, err := c.Receipt(ctx, a.ID)
	s.must(err)
	if !s.hasBothProofs(receipt, "ledger").Equal(own.Receipt) {
		t.Error("the export is of another receipt")
	}
	child := s.tick().Seal(s.Child(mandate))
	_, err = c.Delegate(ctx, child)
	s.must(err)
	if _, err := c.ExportMandate(ctx, spec.ContentDigest(child.Value)); writ.ReasonOf(err) != "export-foreign" {
		t.Errorf("a mandate that an agent signed: %v", err)
	}
	if code, answer, _ := s.raw(http.MethodGet, "/v1/mandates/"+spec.ContentDigest(mandate.Value)+"?proof=x", s.keys[acme], ""); code != 400 {
		t.Errorf("an unknown proof: %d %s", code, answer)
	}
}

// TestNoExport: a server without the seam says so.
func TestNoExport(t *testing.T) {
	s := start(t, func(s *server) { s.options = func(o *api.Options) { o.AddProof, o.SignStatusList = nil, nil } })
	s.found()
	mandate := s.grant(listed)
	if _, err := s.client(acme).ExportMandate(t.Context(), spec.ContentDigest(mandate.Value)); writ.ReasonOf(err) != "export-foreign" {
		t.Errorf("without keys: %v", err)
	}
	if code, _, _ := s.raw(http.MethodGet, "/v1/status/1-revocation", "", ""); code != 404 {
		t.Errorf("a list that nobody signs: %d", code)
	}
}

// list fetches a status list as anybody may, without a key.
func (s *server) list(name string) status.List {
	s.t.Helper()
	code, answer, h := s.raw(http.MethodGet, "/v1/status/"+name, "", "")
	if code != 200 || h.Get("Content-Type") != "application/vc" {
		s.t.Fatalf("%s: %d %s", name, code, answer)
	}
	v, err := vc.Parse([]byte(answer))
	s.must(err)
	l, err := status.Read(s.hasBothProofs(v, "ledger"))
	s.must(err)
	if l.ID != statusURL+name || l.Issuer != writtest.Verifier {
		s.t.Errorf("%s is %s by %s", name, l.ID, l.Issuer)
	}
	return l
}

// TestStatusLists: the lists say what the chains say, at once; past their end they say nothing.
func TestStatusLists(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	if code, _, _ := s.raw(http.MethodGet, "/v1/status/1-revocation", "", ""); code != 404 {
		t.Errorf("a list before there is one: %d", code)
	}
	mandate, other := s.grant(listed), s.grant(listed)
	entries := func(d spec.Document) (all []status.Entry) {
		for _, v := range d.Body.(*spec.Mandate).CredentialStatus {
			e, err := status.ReadEntry(v)
			s.must(err)
			all = append(all, e)
		}
		return all
	}
	mine, theirs := entries(mandate), entries(other)
	if len(mine) != 2 || mine[0].Index != mine[1].Index || mine[0].Index == theirs[0].Index || mine[0].List != statusURL+"1-revocation" {
		t.Fatalf("entries %+v, %+v", mine, theirs)
	}
	says := func(when string, want ...bool) {
		t.Helper()
		for i, name := range []string{"1-revocation", "1-suspension"} {
			l := s.list(name)
			got, err := l.Check(mine[i], s.now(), 0)
			if err != nil || got != want[i] {
				t.Errorf("%s, %s: %v, %v", when, name, got, err)
			}
			if got, err := l.Check(theirs[i], s.now(), 0); err != nil || got {
				t.Errorf("%s, the other mandate's %s: %v, %v", when, name, got, err)
			}
			if _, err := l.Check(mine[i], l.ValidUntil, 0); err == nil || !strings.Contains(err.Error(), "status-stale") {
				t.Errorf("%s, %s at its end: %v", when, name, err)
			}
		}
	}
	says("active", false, false)
	content := spec.ContentDigest(mandate.Value)
	_, err := c.Notice(ctx, s.approver("cfo"), spec.ActSuspend, content, "")
	s.must(err)
	says("suspended", false, true)
	what, err := c.ContentOfResume(ctx, content)
	s.must(err)
	for _, person := range []string{"treasurer", "cfo"} {
		_, err = c.Approve(ctx, s.approver(person), spec.Approve, what)
		s.must(err)
	}
	says("resumed", false, false)
	_, err = c.Notice(ctx, s.approver("cfo"), spec.ActRevoke, content, "")
	s.must(err)
	says("revoked", true, false)
	if life := s.list("1-revocation").ValidUntil.Sub(s.now()); life > 10*time.Minute || life < 9*time.Minute {
		t.Errorf("a list lives %v", life)
	}
	for _, name := range []string{"2-revocation", "0-revocation", "1-message", "1", "01-revocation", "-revocation", "1-revocation-x"} {
		if code, answer, _ := s.raw(http.MethodGet, "/v1/status/"+name, "", ""); code != 404 {
			t.Errorf("%s: %d %s", name, code, answer)
		}
	}
	if _, answer, _ := s.raw(http.MethodGet, "/v1/status/1-revocation?proof=jcs", "", ""); !vcHolds(answer, s) {
		t.Errorf("with one proof: %s", answer)
	}
}

func vcHolds(text string, s *server) bool {
	v, err := vc.Parse([]byte(text))
	if err == nil {
		_, err = vc.Verify(v, s.Key("ledger").Public())
	}
	return err == nil
}
