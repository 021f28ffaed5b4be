package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/history"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// recorder records every call of every client of this process, where they leave it: in the transport.
type recorder struct {
	*history.Writer
	next  http.RoundTripper
	began time.Time

	mu      sync.Mutex
	pending map[string]*http.Request // by operation and request, until the answer is final; with GetBody
	resumed map[string]bool          // decisions that others resume, by digest; true once recorded
	err     error
}

// record takes the place of the transport that clients use unless they are told otherwise, until the test ends.
func record(t *testing.T, w io.Writer) *recorder {
	r := &recorder{Writer: history.NewWriter(w), next: http.DefaultTransport, began: time.Now(), pending: map[string]*http.Request{}, resumed: map[string]bool{}}
	http.DefaultTransport = r
	t.Cleanup(func() { http.DefaultTransport = r.next })
	return r
}

func (r *recorder) now() int64 { return time.Since(r.began).Microseconds() }

// operations that are recorded, by path.
var operations = map[string]string{"/v1/verify": "verify", "/v1/begins": history.Begin, "/v1/reports": history.Report}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	op, recorded := operations[request.URL.Path]
	if !recorded || request.Method != http.MethodPost {
		return r.next.RoundTrip(request)
	}
	call := history.Call{Op: op, Request: r.identity(op, request), Invoke: r.now()}
	response, err := r.next.RoundTrip(request)
	var data []byte
	if err == nil {
		data, err = io.ReadAll(response.Body)
		response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(data))
	}
	if err == nil {
		call.Return = r.now()
		r.answered(&call, response.StatusCode, data)
	}
	r.Write(history.Line{Call: &call})
	return response, err
}

// identity is what a request is called, whoever asks, and however often. It is pending from now on.
func (r *recorder) identity(op string, request *http.Request) string {
	var sent struct {
		Presentation struct{ Request spec.Request }
		Decision     string
	}
	body, err := request.GetBody()
	if err == nil {
		err = json.NewDecoder(body).Decode(&sent)
	}
	name := op + " " + short(sent.Decision)
	if op == "verify" {
		name = sent.Presentation.Request.IdempotencyKey
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	if _, asked := r.pending[name]; !asked {
		r.pending[name] = request
	}
	return name
}

// short is enough of a digest to tell it from the others of one file.
func short(digest string) string {
	if len(digest) < 24 {
		return digest
	}
	return digest[4:24]
}

// answered records what came back: a document, a refusal for good, or nothing that says anything.
func (r *recorder) answered(call *history.Call, status int, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case status >= 400:
		var problem writ.Error
		if json.Unmarshal(data, &problem) != nil || status >= 500 || problem.Code == "rate-limited" {
			return
		}
		call.Refused = problem.Code
	case call.Op == "verify":
		var a writ.Answer
		r.err = errors.Join(r.err, json.Unmarshal(data, &a), r.decision(call, a))
	default:
		var a writ.Acknowledgement
		r.err = errors.Join(r.err, json.Unmarshal(data, &a), r.execution(call, a))
	}
	if !call.Interim {
		delete(r.pending, call.Request)
	}
}

func (r *recorder) decision(call *history.Call, a writ.Answer) error {
	doc, err := a.Document()
	if err != nil {
		return err
	}
	d := doc.Body.(*spec.Decision)
	call.Answer, call.Index, call.Interim = short(a.Digest), a.Record.Index, !d.Final()
	recorded := history.Document{Digest: call.Answer, Kind: history.Decision, Request: call.Request, Authorized: d.Result == spec.Authorized,
		Resumes: short(d.Resumes)}
	if recorded.Authorized {
		recorded.ExecuteBefore = d.ExecuteBefore.UnixMilli()
	}
	for _, u := range d.Usage {
		recorded.Usage = append(recorded.Usage, usageRow(u))
	}
	r.resumed[a.Digest] = true
	if d.Resumes != "" && !r.resumed[d.Resumes] {
		r.resumed[d.Resumes] = false
	}
	return r.document(recorded, a.Record)
}

func usageRow(u spec.Usage) history.Usage {
	w := u.Window()
	amount, err := rule.ParseUnits(u.Amount, u.Unit)
	recorded := history.Usage{Mandate: short(u.Mandate), Constraint: u.Constraint, Unit: u.Unit, From: u.From.String(), Max: w.Max, Held: w.Held,
		Committed: w.Committed, Amount: amount}
	switch {
	case err != nil:
		recorded.Foreign = err.Error()
	case u.Lift != "" || w.Lifted > 0:
		recorded.Foreign = "a lift"
	case w.Excess > 0:
		recorded.Foreign = "an excess"
	case !u.SumFrom.IsZero():
		recorded.Foreign = "a rolling window"
	}
	return recorded
}

