package verifier

import (
	"testing"

	"github.com/writ-trust/writ/spec"
)

// TestEpochs: an epoch begins with a successor log and never comes back (invariant 5).
func TestEpochs(t *testing.T) {
	for _, row := range []struct {
		name       string
		successors []int64 // sizes
		index      int64
		before     int64 // epoch of the decision before
		epoch      int64
		holds      bool
	}{
		{"the first", nil, 3, 0, 1, true}, {"a second without a successor", nil, 3, 0, 2, false},
		{"a second", []int64{5}, 6, 1, 2, true}, {"the key alone changed", []int64{5}, 6, 1, 1, true},
		{"a second before its successor", []int64{5}, 4, 1, 2, false}, {"back to the first", []int64{5}, 9, 2, 1, false},
		{"a third after one", []int64{5}, 9, 2, 3, false}, {"a third", []int64{5, 7}, 9, 2, 3, true},
	} {
		c := &checking{epoch: row.before}
		for _, size := range row.successors {
			c.successors = append(c.successors, spec.Successor("log", "key", size))
		}
		if err := c.inEpoch(event{index: row.index}, &spec.Decision{Epoch: row.epoch}); (err == nil) != row.holds {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
