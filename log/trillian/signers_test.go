package trillian

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// raceSigners adds entries from index added on, a few at a time, for two signers that take themselves for the only one to fight over, until n are in or
// nobody integrates any more for as long as patience.
func (s *site) raceSigners(l *Log, added, n int64, patience time.Duration) (reached int64, stopped bool) {
	s.Helper()
	last := time.Now()
	for time.Since(last) < patience {
		if added < n {
			k := 1 + rand.Int64N(6)
			s.must(l.add(s.Context(), added, entries(added, k)))
			added += k
		}
		h, err := l.root(s.Context())
		s.must(err)
		if h.size > reached {
			reached, last = h.size, time.Now()
		}
		if reached >= n {
			return reached, false
		}
	}
	return reached, true
}

// TestTwoSigners: with the fence two live signers integrate everything, and the tree has the root of the entries.
func TestTwoSigners(t *testing.T) {
	s := newSite(t, "two signers with the fence", 2)
	if s == nil {
		return
	}
	l := s.open()
	defer l.Close()
	reached, stopped := s.raceSigners(l, 0, 1500, 20*time.Second)
	if stopped {
		t.Fatalf("it stopped at %d entries\n%s", reached, tail(s.signers[0].Output()))
	}
	c, err := l.Stage(0, entries(0, reached))
	s.must(err)
	s.must(l.Keep(t.Context(), c))
	refused := strings.Count(s.signers[0].Output()+s.signers[1].Output(), "writ fence")
	t.Logf("%d entries; the fence refused %d heads", reached, refused)
	if refused == 0 {
		t.Error("the fence refused nothing: the signers never met")
	}
}

// TestTwoSignersUnfenced shows what the fence is for: without it two live signers stop the tree for ever.
func TestTwoSignersUnfenced(t *testing.T) {
	s := newSite(t, "two signers without the fence", 2)
	if s == nil {
		return
	}
	conn, err := pgx.Connect(t.Context(), s.db.URI)
	s.must(err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.Exec(t.Context(), `DROP TRIGGER writ_fence ON TreeHead`)
	s.must(err)
	l := s.open()
	defer l.Close()
	reached, stopped := s.raceSigners(l, 0, 1<<20, 5*time.Second)
	if !stopped {
		t.Fatalf("two signers without the fence made it to %d entries", reached)
	}
	for _, signer := range s.signers { // nor does it help to start them again, alone
		s.must(signer.Kill())
	}
	s.must(s.signers[0].Restart())
	if again, stopped := s.raceSigners(l, 1<<20, 1<<20, 5*time.Second); !stopped || again > reached {
		t.Errorf("one signer alone went on from %d to %d entries", reached, again)
	}
	t.Logf("stopped at %d entries:\n%s", reached, tail(s.signers[0].Output()))
}

func tail(text string) string { return text[max(0, len(text)-1500):] }
