package verifier_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// The twelve invariants of spec/threat-model.md, over random histories of Decide and Apply.

func TestInvariant1Authority(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(t, fmt.Sprint(rapid.Uint32().Draw(r, "seed")))
		m := s.Mandate()
		content := spec.ContentDigest(m.Value)
		_, err := s.issuer.Propose(t.Context(), org, m.Value)
		s.must(err)
		standing := map[string]bool{}
		for range rapid.IntRange(1, 8).Draw(r, "words") {
			person := rapid.SampledFrom([]string{"treasurer", "cfo", "intern", "stranger"}).Draw(r, "person")
			word := rapid.SampledFrom([]string{spec.Approve, spec.Approve, spec.Approve, spec.Withdraw, spec.Decline}).Draw(r, "word")
			signer := rapid.SampledFrom([]string{person, person, person, "seal"}).Draw(r, "signer")
			d := s.Say(person, word, spec.KindMandate, content, m.Body.(*spec.Mandate).Lines("en")...)
			if signer != person {
				d = s.forge(d, signer)
			}
			l, err := s.issuer.Approve(t.Context(), org, d.Bytes())
			named := person == "treasurer" || person == "cfo"
			if err != nil {
				if named && signer == person {
					t.Fatalf("%s of %s refused: %v", word, person, err)
				}
				continue
			}
			if !named || signer != person {
				t.Fatalf("%s of %s signed by %s was taken", word, person, signer)
			}
			standing[person] = word == spec.Approve
			issued := l.Last().Document.Type == spec.TypeMandate
			if want := standing["treasurer"] && standing["cfo"]; issued != want {
				t.Fatalf("issued %v, but standing approvals are %v", issued, standing)
			}
			if issued || word == spec.Decline {
				return
			}
		}
	})
}

// forge replaces the proof of a document by one that another key made under the same method.
func (s *story) forge(d spec.Document, signer string) spec.Document {
	other := writtest.Acme("forger of " + signer)
	return other.Say("treasurer", d.Body.(*spec.Approval).Decision, spec.KindMandate, d.Body.(*spec.Approval).Content)
}

func TestInvariant2Identity(t *testing.T) {
	s := newStory(t, "identity")
	m := s.Mandate()
	a, b := s.ApproveMandate("treasurer", m), s.ApproveMandate("cfo", m)
	content := spec.ContentDigest(m.Value)
	for _, approvals := range [][]spec.Document{{a}, {b}, {a, b}, {b, a}} {
		if got := spec.ContentDigest(s.Seal(m, approvals...).Value); got != content {
			t.Errorf("another envelope of the same mandate is another mandate")
		}
	}
	changed := 0
	var root any
	decode(t, m.Value.Canonical(), &root)
	walk(root, "", func(pointer string, set func(any), old any) {
		for _, v := range mutants(old) {
			set(v)
			if value, err := jcs.ParseDocument(encode(t, root)); err == nil && spec.ContentDigest(value) == content {
				t.Errorf("%s changed, and it is the same mandate", pointer)
			}
			changed++
		}
		set(old)
	})
	if changed < 60 {
		t.Errorf("only %d changes", changed)
	}
}

func TestInvariant3Attenuation(t *testing.T) {
	live(t, nil, func(h *history, before spec.States, d *spec.Decision) {
		for i, content := range d.Mandates {
			m := before.ByContent(content)
			if m.Status != spec.StatusActive || h.Now.Before(m.Mandate.ValidFrom.Time) || !h.Now.Before(m.Mandate.ValidUntil.Time) {
				h.t.Fatalf("AUTHORIZED under %s, %s at %s", content, m.Status, h.Now)
			}
			if i > 0 {
				parent := before.ByContent(d.Mandates[i-1])
				if m.Mandate.Terms().Grantor.ID != parent.Mandate.Subject.ID || m.Mandate.Terms().Ledger != parent.Mandate.Terms().Ledger {
					h.t.Fatalf("the principal or the ledger changes below %s", content)
				}
			}
			own := slices.ContainsFunc(d.Usage, func(u spec.Usage) bool { return u.Mandate == content })
			if !own {
				h.t.Fatalf("%s was not charged", content)
			}
		}
		for _, u := range d.Usage {
			if u.Lift != "" && before.ByContent(u.Mandate).Mandate.RecoveryFor(u.Constraint) < 0 {
				h.t.Fatalf("a lift of %s, which its document does not let anybody lift", u.Constraint)
			}
		}
	})
}

