package writ_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(t *testing.T, url string) *writ.Client {
	t.Helper()
	c, err := writ.New(writ.Options{URL: url, APIKey: "wk_live_x", Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering is a server that answers everything alike.
func answering(t *testing.T, status int, body string, headers ...string) *writ.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return dial(t, s.URL+"/prefix/")
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []writ.Options{
		{},
		{URL: "ftp://writ.example", Now: time.Now, Random: rand.Reader},
		{URL: "https:///v1", Now: time.Now, Random: rand.Reader},
		{URL: "https://writ.example", Random: rand.Reader},
		{URL: "https://writ.example", Now: time.Now},
	} {
		if _, err := writ.New(o); err == nil {
			t.Errorf("%q was taken", o.URL)
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := answering(t, 503, `{"code":"indeterminate","title":"No.","remedy":"Again.","status":503,"pointer":"/a","request_id":"r1"}`, "Retry-After", "2").
		Ledger(t.Context())
	e, ok := err.(*writ.Error)
	if !ok || e.Code != "indeterminate" || e.Status != 503 || e.RetryAfter != 2*time.Second || e.Pointer != "/a" || !strings.Contains(e.Error(), "r1") {
		t.Errorf("problem: %+v", err)
	}
	if writ.ReasonOf(err) != "indeterminate" || writ.ReasonOf(spec.Refuse("action-other", "", "x")) != "action-other" || writ.ReasonOf(io.EOF) != "" {
		t.Error("reasons")
	}
	if _, err := answering(t, 502, "<html>").Ledger(t.Context()); writ.ReasonOf(err) != "internal" {
		t.Errorf("no problem document: %v", err)
	}
	if _, err := answering(t, 200, "<html>").Ledger(t.Context()); err == nil || writ.ReasonOf(err) != "" {
		t.Errorf("no answer: %v", err)
	}
	if _, err := answering(t, 302, "", "Location", "https://elsewhere.example/").Ledger(t.Context()); writ.ReasonOf(err) != "internal" {
		t.Errorf("a redirect: %v", err)
	}
	if _, err := answering(t, 200, strings.Repeat(" ", 17<<20)).Tile(t.Context(), "checkpoint"); err == nil {
		t.Error("an endless answer was taken")
	}
	if _, err := dial(t, "http://127.0.0.1:1").Ledger(t.Context()); err == nil {
		t.Error("nobody answered")
	}
}

// TestAnswers: what a server answers is held against itself before it is handed on.
func TestAnswers(t *testing.T) {
	c := answering(t, 200, `{"result":"AUTHORIZED","digest":"uEi","decision":{"type":"Decision"}}`)
	if _, err := c.Decision(t.Context(), "dec_1"); err == nil {
		t.Error("a decision that does not read was taken")
	}
	if _, err := c.VerifyHosted(t.Context(), writ.HostedRequest{}); err == nil {
		t.Error("a decision that does not read was taken")
	}
	if _, err := c.Verify(t.Context(), writ.Request{}); err == nil {
		t.Error("a client without a key signed")
	}
	if _, err := c.Guard(t.Context(), writ.Executor{}, writ.Order{}); err == nil {
		t.Error("an executor without a key and a trust file got leave")
	}
	if _, err := c.SignApproval(writ.Approver{}, spec.Approve, writ.Content{}); err == nil {
		t.Error("an approver without a key signed")
	}
	if _, err := writ.ContentOf(writ.Draft{}); err == nil {
		t.Error("an empty draft has a content")
	}
}

func TestPath(t *testing.T) {
	var seen string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.URL.EscapedPath(); io.WriteString(w, "{}") }))
	defer s.Close()
	if _, err := dial(t, s.URL+"/prefix/").Roster(t.Context(), "did:web:acme.example%3A8443"); err != nil || seen != "/prefix/v1/rosters/did:web:acme.example%253A8443" {
		t.Errorf("%s %v", seen, err)
	}
}

func TestPayloadDigest(t *testing.T) {
	// SHA-256 of the empty string, as multihash and multibase write it.
	if got := writ.PayloadDigest(nil); got != "uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ" {
		t.Error(got)
	}
}

// An executor guards a payment: it pays only with leave, and reports what became of it.
func Example() {
	var (
		bank     writ.Executor // DID, key and trust file, from the bank's own configuration
		decision spec.Document // as the agent handed it over
		payment  []byte        // the bytes that the bank will execute
		derive   func([]byte) (vc.Value, error)
		execute  func([]byte) error
	)
	pay := func(r *http.Request) error {
		client, err := writ.New(writ.Options{URL: "https://writ.acme.example", APIKey: "wk_live_…", Now: time.Now, Random: rand.Reader})
		if err != nil {
			return err
		}
		action, err := derive(payment) // what these bytes would do, by the published mapping
		if err != nil {
			return err
		}
		if _, err := client.Guard(r.Context(), bank, writ.Order{Decision: decision, Action: action, Payload: payment}); err != nil {
			return err // never execute without leave
		}
		outcome := writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true, ExternalRef: "e2e:INV-4711"}
		if err := execute(payment); err != nil {
			outcome = writ.Outcome{Outcome: spec.OutcomeFailed, Final: true}
		}
		_, err = client.Report(r.Context(), bank, decision, outcome)
		return err
	}
	_ = pay
}
