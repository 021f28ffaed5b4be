package spec_test

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestInForceThen: asked at an instant before a version was logged, the roster is the one of then. Replacing a key later takes
// nothing back from what the old one approved (protocol.md 6.2).
func TestInForceThen(t *testing.T) {
	w := writtest.Acme("in force then")
	ss, first := w.Found(nil)
	before := w.Now
	w.Advance(time.Hour)
	second := w.NextRoster(first)
	approvals := []spec.Document{w.ApproveRoster("treasurer", second), w.ApproveRoster("cfo", second)}
	ss = w.Record(ss, append(approvals, w.Seal(second, approvals...))...)
	roster := ss.Roster(writtest.Grantor)
	for _, row := range []struct {
		at   time.Time
		want []int64
	}{
		{before, []int64{1}}, {w.Now.Add(-time.Second), []int64{1}}, {w.Now, []int64{2, 1}}, {w.Now.Add(24 * time.Hour), []int64{2}},
	} {
		force := roster.InForce(row.at)
		if len(force) != len(row.want) {
			t.Errorf("at %s: %d versions in force, want %v", row.at, len(force), row.want)
			continue
		}
		for i, r := range force {
			if r.Terms().Version != row.want[i] {
				t.Errorf("at %s: version %d in force, want %v", row.at, r.Terms().Version, row.want)
			}
		}
	}
}
