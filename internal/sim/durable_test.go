package sim

import (
	"testing"

	"github.com/writ-trust/writ/internal/powercut"
)

// begins again after the process was killed, or after a power cut that drops all that was not synced.
func (s *simulation) beginAgain(power bool) error {
	s.m.Kill()
	s.close()
	if power {
		s.m.Power(powercut.DropAll, s.luck)
	} else {
		s.m.Start()
	}
	return s.boot()
}

// TestSyncThatFailed: what a start reads of a write-ahead log whose sync failed may be acknowledged only once it is durable.
func TestSyncThatFailed(t *testing.T) {
	inBubble(t, func(s *simulation) {
		s.must(s.boot())
		s.found()
		s.m.Strike("sync data/journal.db-wal", 1, FailTorn)
		s.together(s.ask())
		if what, _ := s.m.Struck(); what == "" || s.clients.requests[0].answer != "" {
			s.fatal("struck %q, answered %q", what, s.clients.requests[0].answer)
		}
		s.must(s.beginAgain(false))
		s.together(s.again(s.clients.requests[0].promise))
		if s.clients.requests[0].answer == "" {
			s.fatal("nothing was acknowledged")
		}
		s.must(s.beginAgain(true))
		s.check()
	})
}

// TestFolderNotSynced: a journal starts only where the names of its files are durable, which SQLite does not insist on.
func TestFolderNotSynced(t *testing.T) {
	for later := 1; later <= 4; later++ {
		inBubble(t, func(s *simulation) {
			s.m.Strike("syncdir data", later, FailBefore)
			if s.boot() != nil {
				s.must(s.beginAgain(false))
			}
			s.found()
			s.must(s.beginAgain(true))
			s.check()
		})
	}
}
