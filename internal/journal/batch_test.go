package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// together runs requests as one batch, in their order: the loop is held up until all of them wait.
func (b *bench) together(requests ...request) ([]spec.Logged, []error) {
	b.t.Helper()
	inside, release := make(chan struct{}, 2), make(chan struct{})
	go b.j.Run(context.Background(), spec.Op{Org: org, Write: []spec.ChainRef{{Content: "none", Salt: blankSalt, Log: "none"}}},
		func(spec.States, time.Time) ([]spec.Document, error) {
			inside <- struct{}{}
			<-release
			return nil, nil
		})
	<-inside
	logged, errs := make([]spec.Logged, len(requests)), make([]error, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { logged[i], errs[i] = b.decide(r) })
		for len(b.j.queue) <= i {
			time.Sleep(100 * time.Microsecond)
		}
	}
	close(release)
	all.Wait()
	return logged, errs
}

const blankSalt = "uAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestBatchJoins(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	r := b.request("invoice-1", "420.00", roster, mandate)
	other := b.request("invoice-1", "421.00", roster, mandate)
	failing := r
	failing.op.Key.Key, failing.f = "failed-invoice", func(spec.States, time.Time) ([]spec.Document, error) { return nil, errors.New("not now") }
	retried := b.request("failed-invoice", "5.00", roster, mandate)
	poison := b.request("poison-invoice", "6.00", roster, mandate)
	poison.f = func(spec.States, time.Time) ([]spec.Document, error) { panic("poison") }
	size := b.log.Size()
	logged, errs := b.together(r, r, other, failing, retried, poison, r)
	if errs[0] != nil || logged[0].Known {
		t.Fatalf("first: known %v, %v", logged[0].Known, errs[0])
	}
	for _, i := range []int{1, 6} {
		if errs[i] != nil || !logged[i].Known || logged[i].Last().Document.Digest != logged[0].Last().Document.Digest {
			t.Errorf("equal request %d: known %v, %v", i, logged[i].Known, errs[i])
		}
		b.checkRecord(logged[i].Last())
	}
	if !errors.Is(errs[2], ErrKeyReused) {
		t.Errorf("another body under the key: %v", errs[2])
	}
	if errs[3] == nil || errs[4] != nil || logged[4].Known {
		t.Errorf("a failed attempt claims its key: %v, then %v", errs[3], errs[4])
	}
	if errs[5] == nil {
		t.Error("a panic was swallowed")
	}
	if got := b.log.Size() - size; got != 2 {
		t.Errorf("%d entries", got)
	}
	b.checkRebuild()
}

// TestTablesRefuseAlone: what only the tables refuse fails by itself, whatever shares its batch.
func TestTablesRefuseAlone(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	second := b.Roster() // of the same grantor, which has one roster
	approvals := []spec.Document{b.ApproveRoster("treasurer", second), b.ApproveRoster("cfo", second)}
	refused := request{op: spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(second)}}, f: hand(append(approvals, b.Seal(second))...)}
	logged, errs := b.together(b.request("invoice-1", "1.00", roster, mandate), refused, b.request("invoice-2", "2.00", roster, mandate))
	if errs[0] != nil || errs[2] != nil || logged[2].Last().Document.IsZero() {
		t.Errorf("neighbours: %v, %v", errs[0], errs[2])
	}
	if reason(errs[1]) != "table-rule" {
		t.Errorf("a second roster: %v", errs[1])
	}
	b.checkRebuild()
}

// TestWindowCheck plants a window that holds too much: the CHECK refuses it, as the rule in memory does.
func TestWindowCheck(t *testing.T) {
	b := newBench(t)
	mandate := b.grant(b.found())
	s := b.state(mandate)
	over := *s
	over.Windows = []spec.Window{{Constraint: "daily", Unit: "EUR", Max: 100, Held: 80, Committed: 21}}
	p := newProjections()
	p.change(s, &held{org: org, state: &over}, 99)
	b.j.writing.Lock()
	err := p.write(context.Background(), &b.j.writer)
	b.j.writing.Unlock()
	if sqliteCode(err) != sqliteConstraint {
		t.Errorf("the table took it: %v", err)
	}
	op := spec.Op{Write: []spec.ChainRef{writtest.Ref(mandate)}}
	entry := &spec.Entry{Links: []spec.Link{{Chain: s.Chain}}}
	if err := checkWritten(op, nil, spec.States{s.Chain: &over}, entry); reason(err) != "table-rule" {
		t.Errorf("the rule in memory took it: %v", err)
	}
}

