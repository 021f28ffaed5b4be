package verifier_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc/status"
	"github.com/writ-trust/writ/verifier"
)

// supplied is a mandate that asks for the chamber's word on the payee, not older than its status list of five minutes.
func (s *story) supplied(more string) spec.Document {
	return s.enrol(s.Mandate(func(m *spec.Mandate) {
		t := m.Terms()
		t.Constraints, t.StatusMaxAge = append(t.Constraints, s.SupplierLimit(more)), "PT5M"
	}))
}

// askWith presents credentials beside the mandate.
func (s *story) askWith(key string, mandate spec.Document, credentials ...jcs.Value) (*spec.Decision, spec.Document, error) {
	s.t.Helper()
	l, err := s.verifier.Verify(s.t.Context(), verifier.Request{Org: org, Presentation: s.PresentWith([]spec.Document{mandate}, credentials,
		s.Action("42.00"), s.Request(key), s.Now).Bytes()})
	if err != nil {
		return nil, spec.Document{}, err
	}
	d, _ := verifier.Decision(l)
	return d, l.Last().Document, nil
}

// bits is an encoded list of so many entries with these set.
func bits(t failer, entries int, set ...int) string {
	t.Helper()
	b := status.NewBits(entries)
	for _, i := range set {
		if err := b.Set(i, true); err != nil {
			t.Fatal(err)
		}
	}
	return b.Encode()
}

