package web

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)} }

// documentOf is a DID document with one Ed25519 key.
func documentOf(id string) string {
	key := did.FromEd25519(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey))
	return fmt.Sprintf(`{"@context":["https://www.w3.org/ns/did/v1"],"id":%q,"verificationMethod":[{"id":"%s#seal",`+
		`"type":"Multikey","controller":%q,"publicKeyMultibase":%q}],"assertionMethod":["%s#seal"]}`, id, id, id, key.Multikey(), id)
}

// serve starts a server on loopback and returns the DID of its root.
func serve(t *testing.T, handler http.Handler) (id string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return "did:web:localhost%3A" + server.URL[strings.LastIndexByte(server.URL, ':')+1:]
}

// site serves each document at its path and counts the requests.
type site struct {
	documents map[string]string
	requests  atomic.Int32
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	document, ok := s.documents[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write([]byte(document))
}

func reasonOf(err error) string {
	var e *did.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return fmt.Sprint(err)
}

func TestURL(t *testing.T) {
	r := New(newClock().now, Config{AllowLoopback: true})
	for id, want := range map[string]string{
		// The three examples of the did:web method specification.
		"did:web:w3c-ccg.github.io":              "https://w3c-ccg.github.io/.well-known/did.json",
		"did:web:w3c-ccg.github.io:user:alice":   "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:example.com%3A3000:user:alice":  "https://example.com:3000/user/alice/did.json",
		"did:web:example.com%3A3000":             "https://example.com:3000/.well-known/did.json",
		"did:web:localhost%3A8080:a":             "http://localhost:8080/a/did.json",
		"did:web:localhost":                      "http://localhost/.well-known/did.json",
		"did:web:localhost.example.com":          "https://localhost.example.com/.well-known/did.json",
		"did:web:example.com:localhost%3A80":     "",
		"did:web:example.com%3A65536":            "",
		"did:web:example.com%3A0":                "",
		"did:web:example.com%3Ahttp":             "",
		"did:web:example.com:3000":               "https://example.com/3000/did.json",
		"did:web:":                               "",
		"did:web:example.com:":                   "",
		"did:web:example.com:..:secret":          "",
		"did:web:example.com:a%2Fb":              "",
		"did:web:example.com/a":                  "",
		"did:web:example.com?x":                  "",
		"did:web:example.com#key":                "",
		"did:web:user@example.com":               "",
		"did:web:user%40example.com":             "",
		"did:web:127.0.0.1":                      "",
		"did:web:2130706433":                     "",
		"did:web:0x7f000001":                     "",
		"did:web:[::1]":                          "",
		"did:web:EXAMPLE.com":                    "",
		"did:web:example.com.":                   "",
		"did:web:exämple.com":                    "",
		"did:webvh:example.com":                  "",
		"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC": "",
	} {
		got, err := r.url(id)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s is at %q (%v), want %q", id, got, err, want)
		}
	}
	if got, _ := New(newClock().now, Config{}).url("did:web:localhost"); !strings.HasPrefix(got, "https://") {
		t.Errorf("without AllowLoopback localhost is at %s", got)
	}
}