// TestNeighbours runs the same requests in one batch and one by one: every answer is the same, byte for byte but for proofs.
func TestNeighbours(t *testing.T) {
	outcomes := func(together bool) (all []string) {
		b := newBench(t)
		roster := b.found()
		mandate := b.grant(roster)
		child := b.Seal(b.Child(mandate))
		b.must(spec.Op{Document: child.Digest, Write: []spec.ChainRef{writtest.Ref(child)}, Read: []spec.ChainRef{writtest.Ref(mandate)}}, child)
		held := b.verify("held-invoice", "100.00", roster, mandate).Last().Document
		begin, report := b.Begin(held, b.Now), b.Report(held, spec.OutcomeExecuted, "", true, b.Now)
		reversed := b.Report(held, spec.OutcomeReversed, "", true, b.Now)
		unnamed := about(held, reversed)
		unnamed.Decisions = nil
		requests := []request{
			b.request("invoice-1", "9000.00", roster, mandate),
			b.request("invoice-2", "1500.00", roster, mandate, child), // above the parent's day
			b.request("invoice-3", "800.00", roster, mandate, child),
			{op: about(held, begin), f: hand(begin)},
			{op: about(held, report), f: hand(report)},
			{op: unnamed, f: hand(reversed)}, // of what is settled, and it does not name it
			{op: about(held, begin), f: hand(begin)},
			b.request("invoice-1", "9000.00", roster, mandate), // another action under the same key
			b.request("invoice-4", "50.00", roster, mandate),
			{op: about(held, reversed), f: hand(reversed)}, // of what a neighbour settled
		}
		logged, errs := make([]spec.Logged, len(requests)), make([]error, len(requests))
		if together {
			logged, errs = b.together(requests...)
		} else {
			for i, r := range requests {
				logged[i], errs[i] = b.decide(r)
			}
		}
		for i, l := range logged {
			outcome := fmt.Sprintf("%d: known %v, %v", i, l.Known, errs[i])
			for _, r := range l.Records {
				outcome += fmt.Sprintf(" %d %s %s", r.Index, r.Document.Bytes(), r.Entry.Bytes())
			}
			all = append(all, outcome)
		}
		return all
	}
	alone, shared := outcomes(false), outcomes(true)
	if !slices.Equal(alone, shared) {
		for i := range alone {
			if alone[i] != shared[i] {
				t.Errorf("alone:\n%s\nin a batch:\n%s", alone[i], shared[i])
			}
		}
	}
}

// TestOneOperation returns two decisions and the begin of the first: the second is placed behind it, and their order stays.
func TestOneOperation(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	first, second := b.request("invoice-1", "10.00", roster, mandate), b.request("invoice-2", "20.00", roster, mandate)
	nonce := *b.World
	logged, err := b.j.Run(context.Background(), first.op, func(ss spec.States, now time.Time) ([]spec.Document, error) {
		one, err := first.f(ss, now)
		if err != nil {
			return nil, err
		}
		two, err := second.f(ss, now)
		w := nonce
		return append(one, two[0], w.Begin(one[0], now)), err
	})
	if err != nil || len(logged.Records) != 3 {
		t.Fatalf("%d documents, %v", len(logged.Records), err)
	}
	for i, r := range logged.Records[:2] {
		if p := r.Document.Body.(*spec.Decision).Positions[0]; p.Seq != int64(4+i) || p.OpenHolds != int64(i) {
			t.Errorf("position %d: %+v", i, p)
		}
	}
	b.checkRebuild()
}

// TestHotBudget: many at once on one budget are decided one after the other.
func TestHotBudget(t *testing.T) {
	b := newBench(t, func(o *Options) { o.MaxBatch = 16 })
	roster := b.found()
	mandate := b.grant(roster, func(m *spec.Mandate) { m.Terms().MaxOpenHolds = 1000 })
	var all sync.WaitGroup
	var mu sync.Mutex
	authorised := 0
	var requests []request // all made before any runs: the world is not for two goroutines
	for i := range 60 {
		requests = append(requests, b.request(fmt.Sprintf("invoice-%03d", i), "200.00", roster, mandate))
	}
	for _, r := range requests {
		all.Go(func() {
			_, err := b.decide(r)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				authorised++
			} else if reason(err) != "budget-exceeded" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w := b.state(mandate).Windows[0]; authorised != 50 || w.Held != 10_000_00 {
		t.Errorf("%d authorised, %d held", authorised, w.Held)
	}
	b.checkRebuild()
}

// manyOpen is a chain with so many holds, proposals and windows, before and after one more of each was opened.
func manyOpen(n int) (before, after *spec.State) {
	before = &spec.State{Chain: "chain"}
	for i := range n {
		id := fmt.Sprintf("uEi%040d", i)
		before.Holds = append(before.Holds, spec.Hold{Decision: id, Status: spec.HoldHeld})
		before.Proposals = append(before.Proposals, spec.Proposal{Content: id, Status: spec.ProposalOpen})
		before.Windows = append(before.Windows, spec.Window{Constraint: id, From: writtest.Start})
	}
	one := *before
	one.Holds = append(slices.Clone(before.Holds), spec.Hold{Decision: "new", Status: spec.HoldHeld})
	one.Proposals = append(slices.Clone(before.Proposals), spec.Proposal{Content: "new", Status: spec.ProposalOpen})
	return before, &one
}

// TestManyOpen: of a chain with much open, an operation writes what it changed alone.
func TestManyOpen(t *testing.T) {
	before, after := manyOpen(1024)
	rows := newProjections()
	rows.change(before, &held{state: after}, 1)
	if len(rows.holds.rows) != 1 || len(rows.proposals.rows) != 1 || len(rows.budgets.rows) != 0 || len(widened(after, before).Holds) != 1025 {
		t.Fatalf("%d holds, %d proposals, %d windows are written", len(rows.holds.rows), len(rows.proposals.rows), len(rows.budgets.rows))
	}
}

// BenchmarkManyOpen: what is open on a chain is loaded with each of its operations, so the work that this makes must not grow with
// its square: eight times as many open ones take about eight times as long.
func BenchmarkManyOpen(b *testing.B) {
	for _, n := range []int{1024, 8192} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			before, after := manyOpen(n)
			for b.Loop() {
				newProjections().change(before, &held{state: after}, 1)
				widened(after, before)
			}
		})
	}
}
