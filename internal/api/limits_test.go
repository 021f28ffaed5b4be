package api_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// neverAnswered are the reasons that no problem has: those of files, foreign logs, DID documents and bundles, and, last, those that a
// decision gives, which is an answer and no problem.
var neverAnswered = []string{"database-", "log-", "bundle-", "batch-", "did-", "key-", "status-", "note-", "checkpoint-", "policy-syntax", "trust-", "vc-", "vp-", "entry-",
	"proof-syntax", "proof-inclusion", "proof-consistency", "chain-order", "position-other", "decision-other", "env-unknown", "ledger-unknown",
	"witness-", "cosignature-", "receipt-other", "expect-other", "refusals-minute", "decision-future", "type-unsupported", "window-unknown", "op-invalid", "journal-closed", "transparency-missing",
	"action-not-covered", "resource-not-covered", "amount-", "count-exceeded", "outside-hours", "value-", "lift-above-ceiling", "recovery-declined",
	"recovery-expired", "recoveries-many", "chain-gap", "bundle-decisions", "approval-needed", "interval-too-short", "items-many", "pattern-mismatch", "expression-false", "expression-absent", "expression-kind",
	"expression-currency", "credential-absent", "credential-subject", "credential-early", "credential-expired", "credential-stale", "credential-status",
	"credential-revoked", "credential-suspended", "template-member", "template-absent", "template-kind", "template-value",
	"heads-seq", "heads-other", "heads-proof", "heads-entry", "heads-stale", "heads-chains", "heads-windows", "contradiction-"}

// TestStatuses holds the table against all reasons: each has a status, or belongs to what no request meets.
func TestStatuses(t *testing.T) {
	known := map[string]bool{}
	for _, r := range spec.Reasons() {
		known[r.Code] = true
		never := slices.ContainsFunc(neverAnswered, func(prefix string) bool { return strings.HasPrefix(r.Code, prefix) })
		if _, ok := api.Statuses()[r.Code]; !ok && !never {
			t.Errorf("%s has no status", r.Code)
		}
	}
	for code := range api.Statuses() {
		if !known[code] {
			t.Errorf("%s is in the table and no reason", code)
		}
	}
}