// TestPresentedCredentials: what is presented authorises, rejects with a reason, or is refused and leaves nothing.
func TestPresentedCredentials(t *testing.T) {
	clear, revoked := bits(t, 0), bits(t, 0, 7)
	put := writtest.Put
	for name, row := range map[string]struct {
		present func(*story) []jcs.Value
		after   time.Duration
		reason  string // of the REJECTED; "" for AUTHORIZED
		refused string // reason and place of the error
	}{
		"good":             {present: func(s *story) []jcs.Value { return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear)} }},
		"list first":       {present: func(s *story) []jcs.Value { return []jcs.Value{s.SupplierStatus(clear), s.Supplier(writtest.Payee, 7)} }},
		"without a status": {present: func(s *story) []jcs.Value { return []jcs.Value{s.Supplier(writtest.Payee, -1)} }},
		"a good one of two": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier("lei:OTHER", -1), s.Supplier(writtest.Payee, -1)}
		}},
		"none":          {present: func(*story) []jcs.Value { return nil }, reason: "credential-absent"},
		"about another": {present: func(s *story) []jcs.Value { return []jcs.Value{s.Supplier("lei:OTHER", -1)} }, reason: "credential-subject"},
		"expired": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, -1, put("/validUntil", "2026-11-30T12:00:00Z"))}
		}, reason: "credential-expired"},
		"not valid yet": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, -1, put("/validFrom", "2026-12-02T00:00:00Z"))}
		}, reason: "credential-early"},
		"revoked": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(revoked)}
		}, reason: "credential-revoked"},
		"without its list":  {present: func(s *story) []jcs.Value { return []jcs.Value{s.Supplier(writtest.Payee, 7)} }, reason: "status-absent"},
		"list five minutes": {present: listAged(5*time.Minute, clear)},
		"list older":        {present: listAged(5*time.Minute+time.Second, clear), reason: "status-stale"},
		"list over": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear, put("/validUntil", "2026-12-01T09:00:00Z"))}
		}, reason: "status-stale"},
		"list of tomorrow": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear, put("/validFrom", "2026-12-01T09:00:01Z"))}
		}, reason: "status-early"},
		"list's own ttl": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear, put("/validFrom", "2026-12-01T08:59:58Z"), put("/credentialSubject/ttl", 1000))}
		}, reason: "status-stale"},
		"list for another purpose": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear, put("/credentialSubject/statusPurpose", "suspension"))}
		}, reason: "status-purpose"},
		"index out of the list": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, status.MinEntries), s.SupplierStatus(clear)}
		}, reason: "status-index"},

		"of another type": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, -1, put("/type", []string{"VerifiableCredential", "BuyerCredential"}))}
		}, refused: "credential-unasked /verifiableCredential/1"},
		"by another issuer": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.IssueAs("mallory", s.Supplier(writtest.Payee, -1).With("issuer", writtest.Value(s.DID("mallory"))))}
		}, refused: "credential-unasked /verifiableCredential/1"},
		"signed by another": {present: func(s *story) []jcs.Value { return []jcs.Value{s.IssueAs("mallory", s.Supplier(writtest.Payee, -1))} },
			refused: "proof-signature /verifiableCredential/1/proof/proofValue"},
		"unsigned": {present: func(s *story) []jcs.Value { return []jcs.Value{s.Supplier(writtest.Payee, -1).Without("proof")} },
			refused: "proof-missing /verifiableCredential/1"},
		"changed": {present: func(s *story) []jcs.Value {
			return []jcs.Value{put("/credentialSubject/id", writtest.Payee)(s.Supplier("lei:OTHER", -1))}
		}, refused: "proof-signature /verifiableCredential/1/proof/proofValue"},
		"twice": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, -1), s.Supplier(writtest.Payee, -1)}
		},
			refused: "credential-repeated /verifiableCredential/2"},
		"two editions of its list": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear), s.SupplierStatus(revoked)}
		}, refused: "credential-repeated /verifiableCredential/3"},
		"list that nobody names": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, -1), s.SupplierStatus(clear)}
		},
			refused: "credential-unasked /verifiableCredential/2"},
		"list by another issuer": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.IssueAs("mallory", s.SupplierStatus(clear).With("issuer", writtest.Value(s.DID("mallory"))))}
		}, refused: "credential-unasked /verifiableCredential/2"},
		"list signed by another": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.IssueAs("mallory", s.SupplierStatus(clear))}
		}, refused: "proof-signature /verifiableCredential/2/proof/proofValue"},
		"list that is a bomb": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(bomb(t))}
		},
			refused: "status-size /verifiableCredential/2/credentialSubject/encodedList"},
		"test list": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(clear, put("/credentialSubject/mode", "test"))}
		}, refused: "mode-other /verifiableCredential/2/credentialSubject/mode"},
		"status of another kind": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier(writtest.Payee, 7, put("/credentialStatus/statusPurpose", "message"))}
		}, refused: "status-entry /verifiableCredential/1/credentialStatus/0/statusPurpose"},
		"about nobody": {present: func(s *story) []jcs.Value {
			return []jcs.Value{s.Supplier("", -1, put("/credentialSubject", map[string]int{"since": 1}))}
		},
			refused: "credential-form /verifiableCredential/1/credentialSubject"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, "credentials")
			mandate := s.supplied("")
			entries := len(s.ledger.Records())
			presented := row.present(s)
			d, doc, err := s.askWith("invoice-1", mandate, presented...)
			if row.refused != "" {
				if got := placeOf(err); got != row.refused || len(s.ledger.Records()) != entries {
					t.Fatalf("%s, %d entries, want %s", got, len(s.ledger.Records())-entries, row.refused)
				}
				return
			}
			s.must(err)
			want := spec.Rejected
			if row.reason == "" {
				want = spec.Authorized
			}
			if d.Result != want || len(d.Inputs.Credentials) != len(presented) || row.reason != "" && !strings.Contains(fmt.Sprint(d.Checks), row.reason) {
				t.Fatalf("%s %v with inputs %v, want %s %s", d.Result, d.Checks, d.Inputs.Credentials, want, row.reason)
			}
			s.holds(doc, want)
		})
	}
}

// listAged presents a list that was made so long ago.
func listAged(age time.Duration, encoded string) func(*story) []jcs.Value {
	return func(s *story) []jcs.Value {
		list := s.SupplierStatus(encoded)
		s.Advance(age)
		return []jcs.Value{s.Supplier(writtest.Payee, 7), list}
	}
}

// bomb is 2 MiB of bits in few bytes.
func bomb(t failer) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return jcs.EncodeBase64(out.Bytes())
}

// placeOf is the reason and the place of a refusal.
func placeOf(err error) string {
	var e *spec.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Reason + " " + e.Pointer
}

