package log

import (
	"errors"
	"testing"
)

// TestPublishAt publishes an earlier size than the newest: readers see no more, and a start trusts no more.
func TestPublishAt(t *testing.T) {
	o := diskOptions(newDisk())
	l := openTest(t, o)
	wanted := grow(t, l, 300)
	grow(t, l, 7)
	signed, err := l.PublishAt(ctx, wanted.Size)
	if err != nil || string(signed) != string(l.Published()) {
		t.Fatalf("published %s: %v", signed, err)
	}
	if c, err := OpenCheckpoint(signed, &testSigner(1, nil).Verifier); err != nil || c != wanted {
		t.Fatalf("published %v, want %v: %v", c, wanted, err)
	}
	if _, err := l.ReadTile((Tile{0, 1, 45}).Path()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a tile beyond what is published: %v", err)
	}
	if again, err := l.PublishAt(ctx, wanted.Size-1); err != nil || string(again) != string(signed) {
		t.Errorf("an earlier size replaced it: %s, %v", again, err)
	}
	if _, err := l.PublishAt(ctx, 308); !errors.Is(err, ErrNotFound) {
		t.Errorf("a size that the log does not have: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l = openTest(t, o); l.Size() != wanted.Size {
		t.Errorf("opened with %d entries, want %d", l.Size(), wanted.Size)
	}
}
