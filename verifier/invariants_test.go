package verifier_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
		standing, closed := map[string]bool{}, false
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
				if named && signer == person && !closed {
					t.Fatalf("%s of %s refused: %v", word, person, err)
				}
				continue
			}
			if !named || signer != person || closed {
				t.Fatalf("%s of %s signed by %s was taken; closed by a decline: %v", word, person, signer, closed)
			}
			standing[person], closed = word == spec.Approve, word == spec.Decline
			issued := l.Last().Document.Type == spec.TypeMandate
			if want := standing["treasurer"] && standing["cfo"]; issued != want {
				t.Fatalf("issued %v, but standing approvals are %v", issued, standing)
			}
			if issued {
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
	rapid.Check(t, func(r *rapid.T) {
		w := writtest.Acme(fmt.Sprint(rapid.Uint32().Draw(r, "seed")))
		m := w.Mandate(func(m *spec.Mandate) {
			m.Name = rapid.StringMatching(`[a-z ]{1,20}`).Draw(r, "name")
			if rapid.Bool().Draw(r, "delegation") {
				m.Subject.Mandate.Delegation = nil
			}
			if rapid.Bool().Draw(r, "source") {
				m.Evidence = []jcs.Value{writtest.JSON(`{"type":["SourceDocument"],"documentKind":"contract"}`)}
			}
		})
		content := spec.ContentDigest(m.Value)
		chain, err := spec.ChainID(m.Body.(*spec.Mandate).Terms().Salt, writtest.Origin, content)
		if err != nil {
			t.Fatal(err)
		}
		var approvals []spec.Document
		for _, person := range []string{"treasurer", "cfo", "intern"} {
			if rapid.Bool().Draw(r, person) {
				approvals = append(approvals, w.ApproveMandate(person, m))
			}
		}
		sealed := w.Seal(m, rapid.Permutation(approvals).Draw(r, "order")...)
		if got := spec.ContentDigest(sealed.Value); got != content {
			t.Fatalf("another envelope of the same mandate is another mandate")
		}
		var root any
		decode(t, sealed.Value.Without("proof").Canonical(), &root)
		evidence := fmt.Sprint(root.(map[string]any)["evidence"])
		walk(root, "", func(pointer string, set func(any), old any) {
			for _, v := range mutants(old) {
				set(v)
				value, err := jcs.ParseDocument(encode(t, root))
				inApproval := fmt.Sprint(root.(map[string]any)["evidence"]) != evidence && strings.Contains(pointer, "/approval/")
				if got := spec.ContentDigest(value); err == nil && !inApproval && got == content {
					t.Fatalf("%s changed, and it is the same mandate", pointer)
				} else if err == nil && got != content {
					if other, err := spec.ChainID(m.Body.(*spec.Mandate).Terms().Salt, writtest.Origin, got); err != nil || other == chain {
						t.Fatalf("another content has the same chain")
					}
				}
			}
			set(old)
		})
	})
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
			own := slices.ContainsFunc(d.Usage, func(u spec.Usage) bool { return u.Mandate == content && u.Policy == "" })
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
			content, account := booked(u)
			used, lifts, _ := h.account(content, account, u.From.Time)
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
	live(t, func(h *history) {
		entries := len(h.ledger.Records())
		elsewhere := h.Request(fmt.Sprintf("elsewhere-%06d", entries), func(r *spec.Request) { r.Ledger = "did:web:other.example" })
		p := h.Present([]spec.Document{h.root}, h.Action("1.00"), elsewhere, h.Now)
		if _, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); err == nil {
			h.t.Fatalf("asked of another ledger, and decided")
		}
		other, err := verifier.New(verifier.Options{DID: "did:web:other.example", Key: h.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1,
			Journal: h.ledger, Trust: func() *verifier.Trust { return h.trust }, Random: h, Now: func() time.Time { return h.Now }})
		h.must(err)
		if _, err := other.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); reason(err) != "ledger-other" {
			h.t.Fatalf("decided by a verifier that is not the mandate's ledger: %v", err)
		}
		if len(h.ledger.Records()) != entries {
			h.t.Fatalf("a refusal left an entry")
		}
	}, func(h *history, before spec.States, d *spec.Decision) {
		for _, content := range d.Mandates {
			if l := before.ByContent(content).Mandate.Terms().Ledger; l.Verifier != d.Verifier || l.Log != writtest.Origin || d.Epoch != 1 {
				h.t.Fatalf("AUTHORIZED by %s, epoch %d, under a mandate of %s", d.Verifier, d.Epoch, l.Verifier)
			}
		}
	})
	s := newStory(t, "one ledger")
	elsewhere := s.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Ledger.Verifier = "did:web:other.example" })
	if _, err := s.issuer.Propose(t.Context(), org, elsewhere.Value); reason(err) != "ledger-other" {
		t.Errorf("a mandate of another ledger was drafted here: %v", err)
	}
	mandate := s.enrol(s.Mandate())
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
		l, err := h.verifier.Verify(h.t.Context(), verifier.Request{Org: org, Presentation: again.Bytes(), Commit: h.commitOf(a, again)})
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