func TestInvariant4Conservation(t *testing.T) {
	live(t, func(h *history) {
		for _, s := range h.ledger.All().At(h.Now) {
			for _, w := range s.Windows {
				used, lifts, excess := h.account(s.Content, w.Constraint, w.From)
				if w.Used() != used || w.Lifted != lifts || w.Excess != excess {
					h.t.Fatalf("%s: used %d lifted %d excess %d, by plain arithmetic %d %d %d", w.Constraint, w.Used(), w.Lifted, w.Excess, used, lifts, excess)
				}
				if w.Held+w.Committed > w.Max+w.Lifted+w.Excess || w.Held < 0 || w.Committed < 0 || w.Lifted < 0 {
					h.t.Fatalf("%s: %+v is over", w.Constraint, w)
				}
			}
		}
	}, func(h *history, _ spec.States, d *spec.Decision) {
		for _, u := range d.Usage {
			used, lifts, _ := h.account(u.Mandate, u.Constraint, u.From.Time)
			w := u.Window()
			amount := minor(h.t, u.Amount)
			lift := int64(0)
			if u.Lift != "" {
				lift = minor(h.t, u.Lift)
				if signed := h.signedLift(d.Resumes, u); lift > signed {
					h.t.Fatalf("%s is lifted by %d, and people signed %d", u.Constraint, lift, signed)
				}
			}
			if used+amount > w.Max+lifts+lift {
				h.t.Fatalf("%s: %d used, %d more, and at most %d with lifts %d and %d", u.Constraint, used, amount, w.Max, lifts, lift)
			}
		}
	})
}

// signedLift is what the issued supplements of an interim decision add to the limit of a usage line.
func (h *history) signedLift(interim string, u spec.Usage) (signed int64) {
	for _, r := range h.ledger.Records() {
		if sup, ok := r.Document.Body.(*spec.Supplement); ok && sup.Terms().Decision == interim && sup.Terms().Base == u.Mandate {
			for _, l := range sup.Terms().Lifts {
				if l.Constraint == u.Constraint {
					signed += l.MaxOver.Minor
				}
			}
		}
	}
	return signed
}

func TestInvariant5OneLedger(t *testing.T) {
	s := newStory(t, "one ledger")
	elsewhere := s.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Ledger.Verifier = "did:web:other.example" })
	if _, err := s.issuer.Propose(t.Context(), org, elsewhere.Value); reason(err) != "ledger-other" {
		t.Errorf("a mandate of another ledger was drafted here: %v", err)
	}
	mandate := s.enrol(s.Mandate())
	for name, change := range map[string]func(*spec.Request){
		"asked of another ledger": func(r *spec.Request) { r.Ledger = "did:web:other.example" },
	} {
		request := s.Request("request-1", change)
		p := s.Present([]spec.Document{mandate}, s.Action("1.00"), request, s.Now)
		if _, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); err == nil {
			t.Errorf("%s, and decided", name)
		}
	}
	_, d := s.ask("request-2", "1.00", mandate)
	s.execute(d)
	other := newStory(t, "another ledger")
	if c := verifier.CheckBundle(s.export(d), other.trust, verifier.CheckOptions{}); c.Holds {
		t.Errorf("a bundle of another log holds: %+v", c.Verdicts)
	}
}

func TestInvariant6Once(t *testing.T) {
	live(t, func(h *history) {
		holds := map[string]int{}
		for _, c := range h.charges {
			key := c.d.Leaf() + c.d.Request.IdempotencyKey
			if holds[key]++; holds[key] > 1 {
				h.t.Fatalf("two holds for one request")
			}
		}
		if len(h.asked) == 0 {
			return
		}
		a := h.asked[len(h.asked)-1]
		again := h.Present(chainOf(a.presentation), a.presentation.Body.(*spec.Presentation).Action, a.request, h.Now.Add(time.Second))
		l, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: again.Bytes()})
		h.must(err)
		if d, _ := verifier.Decision(l); !l.Known || d.Final() && string(l.Last().Document.Bytes()) != string(a.answer.Bytes()) && d.Resumes == "" {
			h.t.Fatalf("signed anew, the request got another answer")
		}
		entries := len(h.ledger.Records())
		other := h.Present(chainOf(a.presentation), h.Action("0.01"), a.request, h.Now)
		if _, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: other.Bytes()}); reason(err) != "key-reused" {
			h.t.Fatalf("another request under the same key: %v", err)
		}
		if len(h.ledger.Records()) != entries {
			h.t.Fatalf("a refused request left an entry")
		}
	}, nil)
}