// TestCredentialLimits holds the ages of the constraint itself.
func TestCredentialLimits(t *testing.T) {
	s := newStory(t, "credential limits")
	mandate := s.supplied(`,"maxAge":"P1D","status":"required"`)
	d, _, err := s.askWith("invoice-1", mandate, s.Supplier(writtest.Payee, -1))
	s.must(err)
	if d.Result != spec.Rejected || !strings.Contains(fmt.Sprint(d.Checks), "credential-status") {
		t.Errorf("without a status: %s %v", d.Result, d.Checks)
	}
	credential := s.Supplier(writtest.Payee, 7)
	if d, _, err = s.askWith("invoice-2", mandate, credential, s.SupplierStatus(bits(t, 0))); err != nil || d.Result != spec.Authorized {
		t.Errorf("of a day ago: %v %v", d, err)
	}
	s.Advance(time.Second)
	d, _, err = s.askWith("invoice-3", mandate, credential, s.SupplierStatus(bits(t, 0)))
	s.must(err)
	if d.Result != spec.Rejected || !strings.Contains(fmt.Sprint(d.Checks), "credential-stale") {
		t.Errorf("a second older: %s %v", d.Result, d.Checks)
	}
}

// TestCredentialsDoNotMakeAnotherRequest: the same request with other credentials joins, and gets the answer of before.
func TestCredentialsDoNotMakeAnotherRequest(t *testing.T) {
	s := newStory(t, "credentials joined")
	mandate, action := s.supplied(""), s.Action("42.00")
	ask := func(credentials ...jcs.Value) spec.Logged {
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org,
			Presentation: s.PresentWith([]spec.Document{mandate}, credentials, action, s.Request("invoice-1"), s.Now).Bytes()})
		s.must(err)
		return l
	}
	first, second := ask(), ask(s.Supplier(writtest.Payee, -1))
	if d, _ := verifier.Decision(second); !second.Known || d.Result != spec.Rejected || first.Last().Document.Digest != second.Last().Document.Digest {
		t.Errorf("presented later: %+v", d)
	}
}

// TestRecoveryNeedsFreshCredentials: a request that waits for people is decided on its credentials as they are then.
func TestRecoveryNeedsFreshCredentials(t *testing.T) {
	for wait, want := range map[time.Duration]string{4 * time.Minute: spec.Authorized, 6 * time.Minute: spec.Rejected} {
		s := newStory(t, "credentials wait")
		mandate := s.supplied("")
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: s.PresentWith([]spec.Document{mandate},
			[]jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(bits(t, 0))}, s.Action("10700.00"), s.Request("invoice-1"), s.Now).Bytes()})
		s.must(err)
		if d, _ := verifier.Decision(l); d.Result != spec.CollectMissing {
			t.Fatalf("%s %v", d.Result, d.Checks)
		}
		s.Advance(wait)
		d, doc := s.lift(l.Last().Document, mandate)
		if d.Result != want {
			t.Errorf("after %s: %s %v", wait, d.Result, d.Checks)
		}
		s.holds(doc, want)
	}
}

// TestPresentedNeverHelps: whatever is left out of, or changed in, what is presented, nothing becomes AUTHORIZED by it.
func TestPresentedNeverHelps(t *testing.T) {
	encoded := []string{bits(t, 0), bits(t, 0, 7)}
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(t, "presented never helps")
		mandate := s.supplied("")
		revoked := rapid.IntRange(0, 1).Draw(r, "revoked")
		all := []jcs.Value{s.Supplier(writtest.Payee, 7), s.SupplierStatus(encoded[revoked])}
		i := rapid.IntRange(0, 1).Draw(r, "which")
		if rapid.Bool().Draw(r, "left out") {
			all = append(all[:i], all[i+1:]...)
		} else {
			var root any
			decode(t, all[i].Canonical(), &root)
			places := 0
			walk(root, "", func(_ string, set func(any), old any) { places++ })
			place, n := rapid.IntRange(0, places-1).Draw(r, "place"), 0
			walk(root, "", func(_ string, set func(any), old any) {
				if n == place {
					set(rapid.SampledFrom(mutants(old)).Draw(r, "value"))
				}
				n++
			})
			v, err := jcs.ParseDocument(encode(t, root))
			if err != nil {
				return
			}
			all[i] = v
		}
		if d, _, err := s.askWith("invoice-1", mandate, all...); err == nil && d.Result == spec.Authorized {
			r.Fatalf("AUTHORIZED with %v", all)
		}
	})
}

// suppliedBundle is executed on a presented credential and its list.
func suppliedBundle(s *story) []byte {
	_, decision, err := s.askWith("invoice-1", s.supplied(""), s.Supplier(writtest.Payee, 7), s.SupplierStatus(bits(s.t, 0)))
	s.must(err)
	s.execute(decision)
	return s.export(decision)
}
