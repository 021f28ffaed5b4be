package journal

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is Acme with a journal and a log in a folder of its own; both can be closed and opened again.
type bench struct {
	*writtest.World
	t    *testing.T
	dir  string
	wrap func(*Options)
	j    *Journal
	log  *log.Log

	signing sync.Mutex // the world draws its randomness without a lock of its own
}

const org = "acme"

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{World: writtest.Acme(t.Name()), t: t, dir: t.TempDir(), wrap: func(o *Options) {
		for _, c := range change {
			c(o)
		}
	}}
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// Read draws for the journal, whose goroutine is not the test's.
func (b *bench) Read(p []byte) (int, error) {
	b.signing.Lock()
	defer b.signing.Unlock()
	return b.World.Read(p)
}

func (b *bench) open() (err error) {
	b.t.Helper()
	b.log, err = log.Open(log.Options{Dir: filepath.Join(b.dir, "log"), Guard: filepath.Join(b.dir, "guard", "checkpoint"), Signer: b.LogSigner()})
	if err != nil {
		return err
	}
	o := Options{Path: filepath.Join(b.dir, "journal.db"), Log: b.log, Now: func() time.Time { return b.Now }, Random: b,
		Sign: b.SignUnsigned, RunTwice: true}
	b.wrap(&o)
	b.j, err = Open(context.Background(), o)
	return err
}

func (b *bench) close() {
	if b.j != nil {
		if err := b.j.Close(); err != nil {
			b.t.Error(err)
		}
	}
	if b.log != nil {
		b.log.Close()
	}
	b.j = nil
}

func (b *bench) run(op spec.Op, docs ...spec.Document) (spec.Logged, error) {
	if op.Org == "" {
		op.Org = org
	}
	return b.j.Run(context.Background(), op, hand(docs...))
}

func hand(docs ...spec.Document) func(spec.States, time.Time) ([]spec.Document, error) {
	return func(spec.States, time.Time) ([]spec.Document, error) { return docs, nil }
}

func (b *bench) must(op spec.Op, docs ...spec.Document) spec.Logged {
	b.t.Helper()
	l, err := b.run(op, docs...)
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// found logs the roster; grant logs a mandate under it.
func (b *bench) found(changes ...func(*spec.Roster)) spec.Document {
	b.t.Helper()
	r := b.Roster(changes...)
	op := spec.Op{Write: []spec.ChainRef{writtest.Ref(r)}}
	approvals := []spec.Document{b.ApproveRoster("treasurer", r), b.ApproveRoster("cfo", r)}
	b.must(op, approvals[0])
	sealed := b.Seal(r, approvals...)
	b.must(op, approvals[1], sealed)
	return sealed
}

func (b *bench) grant(roster spec.Document, changes ...func(*spec.Mandate)) spec.Document {
	b.t.Helper()
	m := b.Mandate(changes...)
	op := spec.Op{Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(roster)}}
	approvals := []spec.Document{b.ApproveMandate("treasurer", m), b.ApproveMandate("cfo", m)}
	sealed := b.Seal(m, approvals...)
	b.must(op, append(approvals, sealed)...)
	return sealed
}

// request is one verify: an operation with its presentation and the function that decides it.
type request struct {
	op           spec.Op
	f            func(spec.States, time.Time) ([]spec.Document, error)
	presentation spec.Document
}

func (b *bench) request(key, euros string, roster spec.Document, mandates ...spec.Document) request {
	p := b.Present(mandates, b.Action(euros), b.Request(key), b.Now)
	leaf := mandates[len(mandates)-1]
	op := spec.Op{Org: org, Key: spec.RequestKey{Leaf: spec.ContentDigest(leaf.Value), Key: key, Body: writtest.RequestDigest(p)},
		Attach: []spec.Document{p}, Read: []spec.ChainRef{writtest.Ref(roster)}}
	for _, m := range mandates {
		op.Write = append(op.Write, writtest.Ref(m))
	}
	id := b.ID()
	return request{op, func(ss spec.States, now time.Time) ([]spec.Document, error) {
		w := *b.World
		w.Now = now
		return []spec.Document{w.Decision(p, ss, func(d *spec.Decision) { d.ID = id })}, nil
	}, p}
}