// chainOf are the credentials of a presentation as documents.
func chainOf(p spec.Document) []spec.Document {
	var docs []spec.Document
	for _, v := range p.Body.(*spec.Presentation).Credential {
		d, err := spec.FromValue(v)
		if err != nil {
			panic(err)
		}
		docs = append(docs, d)
	}
	return docs
}

func TestInvariant7SameAction(t *testing.T) {
	s := newStory(t, "same action")
	mandate := s.enrol(s.Mandate())
	_, first := s.ask("request-1", "10.00", mandate)
	_, second := s.ask("request-2", "10.00", mandate)
	mixed := s.Begin(first, s.Now).Body.(*spec.Begin)
	mixed.Action = spec.ActionDigest(second.Body.(*spec.Decision).Action)
	s.refused("begin of another action", s.signed(mixed, "bank"), "action-other")
	stranger := s.Begin(first, s.Now).Body.(*spec.Begin)
	s.refused("begin by another key", s.signed(stranger, "agent"), "not-entitled")
	early := s.Report(first, spec.OutcomeExecuted, "", true, s.Now).Body.(*spec.Report)
	early.PayloadDigest = jcs.Digest("payload\n", []byte("other"))
	s.refused("report of another payload", s.signed(early, "bank"), "payload-other")
	early = s.Report(first, spec.OutcomeExecuted, "", true, s.Now).Body.(*spec.Report)
	early.Action = mixed.Action
	s.refused("report of another action", s.signed(early, "bank"), "action-other")
	s.execute(first)
	s.holds(first, "executed")
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(second, s.Now).Bytes())
	s.must(err)
	named := s.Report(second, spec.OutcomeExecuted, "", true, s.Now).Body.(*spec.Report)
	named.ExternalRef = s.reportOf(first).ExternalRef
	s.refused("report of another execution under the same name", s.signed(named, "bank"), "external-ref-reused")
	for _, r := range s.ledger.Records() {
		if b, ok := r.Document.Body.(*spec.Report); ok && b.Action != spec.ActionDigest(first.Body.(*spec.Decision).Action) {
			t.Errorf("a report of another action is logged")
		}
	}
}

func (s *story) reportOf(decision spec.Document) *spec.Report {
	following, err := s.ledger.Following(s.t.Context(), org, decision.Digest)
	s.must(err)
	return following[len(following)-1].Document.Body.(*spec.Report)
}

func (s *story) signed(b spec.Body, party string) spec.Document {
	d, err := spec.New(b)
	s.must(err)
	return s.Sign(d, party, "assertionMethod", s.Now)
}

func (s *story) refused(name string, d spec.Document, want string) {
	s.t.Helper()
	send := s.verifier.Report
	if d.Type == spec.TypeBegin {
		send = s.verifier.Begin
	}
	entries := len(s.ledger.Records())
	if _, err := send(s.t.Context(), org, d.Bytes()); reason(err) != want {
		s.t.Errorf("%s: %v, want %s", name, err, want)
	}
	if len(s.ledger.Records()) != entries {
		s.t.Errorf("%s left an entry", name)
	}
}

func TestInvariant8OneCompleteHistory(t *testing.T) {
	live(t, func(h *history) {
		heads := map[string]spec.Link{}
		leaves := map[string]string{}
		for _, r := range h.ledger.Records() {
			for i, link := range r.Entry.Links {
				if link.Seq != heads[link.Chain].Seq+1 {
					h.t.Fatalf("seq %d follows %d", link.Seq, heads[link.Chain].Seq)
				}
				if r.Openings[i].Previous != leaves[link.Chain] {
					h.t.Fatalf("previous is not the leaf hash of the entry before")
				}
				heads[link.Chain], leaves[link.Chain] = link, spec.LeafHash(r.Entry.Bytes())
			}
		}
		for id, s := range h.ledger.All() {
			if s.Seq != heads[id].Seq || s.Head != leaves[id] {
				h.t.Fatalf("the state is not at its newest entry")
			}
		}
	}, nil)
}

func TestInvariant9TimeAndFreshness(t *testing.T) {
	live(t, func(h *history) {
		last := map[string]time.Time{}
		for _, r := range h.ledger.Records() {
			for _, link := range r.Entry.Links {
				if r.At.Before(last[link.Chain]) {
					h.t.Fatalf("ledger time goes back")
				}
				last[link.Chain] = r.At
			}
		}
		stale := h.Request(fmt.Sprintf("stale-%06d", len(h.asked)))
		p := h.Present([]spec.Document{h.root}, h.Action("1.00"), stale, h.Now.Add(-time.Minute))
		if _, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); reason(err) != "presentation-stale" {
			h.t.Fatalf("a presentation of a minute ago: %v", err)
		}
	}, func(h *history, before spec.States, d *spec.Decision) {
		for _, content := range d.Mandates {
			if s := h.ledger.All().ByContent(content); s.Status == spec.StatusRevoked || s.Status == spec.StatusSuspended {
				h.t.Fatalf("AUTHORIZED follows a notice")
			}
		}
	})
}