func TestResolve(t *testing.T) {
	s := &site{documents: map[string]string{}}
	root := serve(t, s)
	s.documents["/.well-known/did.json"] = documentOf(root)
	s.documents["/dept/seal/did.json"] = documentOf(root + ":dept:seal")
	r := New(newClock().now, Config{AllowLoopback: true})
	for _, id := range []string{root, root + ":dept:seal"} {
		document, err := r.Resolve(t.Context(), id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if _, err := document.Key(id+"#seal", did.AssertionMethod, newClock().t); document.ID != id || err != nil {
			t.Errorf("%s: document of %s, key: %v", id, document.ID, err)
		}
	}
	if _, err := r.Resolve(t.Context(), root+":none"); reasonOf(err) != "did-web-status" {
		t.Errorf("a document that is not there: %v", err)
	}
	if _, err := r.Resolve(t.Context(), "did:jwk:e30"); reasonOf(err) == "did-web-unreachable" || err == nil {
		t.Errorf("another method: %v", err)
	}
}

func TestCache(t *testing.T) {
	s := &site{documents: map[string]string{}}
	id := serve(t, s)
	s.documents["/.well-known/did.json"] = documentOf(id)
	c := newClock()
	r := New(c.now, Config{AllowLoopback: true, MaxAge: time.Minute})
	for _, step := range []struct {
		name    string
		pass    time.Duration
		fetches int32
	}{
		{"first", 0, 1},
		{"at once again", 0, 1},
		{"just young enough", time.Minute - 1, 1},
		{"too old", 1, 2},
		{"fresh again", 30 * time.Second, 2},
		{"clock set back", -time.Hour, 3},
	} {
		c.t = c.t.Add(step.pass)
		if _, err := r.Resolve(t.Context(), id); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := s.requests.Load(); got != step.fetches {
			t.Errorf("%s: fetched %d times, want %d", step.name, got, step.fetches)
		}
	}
}

func TestNegativeMaxAgeFetchesAlways(t *testing.T) {
	s := &site{documents: map[string]string{}}
	id := serve(t, s)
	s.documents["/.well-known/did.json"] = documentOf(id)
	r := New(newClock().now, Config{AllowLoopback: true, MaxAge: -1})
	for range 3 {
		if _, err := r.Resolve(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.requests.Load(); got != 3 {
		t.Errorf("fetched %d times", got)
	}
}

func TestFailuresAreNotCached(t *testing.T) {
	s := &site{documents: map[string]string{}}
	id := serve(t, s)
	r := New(newClock().now, Config{AllowLoopback: true})
	if _, err := r.Resolve(t.Context(), id); err == nil {
		t.Fatal("resolved from nothing")
	}
	s.documents["/.well-known/did.json"] = documentOf(id)
	if _, err := r.Resolve(t.Context(), id); err != nil {
		t.Errorf("the document came too late: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	r := New(newClock().now, Config{})
	for i := range maxCached + 10 {
		r.remember(fmt.Sprint(i), cachedDocument{did.Document{ID: fmt.Sprint(i)}, r.now()})
	}
	if len(r.cached) != maxCached {
		t.Errorf("%d documents remembered", len(r.cached))
	}
	last := fmt.Sprint(maxCached + 9)
	if document, ok := r.recall(last, r.now()); !ok || document.ID != last {
		t.Error("the newest document is not among them")
	}
}

func TestReplies(t *testing.T) {
	elsewhere := &site{}
	other := serve(t, elsewhere)
	otherURL := "http://localhost:" + strings.TrimPrefix(other, "did:web:localhost%3A")
	for _, c := range []struct {
		name, reason string
		reply        func(w http.ResponseWriter, r *http.Request, id string)
	}{
		{"good", "", func(w http.ResponseWriter, r *http.Request, id string) { fmt.Fprint(w, documentOf(id)) }},
		{"about another DID", "did-document-subject", func(w http.ResponseWriter, r *http.Request, id string) { fmt.Fprint(w, documentOf(other)) }},
		{"not JSON", "json-syntax", func(w http.ResponseWriter, r *http.Request, id string) { fmt.Fprint(w, "<html>") }},
		{"two subjects", "json-duplicate-name", func(w http.ResponseWriter, r *http.Request, id string) {
			fmt.Fprintf(w, `{"id":%q,"id":%q}`, other, id)
		}},
		{"largest", "", func(w http.ResponseWriter, r *http.Request, id string) {
			fmt.Fprint(w, padded(id, did.MaxDocumentSize))
		}},
		{"too large", "did-document-size", func(w http.ResponseWriter, r *http.Request, id string) {
			fmt.Fprint(w, padded(id, did.MaxDocumentSize+1))
		}},
		{"endless", "did-document-size", func(w http.ResponseWriter, r *http.Request, id string) {
			for block := strings.Repeat(" ", 4096); ; {
				if _, err := w.Write([]byte(block)); err != nil {
					return
				}
			}
		}},
		{"compressed unasked", "json-syntax", func(w http.ResponseWriter, r *http.Request, id string) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("\x1f\x8b\x08\x00"))
		}},
		{"created", "did-web-status", func(w http.ResponseWriter, r *http.Request, id string) {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, documentOf(id))
		}},
		{"server error", "did-web-status", func(w http.ResponseWriter, r *http.Request, id string) { w.WriteHeader(500) }},
		{"large headers", "did-web-unreachable", func(w http.ResponseWriter, r *http.Request, id string) {
			w.Header().Set("X-Large", strings.Repeat("x", 4*maxHeader))
		}},
		{"cut short", "did-web-unreachable", func(w http.ResponseWriter, r *http.Request, id string) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, documentOf(id)[:20])
		}},
		{"slow", "did-web-unreachable", func(w http.ResponseWriter, r *http.Request, id string) { <-r.Context().Done() }},
		{"redirect within the host", "", func(w http.ResponseWriter, r *http.Request, id string) {
			if r.URL.Path != "/moved" {
				http.Redirect(w, r, "/moved", http.StatusFound)
				return
			}
			fmt.Fprint(w, documentOf(id))
		}},
		{"redirect for ever", "did-web-redirect", func(w http.ResponseWriter, r *http.Request, id string) {
			http.Redirect(w, r, r.URL.Path+"/x", http.StatusFound)
		}},
		{"redirect to another port", "did-web-redirect", redirectTo(otherURL)},
		{"redirect to a public host", "did-web-redirect", redirectTo("http://example.com/did.json")},
		{"redirect to metadata", "did-web-redirect", redirectTo("http://169.254.169.254/latest/meta-data/")},
		{"redirect to another scheme", "did-web-redirect", func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "https://"+r.Host+"/did.json", http.StatusFound)
		}},
		{"redirect to a file", "did-web-redirect", redirectTo("file:///etc/passwd")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var id string
			id = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.reply(w, r, id) }))
			r := New(newClock().now, Config{AllowLoopback: true, Timeout: 300 * time.Millisecond})
			document, err := r.Resolve(t.Context(), id)
			if c.reason == "" && (err != nil || document.ID != id) {
				t.Errorf("%v", err)
			}
			if c.reason != "" && (reasonOf(err) != c.reason || document.ID != "") {
				t.Errorf("%v, want %s", err, c.reason)
			}
		})
	}
	if n := elsewhere.requests.Load(); n != 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}

