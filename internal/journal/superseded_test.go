package journal

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestRebuildSuperseded: that a version was superseded, and not vetoed, is in the tables and in what is folded again.
func TestRebuildSuperseded(t *testing.T) {
	b := newBench(t)
	v1 := b.found(b.RecoverableBy(1, "safe"))
	op := spec.Op{Write: []spec.ChainRef{writtest.Ref(v1)}}
	replaced := b.NextRoster(v1, b.Replace("treasurer", "Bea Nunes", "bea"))
	b.must(op, b.ApproveRoster("safe", replaced), b.Seal(replaced))
	b.checkRebuild()
	b.Advance(time.Hour)
	next := b.NextRoster(v1, func(r *spec.Roster) { r.Name = "still here" })
	b.must(op, b.ApproveRoster("cfo", next))
	b.must(op, b.ApproveRoster("treasurer", next), b.Seal(next))
	b.checkRebuild()
	state, err := b.j.RosterState(t.Context(), org, writtest.Grantor)
	if err != nil || len(state.Versions) != 3 || !state.Versions[1].Superseded {
		t.Errorf("%d versions, %v", len(state.Versions), err)
	}
}
