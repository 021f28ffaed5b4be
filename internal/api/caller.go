package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/spec"
)

// Scopes of API keys.
const (
	ScopeIssue   = "issue"   // drafts and delegations
	ScopeApprove = "approve" // hand over people's approvals
	ScopeVerify  = "verify"
	ScopeExecute = "execute" // begins and reports
	ScopeRevoke  = "revoke"
	ScopeRead    = "read"
	ScopeAdmin   = "admin" // API keys of the own organisation
)

// Scopes are all of them.
func Scopes() []string {
	return []string{ScopeIssue, ScopeApprove, ScopeVerify, ScopeExecute, ScopeRevoke, ScopeRead, ScopeAdmin}
}

// NewAPIKey draws an API key of an organisation. The token is shown once and never kept: the row has its hash alone.
func NewAPIKey(random io.Reader, now time.Time, mode, org, name string, scopes ...string) (token string, k journal.APIKey, err error) {
	var drawn [42]byte // ten bytes of the id, 256 bits of the token
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return "", k, err
	}
	token = tokenPrefix(mode) + base64.RawURLEncoding.EncodeToString(drawn[10:])
	id := spec.ShortID(prefixKey, spec.UUIDv7(now, [10]byte(drawn[:10])))
	return token, journal.APIKey{ID: id, Org: org, Name: name, Hash: sha256.Sum256([]byte(token)), Scopes: scopes, Mode: mode, Created: now}, nil
}

func tokenPrefix(mode string) string {
	if mode == spec.ModeTest {
		return "wk_test_"
	}
	return "wk_live_"
}

type callerKey struct{}

// callerOf is the key that the gate let through; only public operations have none.
func callerOf(ctx context.Context) journal.APIKey {
	k, _ := ctx.Value(callerKey{}).(journal.APIKey)
	return k
}

// authenticate finds the caller's key. Why it does not count is not told.
func (s *Server) authenticate(r *http.Request) (journal.APIKey, error) {
	nobody := spec.Refuse("unauthenticated", "", "no valid API key")
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !strings.HasPrefix(token, tokenPrefix(s.Ledger.Mode)) {
		return journal.APIKey{}, nobody
	}
	k, err := s.Journal.APIKeyByHash(r.Context(), sha256.Sum256([]byte(token)))
	if code, _ := codeOf(err); err != nil && code != "not-found" {
		return journal.APIKey{}, err
	}
	if err != nil || !k.Revoked.IsZero() || k.Mode != s.Ledger.Mode || k.Org == "" {
		return journal.APIKey{}, nobody
	}
	return k, nil
}

// scopeError is a key without the scope of an operation.
type scopeError struct{ scope string }

func (e *scopeError) Error() string { return "forbidden-scope: the key lacks the scope " + e.scope }

// admit lets a caller through who is known, not too fast, and has the scope.
func (s *Server) admit(r *http.Request, scope string) (journal.APIKey, error) {
	k, err := s.authenticate(r)
	switch {
	case err != nil:
		return k, err
	case !s.buckets.take(k.ID, s.Now()):
		return k, spec.Refuse("rate-limited", "", "too many requests with this key")
	case !slices.Contains(k.Scopes, scope):
		return k, &scopeError{scope}
	}
	return k, nil
}

// buckets limit the rate of each API key: a bucket holds burst tokens and fills at a steady rate.
type buckets struct {
	rate, burst float64

	mu    sync.Mutex
	byKey map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func (b *buckets) limit(l Limits) {
	if b.rate = l.PerSecond; b.rate == 0 {
		b.rate = 2000
	}
	if b.burst = float64(l.Burst); b.burst <= 0 {
		b.burst = 2 * b.rate
	}
	b.byKey = map[string]*bucket{}
}

// take takes a token of the key's bucket, if there is one. Keys are few and made by admins, so the map stays small.
func (b *buckets) take(key string, now time.Time) bool {
	if b.rate < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.byKey[key]
	if k == nil {
		k = &bucket{tokens: b.burst, at: now}
		b.byKey[key] = k
	}
	if passed := now.Sub(k.at).Seconds(); passed > 0 {
		k.tokens, k.at = min(b.burst, k.tokens+passed*b.rate), now
	}
	if k.tokens < 1 {
		return false
	}
	k.tokens--
	return true
}