func (b *bench) decide(r request) (spec.Logged, error) {
	return b.j.Run(context.Background(), r.op, r.f)
}

func (b *bench) verify(key, euros string, roster spec.Document, mandates ...spec.Document) spec.Logged {
	b.t.Helper()
	l, err := b.decide(b.request(key, euros, roster, mandates...))
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// about is the operation of a begin or report.
func about(decision, doc spec.Document) spec.Op {
	op := spec.Op{Org: org, Document: doc.Digest, Decisions: []string{decision.Digest}}
	op.Write = decision.Body.(*spec.Decision).ChainRefs()
	return op
}

func reason(err error) string {
	var e *spec.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func (b *bench) state(d spec.Document) *spec.State {
	b.t.Helper()
	ss, err := b.j.States(context.Background(), org, []spec.ChainRef{writtest.Ref(d)}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return ss.ByContent(spec.ContentDigest(d.Value))
}

// TestStory plays the main job and reads everything back, after a restart too.
func TestStory(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	mandate := b.grant(roster)
	decided := b.verify("invoice-1", "420.00", roster, mandate)
	decision := decided.Last().Document
	if d := decision.Body.(*spec.Decision); d.Result != spec.Authorized || !decision.Signed() {
		t.Fatalf("decided %s, signed %v", d.Result, decision.Signed())
	}
	begin := b.Begin(decision, b.Advance(time.Second))
	b.must(about(decision, begin), begin)
	report := b.Report(decision, spec.OutcomeExecuted, "400.00", true, b.Advance(time.Second))
	b.must(about(decision, report), report)

	for range 2 {
		w := b.state(mandate).Windows
		if len(w) != 1 || w[0].Held != 0 || w[0].Committed != 400_00 {
			t.Errorf("windows: %+v", w)
		}
		chain, err := b.j.Chain(ctx, org, spec.ContentDigest(mandate.Value), 1, 0)
		if err != nil || len(chain) != 6 {
			t.Fatalf("chain: %d entries, %v", len(chain), err)
		}
		for i, r := range chain {
			b.checkRecord(r)
			if l, _ := r.Entry.Link(b.state(mandate).Chain); l.Seq != int64(i+1) {
				t.Errorf("entry %d has seq %d", i, l.Seq)
			}
		}
		following, err := b.j.Following(ctx, org, decision.Digest)
		if err != nil || len(following) != 2 || following[0].Document.Digest != begin.Digest || following[1].Document.Digest != report.Digest {
			t.Errorf("following: %d, %v", len(following), err)
		}
		for name, got := range map[string]func() (spec.Record, error){
			"digest":  func() (spec.Record, error) { return b.j.Record(ctx, org, mandate.Digest) },
			"content": func() (spec.Record, error) { return b.j.ByContent(ctx, org, spec.ContentDigest(mandate.Value)) },
			"id":      func() (spec.Record, error) { return b.j.ByID(ctx, org, mandate.Body.(*spec.Mandate).ID) },
		} {
			if r, err := got(); err != nil || string(r.Document.Bytes()) != string(mandate.Bytes()) {
				t.Errorf("by %s: %v", name, err)
			}
		}
		presentation := decision.Body.(*spec.Decision).Inputs.Presentation
		if d, err := b.j.Beside(ctx, org, decision.Digest, presentation); err != nil || d.Digest != presentation {
			t.Errorf("presentation: %+v, %v", d, err)
		}
		b.close()
		if err := b.open(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkRecord holds a record's secrets against its entry, and its proof against the log's key.
func (b *bench) checkRecord(r spec.Record) {
	b.t.Helper()
	if got := spec.Commitment(r.Salt, r.Document.Digest); got != r.Entry.Commitment {
		b.t.Errorf("entry %d does not commit to its document", r.Index)
	}
	if len(r.Seeds) != len(r.Entry.Links) {
		b.t.Errorf("entry %d has %d links and %d seeds", r.Index, len(r.Entry.Links), len(r.Seeds))
	}
	p, err := log.ParseProof(r.Proof)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := log.CheckInclusion(p, log.RecordHash(r.Entry.Bytes()), writtest.Origin, log.NewPolicy(&b.LogSigner().Verifier)); err != nil {
		b.t.Errorf("entry %d: %v", r.Index, err)
	}
	if p.Index != r.Index {
		b.t.Errorf("entry %d has the proof of %d", r.Index, p.Index)
	}
}

func TestForeignIsNotFound(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	mandate := b.grant(roster)
	content := spec.ContentDigest(mandate.Value)
	r := b.request("invoice-1", "1.00", roster, mandate)
	l, err := b.decide(r)
	if err != nil {
		t.Fatal(err)
	}
	decision := l.Last().Document.Digest
	const other = "rival"
	foreign := r.op
	foreign.Org = other
	withNew := spec.Op{Org: other, Write: []spec.ChainRef{writtest.Ref(b.Mandate())}, Read: []spec.ChainRef{writtest.Ref(roster)}}
	for name, call := range map[string]func() error{
		"run":     func() error { _, err := b.j.Run(ctx, foreign, r.f); return err },
		"read":    func() error { _, err := b.j.Run(ctx, withNew, r.f); return err },
		"states":  func() error { _, err := b.j.States(ctx, other, []spec.ChainRef{{Content: content}}, nil); return err },
		"roster":  func() error { _, err := b.j.RosterState(ctx, other, writtest.Grantor); return err },
		"record":  func() error { _, err := b.j.Record(ctx, other, mandate.Digest); return err },
		"beside":  func() error { _, err := b.j.Beside(ctx, other, decision, r.presentation.Digest); return err },
		"content": func() error { _, err := b.j.ByContent(ctx, other, content); return err },
		"id":      func() error { _, err := b.j.ByID(ctx, other, mandate.Body.(*spec.Mandate).ID); return err },
		"chain":   func() error { _, err := b.j.Chain(ctx, other, content, 1, 0); return err },
		"answer":  func() error { _, _, err := b.j.Answer(ctx, other, r.op.Key); return err },
		"unknown": func() error { _, err := b.j.Record(ctx, org, content); return err },
	} {
		if err := call(); !errors.Is(err, ErrNotFound) || reason(err) != "not-found" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if items, _, err := b.j.ListMandates(ctx, other, "", 10); err != nil || len(items) != 0 {
		t.Errorf("list: %v, %v", items, err)
	}
	if all, err := b.j.Following(ctx, other, r.presentation.Digest); err != nil || len(all) != 0 {
		t.Errorf("following: %v, %v", all, err)
	}
	if _, err := b.j.Record(ctx, "", mandate.Digest); err != nil {
		t.Errorf("the server itself: %v", err)
	}
}

func TestRequestKey(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	mandate := b.grant(roster)
	r := b.request("invoice-1", "420.00", roster, mandate)
	failing := errors.New("not now")
	if _, err := b.j.Run(ctx, r.op, func(spec.States, time.Time) ([]spec.Document, error) { return nil, failing }); err != failing {
		t.Fatalf("the error of f came back as %v", err)
	}
	if _, _, err := b.j.Answer(ctx, org, r.op.Key); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a failed attempt left a claim: %v", err)
	}
	first, err := b.decide(r)
	if err != nil || first.Known {
		t.Fatalf("known %v, %v", first.Known, err)
	}
	other := b.request("invoice-1", "421.00", roster, mandate)
	for _, after := range []string{"", "a restart"} {
		if after != "" {
			b.restart()
		}
		again, err := b.j.Run(ctx, r.op, func(spec.States, time.Time) ([]spec.Document, error) { return nil, failing })
		if err != nil || !again.Known || string(again.Last().Document.Bytes()) != string(first.Last().Document.Bytes()) {
			t.Fatalf("again after %q: known %v, %v", after, again.Known, err)
		}
		b.checkRecord(again.Last())
		if _, err := b.decide(other); !errors.Is(err, ErrKeyReused) || reason(err) != "key-reused" {
			t.Errorf("another body after %q: %v", after, err)
		}
	}
	if got := b.state(mandate).Windows[0].Held; got != 420_00 {
		t.Errorf("held %d", got)
	}
}

func TestSignedDocumentOnce(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	notice := b.Notice("cfo", spec.ActSuspend, spec.ContentDigest(mandate.Value))
	op := spec.Op{Document: notice.Digest, Write: []spec.ChainRef{writtest.Ref(mandate)}, Read: []spec.ChainRef{writtest.Ref(roster)}}
	first := b.must(op, notice)
	again := b.must(op, notice)
	if first.Known || !again.Known || again.Last().Index != first.Last().Index {
		t.Errorf("first at %d, again at %d (known %v)", first.Last().Index, again.Last().Index, again.Known)
	}
}

// TestRecovery resumes an interim request: its answer is replaced once, and whoever waited is woken.
func TestRecovery(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	mandate := b.grant(roster)
	content := spec.ContentDigest(mandate.Value)
	r := b.request("invoice-2", "12000.00", roster, mandate)
	collect := func(ss spec.States, now time.Time) ([]spec.Document, error) {
		docs, err := r.f(ss, now)
		if err != nil {
			return nil, err
		}
		d := *docs[0].Body.(*spec.Decision)
		writtest.Collect("2000.00", now.Add(time.Hour))(&d)
		docs[0], err = spec.New(&d)
		return docs, err
	}
	first, err := b.j.Run(ctx, r.op, collect)
	if err != nil {
		t.Fatal(err)
	}
	interim := first.Last().Document
	waiting, err := b.j.Interim(ctx)
	if err != nil || len(waiting) != 1 || waiting[0] != (Interim{org, r.op.Key, interim.Digest}) {
		t.Fatalf("interim: %+v, %v", waiting, err)
	}
	supplement, err := spec.Propose(interim, 0, mandate.Body.(*spec.Mandate))
	if err != nil {
		t.Fatal(err)
	}
	next, stopNext := b.j.WatchContent(content)
	defer stopNext()
	approval := b.ApproveSupplement("cfo", mandate, supplement)
	// The supplement is handed over unsigned: the journal has it sealed.
	issued := b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(mandate)}, Read: []spec.ChainRef{writtest.Ref(roster)}}, approval,
		withApprovals(t, supplement, approval))
	if !issued.Last().Document.Signed() {
		t.Error("the supplement is not sealed")
	}
	wait(t, next)

	changed, stop := b.j.Watch(r.op.Key)
	defer stop()
	resume := r.op
	resume.Resume = interim.Digest
	lifted := func(ss spec.States, now time.Time) ([]spec.Document, error) {
		docs, err := r.f(ss, now)
		if err != nil {
			return nil, err
		}
		d := *docs[0].Body.(*spec.Decision)
		d.Resumes = interim.Digest
		d.Usage = append([]spec.Usage(nil), d.Usage...)
		d.Usage[0].Lift, d.Usage[0].Supplement = "2000.00", issued.Last().Document.Digest
		docs[0], err = spec.New(&d)
		return docs, err
	}
	final, err := b.j.Run(ctx, resume, lifted)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, changed)
	answer, isFinal, err := b.j.Answer(ctx, org, r.op.Key)
	if err != nil || !isFinal || answer.Last().Document.Digest != final.Last().Document.Digest {
		t.Errorf("answer: final %v, %v", isFinal, err)
	}
	if again, err := b.j.Run(ctx, resume, lifted); err != nil || !again.Known {
		t.Errorf("resumed twice: known %v, %v", again.Known, err)
	}
	if waiting, err := b.j.Interim(ctx); err != nil || len(waiting) != 0 {
		t.Errorf("still waiting: %v, %v", waiting, err)
	}
	if w := b.state(mandate).Windows[0]; w.Held != 12_000_00 || w.Lifted != 2_000_00 || w.Lifts != 1 {
		t.Errorf("window: %+v", w)
	}
	b.checkRebuild()
}

func withApprovals(t *testing.T, d spec.Document, approvals ...spec.Document) spec.Document {
	t.Helper()
	with, err := spec.FromValue(spec.WithApprovals(d.Value, approvals))
	if err != nil {
		t.Fatal(err)
	}
	return with
}

func wait(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was woken")
	}
}

func TestWatchLeavesNothing(t *testing.T) {
	b := newBench(t)
	_, stop := b.j.WatchContent("x")
	_, stopToo := b.j.WatchContent("x")
	stop()
	stop()
	if len(b.j.hub.topics) != 1 {
		t.Errorf("%d topics while one waits", len(b.j.hub.topics))
	}
	stopToo()
	if len(b.j.hub.topics) != 0 {
		t.Errorf("%d topics left", len(b.j.hub.topics))
	}
}

func TestImpureIsRefused(t *testing.T) {
	b := newBench(t)
	roster := b.Roster()
	var runs atomic.Int32
	_, err := b.j.Run(context.Background(), spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(roster)}},
		func(spec.States, time.Time) ([]spec.Document, error) {
			runs.Add(1)
			return []spec.Document{b.ApproveRoster("cfo", roster)}, nil // another nonce each time
		})
	if err == nil || runs.Load() != 2 {
		t.Errorf("ran %d times: %v", runs.Load(), err)
	}
}