func TestInvariant10DeterministicFailClosed(t *testing.T) {
	s := newStory(t, "fail closed")
	data := recoveredBundle(s)
	first := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: "executed"})
	if again := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: "executed"}); fmt.Sprint(first) != fmt.Sprint(again) || !first.Holds {
		t.Fatalf("the same bytes gave %+v and %+v", first, again)
	}
	var root any
	decode(t, data, &root)
	absent := 0
	removeEach(root, func(pointer string) {
		if c := verifier.CheckBundle(encode(t, root), s.trust, verifier.CheckOptions{Expect: "executed"}); c.Holds {
			t.Errorf("%s is absent, and the bundle holds", pointer)
		}
		absent++
	})
	if absent < 300 {
		t.Errorf("only %d members were removed", absent)
	}
	for _, junk := range [][]byte{nil, []byte("{}"), []byte("null"), []byte("[]"), slices.Repeat([]byte("["), 40), make([]byte, 1<<19)} {
		if c := verifier.CheckBundle(junk, s.trust, verifier.CheckOptions{}); c.Holds {
			t.Errorf("%d bytes of junk hold", len(junk))
		}
		if _, err := verifier.ParseTrust(junk); err == nil {
			t.Errorf("%d bytes of junk are a trust file", len(junk))
		}
	}
}

func TestInvariant11Neighbours(t *testing.T) {
	s := newStory(t, "neighbours")
	test := s.Mandate(func(m *spec.Mandate) { m.Subject.Mode = spec.ModeTest })
	if _, err := s.issuer.Propose(t.Context(), org, test.Value); reason(err) != "mode-other" {
		t.Errorf("a test mandate was drafted live: %v", err)
	}
	sealed := s.Seal(test, s.ApproveMandate("treasurer", test), s.ApproveMandate("cfo", test))
	p := s.Present([]spec.Document{sealed}, s.Action("1.00"), s.Request("request-1"), s.Now)
	if _, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); reason(err) != "mode-other" {
		t.Errorf("a test presentation was decided live: %v", err)
	}
	live := s.enrol(s.Mandate())
	_, d := s.ask("request-2", "1.00", live)
	if c := verifier.CheckBundle(s.export(d), s.trust, verifier.CheckOptions{Test: true}); c.Holds {
		t.Errorf("a live bundle passes as test mode: %+v", c.Verdicts)
	}
}

// TestInvariant12Openings guesses all totals of one window: what a bundle opens must not let a guess be confirmed.
func TestInvariant12Openings(t *testing.T) {
	s := newStory(t, "openings")
	mandate := s.enrol(s.Mandate(func(m *spec.Mandate) {
		m.Subject.Mandate.Constraints = append(m.Subject.Mandate.Constraints, writtest.Budget("monthly", "100.00", "P1M"))
	}))
	_, d := s.ask("request-1", "42.00", mandate)
	var bundle verifier.Bundle
	s.must(jcs.Unmarshal(s.export(d), &bundle))
	var salts [][32]byte
	hidden := map[string]bool{}
	for _, l := range bundle.Logged {
		salts = append(salts, salt(t, l.Salt))
		for _, o := range l.Opened {
			salts = append(salts, salt(t, o.Salt))
			for _, w := range o.Windows {
				hidden[w] = true
			}
		}
	}
	if len(hidden) == 0 {
		t.Fatal("no window is committed to")
	}
	state := s.ledger.All().ByContent(spec.ContentDigest(mandate.Value))
	for _, w := range state.Windows {
		for held := int64(0); held <= 100_00; held += 50 {
			guess := w
			guess.Held = held
			totals := guess.Totals()
			for _, salt := range salts {
				if c, err := totals.Commitment(salt); err == nil && hidden[c] {
					t.Fatalf("the bundle lets %s be confirmed by guessing", w.Constraint)
				}
				if c, err := totals.Commitment(spec.Seed(salt).Window(totals)); err == nil && hidden[c] {
					t.Fatalf("an opened salt opens %s", w.Constraint)
				}
			}
		}
	}
}