func redirectTo(target string) func(w http.ResponseWriter, r *http.Request, id string) {
	return func(w http.ResponseWriter, r *http.Request, _ string) {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}
}

// padded is a document of exactly size bytes.
func padded(id string, size int) string {
	document := documentOf(id)
	return document + strings.Repeat(" ", size-len(document))
}

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	r := New(newClock().now, Config{AllowLoopback: true})
	if _, err := r.Resolve(t.Context(), "did:web:localhost%3A"+port); reasonOf(err) != "did-web-unreachable" {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Resolve(ctx, "did:web:localhost%3A"+port)
	if reasonOf(err) != "did-web-unreachable" || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestHTTPS resolves over TLS. Connections for any host go to the test server,
// whose certificate is for example.com.
func TestHTTPS(t *testing.T) {
	s := &site{documents: map[string]string{
		"/.well-known/did.json": documentOf("did:web:example.com"),
		"/a/did.json":           documentOf("did:web:example.com%3A8443:a"),
	}}
	server := httptest.NewTLSServer(s)
	defer server.Close()
	r := New(newClock().now, Config{})
	transport := r.client.Transport.(*http.Transport)
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	for _, id := range []string{"did:web:example.com", "did:web:example.com%3A8443:a"} {
		if document, err := r.Resolve(t.Context(), id); err != nil || document.ID != id {
			t.Errorf("%s: %v", id, err)
		}
	}
	before := s.requests.Load()
	if _, err := r.Resolve(t.Context(), "did:web:other.test"); reasonOf(err) != "did-web-unreachable" {
		t.Errorf("a certificate for another name: %v", err)
	}
	if s.requests.Load() != before {
		t.Error("asked a host that could not show its name")
	}
}

// FuzzURL checks that each DID has its own place, on the host that it names.
func FuzzURL(f *testing.F) {
	for _, id := range []string{"did:web:example.com", "did:web:example.com%3A3000:user:alice", "did:web:example.com:..", "did:web:a@b", "did:key:z6Mk", ""} {
		f.Add(id)
	}
	r := New(newClock().now, Config{})
	f.Fuzz(func(t *testing.T, id string) {
		url, err := r.url(id)
		if err != nil {
			return
		}
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatalf("%q is at no place: %v", id, err)
		}
		u := request.URL
		path := strings.TrimSuffix(strings.TrimPrefix(u.EscapedPath(), "/"), "/did.json")
		back := "did:web:" + strings.Replace(u.Host, ":", "%3A", 1)
		if path != ".well-known" {
			back += ":" + strings.ReplaceAll(path, "/", ":")
		}
		if back != id || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q is at %q, which is the place of %q", id, url, back)
		}
	})
}
