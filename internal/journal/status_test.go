package journal

import (
	"slices"
	"testing"

	"github.com/writ-trust/writ/spec"
)

// TestStatusPositions: a position is given once, to one mandate, and shows what that mandate's chain says.
func TestStatusPositions(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	if list, taken, err := b.j.NewestStatusList(ctx); err != nil || list != 0 || taken != 0 {
		t.Errorf("none yet: %d, %d, %v", list, taken, err)
	}
	for _, row := range []struct {
		org, content   string
		list, position int
		want           string
	}{
		{org, "a", 1, 7, ""},
		{"rival", "b", 1, 7, "table-rule"},
		{"rival", "b", 1, 131072, "table-rule"},
		{"rival", "b", 1, -1, "table-rule"},
		{"rival", "b", 0, 7, "table-rule"},
		{org, "a", 1, 8, "table-rule"},
		{"rival", "b", 2, 7, ""},
		{org, "c", 2, 131071, ""},
	} {
		if err := b.j.TakeStatus(ctx, row.org, row.content, row.list, row.position); reason(err) != row.want {
			t.Errorf("%+v: %v", row, err)
		}
	}
	if list, taken, err := b.j.NewestStatusList(ctx); err != nil || list != 2 || taken != 2 {
		t.Errorf("the newest: %d, %d, %v", list, taken, err)
	}
	if got, err := b.j.StatusPositions(ctx, 2, spec.StatusRevoked); err != nil || !slices.Equal(got, nil) {
		t.Errorf("of mandates that were never issued: %v, %v", got, err)
	}
}
