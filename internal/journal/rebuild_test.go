package journal

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// checkRebuild folds Apply over all documents in the order of their entries and compares with what the projections say, and
// the heads with the entries.
func (b *bench) checkRebuild() {
	b.t.Helper()
	ctx := context.Background()
	live := b.everything()
	rebuilt := spec.States{}
	for _, h := range live {
		rebuilt[h.state.Chain] = &spec.State{Chain: h.state.Chain, Kind: h.state.Kind, Content: h.state.Content}
	}
	all, err := b.j.records(ctx, `ORDER BY e.leaf`)
	if err != nil {
		b.t.Fatal(err)
	}
	left, err := b.j.residues(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	next := int64(0)
	for i, r := range all {
		for ; next < r.Index && b.isUndocumented(next); next++ {
		}
		if r.Index != next {
			b.t.Fatalf("entry %d stands at %d", next, r.Index)
		}
		next++
		if d, gone := left[r.Document.Digest]; gone {
			rebuilt = b.again(rebuilt, r, d)
			continue
		}
		var again spec.Record
		salts := spec.Salts{Entry: r.Salt, Links: r.Seeds}
		rebuilt, again, err = rebuilt.Record(r.Document, spec.At(r.At), func([]string) spec.Salts { return salts })
		if err != nil {
			b.t.Fatalf("entry %d, %s: %v", i, r.Document.Type, err)
		}
		if string(again.Entry.Bytes()) != string(r.Entry.Bytes()) {
			b.t.Fatalf("entry %d comes out otherwise:\n%s\n%s", i, again.Entry.Bytes(), r.Entry.Bytes())
		}
		if fmt.Sprint(again.Openings) != fmt.Sprint(r.Openings) {
			b.t.Fatalf("entry %d opens otherwise:\n%v\n%v", i, again.Openings, r.Openings)
		}
	}
	for _, h := range live {
		if got, want := describe(h.state), describe(rebuilt[h.state.Chain]); got != want {
			b.t.Errorf("the projections of %s %s say\n%s\nthe documents\n%s", h.state.Kind, h.state.Content, got, want)
		}
	}
	for ; next < b.log.Size() && b.isUndocumented(next); next++ {
	}
	if b.log.Size() != next {
		b.t.Errorf("the log has %d entries, the journal %d", b.log.Size(), next)
	}
}

// isUndocumented says whether the log's entry at an index is one of heads or of a successor, which have no document.
func (b *bench) isUndocumented(index int64) bool {
	b.t.Helper()
	bytes, err := b.log.Entry(index)
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := spec.ParseEntry(bytes)
	return err == nil && (e.Kind == spec.EntryHeads || e.Kind == spec.EntrySuccessor)
}

// everything is every chain with all that ever was.
func (b *bench) everything() map[string]*held {
	b.t.Helper()
	var contents []string
	var live map[string]*held
	err := b.j.snapshot(context.Background(), func(q querier) (err error) {
		if err = each(context.Background(), q, `SELECT content FROM chain`, scanInto(&contents)); err != nil {
			return err
		}
		live, err = loadStates(context.Background(), q, &parsedCache{}, contents, scope{all: true})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return live
}

// describe says all of a state that counts; documents by their digests.
func describe(s *spec.State) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, "  "+format+"\n", args...) }
	line("%s %s %s %s %d %s %s %s", s.Chain, s.Kind, s.Content, s.Status, s.Seq, s.Head, s.At.Format(time.RFC3339Nano), s.Since.Format(time.RFC3339Nano))
	line("refusals %s %d", s.Refusals.From.Format(time.RFC3339Nano), s.Refusals.Logged)
	if s.Mandate != nil {
		line("mandate %s", s.Mandate.ID)
	}
	pending := func(where string, all []spec.LoggedApproval) {
		for _, l := range all {
			line("pending %s %s %s", where, l.Document.Digest, l.At.Format(time.RFC3339Nano))
		}
	}
	pending("", s.Pending)
	for _, w := range s.Windows {
		line("window %+v", w)
	}
	for _, h := range s.Holds {
		line("hold %+v", h)
	}
	for _, p := range s.Proposals {
		pending(p.Content, p.Pending)
		for _, l := range p.Lifts {
			line("lift %s %s %+v %+v", l.Owner, l.Constraint, l.Window, l.MaxOver)
		}
		line("action %s", p.Action.Canonical())
		p.Pending, p.Lifts, p.Action = nil, nil, spec.Proposal{}.Action
		line("proposal %+v", p)
	}
	for _, v := range s.Versions {
		line("version %s %s %s %v %s %v %s", v.Content, v.Document.Digest, v.At.Format(time.RFC3339Nano), v.Vetoed, v.VetoedAt.Format(time.RFC3339Nano), v.Superseded, v.CountsFrom.Format(time.RFC3339Nano))
	}
	for _, v := range s.Policies {
		line("policy %s %s %s", v.Content, v.Document.Digest, v.At.Format(time.RFC3339Nano))
	}
	return out.String()
}

