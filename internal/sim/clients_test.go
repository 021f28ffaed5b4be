package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// clients are what everybody who calls the ledger knows, and what each does next.
type clients struct {
	refs     map[string]spec.ChainRef // of all chains that anybody may begin, by content
	drafts   []*draft
	mandates []*granted
	requests []*request
	holds    []*execution
	interims []*interim
	promises []*promise
	keys     int
}

// granted is a mandate in force, with those above it, root first.
type granted struct {
	chain []spec.Document
	self  bool // the agent executes
}

func (g *granted) leaf() spec.Document { return g.chain[len(g.chain)-1] }

func (g *granted) content() string { return spec.ContentDigest(g.leaf().Value) }

// draft is a content that waits for its approvals.
type draft struct {
	content spec.Document
	words   []spec.Document
}

// promise is a call that may be made again, and must then be answered as it was.
type promise struct {
	name   string
	ask    func(context.Context) (spec.Logged, error)
	done   func(spec.Logged)
	answer string // digest of the final answer, "" before
}

// request is one that has been asked, whether or not it was answered.
type request struct {
	*promise
	mandate      *granted
	key          string
	presentation spec.Document
	commit       []byte
}

// execution is an authorised decision and what became of it.
type execution struct {
	decision spec.Document
	begun    bool
	self     bool
	charged  bool
}

// interim is a decision that waits for people.
type interim struct {
	decision spec.Document
	closed   bool
}

// next is what one of the clients does now; nil is nothing.
func (s *simulation) next() *call {
	type script struct {
		weight int
		write  func() *call
	}
	scripts := []script{{10, s.ask}, {5, s.askAgain}, {2, s.askOther}, {6, s.begin}, {2, s.beginTwice}, {6, s.report}, {3, s.answerInterim},
		{3, s.resume}, {2, s.repeat}, {4, s.approve}, {2, s.draftMandate}, {1, s.draftRoster}, {1, s.delegate}, {1, s.suspend}, {3, s.unsuspend}}
	total := 0
	for _, x := range scripts {
		total += x.weight
	}
	n := s.luck.IntN(total)
	for _, x := range scripts {
		if n -= x.weight; n < 0 {
			return x.write()
		}
	}
	return nil
}

// make makes a promise and the call that asks for it the first time.
func (s *simulation) make(name string, ask func(context.Context) (spec.Logged, error), done func(spec.Logged)) *call {
	p := &promise{name: name, ask: ask, done: done}
	s.clients.promises = append(s.clients.promises, p)
	return s.again(p)
}

// again asks for a promise once more.
func (s *simulation) again(p *promise) *call {
	return &call{name: p.name, ask: p.ask, lost: s.faults && s.chance(12), done: func(l spec.Logged, err error) { s.kept(p, l, err) }}
}

// kept holds an answer against the one of before. What is final stays, whatever happened since; only failures excuse its absence.
func (s *simulation) kept(p *promise, l spec.Logged, err error) {
	if err != nil {
		if reason := reasonOf(err); p.answer != "" && reason != "lost" && reason != "indeterminate" && reason != "internal" {
			s.fatal("%s was answered, and is now refused: %s", p.name, reason)
		}
		return
	}
	digest := l.Last().Document.Digest
	d, decided := verifier.Decision(l)
	if !decided && len(l.Records) > 0 {
		digest = l.Records[0].Document.Digest // an approval: the credential that it completed is not repeated
	}
	if p.answer != "" && p.answer != digest {
		s.fatal("%s has two answers", p.name)
	}
	if !decided || d.Final() {
		p.answer = digest
	}
	p.done(l)
}

func (s *simulation) pick() *granted {
	if len(s.clients.mandates) == 0 {
		return nil
	}
	return s.clients.mandates[s.luck.IntN(len(s.clients.mandates))]
}

var amounts = []string{"50.00", "400.00", "900.00", "1900.00", "2500.00", "6000.00", "11000.00", "26000.00"}