// commitOf signs the commit of a request anew, where it had one.
func (h *history) commitOf(a asked, presentation spec.Document) []byte {
	if a.commit == nil {
		return nil
	}
	return h.Commit(presentation, h.Now).Bytes()
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
	live(t, func(h *history) {
		decisions := map[string]*spec.Decision{}
		for _, r := range h.ledger.Records() {
			var decision, action string
			switch b := r.Document.Body.(type) {
			case *spec.Decision:
				decisions[r.Document.Digest] = b
				continue
			case *spec.Begin:
				decision, action = b.Decision, b.Action
			case *spec.Report:
				decision, action = b.Decision, b.Action
			case *spec.Supplement:
				decision, action = b.Terms().Decision, b.Terms().Action
			default:
				continue
			}
			if d := decisions[decision]; d == nil || action != spec.ActionDigest(d.Action) {
				h.t.Fatalf("a %s is logged about another action than the one decided", r.Document.Type)
			}
		}
		if c := h.someCharge(); c != nil {
			other := *h.Begin(c.doc, h.Now).Body.(*spec.Begin)
			other.Action = spec.ActionDigest(h.Action("1.00"))
			h.refused("begin of another action", h.signed(&other, h.executor(c)), "action-other")
		}
	}, nil)
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

// executor names the party that executes a charge.
func (h *history) executor(c *charge) string {
	if c.d.SelfExecuted {
		return "agent"
	}
	return "bank"
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
	steps := 0
	live(t, func(h *history) {
		c := h.someCharge()
		if steps++; c == nil || steps%16 != 0 { // bundles of a long history are not small
			return
		}
		data := h.export(c.doc)
		first, again := verifier.CheckBundle(data, h.trust, verifier.CheckOptions{}), verifier.CheckBundle(data, h.trust, verifier.CheckOptions{})
		if !first.Holds || fmt.Sprint(first.Verdicts) != fmt.Sprint(again.Verdicts) {
			h.t.Fatalf("the bundle of an honest history gives %+v and %+v", first.Verdicts, again.Verdicts)
		}
		var root any
		decode(t, data, &root)
		var pointers []string
		removeEach(root, func(pointer string) { pointers = append(pointers, pointer) })
		gone := rapid.IntRange(0, len(pointers)-1).Draw(h.r, "removed")
		i := 0
		removeEach(root, func(pointer string) {
			if i == gone && pointer != "/receipt" && verifier.CheckBundle(encode(t, root), h.trust, verifier.CheckOptions{}).Holds {
				h.t.Fatalf("%s is absent, and the bundle holds", pointer)
			}
			i++
		})
	}, nil)
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
	live(t, nil, func(h *history, before spec.States, d *spec.Decision) {
		narrow := spec.States{} // what the operation alone would have seen
		for _, s := range before {
			if s.Kind == spec.KindRoster || slices.Contains(d.Mandates, s.Content) || s.Content == h.named || s.Content == spec.AccountContent(h.named) {
				narrow[s.Chain] = s
			}
		}
		if fmt.Sprint(h.decideAgain(d, before)) != fmt.Sprint(h.decideAgain(d, narrow)) {
			h.t.Fatalf("a decision depends on chains that are not its own")
		}
	})
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

// decideAgain runs a decision's request in other states.
func (h *history) decideAgain(d *spec.Decision, states spec.States) string {
	a := h.asked[len(h.asked)-1]
	c := verifier.Case{ID: d.ID, Epoch: d.Epoch, Verifier: d.Verifier, Identity: d.Identity, Agent: d.Agent, Action: must(spec.ParseAction(d.Action)),
		ActionValue: d.Action, Request: d.Request, RequestDigest: d.Inputs.RequestBody, Presentation: a.presentation.Digest, Commit: d.Inputs.Commit,
		Roster: d.Inputs.Roster, Owner: d.Config.Grantor, ExecuteWithin: 15 * time.Minute, Resumes: d.Resumes, ReceivedAt: d.ReceivedAt.Time, Env: d.Env}
	for _, content := range d.Mandates {
		c.Mandates = append(c.Mandates, verifier.Mandate{Content: content, Body: states.ByContent(content).Mandate})
	}
	c.Policies = d.Inputs.Policies
	docs, err := verifier.Decide(c, h.withAccount(states), h.Now)
	h.must(err)
	return docs[0].Digest
}

// withAccount adds the account that the policy's mandates share, where nothing was charged to it yet.
func (h *history) withAccount(states spec.States) spec.States {
	ref := h.policy.Body.(*spec.Policy).AccountRef(h.named)
	if states.ByContent(ref.Content) != nil {
		return states
	}
	id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
	h.must(err)
	with := spec.States{id: &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content}}
	maps.Copy(with, states)
	return with
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestInvariant12Openings guesses all totals of one window: what a bundle opens must not let a guess be confirmed.
func TestInvariant12Openings(t *testing.T) {
	steps, committed := 0, 0
	live(t, func(h *history) {
		c := h.someCharge()
		if steps++; c == nil || steps%8 != 0 {
			return
		}
		salts, hidden := opened(t, h.export(c.doc))
		committed += len(hidden)
		for _, content := range c.d.Mandates {
			for _, w := range h.ledger.All().ByContent(content).Windows {
				guesses(t, w, salts, hidden)
			}
		}
	}, nil)
	if committed == 0 {
		t.Error("no window is committed to")
	}
}

// opened are the salts that a bundle opens, and the commitments to windows that it leaves closed.
func opened(t *testing.T, data []byte) (salts [][32]byte, hidden map[string]bool) {
	var bundle verifier.Bundle
	if err := jcs.Unmarshal(data, &bundle); err != nil {
		t.Fatal(err)
	}
	hidden = map[string]bool{}
	for _, l := range bundle.Logged {
		salts = append(salts, salt(t, l.Salt))
		for _, o := range l.Opened {
			salts = append(salts, salt(t, o.Salt))
			for _, w := range o.Windows {
				hidden[w] = true
			}
		}
	}
	return salts, hidden
}

// guesses tries totals of a window, the true ones among them, under every salt that is known and every one derived from it.
func guesses(t *testing.T, w spec.Window, salts [][32]byte, hidden map[string]bool) {
	for _, held := range []int64{w.Held, 0, 1_00, 499_99, 2000_00, 4200_00, 6500_00, 10000_00} {
		guess := w
		guess.Held = held
		totals := guess.Totals()
		for _, salt := range salts {
			for _, s := range [][32]byte{salt, spec.Seed(salt).Window(totals), spec.Seed(salt).State()} {
				if c, err := totals.Commitment(s); err == nil && hidden[c] {
					t.Fatalf("the bundle lets the totals of %s be confirmed by guessing", w.Constraint)
				}
			}
		}
	}
}
