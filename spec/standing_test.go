package spec_test

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestStanding: a version says until when it waits, and what waits is not what counts. Superseded is not vetoed by anybody.
func TestStanding(t *testing.T) {
	w := writtest.Acme("standing")
	ss, v1 := w.Found(nil, w.RecoverableBy(1, "safe")) // changeDelay P1D
	first := spec.ContentDigest(v1.Value)
	replaced := w.NextRoster(v1, w.Replace("treasurer", "Bea Nunes", "bea"))
	word := w.ApproveRoster("safe", replaced)
	ss = w.Record(ss, word, w.Seal(replaced, word))
	began := w.Now
	w.Advance(time.Hour)
	wants := func(content string, until time.Time, counts string) {
		t.Helper()
		s := ss.Roster(writtest.Grantor).AsOf(w.Now)
		if got := s.WaitsUntil(content, w.Now); !got.Equal(until) || s.CountsContent(w.Now) != counts {
			t.Errorf("waits until %v, want %v; %s counts, want %s", got, until, s.CountsContent(w.Now), counts)
		}
	}
	wants(spec.ContentDigest(replaced.Value), began.Add(14*24*time.Hour), first)
	wants(first, time.Time{}, first)

	ss, v2 := next(w, ss, v1, []string{"treasurer", "cfo"}, func(r *spec.Roster) { r.Name = "still here" })
	second := spec.ContentDigest(v2.Value)
	wants(second, w.Now.Add(24*time.Hour), first)
	wants(spec.ContentDigest(replaced.Value), time.Time{}, first)
	if v := ss.Roster(writtest.Grantor).Versions[1]; !v.Superseded || !v.Vetoed {
		t.Errorf("superseded %v, counts for nothing %v", v.Superseded, v.Vetoed)
	}
	w.Advance(24 * time.Hour)
	wants(second, time.Time{}, second)
	if ss.Roster(writtest.Grantor).Versions[2].Superseded {
		t.Error("the version of the persons is superseded")
	}
}