// TestBadInput: any bytes get a problem document with a reason and the place, no value comes back, and nothing is stored.
func TestBadInput(t *testing.T) {
	s := start(t)
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	presentation, err := s.client(acme).Present(request)
	s.must(err)
	good := string(presentation.Bytes())
	approval := string(s.tick().ApproveMandate("cfo", mandate).Bytes())
	replaced := func(text, old, changed string) string { return strings.Replace(text, old, changed, 1) }
	wrapped := func(p string) string { return `{"presentation":` + p + `}` }
	size := s.log.Size()
	for _, row := range []struct {
		name, path, body string
		status           int
		code, pointer    string
	}{
		{"no body", "/v1/verify", "", 400, "json-syntax", ""},
		{"not JSON", "/v1/approvals", "secret-value", 400, "json-syntax", ""},
		{"a duplicate name", "/v1/approvals", `{"type":"a","type":"secret-value"}`, 400, "json-duplicate-name", ""},
		{"null", "/v1/begins", `{"type":null}`, 400, "json-null", "/type"},
		{"an array", "/v1/reports", `["secret-value"]`, 400, "json-not-object", ""},
		{"too deep", "/v1/notices", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, "json-depth", ""},
		{"a case variant", "/v1/verify", wrapped(replaced(good, `"action":`, `"Action":{"a":1},"action":`)), 400, "json-case-variant", ""},
		{"an unknown member", "/v1/verify", wrapped(replaced(good, `"holder":`, `"extra":"secret-value","holder":`)), 422, "member-unknown", "/extra"},
		{"a type that is none", "/v1/delegations", `{"type":"secret-value"}`, 422, "type-unknown", "/type"},
		{"another document", "/v1/begins", approval, 422, "type-unknown", "/type"},
		{"money", "/v1/verify", wrapped(replaced(good, "4200.00", "4200.0")), 422, "money-form", "/action/amount/value"},
		{"test mode", "/v1/approvals", replaced(approval, `"kind":`, `"mode":"test","kind":`), 422, "mode-other", "/mode"},
		{"another's signature", "/v1/approvals", replaced(approval, `"nonce":"u`, `"nonce":"v`), 422, "proof-signature", ""},
		{"an unknown draft", "/v1/approvals", replaced(approval, spec.ContentDigest(mandate.Value), mandate.Digest), 404, "not-found", ""},
		{"nothing to verify", "/v1/verify", `{"commit":{"a":1}}`, 422, "member-missing", "/presentation"},
		{"both forms", "/v1/verify", `{"presentation":{"a":1},"action":{"b":1}}`, 400, "request-syntax", "/presentation"},
		{"an open draft", "/v1/drafts", `{"credentialSubject":{"id":"secret-value"}}`, 422, "member-missing", ""},
		{"no scope", "/v1/api-keys", `{"scopes":["secret-value"]}`, 400, "request-syntax", "/scopes"},
		{"an unknown recovery", "/v1/recoveries/rcv_none/approvals", approval, 404, "not-found", ""},
		{"waiting for ever", "/v1/verify?wait=ever", wrapped(good), 400, "request-syntax", "?wait"},
		{"waiting too long", "/v1/verify?wait=46s", wrapped(good), 400, "request-syntax", "?wait"},
		{"a misspelt parameter", "/v1/verify?wiat=30s", wrapped(good), 400, "query-unknown", "?wiat"},
		{"a parameter twice", "/v1/verify?wait=1s&wait=2s", wrapped(good), 400, "request-syntax", "?wait"},
		{"a query that is none", "/v1/verify?wait=%zz", wrapped(good), 400, "request-syntax", "?"},
	} {
		status, body, h := s.raw("POST", row.path, s.keys[acme], row.body)
		var p struct{ Code, Pointer, Title, Remedy, Type string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", row.name, status, body)
			continue
		}
		if status != row.status || p.Code != row.code || row.pointer != "" && p.Pointer != row.pointer || p.Title == "" || p.Remedy == "" {
			t.Errorf("%s: %d %s, want %d %s at %s", row.name, status, body, row.status, row.code, row.pointer)
		}
		if strings.Contains(body, "secret-value") {
			t.Errorf("%s: a value comes back: %s", row.name, body)
		}
	}
	if s.log.Size() != size {
		t.Errorf("%d entries were stored", s.log.Size()-size)
	}
}