func TestLedgerTimeNeverGoesBack(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	last := b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(roster)}}, b.ApproveRoster("cfo", b.NextRoster(roster))).Last().At
	b.World.Now = b.World.Now.Add(-time.Hour)
	b.close()
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	// Another chain, so only the journal's own last time can tell.
	m := b.Mandate()
	if got := b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(m)}}, b.ApproveMandate("cfo", m)).Last().At; got.Before(last) {
		t.Errorf("%s after %s", got, last)
	}
}

func TestCancelledAndClosed(t *testing.T) {
	b := newBench(t)
	roster := b.Roster()
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(roster)}}
	ctx, cancel := context.WithCancel(context.Background())
	inside, release := make(chan struct{}), make(chan struct{})
	go b.j.Run(ctx, op, func(spec.States, time.Time) ([]spec.Document, error) {
		select {
		case inside <- struct{}{}:
		default:
		}
		<-release
		return nil, nil
	})
	<-inside
	ran := make(chan error, 1)
	go func() {
		_, err := b.j.Run(ctx, op, func(spec.States, time.Time) ([]spec.Document, error) {
			t.Error("a cancelled operation ran")
			return nil, nil
		})
		ran <- err
	}()
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(release)
	b.j.Close()
	if _, err := b.j.Run(context.Background(), op, hand()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestInvalidOps(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.Mandate()
	write := []spec.ChainRef{writtest.Ref(mandate)}
	for name, op := range map[string]spec.Op{
		"writes nothing":       {Read: []spec.ChainRef{writtest.Ref(roster)}},
		"key of another chain": {Write: write, Key: spec.RequestKey{Leaf: "x", Key: "y"}},
		"resume without key":   {Write: write, Resume: "x"},
	} {
		if _, err := b.run(op); reason(err) != "op-invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The approval is an event of a chain that the operation only reads.
	op := spec.Op{Write: write, Read: []spec.ChainRef{writtest.Ref(roster)}}
	if _, err := b.run(op, b.ApproveRoster("cfo", b.NextRoster(roster))); reason(err) != "op-invalid" {
		t.Errorf("event of a chain that is only read: %v", err)
	}
}

// scanInto gathers the first column.
func scanInto(all *[]string) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var s string
		err := rows.Scan(&s)
		*all = append(*all, s)
		return err
	}
}

// TestFilesAreTheOwners: nobody else on the machine reads what the log only commits to.
func TestFilesAreTheOwners(t *testing.T) {
	b := newBench(t)
	b.grant(b.found())
	files, err := filepath.Glob(filepath.Join(b.dir, "journal.db*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("the database, its write-ahead log and that one's index: %v %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", filepath.Base(file), info.Mode(), err)
		}
	}
}
