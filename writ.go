// Package writ is the Go client of Writ: what an agent, an executor, or the tool in an approver's hand calls.
//
// An agent asks with Client.Verify (it holds its key) or Client.VerifyHosted (the server holds it). An executor calls Client.Guard
// before any effect, and Client.Report after it. People approve with Client.Approve: what they are shown, and what they sign, is
// made here from the content itself, not from what the server says of it. Nothing that a server answers is relied on further than
// it can be checked: documents are parsed strictly, and Guard holds the decision against the executor's own trust file.
//
// Errors of the server are *Error; refusals on this side are *spec.Error. ReasonOf gives the reason code of either, which
// spec.Explain turns into sentences.
package writ

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// Options configure a Client. URL, Now and Random are needed.
type Options struct {
	URL    string           // of the server, such as https://writ.acme.example
	APIKey string           // wk_live_… or wk_test_…; without it only Ledger and Tile work
	Now    func() time.Time // normally time.Now
	Random io.Reader        // for nonces; normally crypto/rand.Reader
	Agent  vc.Signer        // the agent's own key, for Verify
	// HTTPClient is used as it is, but follows no redirect. Nil means one with a timeout of a minute.
	HTTPClient *http.Client
}

// Client calls one server with one API key. It is safe for concurrent use.
type Client struct {
	Options
	base *url.URL
	http http.Client
}

const maxAnswer = verifier.MaxBundle // bytes of an answer: the largest is a bundle

// New makes a client. It calls nobody.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("writ: URL must be that of a server, http or https")
	}
	if o.Now == nil || o.Random == nil {
		return nil, errors.New("writ: Now and Random must be set")
	}
	c := &Client{Options: o, base: base, http: http.Client{Timeout: time.Minute}}
	if o.HTTPClient != nil {
		c.http = *o.HTTPClient
	}
	// The API key goes to this server and nowhere else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Error is a refusal by the server (RFC 9457 problem details).
type Error struct {
	Status    int    `json:"status"`
	Code      string `json:"code"` // reason code
	Title     string `json:"title"`
	Pointer   string `json:"pointer"` // RFC 6901 JSON Pointer of the place in the document that was sent, or ? and a query parameter's name
	Offset    *int   `json:"offset"`  // byte at which reading what was sent stopped, nil where it was read
	Scope     string `json:"scope"`   // what the API key lacks, where it lacks a scope
	Remedy    string `json:"remedy"`
	RequestID string `json:"request_id"` // names the request in the server's log

	RetryAfter time.Duration `json:"-"` // how long to wait before the same call; zero where none is worth it
}

func (e *Error) Error() string {
	s := e.Code
	if e.Pointer != "" {
		s += " at " + strconv.Quote(e.Pointer)
	}
	if e.Offset != nil {
		s += " at byte " + strconv.Itoa(*e.Offset)
	}
	if e.Scope != "" {
		s += ": " + strconv.Quote(e.Scope)
	}
	return fmt.Sprintf("writ: %s: %s %s (HTTP %d, request %s)", s, e.Title, e.Remedy, e.Status, e.RequestID)
}

// ReasonOf is the reason code of a refusal by the server or on this side; "" where there is none, as when the server was not reached.
func ReasonOf(err error) string {
	var answered *Error
	var refused *spec.Error
	switch {
	case errors.As(err, &answered):
		return answered.Code
	case errors.As(err, &refused):
		return refused.Reason
	}
	return ""
}

// Tile reads a resource of the published log by its path in C2SP tlog-tiles, such as "checkpoint". Nothing about it is checked.
func (c *Client) Tile(ctx context.Context, path string) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/log/"+path, nil, nil)
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return exchange[T](ctx, c, http.MethodGet, path, query, nil)
}

func post[T any](ctx context.Context, c *Client, path string, body []byte) (T, error) {
	return exchange[T](ctx, c, http.MethodPost, path, nil, body)
}

func exchange[T any](ctx context.Context, c *Client, method, path string, query url.Values, body []byte) (T, error) {
	var into T
	data, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return into, err
	}
	if err := json.Unmarshal(data, &into); err != nil {
		return into, fmt.Errorf("writ: %s %s: the answer does not read: %w", method, path, err)
	}
	return into, nil
}

// call makes one request and returns the body of a success.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body []byte) ([]byte, error) {
	u := *c.base
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + path
	u.RawQuery = query.Encode()
	var err error
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, fmt.Errorf("writ: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("writ: %w", err)
	}
	if c.APIKey != "" {
		r.Header.Set("Authorization", "Bearer "+c.APIKey)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("writ: %w", err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("writ: %s %s: %w", method, path, err)
	case len(data) > maxAnswer:
		return nil, fmt.Errorf("writ: %s %s: the answer is larger than %d bytes", method, path, maxAnswer)
	case answer.StatusCode/100 != 2:
		return nil, problem(answer, data)
	}
	return data, nil
}

// problem reads a refusal; what is no problem document is an error with the status alone.
func problem(answer *http.Response, data []byte) error {
	e := &Error{}
	if err := json.Unmarshal(data, e); err != nil || e.Code == "" {
		e = &Error{Code: "internal", Title: "The answer is no problem document."}
	}
	e.Status = answer.StatusCode
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
