package writ

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/writ-trust/writ/spec"
)

// busy is a server that is not there but answers, always alike; asked are the instants of its calls.
type busy struct {
	status     int
	body       string
	retryAfter string
	asked      []time.Time
}

func (b *busy) RoundTrip(*http.Request) (*http.Response, error) {
	b.asked = append(b.asked, time.Now())
	h := http.Header{}
	h.Set("Retry-After", b.retryAfter)
	return &http.Response{StatusCode: b.status, Header: h, Body: io.NopCloser(strings.NewReader(b.body))}, nil
}

// client needs no randomness: nothing is signed with it.
func (b *busy) client(t *testing.T) *Client {
	t.Helper()
	c, err := New(Options{URL: "http://writ.example", Now: time.Now, Random: bytes.NewReader(nil), HTTPClient: &http.Client{Transport: b}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAwaitDoesNotSpin: a server that never holds a call back is asked once a second, until the context ends.
func TestAwaitDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &busy{status: 200, body: `{"status":"open"}`}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		_, err := b.client(t).Await(ctx, Answer{Result: spec.CollectMissing, Digest: "uEi"})
		if err == nil || len(b.asked) != 11 {
			t.Errorf("asked %d times in ten seconds: %v", len(b.asked), err)
		}
	})
}

// TestHandOverPauses: a begin is sent again after as long as the server asks, at least a second, and not once the leave would be late.
func TestHandOverPauses(t *testing.T) {
	for name, row := range map[string]struct {
		code, retryAfter string
		within           time.Duration
		want             []time.Duration // from the first call
	}{
		"as the server asks":     {"indeterminate", "3", time.Minute, []time.Duration{0, 3 * time.Second, 6 * time.Second}},
		"without a word":         {"rate-limited", "", time.Minute, []time.Duration{0, time.Second, 2 * time.Second}},
		"too long for the leave": {"indeterminate", "90", time.Minute, []time.Duration{0}},
		"a refusal":              {"hold-entered", "", time.Minute, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &busy{status: 503, body: `{"code":"` + row.code + `"}`, retryAfter: row.retryAfter}
				began := time.Now()
				if _, err := b.client(t).handOver(t.Context(), spec.Document{}, began.Add(row.within)); ReasonOf(err) != row.code {
					t.Errorf("%v", err)
				}
				if len(b.asked) != len(row.want) {
					t.Fatalf("asked at %v, want %v", b.asked, row.want)
				}
				for i, at := range b.asked {
					if at.Sub(began) != row.want[i] {
						t.Errorf("call %d after %s, want %s", i, at.Sub(began), row.want[i])
					}
				}
			})
		})
	}
}
