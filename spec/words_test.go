package spec_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestNoWordsBeyondTheirRoom: of one key 64 words wait on a chain, whatever they are on; then it can take back what it approved, each
// once, and nothing else. Others have room of their own.
func TestNoWordsBeyondTheirRoom(t *testing.T) {
	w := writtest.Acme("words")
	ss, _ := w.Found(spec.States{})
	say := func(person, word string, content int) string {
		t.Helper()
		w.Advance(time.Second)
		next, _, err := ss.Apply(w.Say(person, word, spec.KindRoster, digestOf(content)), w.Now)
		if e := new(spec.Error); errors.As(err, &e) {
			return e.Reason
		}
		ss = next
		return ""
	}
	for n := range 64 {
		if got := say("intern", spec.Approve, n); got != "" {
			t.Fatalf("word %d: %s", n+1, got)
		}
	}
	for i, c := range []struct {
		person, word string
		content      int
		want         string
	}{
		{"intern", spec.Approve, 64, "words-many"}, {"intern", spec.Approve, 0, "words-many"}, {"intern", spec.Decline, 64, "words-many"},
		{"intern", spec.Withdraw, 0, ""}, {"intern", spec.Withdraw, 0, "words-many"}, {"intern", spec.Approve, 0, "words-many"},
		{"intern", spec.Decline, 1, ""}, {"intern", spec.Decline, 1, "words-many"}, {"cfo", spec.Approve, 64, ""}, {"cfo", spec.Decline, 65, ""},
	} {
		if got := say(c.person, c.word, c.content); got != c.want {
			t.Errorf("%d: %s of %s on %d: %q, want %q", i, c.word, c.person, c.content, got, c.want)
		}
	}
}

func digestOf(n int) string { return spec.Shown("", "", []string{fmt.Sprint(n)}) }
