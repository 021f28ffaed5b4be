package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// load is Acme on a real writ serve process that many clients call at once and that is killed under them.
type load struct {
	*story
	t       *testing.T
	program string
	apiKey  string
	address string // of the server, the same after each restart
	url     string

	mu       sync.Mutex
	records  []writ.Record          // everything that was ever acknowledged
	answers  map[string]writ.Answer // by idempotency key, the first final one
	executed map[string]int64       // acknowledged reports, minor units by decision
	sizes    map[int64]log.Hash     // every checkpoint ever seen
	lifts    int64                  // standing ones at the end
}

func newLoad(t *testing.T) *load {
	t.Helper()
	// A binary as users have it: the race detector would make the server too slow to be raced.
	program := filepath.Join(t.TempDir(), "writ")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	sys := &system{now: time.Now, random: rand.Reader, out: io.Discard, err: io.Discard}
	l := &load{story: &story{sys: sys, dir: t.TempDir(), out: t.TempDir()}, t: t, program: program, address: "127.0.0.1:0",
		answers: map[string]writ.Answer{}, executed: map[string]int64{}, sizes: map[int64]log.Hash{}}
	l.serve()
	t.Cleanup(func() { l.server.command.Process.Kill(); l.server.command.Wait() })
	for _, step := range []func(*load, context.Context) error{(*load).enrol, (*load).mandate} {
		if err := step(l, t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// serve starts the server on the same folder and, after the first time, the same address.
func (l *load) serve() {
	l.t.Helper()
	messages, err := os.OpenFile(filepath.Join(l.dir, "messages"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	l.must(err)
	defer messages.Close()
	cmd := exec.Command(l.program, "serve", "--data", filepath.Join(l.dir, "data"), "--listen", l.address, "--execute-within", "2s",
		"--did", "did:web:writ.acme.example")
	cmd.Stderr = messages
	cmd.Env = append(withoutWrit(os.Environ()), "WRIT_PASSPHRASE=only for this test")
	out, err := cmd.StdoutPipe()
	l.must(err)
	l.must(cmd.Start())
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil {
		said, _ := os.ReadFile(messages.Name())
		l.t.Fatalf("writ serve did not start: %v\n%s", err, said)
	}
	if l.server != nil { // workers read its address, which stays the same
		l.server.command = cmd
		return
	}
	l.server = &server{command: cmd, url: strings.TrimSpace(string(line[:n]))}
	l.address, l.url = strings.TrimPrefix(l.server.url, "http://"), l.server.url
}

func (l *load) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// enrol makes the organisation, the keys and the roster, as the demo does.
func (l *load) enrol(ctx context.Context) error {
	token, err := os.ReadFile(filepath.Join(l.dir, "data", adminFile))
	if err != nil {
		return err
	}
	operator, err := l.client(strings.TrimSpace(string(token)), nil)
	if err != nil {
		return err
	}
	if l.ledger, err = operator.Ledger(ctx); err != nil {
		return err
	}
	key, err := log.ParseVerifier(l.ledger.Log.Key)
	if err != nil {
		return err
	}
	l.policy = log.NewPolicy(key)
	organisation, err := operator.CreateOrganisation(ctx, "Acme")
	if err != nil {
		return err
	}
	if l.admin, err = l.client(organisation.Key, nil); err != nil {
		return err
	}
	for _, step := range []func(context.Context) (string, error){l.makeKeys, l.draftRoster, l.rosterOnce, l.rosterTwice} {
		if _, err := step(ctx); err != nil {
			return err
		}
	}
	l.apiKey = l.acme.APIKey
	return nil
}

func (l *load) mandate(ctx context.Context) error { return l.mandateUpTo(ctx, "10000.00") }

func (l *load) mandateUpTo(ctx context.Context, daily string) (err error) {
	content, err := l.mandateFor(l.agent.Agent.Public().DID(), mandateTerms{name: "Pay AWS invoices", daily: daily, approvers: both, lift: true})
	if err != nil {
		return err
	}
	content, err = withOpenHolds(content, 4096)
	if err != nil {
		return err
	}
	l.main, err = l.grant(ctx, content)
	return err
}

func withOpenHolds(content jcs.Value, n int) (jcs.Value, error) {
	subject, _ := content.Member("credentialSubject")
	terms, _ := subject.Member("mandate")
	number, err := jcs.ValueOf(n)
	return content.With("credentialSubject", subject.With("mandate", terms.With("maxOpenHolds", number))), err
}

// keep remembers what was acknowledged.
func (l *load) keep(r writ.Record) {
	p, err := log.ParseProof([]byte(r.Proof))
	if err != nil {
		l.t.Errorf("a proof does not parse: %v", err)
		return
	}
	c, err := log.CheckInclusion(p, log.RecordHash(r.Entry.Canonical()), l.ledger.Log.Origin, l.policy)
	if err != nil || p.Index != r.Index {
		l.t.Errorf("an acknowledged proof does not hold: %v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, seen := l.sizes[c.Size]; seen && before != c.Root {
		l.t.Errorf("two roots at size %d", c.Size)
	}
	l.sizes[c.Size] = c.Root
	l.records = append(l.records, r)
}

// worker is one client with its own connection and luck.
type worker struct {
	*load
	agent *writ.Client
	url   string
	luck  *mathrand.Rand
	calls int
	id    int
}

func (l *load) worker(id int) *worker {
	agent, err := l.client(l.apiKey, l.agent.Agent)
	l.must(err)
	return &worker{load: l, agent: agent, url: l.url, id: id, luck: mathrand.New(mathrand.NewPCG(uint64(id), 7))}
}

// run pays until the context ends. What fails because the server is gone, or because the caller gave up, is asked again with the
// same key: that is the promise.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.calls++
		key := fmt.Sprintf("client-%02d-call-%06d", w.id, w.calls)
		euros := fmt.Sprintf("%d.%02d", 1+w.luck.IntN(60), w.luck.IntN(100))
		_, action, err := paymentOf(euros, aws, account, key)
		w.must(err)
		request := writ.Request{Mandates: []vc.Value{w.main.credential}, Action: action, IdempotencyKey: key, Executor: bank,
			WaitUntil: time.Now().Add(time.Second)}
		a, ok := w.ask(ctx, request)
		if ok && a.Result == spec.Authorized {
			w.settle(ctx, a)
		}
	}
}

// ask verifies with impatience: some callers hang up and ask again.
func (w *worker) ask(ctx context.Context, r writ.Request) (writ.Answer, bool) {
	for {
		limited, cancel := context.WithTimeout(ctx, []time.Duration{time.Minute, time.Minute, 3 * time.Millisecond}[w.luck.IntN(3)])
		a, err := w.agent.Verify(limited, r)
		cancel()
		switch {
		case err == nil:
			w.answered(r.IdempotencyKey, a)
			if w.luck.IntN(4) == 0 { // signed anew, the same answer
				again, err := w.agent.Verify(ctx, r)
				if err == nil {
					w.answered(r.IdempotencyKey, again)
				}
			}
			return a, true
		case ctx.Err() != nil, writ.ReasonOf(err) == "refusals-many": // it was refused, and counted
			return a, false
		case !retryable(err):
			w.t.Errorf("verify: %v", err)
			return a, false
		}
		time.Sleep(time.Duration(w.luck.IntN(20)) * time.Millisecond)
	}
}

func retryable(err error) bool {
	reason := writ.ReasonOf(err)
	return reason == "" || reason == "indeterminate" || reason == "journal-closed" || reason == "rate-limited"
}

// answered holds an answer against the one before: a final answer never changes.
func (w *worker) answered(key string, a writ.Answer) {
	w.keep(a.Record)
	w.mu.Lock()
	defer w.mu.Unlock()
	before, known := w.answers[key]
	if known && before.Result != spec.CollectMissing && before.Digest != a.Digest {
		w.t.Errorf("%s was answered %s and then %s", key, before.Result, a.Result)
	}
	w.answers[key] = a
}

// settle executes, or does not: a third lapse, some are begun and not entered, most are executed in full or in part.
func (w *worker) settle(ctx context.Context, a writ.Answer) {
	switch w.luck.IntN(12) {
	case 0, 1, 2, 3:
	case 4, 5:
		w.execute(ctx, a, spec.OutcomeNotEntered, 0)
	case 6, 7:
		w.execute(ctx, a, spec.OutcomeExecuted, 3)
	default:
		w.execute(ctx, a, spec.OutcomeExecuted, 1)
	}
}

// execute begins and reports; of what is executed, one part in so many is left uncaptured, none where it is 1.
func (w *worker) execute(ctx context.Context, a writ.Answer, outcome string, part int64) {
	doc, err := a.Document()
	w.must(err)
	d := doc.Body.(*spec.Decision)
	key := d.Request.IdempotencyKey
	begin := w.signed(&spec.Begin{Type: "Begin", Version: spec.Version, Decision: doc.Digest, Action: spec.ActionDigest(d.Action),
		Executor: bank, At: spec.At(time.Now()), Nonce: key})
	if !w.handOver(ctx, "/v1/begins", begin) {
		return
	}
	action, err := spec.ParseAction(d.Action)
	w.must(err)
	report := &spec.Report{Type: "Report", Version: spec.Version, Decision: doc.Digest, Action: spec.ActionDigest(d.Action),
		PayloadDigest: action.PayloadDigest(), Outcome: outcome, Final: true, ExternalRef: "e2e:" + key, At: spec.At(time.Now())}
	amount := int64(0)
	if outcome == spec.OutcomeExecuted {
		amount = action.Amount.Minor
		if part > 1 {
			amount -= amount / part
			report.Amount = &rule.Money{Minor: amount, Currency: "EUR"}
		}
	}
	if w.handOver(ctx, "/v1/reports", w.signed(report)) {
		w.mu.Lock()
		w.executed[doc.Digest] = amount
		w.mu.Unlock()
	}
}

func (w *worker) signed(body spec.Body) spec.Document {
	doc, err := spec.New(body)
	w.must(err)
	doc, err = signed(doc, w.story.bank, vc.ProofOptions{VerificationMethod: bank + "#" + w.story.bank.Public().Multikey(),
		Purpose: did.AssertionMethod, Created: time.Now()})
	w.must(err)
	return doc
}

// handOver posts a signed document until it is acknowledged or refused; the same bytes get the same answer.
func (w *worker) handOver(ctx context.Context, path string, doc spec.Document) bool {
	for ctx.Err() == nil {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, bytes.NewReader(doc.Bytes()))
		w.must(err)
		request.Header.Set("Authorization", "Bearer "+w.apiKey)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		data, err := io.ReadAll(response.Body)
		response.Body.Close()
		switch {
		case err != nil || response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
			time.Sleep(5 * time.Millisecond)
		case response.StatusCode < 300:
			var record struct {
				Entry jcs.Value `json:"entry"`
				Index int64     `json:"index"`
				Proof string    `json:"proof"`
			}
			v, err := jcs.Parse(data)
			w.must(err)
			entry, _ := v.Member("entry")
			index, _ := v.Member("index")
			proof, _ := v.Member("proof")
			record.Entry = entry
			record.Index, _ = index.Int()
			record.Proof, _ = proof.Text()
			w.keep(writ.Record{Entry: record.Entry, Index: record.Index, Proof: record.Proof})
			return true
		case strings.Contains(string(data), "hold-lapsed"):
			return false // the caller was too slow: no leave to execute
		default:
			w.t.Errorf("%s: %d %s", path, response.StatusCode, data)
			return false
		}
	}
	return false
}

// entries reads the whole log through its tiles, as anybody may, once everything acknowledged is published.
func (l *load) entries(ctx context.Context) [][]byte {
	l.t.Helper()
	var size int64
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		signed, err := l.acme.Tile(ctx, "checkpoint")
		if err == nil {
			c, err := l.policy.Verify(signed, l.ledger.Log.Origin)
			l.must(err)
			if size = c.Size; size > l.newest() {
				l.sizes[c.Size] = c.Root
				break
			}
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("published %d entries, and entry %d was acknowledged", size, l.newest())
		}
	}
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		tile := log.Tile{Level: log.Entries, Index: first / 256, Width: int(min(256, size-first))}
		data, err := l.acme.Tile(ctx, tile.Path())
		l.must(err)
		bundle, err := log.ParseBundle(data)
		l.must(err)
		all = append(all, bundle...)
	}
	return all
}

func (l *load) newest() int64 {
	var n int64 = -1
	for _, r := range l.records {
		n = max(n, r.Index)
	}
	return n
}

// settled is when nothing moves by itself any more: callers wait for people for a second, and what is authorised then lapses two
// seconds later.
const settled = 4 * time.Second

// audit holds everything that was acknowledged against the log and the account: each entry is where its proof said, the log has
// each root that was ever shown, the chain has no gap, and the sums are those of the reports.
func (l *load) audit(ctx context.Context) {
	l.t.Helper()
	time.Sleep(settled)
	l.sums(ctx, l.history(ctx))
}

// history is the audit's first half, which does not wait: the log. It returns where each chain is.
func (l *load) history(ctx context.Context) map[string]int64 {
	l.t.Helper()
	all := l.entries(ctx)
	for _, r := range l.records {
		if r.Index >= int64(len(all)) || !bytes.Equal(all[r.Index], r.Entry.Canonical()) {
			l.t.Fatalf("entry %d was acknowledged and is not in the log", r.Index)
		}
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, e := range all {
		l.must(tree.Append(rfc6962.DefaultHasher.HashLeaf(e), nil))
		if root, seen := l.sizes[int64(i+1)]; seen {
			got, err := tree.GetRootHash(nil)
			l.must(err)
			if !bytes.Equal(got, root[:]) {
				l.t.Fatalf("the log does not have the root that it showed at size %d", i+1)
			}
		}
	}
	return l.replay(all)
}

// sums adds up the receipts and holds them against the account.
func (l *load) sums(ctx context.Context, seqs map[string]int64) {
	m, day, err := l.daily(ctx, l.main)
	l.must(err)
	if m.Seq != seqs[m.Chain] {
		l.t.Errorf("the mandate is at seq %d, the log at %d", m.Seq, seqs[m.Chain])
	}
	var reported, begun int64
	for _, a := range l.answers {
		if a.Result != spec.Authorized {
			continue
		}
		receipt, err := l.acme.Receipt(ctx, a.Digest)
		l.must(err)
		doc, err := a.Document()
		l.must(err)
		action, err := spec.ParseAction(doc.Body.(*spec.Decision).Action)
		l.must(err)
		switch receipt.Outcome {
		case spec.OutcomeExecuted:
			terms := receipt.Receipt
			value, ok := terms.Lookup("/credentialSubject/receipt/amount/value")
			if !ok {
				l.t.Fatalf("a receipt of what was executed has no amount")
			}
			text, _ := value.Text()
			amount, err := rule.ParseUnits(text, "EUR")
			l.must(err)
			if acknowledged, ok := l.executed[a.Digest]; ok && acknowledged != amount {
				l.t.Errorf("a report of %d was acknowledged, the receipt says %d", acknowledged, amount)
			}
			reported += amount
		case spec.OutcomeUnknown:
			begun += action.Amount.Minor
		}
	}
	committed, err := rule.ParseUnits(day.Committed, "EUR")
	l.must(err)
	held, err := rule.ParseUnits(day.Held, "EUR")
	l.must(err)
	if committed != reported || held != begun {
		l.t.Errorf("the account has %d committed and %d held; the receipts add up to %d executed and %d begun", committed, held, reported, begun)
	}
	l.lifts = day.Lifts
	max, _ := rule.ParseUnits(day.Max, "EUR")
	lifted, _ := rule.ParseUnits(day.Lifted, "EUR")
	if committed+held > max+lifted {
		l.t.Errorf("%d used of %d with %d lifted", committed+held, max, lifted)
	}
	l.t.Logf("%d requests, %d acknowledged documents, %d checkpoints, %d committed, %d begun, %d lifted", len(l.answers), len(l.records), len(l.sizes),
		committed, begun, lifted)
}

// liftOne asks for more than the day has left, and the CFO signs while the others race on. What they take in between can make the
// lift too small; then the request is stopped anew, and the CFO signs again.
func (l *load) liftOne(ctx context.Context) error {
	const key = "the one that is lifted"
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, action, err := paymentOf("9999.00", aws, account, key)
	if err != nil {
		return err
	}
	a, err := l.agent.Verify(ctx, writ.Request{Mandates: []vc.Value{l.main.credential}, Action: action, IdempotencyKey: key, Executor: bank})
	for err == nil && a.Result == spec.CollectMissing {
		if a, err = l.signLift(ctx, a); err == nil {
			l.worker(999).answered(key, a)
		}
	}
	if err == nil && a.Result != spec.Authorized {
		err = fmt.Errorf("9999.00 with the CFO's lift is %s", a.Result)
	}
	if err == nil {
		l.worker(999).execute(ctx, a, spec.OutcomeExecuted, 1)
	}
	return err
}

// signLift has the CFO sign what an interim answer proposes, and waits for the next answer.
func (l *load) signLift(ctx context.Context, a writ.Answer) (writ.Answer, error) {
	content, err := l.acme.ContentOfProposal(ctx, *a.Recovery, a.Recovery.Proposals[0])
	if err != nil {
		return a, err
	}
	if _, err := l.acme.Approve(ctx, l.cfo, spec.Approve, content); err != nil {
		return a, err
	}
	r, err := l.acme.Recovery(ctx, a.Digest, 20*time.Second)
	if err == nil && r.Answer == nil {
		err = errors.New("the CFO signed, and nothing was decided anew")
	}
	if err != nil {
		return a, err
	}
	return *r.Answer, nil
}

// TestRace: 64 clients race on one mandate over HTTP, with retries, not_entered reports, lapses and a supplement. Never over, none
// lost, and the sums are those of the receipts and the log.
func TestRace(t *testing.T) {
	l := newLoad(t)
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	var group sync.WaitGroup
	for id := range 64 {
		w := l.worker(id)
		group.Go(func() { w.run(ctx) })
	}
	time.Sleep(2 * time.Second)
	if err := l.liftOne(t.Context()); err != nil {
		t.Errorf("the lift under load: %v", err)
	}
	group.Wait()
	l.audit(t.Context())
	if l.lifts == 0 {
		t.Error("nothing was lifted")
	}
}

// kills is how often TestKill ends the server without notice.
const kills = 20

// TestKill: kill -9 under that load, again and again. Every acknowledged document is there, with a proof that is consistent with
// each checkpoint seen before.
func TestKill(t *testing.T) {
	l := newLoad(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	for id := range 64 {
		w := l.worker(id)
		group.Go(func() { w.run(ctx) })
	}
	for range kills {
		l.acknowledge(40)
		time.Sleep(time.Duration(mathrand.IntN(300)) * time.Millisecond)
		l.must(l.server.command.Process.Kill())
		l.server.command.Wait()
		l.serve()
	}
	l.acknowledge(40)
	cancel()
	group.Wait()
	l.audit(t.Context())
}

// acknowledge waits until so many more documents were acknowledged.
func (l *load) acknowledge(more int) {
	l.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.records)
	}
	wanted := count() + more
	for deadline := time.Now().Add(time.Minute); count() < wanted; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d documents were acknowledged in a minute, not %d", count()-wanted+more, more)
		}
	}
}