// TestGate: who may not is refused before the body is read, and paths, methods, media types and sizes have their problems.
func TestGate(t *testing.T) {
	s := start(t, func(s *server) {
		s.options = func(o *api.Options) { o.Limits = api.Limits{PerSecond: 0.001, Burst: 25} }
	})
	reader := s.key(acme, api.ScopeRead)
	for _, row := range []struct {
		name, method, path, key, body string
		headers                       []string
		status                        int
		code                          string
	}{
		{"no key", "GET", "/v1/mandates", "", "", nil, 401, "unauthenticated"},
		{"an unknown key", "GET", "/v1/mandates", "wk_live_" + strings.Repeat("A", 43), "", nil, 401, "unauthenticated"},
		{"a test key", "GET", "/v1/mandates", strings.Replace(reader, "live", "test", 1), "", nil, 401, "unauthenticated"},
		{"without a scope", "POST", "/v1/verify", reader, "{}", nil, 403, "forbidden-scope"},
		{"an organisation by another", "POST", "/v1/organisations", s.keys[acme], `{"name":"Other"}`, nil, 403, "forbidden-scope"},
		{"no path", "GET", "/v1/none", reader, "", nil, 404, "not-found"},
		{"no method", "PUT", "/v1/mandates", reader, "", nil, 405, "method-not-allowed"},
		{"a form", "POST", "/v1/verify", s.keys[acme], "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"},
		{"too large", "POST", "/v1/verify", s.keys[acme], strings.Repeat(" ", 256<<10+1), nil, 413, "request-too-large"},
		{"a bad cursor", "GET", "/v1/mandates?cursor=x", reader, "", nil, 400, `cursor-syntax","pointer":"?cursor`},
		{"a bad limit", "GET", "/v1/mandates?limit=201", reader, "", nil, 400, `request-syntax","pointer":"?limit`},
		{"a bad index", "GET", "/v1/log/proof?index=-1", reader, "", nil, 400, `request-syntax","pointer":"?index`},
		{"which scope", "POST", "/v1/verify", reader, "{}", nil, 403, `forbidden-scope","scope":"verify`},
		{"which byte", "POST", "/v1/verify", s.keys[acme], `{"action" 1}`, nil, 400, `json-syntax","pointer":"/action","offset":10,`},
		{"no metrics", "GET", "/metrics", reader, "", nil, 404, "not-found"},
	} {
		status, body, h := s.raw(row.method, row.path, row.key, row.body, row.headers...)
		if status != row.status || !strings.Contains(body, `"code":"`+row.code) || h.Get("Writ-Version") == "" || h.Get("Request-Id") == "" {
			t.Errorf("%s: %d %s %v", row.name, status, body, h)
		}
		if status == 405 && h.Get("Allow") != "GET" {
			t.Errorf("allowed: %q", h.Get("Allow"))
		}
		if n := h.Get("Content-Length"); n != strconv.Itoa(len(body)) {
			t.Errorf("%s: Content-Length %q of %d", row.name, n, len(body))
		}
	}
	for range 30 {
		status, body, h := s.raw("GET", "/v1/mandates", reader, "")
		if status == 429 {
			if !strings.Contains(body, "rate-limited") || h.Get("Retry-After") == "" {
				t.Errorf("too fast: %s %v", body, h)
			}
			return
		}
	}
	t.Error("30 requests met no limit")
}