func (s *simulation) ask() *call {
	m := s.pick()
	if m == nil {
		return nil
	}
	s.clients.keys++
	r := &request{mandate: m, key: fmt.Sprintf("invoice-%04d", s.clients.keys)}
	amount := amounts[s.luck.IntN(len(amounts))]
	action, ask := s.Action(amount), s.Request(r.key)
	if m.self {
		ask.Executor = m.leaf().Body.(*spec.Mandate).Subject.ID
	}
	r.presentation = s.Present(m.chain, action, ask, s.Now)
	if !m.self && s.chance(3) {
		r.commit = s.Commit(r.presentation, s.Now).Bytes()
	}
	r.promise = &promise{name: fmt.Sprintf("ask %s %s", r.key, amount), done: s.decided, ask: func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Verify(ctx, verifier.Request{Org: org, Presentation: r.presentation.Bytes(), Commit: r.commit})
	}}
	s.clients.requests = append(s.clients.requests, r)
	return s.again(r.promise)
}

// decided notes a decision that came back.
func (s *simulation) decided(l spec.Logged) {
	doc := l.Last().Document
	d := doc.Body.(*spec.Decision)
	switch d.Result {
	case spec.Authorized:
		if !slices.ContainsFunc(s.clients.holds, func(e *execution) bool { return e.decision.Digest == doc.Digest }) {
			s.clients.holds = append(s.clients.holds, &execution{decision: doc, self: d.SelfExecuted, charged: d.Charged})
		}
	case spec.CollectMissing:
		if !slices.ContainsFunc(s.clients.interims, func(i *interim) bool { return i.decision.Digest == doc.Digest }) {
			s.clients.interims = append(s.clients.interims, &interim{decision: doc})
		}
	}
}

// askAgain delivers a request twice, or asks it in a fresh presentation.
func (s *simulation) askAgain() *call {
	if len(s.clients.requests) == 0 {
		return nil
	}
	r := s.clients.requests[s.luck.IntN(len(s.clients.requests))]
	c := s.again(r.promise)
	if s.chance(2) {
		p := r.presentation.Body.(*spec.Presentation)
		r.presentation = s.Present(r.mandate.chain, p.Action, p.Request, s.Now)
		c.name += ", signed anew"
	} else {
		c.name += ", again"
	}
	return c
}

// askOther asks something else under a key that is taken.
func (s *simulation) askOther() *call {
	if len(s.clients.requests) == 0 {
		return nil
	}
	r := s.clients.requests[s.luck.IntN(len(s.clients.requests))]
	if r.answer == "" {
		return nil
	}
	p := r.presentation.Body.(*spec.Presentation)
	other := s.Present(r.mandate.chain, s.Action("1.00"), p.Request, s.Now)
	return s.refused("ask other "+r.key, func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Verify(ctx, verifier.Request{Org: org, Presentation: other.Bytes()})
	})
}

// refused is a call that may never succeed.
func (s *simulation) refused(name string, ask func(context.Context) (spec.Logged, error)) *call {
	return &call{name: name, ask: ask, done: func(_ spec.Logged, err error) {
		if err == nil {
			s.fatal("%s was taken", name)
		}
	}}
}

func (s *simulation) execution(want func(*execution) bool) *execution {
	var all []*execution
	for _, e := range s.clients.holds {
		if want(e) {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[s.luck.IntN(len(all))]
}

func short(digest string) string { return digest[4:12] }

func (s *simulation) begin() *call {
	e := s.execution(func(e *execution) bool { return !e.begun && !e.charged && !e.self })
	if e == nil {
		return nil
	}
	doc := s.Begin(e.decision, s.Now)
	return s.make("begin "+short(e.decision.Digest), func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Begin(ctx, org, doc.Bytes())
	}, func(spec.Logged) { e.begun = true })
}

// beginTwice begins with other bytes what was begun.
func (s *simulation) beginTwice() *call {
	e := s.execution(func(e *execution) bool { return e.begun || e.charged })
	if e == nil {
		return nil
	}
	doc := s.Begin(e.decision, s.Now)
	return s.refused("begin twice "+short(e.decision.Digest), func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Begin(ctx, org, doc.Bytes())
	})
}

func (s *simulation) report() *call {
	e := s.execution(func(e *execution) bool { return e.begun || e.charged || s.chance(10) })
	if e == nil {
		return nil
	}
	outcome, amount, final := spec.OutcomeExecuted, "", s.luck.IntN(4) > 0
	switch s.luck.IntN(16) {
	case 0, 1:
		outcome = spec.OutcomeFailed
	case 2, 3:
		outcome = spec.OutcomeNotEntered
	case 4, 5, 6:
		amount = "30.00"
	case 7:
		amount = "12500.00" // above most holds
	}
	if outcome != spec.OutcomeExecuted {
		final = true
	}
	doc := s.Report(e.decision, outcome, amount, final, s.Now)
	return s.make(fmt.Sprintf("report %s %s %s %v", short(e.decision.Digest), outcome, amount, final), func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Report(ctx, org, doc.Bytes())
	}, func(spec.Logged) {})
}

