// Package web resolves did:web (the DID method of W3C CCG, "did:web Method
// Specification"): it fetches a DID document over HTTPS and remembers it for a
// while.
//
// A DID is input from strangers, so fetching it is guarded: only https, only
// public addresses (looked at when the connection is made, after name
// resolution), no proxy, no redirect to another host, a small reply within a
// short time. Package did has the parser and the pure methods. Start with New.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/writ-trust/writ/did"
)

const (
	defaultMaxAge  = 5 * time.Minute
	defaultTimeout = 10 * time.Second
	maxRedirects   = 3
	maxHeader      = 16 << 10    // bytes of reply headers
	maxCached      = 4096        // documents remembered
	localhost      = "localhost" // the only host that AllowLoopback concerns
)

// Config says how a Resolver fetches and remembers. Its zero value is what
// production wants.
type Config struct {
	// MaxAge is how long a fetched document is used. Zero means 5 minutes, a
	// negative age fetches every time. What a document says of its keys may
	// therefore be this much out of date.
	MaxAge time.Duration

	// Timeout limits one fetch, from name resolution to the last byte. Zero means
	// 10 seconds.
	Timeout time.Duration

	// AllowLoopback lets did:web:localhost, and no other DID, be fetched from a
	// loopback address, over plain HTTP. For tests and development.
	AllowLoopback bool
}

// Resolver is a did.Resolver for did:web. It is safe for concurrent use.
type Resolver struct {
	config Config
	now    func() time.Time
	dialer net.Dialer
	client *http.Client

	mu     sync.Mutex
	cached map[string]cachedDocument
}

var _ did.Resolver = (*Resolver)(nil)

type cachedDocument struct {
	document did.Document
	fetched  time.Time
}

// New returns a Resolver that judges the age of documents by the clock now.
func New(now func() time.Time, config Config) *Resolver {
	if config.MaxAge == 0 {
		config.MaxAge = defaultMaxAge
	}
	if config.Timeout == 0 {
		config.Timeout = defaultTimeout
	}
	r := &Resolver{config: config, now: now, cached: map[string]cachedDocument{}}
	r.client = &http.Client{
		Timeout:       config.Timeout,
		CheckRedirect: checkRedirect,
		// No Proxy: a proxy would connect on our behalf, past the address check.
		Transport: &http.Transport{
			DialContext:            r.dial,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    1,
			MaxIdleConns:           64,
			IdleConnTimeout:        time.Minute,
		},
	}
	return r
}

// Resolve returns the document of a did:web, which must be about that DID. The
// caller must not modify it. Reasons of refusal, beside those of did.Check and
// did.ParseDocument:
//
//	did-method           another method than did:web
//	did-web-address      the host has a private, local or otherwise special address
//	did-web-redirect     redirected to another host, or too often
//	did-web-status       the reply is not 200
//	did-web-unreachable  no reply: the only one worth another try later
func (r *Resolver) Resolve(ctx context.Context, id string) (did.Document, error) {
	url, err := r.url(id)
	if err != nil {
		return did.Document{}, err
	}
	now := r.now()
	if document, ok := r.recall(id, now); ok {
		return document, nil
	}
	data, err := r.fetch(ctx, url)
	if err != nil {
		return did.Document{}, err
	}
	document, err := did.ParseDocument(data, id)
	if err != nil {
		return did.Document{}, err
	}
	r.remember(id, cachedDocument{document, now})
	return document, nil
}

// url returns where the document of a DID is (did:web §2.5.2 "Read (Resolve)").
func (r *Resolver) url(id string) (string, error) {
	if err := did.Check(id); err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(id, "did:web:")
	if !ok {
		return "", &did.Error{Reason: "did-method", Detail: "not a did:web"}
	}
	host, path, hasPath := strings.Cut(name, ":")
	name, port, hasPort := strings.Cut(host, "%3A")
	if hasPort {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", &did.Error{Reason: "did-syntax", Detail: "no such port"}
		}
		host = name + ":" + port
	}
	if !hasPath {
		path = ".well-known"
	}
	scheme := "https"
	if r.config.AllowLoopback && name == localhost {
		scheme = "http"
	}
	return scheme + "://" + host + "/" + strings.ReplaceAll(path, ":", "/") + "/did.json", nil
}

// recall returns a document that is not too old. One from the future, after the
// clock was set back, is too old as well.
func (r *Resolver) recall(id string, now time.Time) (did.Document, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.cached[id]
	age := now.Sub(c.fetched)
	return c.document, ok && age >= 0 && age < r.config.MaxAge
}

// remember keeps a document, in place of another one when there are too many.
func (r *Resolver) remember(id string, c cachedDocument) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other := range r.cached {
		if len(r.cached) < maxCached {
			break
		}
		delete(r.cached, other)
	}
	r.cached[id] = c
}

func (r *Resolver) fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/did+ld+json, application/did+json, application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &did.Error{Reason: "did-web-status", Detail: fmt.Sprintf("status %d", response.StatusCode)}
	}
	// One byte more than allowed, for did.ParseDocument to refuse.
	data, err := io.ReadAll(io.LimitReader(response.Body, did.MaxDocumentSize+1))
	if err != nil {
		return nil, unreachable(err)
	}
	return data, nil
}

// unreachable returns the guard's own refusal if that is why a fetch failed, and
// else a did-web-unreachable that still is the error of network or context.
func unreachable(err error) error {
	var refused *did.Error
	if errors.As(err, &refused) {
		return refused
	}
	return fmt.Errorf("%w: %w", &did.Error{Reason: "did-web-unreachable"}, err)
}

// checkRedirect follows redirects within one host and port, and never from https
// to http: another host would answer for a name that it does not have.
func checkRedirect(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host || len(before) > maxRedirects {
		return &did.Error{Reason: "did-web-redirect", Detail: "redirected to another host, or too often"}
	}
	return nil
}