// TestForeign walks every operation with the key of another organisation: its things are not found, and nothing changes.
func TestForeign(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	roster := s.found()
	mandate := s.grant()
	d, err := c.Draft(ctx, s.tick().Mandate().Value)
	s.must(err)
	what, err := writ.ContentOf(d)
	s.must(err)
	approval, err := c.SignApproval(s.approver("cfo"), spec.Approve, what)
	s.must(err)
	held := s.verify(s.ask("invoice-1", s.pay("4200.00"), mandate))
	decision, _ := document(t, held)
	interim := s.verify(s.ask("invoice-2", s.pay("12000.00"), mandate))
	lift, err := c.ContentOfProposal(ctx, *interim.Recovery, interim.Recovery.Proposals[0])
	s.must(err)
	lifted, err := c.SignApproval(s.approver("cfo"), spec.Approve, lift)
	s.must(err)
	p, err := c.Present(s.ask("invoice-3", s.pay("1.00"), mandate))
	s.must(err)
	k, err := c.CreateKey(ctx, "acme's", false, "read")
	s.must(err)
	_, err = s.log.Publish(ctx)
	s.must(err)
	template, err := c.AddTemplate(ctx, writtest.Template().Value)
	s.must(err)
	content, policy := spec.ContentDigest(mandate.Value), s.enrol(s.tick().Policy())
	child := s.tick().Seal(s.Child(mandate))
	foreignOnes := map[string][]string{ // by operation: ids, or bodies, of Acme's
		"GET /v1/drafts/{id}":                {d.ID, d.ShortID, d.Content},
		"GET /v1/templates/{id}":             {template.Digest},
		"GET /v1/mandates/{id}":              {content, mandate.Body.(*spec.Mandate).ID},
		"GET /v1/rosters/{id}":               {writtest.Grantor, spec.ContentDigest(roster.Value)},
		"GET /v1/policies/{id}":              {spec.ContentDigest(policy.Value)},
		"GET /v1/decisions/{id}":             {held.ID, held.Digest, decision.Body.(*spec.Decision).ID},
		"GET /v1/recoveries/{id}":            {interim.Recovery.ID, interim.Digest},
		"GET /v1/receipts/{id}":              {held.ID, held.Digest},
		"GET /v1/receipts/{id}/bundle":       {held.ID, held.Digest},
		"DELETE /v1/api-keys/{id}":           {k.ID},
		"POST /v1/recoveries/{id}/approvals": {string(lifted.Bytes())},
		"POST /v1/decisions/{id}/approvals":  {string(s.Reconcile("cfo", spec.Approve, mandate, decision).Bytes())},
		"POST /v1/approvals":                 {string(approval.Bytes())},
		"POST /v1/delegations":               {string(child.Bytes())},
		"POST /v1/notices":                   {string(s.Notice("cfo", spec.ActRevoke, content).Bytes())},
		"POST /v1/verify":                    {`{"presentation":` + string(p.Bytes()) + `}`},
		"POST /v1/begins":                    {string(s.Begin(decision, s.Now).Bytes())},
		"POST /v1/reports":                   {string(s.Report(decision, spec.OutcomeExecuted, "", true, s.Now).Bytes())},
		"POST /v1/drafts":                    {string(s.Mandate().Bytes())}, // under a grantor whose roster is Acme's
		"POST /v1/organisations":             {`{"name":"x"}`},
	}
	ownOnly := []string{"GET /v1/mandates", "GET /v1/api-keys", "GET /v1/organisations"}
	everybodys := []string{"GET /v1/ledger", "GET /v1/log/proof", "GET /v1/log/entries/{id}", "GET /v1/log/heads/{id}", "GET /v1/status/{id}", "POST /v1/api-keys", "POST /v1/templates", "GET /log/checkpoint", "GET /log/metadata.json", "GET /log/tile/*",
		"GET /healthz", "GET /readyz"}
	size := s.log.Size()
	for _, operation := range s.api.Paths() {
		method, pattern, _ := strings.Cut(operation, " ")
		things := foreignOnes[operation]
		for _, thing := range things {
			path, body := strings.Replace(pattern, "{id}", thing, 1), ""
			if method == http.MethodPost {
				path, body = strings.Replace(pattern, "{id}", interim.Recovery.ID, 1), thing
			}
			status, answer, _ := s.raw(method, path, s.keys[foreign], body)
			if status != 404 && !(method == "POST" && (status == 403 || status == 404)) {
				t.Errorf("%s: %d %s", operation, status, answer)
			}
		}
		if slices.Contains(ownOnly, operation) {
			if status, answer, _ := s.raw(method, pattern, s.keys[foreign], ""); status != 200 || strings.Contains(answer, content) ||
				strings.Contains(answer, k.ID) || strings.Contains(answer, acme) {
				t.Errorf("%s: %d %s", operation, status, answer)
			}
		} else if len(things) == 0 && !slices.Contains(everybodys, operation) {
			t.Errorf("%s: is it Acme's alone, or everybody's?", operation)
		}
	}
	if s.log.Size() != size {
		t.Errorf("%d entries more", s.log.Size()-size)
	}
	if _, err := s.clientWith(k.Key).Mandate(ctx, content); err != nil {
		t.Errorf("Acme's key does not work any more: %v", err)
	}
}

// TestAdmin: the operator adds an organisation, whose admin makes keys of its own.
func TestAdmin(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	o, err := s.client(operator).CreateOrganisation(ctx, "Bolt")
	s.must(err)
	admin := s.clientWith(o.Key)
	if _, _, err := admin.Mandates(ctx, ""); writ.ReasonOf(err) != "forbidden-scope" {
		t.Errorf("an admin reads: %v", err)
	}
	k, err := admin.CreateKey(ctx, "reader", false, "read")
	s.must(err)
	if items, next, err := s.clientWith(k.Key).Mandates(ctx, ""); err != nil || len(items) != 0 || next != "" {
		t.Errorf("an empty list: %v %v", items, err)
	}
	all, err := admin.Keys(ctx)
	s.must(err)
	if len(all) != 2 || all[0].Key != "" || all[1].Key != "" {
		t.Errorf("keys: %+v", all)
	}
	s.must(admin.RevokeKey(ctx, k.ID))
	if _, _, err := s.clientWith(k.Key).Mandates(ctx, ""); writ.ReasonOf(err) != "unauthenticated" {
		t.Errorf("revoked: %v", err)
	}
}