// repeat delivers a document twice.
func (s *simulation) repeat() *call {
	if len(s.clients.promises) == 0 {
		return nil
	}
	c := s.again(s.clients.promises[s.luck.IntN(len(s.clients.promises))])
	c.name += ", again"
	return c
}

func (s *simulation) waiting() *interim {
	var open []*interim
	for _, i := range s.clients.interims {
		if !i.closed {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[s.luck.IntN(len(open))]
}

// answerInterim approves what an interim decision proposes, or declines it.
func (s *simulation) answerInterim() *call {
	i := s.waiting()
	if i == nil {
		return nil
	}
	d := i.decision.Body.(*spec.Decision)
	base := s.mandate(d.Missing[0].Mandate)
	sup, err := spec.Propose(i.decision, 0, base.Body.(*spec.Mandate))
	s.must(err)
	word := s.ApproveSupplement("cfo", base, sup)
	name := "approve "
	if s.chance(4) {
		lines := spec.LiftLines(rule.English, base.Body.(*spec.Mandate), d.Missing[0].Lifts, d.Action)
		word, name = s.Say("cfo", spec.Decline, spec.KindSupplement, spec.ContentDigest(sup.Value), lines...), "decline "
	}
	return s.make(name+short(i.decision.Digest), func(ctx context.Context) (spec.Logged, error) {
		return s.issuer.ApproveSupplement(ctx, org, i.decision.Digest, word.Bytes())
	}, func(spec.Logged) {})
}

func (s *simulation) mandate(content string) spec.Document {
	for _, m := range s.clients.mandates {
		for _, doc := range m.chain {
			if spec.ContentDigest(doc.Value) == content {
				return doc
			}
		}
	}
	s.fatal("a decision on a mandate that nobody knows")
	return spec.Document{}
}

// resume decides a waiting request anew: too early, too late, or in time.
func (s *simulation) resume() *call {
	i := s.waiting()
	if i == nil {
		return nil
	}
	return &call{name: "resume " + short(i.decision.Digest), lost: s.faults && s.chance(12), ask: func(ctx context.Context) (spec.Logged, error) {
		return s.verifier.Resume(ctx, org, i.decision.Digest)
	}, done: func(l spec.Logged, err error) {
		if err == nil {
			i.closed = true
			s.decided(l)
		}
	}}
}

// draftMandate proposes a mandate; some are executed by their agent.
func (s *simulation) draftMandate() *call {
	if len(s.clients.mandates) > 6 {
		return nil
	}
	self := s.chance(3)
	content := s.Mandate(func(m *spec.Mandate) {
		m.Terms().SelfExecuted = self
		m.Terms().Constraints = append(m.Terms().Constraints, writtest.Budget("total", "40000.00", ""))
	})
	lines := content.Body.(*spec.Mandate).Lines(rule.English)
	return s.draft("mandate", content, func(person string) spec.Document {
		return s.Approve(person, spec.KindMandate, spec.ContentDigest(content.Value), lines...)
	})
}

// draftRoster proposes the next version of the roster, unless one waits.
func (s *simulation) draftRoster() *call {
	state, err := s.journal.RosterState(context.Background(), org, writtest.Grantor)
	if err != nil || slices.ContainsFunc(s.clients.drafts, func(d *draft) bool { return d.content.Type == spec.TypeRoster }) {
		return nil
	}
	var newest spec.Document
	for _, v := range state.Versions {
		if !v.Vetoed {
			newest = v.Document
		}
	}
	content := s.NextRoster(newest, func(r *spec.Roster) { r.Terms().Persons[2].Name = fmt.Sprint("Eva ", s.number) })
	return s.draft("roster", content, func(person string) spec.Document { return s.ApproveRoster(person, content) })
}

func (s *simulation) draft(kind string, content spec.Document, approve func(string) spec.Document) *call {
	d := &draft{content: content, words: []spec.Document{approve("treasurer"), approve("cfo")}}
	return &call{name: "propose a " + kind, alone: true, ask: func(ctx context.Context) (spec.Logged, error) {
		_, err := s.issuer.Propose(ctx, org, content.Value)
		return spec.Logged{}, err
	}, done: func(_ spec.Logged, err error) {
		if err == nil {
			s.begins(content)
			s.clients.drafts = append(s.clients.drafts, d)
		}
	}}
}

// begins notes that a content may have a chain from now on.
func (s *simulation) begins(content spec.Document) {
	if r, ok := content.Body.(*spec.Roster); ok && r.Terms().Version > 1 {
		return
	}
	ref := writtest.Ref(content)
	s.clients.refs[ref.Content] = ref
	s.seen.contents[ref.Content] = true
}

// approve sends the next word on a draft.
func (s *simulation) approve() *call {
	if len(s.clients.drafts) == 0 {
		return nil
	}
	d := s.clients.drafts[s.luck.IntN(len(s.clients.drafts))]
	word := d.words[0]
	return s.make("approve "+d.content.Type+" "+short(spec.ContentDigest(d.content.Value)), func(ctx context.Context) (spec.Logged, error) {
		return s.issuer.Approve(ctx, org, word.Bytes())
	}, func(spec.Logged) { s.said(d, word) })
}

// said notes that a word was logged: with the last one, the content is in force.
func (s *simulation) said(d *draft, word spec.Document) {
	d.words = slices.DeleteFunc(d.words, func(w spec.Document) bool { return w.Digest == word.Digest })
	if len(d.words) > 0 {
		return
	}
	s.clients.drafts = slices.DeleteFunc(s.clients.drafts, func(o *draft) bool { return o == d })
	if d.content.Type != spec.TypeMandate {
		return
	}
	content := spec.ContentDigest(d.content.Value)
	r, err := s.journal.ByContent(context.Background(), org, content)
	known := slices.ContainsFunc(s.clients.mandates, func(m *granted) bool { return m.content() == content })
	if err != nil || known {
		return
	}
	s.clients.mandates = append(s.clients.mandates,
		&granted{chain: []spec.Document{r.Document}, self: r.Document.Body.(*spec.Mandate).Terms().SelfExecuted})
}

// delegate gives the second agent a share.
func (s *simulation) delegate() *call {
	m := s.pick()
	if m == nil || len(m.chain) > 1 || m.self || len(s.clients.mandates) > 6 {
		return nil
	}
	child := s.Seal(s.Child(m.leaf()))
	s.begins(child)
	return s.make("delegate", func(ctx context.Context) (spec.Logged, error) {
		return s.issuer.Delegate(ctx, org, child.Bytes())
	}, func(spec.Logged) {
		known := slices.ContainsFunc(s.clients.mandates, func(g *granted) bool { return g.leaf().Digest == child.Digest })
		if !known {
			s.clients.mandates = append(s.clients.mandates, &granted{chain: []spec.Document{m.leaf(), child}})
		}
	})
}

// suspend stops a mandate, now and then for good.
func (s *simulation) suspend() *call {
	m := s.pick()
	if m == nil {
		return nil
	}
	act := spec.ActSuspend
	if s.chance(6) {
		act = spec.ActRevoke
	}
	notice := s.Notice("cfo", act, m.content())
	return s.make(act+" "+short(m.content()), func(ctx context.Context) (spec.Logged, error) {
		return s.issuer.Notice(ctx, org, notice.Bytes())
	}, func(spec.Logged) {})
}

// unsuspend is one person's word that a mandate may act again.
func (s *simulation) unsuspend() *call {
	m := s.pick()
	if m == nil {
		return nil
	}
	person := []string{"treasurer", "cfo"}[s.luck.IntN(2)]
	lines := spec.ActLines("en", spec.KindResume, m.content(), m.leaf().Body.(*spec.Mandate).Name)
	word := s.Approve(person, spec.KindResume, m.content(), lines...)
	return s.make("resume mandate "+short(m.content()), func(ctx context.Context) (spec.Logged, error) {
		return s.issuer.Approve(ctx, org, word.Bytes())
	}, func(spec.Logged) {})
}

// minor is an amount of euros in cents; "" is none.
func minor(euros string) int64 {
	if euros == "" {
		return 0
	}
	n, err := rule.ParseUnits(euros, "EUR")
	if err != nil {
		panic(err)
	}
	return n
}

// pauses are how long nothing happens between two steps: a hold is given for 15 minutes, a lift for four hours, a day is a window.
var pauses = []time.Duration{time.Millisecond, time.Second, time.Second, 20 * time.Second, time.Minute, 16 * time.Minute, 5 * time.Hour, 25 * time.Hour}