// TestRebuildEqualsLive plays every kind of event and compares after each.
func TestRebuildEqualsLive(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster, func(m *spec.Mandate) {
		m.Terms().Constraints = append(m.Terms().Constraints, writtest.RollingBudget("rolling", "50000.00", "P1W"), writtest.Budget("total", "90000.00", ""))
	})
	child := b.Seal(b.Child(mandate))
	b.must(spec.Op{Document: child.Digest, Write: []spec.ChainRef{writtest.Ref(child)}, Read: []spec.ChainRef{writtest.Ref(mandate)}}, child)
	b.checkRebuild()

	paid := b.verify("paid-invoice", "420.00", roster, mandate, child).Last().Document
	begin := b.Begin(paid, b.Advance(time.Second))
	b.must(about(paid, begin), begin)
	b.checkRebuild()
	part := b.Report(paid, spec.OutcomeExecuted, "100.00", false, b.Advance(time.Second))
	rest := b.Report(paid, spec.OutcomeExecuted, "200.00", true, b.Advance(time.Second))
	b.must(about(paid, part), part)
	b.must(about(paid, rest), rest)
	b.checkRebuild()

	failed := b.verify("failed-invoice", "50.00", roster, mandate).Last().Document
	report := b.Report(failed, spec.OutcomeFailed, "", true, b.Advance(time.Second))
	b.must(about(failed, report), report)

	// One that lapses, and is reported all the same: an excess, which suspends; then approved to go on.
	lapsed := b.verify("lapsed-invoice", "70.00", roster, mandate).Last().Document
	b.Advance(20 * time.Minute)
	b.verify("after-the-lapse", "10.00", roster, mandate)
	b.checkRebuild()
	late := b.Report(lapsed, spec.OutcomeExecuted, "", true, b.Advance(time.Second))
	b.must(about(lapsed, late), late)
	b.checkRebuild()
	if s := b.state(mandate); s.Status != spec.StatusSuspended {
		t.Fatalf("after an excess the mandate is %s", s.Status)
	}
	content := spec.ContentDigest(mandate.Value)
	lines := spec.ActLines("en", spec.KindResume, content, mandate.Body.(*spec.Mandate).Name)
	resume := spec.Op{Write: []spec.ChainRef{writtest.Ref(mandate)}, Read: []spec.ChainRef{writtest.Ref(roster)}}
	b.must(resume, b.Approve("cfo", spec.KindResume, content, lines...))
	b.checkRebuild()
	b.must(resume, b.Approve("treasurer", spec.KindResume, content, lines...))
	if s := b.state(mandate); s.Status != spec.StatusActive {
		t.Fatalf("after two approvals it is %s", s.Status)
	}
	b.checkRebuild()

	// A charge that people take for not executed.
	unknown := b.verify("unknown-invoice", "30.00", roster, mandate, child).Last().Document
	begin = b.Begin(unknown, b.Advance(time.Second))
	b.must(about(unknown, begin), begin)
	op := about(unknown, begin)
	for _, person := range []string{"treasurer", "cfo"} {
		word := b.Reconcile(person, spec.Approve, mandate, unknown)
		op.Document, op.Read = word.Digest, []spec.ChainRef{writtest.Ref(roster)}
		b.must(op, word)
		b.checkRebuild()
	}
	if following, err := b.j.Following(context.Background(), org, unknown.Digest); err != nil || len(following) != 3 {
		t.Errorf("begin and two words follow: %d, %v", len(following), err)
	}

	// A new roster version, vetoed, and another under the same number.
	for i := range 2 {
		next := b.NextRoster(roster, func(r *spec.Roster) { r.Terms().Persons[2].Name = fmt.Sprint("Eva ", i) })
		op := spec.Op{Write: []spec.ChainRef{writtest.Ref(roster)}}
		b.must(op, b.ApproveRoster("cfo", next))
		b.must(op, b.ApproveRoster("treasurer", next), b.Seal(next))
		if i == 0 {
			veto := b.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value))
			b.must(op, veto)
		}
		b.checkRebuild()
	}
	b.Advance(30 * 24 * time.Hour)
	b.verify("next-month", "10.00", roster, mandate)
	b.checkRebuild()
}

// TestRollingWindowsStayLoaded: buckets that are over count in later sums of a rolling limit, and in no other.
func TestRollingWindowsStayLoaded(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster, func(m *spec.Mandate) {
		m.Terms().Constraints = append(m.Terms().Constraints, writtest.RollingBudget("week", "500.00", "P1W"))
	})
	paid := b.verify("paid-invoice", "300.00", roster, mandate).Last().Document
	report := b.Report(paid, spec.OutcomeExecuted, "", true, b.Now)
	begin := b.Begin(paid, b.Now)
	b.must(about(paid, begin), begin)
	b.must(about(paid, report), report)
	b.Advance(6 * 24 * time.Hour)
	if _, err := b.decide(b.request("six-days-later", "300.00", roster, mandate)); reason(err) != "budget-exceeded" {
		t.Errorf("six days later: %v", err)
	}
	b.Advance(2 * 24 * time.Hour)
	b.verify("eight-days-later", "300.00", roster, mandate)
}

// TestLateReport charges a window that is over and in which nothing is held: it is loaded because the hold names it.
func TestLateReport(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	lapsed := b.verify("lapsed-invoice", "300.00", roster, mandate).Last().Document
	b.Advance(24 * time.Hour)
	b.verify("after-the-lapse", "1.00", roster, mandate)
	b.Advance(40 * 24 * time.Hour)
	report := b.Report(lapsed, spec.OutcomeExecuted, "", true, b.Now)
	b.must(about(lapsed, report), report)
	b.checkRebuild()
}