// TestLog: only what is published is served, tiles for ever and the checkpoint for now.
func TestLog(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	if status, _, _ := s.raw("GET", "/log/tile/0/000.p/1", "", ""); status != 404 {
		t.Errorf("unpublished tile: %d", status)
	}
	if status, _, _ := s.raw("GET", "/v1/log/proof?index=0", s.keys[acme], ""); status != 404 {
		t.Errorf("unpublished proof: %d", status)
	}
	_, err := s.log.Publish(ctx)
	s.must(err)
	checkpoint, err := c.Tile(ctx, "checkpoint")
	s.must(err)
	signer := s.LogSigner()
	at, err := log.OpenCheckpoint(checkpoint, &signer.Verifier)
	if err != nil || at.Size != 3 {
		t.Errorf("checkpoint of %d: %v", at.Size, err)
	}
	_, tile, h := s.raw("GET", "/log/tile/entries/000.p/3", "", "")
	entries, err := log.ParseBundle([]byte(tile))
	if err != nil || len(entries) != 3 || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("entries: %v %v", err, h)
	}
	for accept, coding := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "identity": "", "gzipped": ""} {
		_, data, h := s.raw("GET", "/log/tile/entries/000.p/3", "", "", "Accept-Encoding", accept)
		if coding == "gzip" {
			r, err := gzip.NewReader(strings.NewReader(data))
			s.must(err)
			plain, err := io.ReadAll(r)
			s.must(err)
			data = string(plain)
		}
		if data != tile || h.Get("Content-Encoding") != coding || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %s: %v", accept, h)
		}
	}
	status, body, _ := s.raw("GET", "/v1/log/proof?index=2", s.keys[acme], "")
	var p struct{ Proof string }
	s.must(json.Unmarshal([]byte(body), &p))
	proof, err := log.ParseProof([]byte(p.Proof))
	if status != 200 || err != nil || string(proof.Checkpoint) != string(checkpoint) {
		t.Errorf("proof: %d %v", status, err)
	}
	if status, body, _ = s.raw("GET", "/v1/log/entries/2", s.keys[acme], ""); status != 200 || !strings.Contains(body, string(entries[2])) {
		t.Errorf("entry: %d %s", status, body)
	}
	for _, path := range []string{"/log/tile/0/000.p/4", "/log/tile/0/..%2f", "/v1/log/entries/3"} {
		if status, _, _ := s.raw("GET", path, s.keys[acme], ""); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	s.Now = s.Now.Add(time.Second)
}

// TestHealth: the server says how it is, counts, and says who it is.
func TestHealth(t *testing.T) {
	s := start(t)
	s.found()
	s.verify(s.ask("invoice-1", s.pay("4200.00"), s.grant()))
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/v1/ledger": `"catalogue":"1"`} {
		if status, body, _ := s.raw("GET", path, "", ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	counted := httptest.NewRecorder()
	s.api.Metrics().ServeHTTP(counted, httptest.NewRequest("GET", "/", nil))
	if want := `writ_decisions_total{reason="none",result="AUTHORIZED"} 1`; !strings.Contains(counted.Body.String(), want) {
		t.Errorf("metrics: %s", counted.Body)
	}
	l, err := s.client(acme).Ledger(t.Context())
	if err != nil || l.DID != writtest.Verifier || l.Log.Key != s.LogSigner().Verifier.String() || l.ExecuteWithin != "PT15M" {
		t.Errorf("ledger: %+v %v", l, err)
	}
}

// TestNotReady: a trust file that does not read means that nobody is trusted, which is not what a server is started for.
func TestNotReady(t *testing.T) {
	reads := false
	s := start(t, func(s *server) {
		s.options = func(o *api.Options) { o.TrustReads = func() bool { return reads } }
	})
	if status, body, _ := s.raw("GET", "/readyz", "", ""); status != 503 || !strings.Contains(body, "trust file") {
		t.Errorf("%d %s", status, body)
	}
	reads = true
	if status, body, _ := s.raw("GET", "/readyz", "", ""); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}