func (r *recorder) execution(call *history.Call, a writ.Acknowledgement) error {
	doc, err := spec.FromValue(a.Document)
	if err != nil {
		return err
	}
	call.Answer, call.Index = short(a.Digest), a.Index
	recorded := history.Document{Digest: call.Answer, Kind: call.Op, Request: call.Request}
	switch b := doc.Body.(type) {
	case *spec.Begin:
		recorded.Decision = short(b.Decision)
	case *spec.Report:
		recorded.Decision, recorded.Executed = short(b.Decision), b.Outcome == spec.OutcomeExecuted
		if b.Amount != nil {
			recorded.Amount = b.Amount.Minor
		}
		if !b.Final {
			recorded.Kind = "report that is not final"
		}
	}
	return r.document(recorded, a.Record)
}

// document records a document at its place in the log.
func (r *recorder) document(d history.Document, place writ.Record) error {
	entry, err := spec.EntryFromValue(place.Entry)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, place.At)
	d.Index, d.At = place.Index, at.UnixMilli()
	for _, l := range entry.Links {
		d.Links = append(d.Links, history.Link{Chain: short(l.Chain), Seq: l.Seq})
	}
	r.Write(history.Line{Document: &d})
	return err
}

// finish asks again for everything that has no final answer, as its callers would have, and reads the interim decisions that
// nobody was answered.
func (r *recorder) finish(ctx context.Context, reader *writ.Client) error {
	for {
		r.mu.Lock()
		var pending []*http.Request
		for _, request := range r.pending {
			pending = append(pending, request)
		}
		r.mu.Unlock()
		if len(pending) == 0 {
			return errors.Join(r.err, r.Err(), r.readResumed(ctx, reader))
		}
		for _, request := range pending {
			again := request.Clone(ctx)
			again.Body, _ = request.GetBody()
			if _, err := r.RoundTrip(again); ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *recorder) readResumed(ctx context.Context, reader *writ.Client) error {
	for more := true; more; {
		more = false
		for digest, recorded := range r.resumed {
			if recorded {
				continue
			}
			more = true
			a, err := reader.Decision(ctx, digest)
			if err != nil {
				return err
			}
			doc, err := a.Document()
			if err != nil {
				return err
			}
			call := history.Call{Op: "read", Request: doc.Body.(*spec.Decision).Request.IdempotencyKey}
			if err := r.decision(&call, a); err != nil {
				return err
			}
			r.Write(history.Line{Call: &call})
		}
	}
	return nil
}

// historyFile is where TestHistory keeps what it recorded: the file that WRIT_HISTORY names, or one that goes with the test.
func historyFile(t *testing.T) string {
	if path := os.Getenv("WRIT_HISTORY"); path != "" {
		return path
	}
	return filepath.Join(t.TempDir(), "history.jsonl")
}

// TestHistory records all calls of 64 clients that race on one mandate, give up, and ask again, while the server is killed under them,
// and checks the history: see package history for what that means.
func TestHistory(t *testing.T) {
	l := newLoad(t)
	l.must(l.mandateUpTo(t.Context(), "35000.00")) // which lasts longer than that of the other tests
	path := historyFile(t)
	file, err := os.Create(path)
	l.must(err)
	r := record(t, file)
	before, _, err := l.daily(t.Context(), l.main)
	l.must(err)
	r.Write(history.Line{Start: &history.Start{Mandate: short(l.main.content), Chain: short(before.Chain), Seq: before.Seq}})

	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for id := range 64 {
		group.Go(func() { l.worker(id).run(ctx) })
	}
	for range 2 {
		l.acknowledged(400)
		l.must(l.server.command.Process.Kill())
		l.server.command.Wait()
		l.serve()
	}
	l.acknowledged(200)
	cancel()
	group.Wait()
	patient, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l.must(r.finish(patient, l.acme))
	after, _, err := l.daily(t.Context(), l.main)
	l.must(err)
	r.Write(history.Line{End: &history.End{Chain: short(after.Chain), Seq: after.Seq}})
	l.must(errors.Join(r.Err(), file.Close()))
	l.checkHistory(path)
}

func (l *load) checkHistory(path string) {
	file, err := os.Open(path)
	l.must(err)
	defer file.Close()
	h, err := history.Read(file)
	l.must(err)
	found := history.CheckWindows(h, 2*time.Second)
	size, err := file.Seek(0, io.SeekEnd)
	l.must(err)
	l.t.Logf("%d kB: %v", size>>10, found)
	if len(found.Problems) > 0 {
		l.t.Errorf("%s", strings.Join(found.Problems, "\n"))
	}
	if found.Calls < 500 || found.Accounts < 100 || found.Windows == 0 {
		l.t.Error("too little happened to find anything")
	}
}
