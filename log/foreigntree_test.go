package log

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// foreignTree is the same log kept by golang.org/x/mod/sumdb/tlog.
type foreignTree struct {
	hashes []tlog.Hash
	size   int64
}

func (f *foreignTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, f.hashes[i])
	}
	return out, nil
}

func (f *foreignTree) add(t testing.TB, entry []byte) {
	h, err := tlog.StoredHashes(f.size, entry, f)
	if err != nil {
		t.Fatal(err)
	}
	f.hashes, f.size = append(f.hashes, h...), f.size+1
}

func (f *foreignTree) root(t testing.TB, size int64) Hash {
	h, err := tlog.TreeHash(size, f)
	if err != nil {
		t.Fatal(err)
	}
	return Hash(h)
}

func newForeignTree(t testing.TB, size int64) *foreignTree {
	f := &foreignTree{}
	for i := range size {
		f.add(t, testEntry(i))
	}
	return f
}

func TestRootsAgainstForeignTree(t *testing.T) {
	l, f := openTest(t, diskOptions(newDisk())), &foreignTree{}
	for n := int64(1); n <= 600; n++ {
		f.add(t, testEntry(n-1))
		if got, want := grow(t, l, 1).Root, f.root(t, n); got != want {
			t.Fatalf("size %d: root %s, want %s", n, got, want)
		}
	}
	for n := range int64(601) {
		if c, err := l.CheckpointAt(n); err != nil || n > 0 && c.Root != f.root(t, n) {
			t.Fatalf("CheckpointAt(%d) = %v, %v", n, c, err)
		}
	}
}

func TestInclusionAgainstForeignTree(t *testing.T) {
	l, f := openTest(t, diskOptions(newDisk())), newForeignTree(t, 600)
	grow(t, l, 600)
	for size := int64(1); size <= 600; size++ {
		for _, index := range []int64{0, size / 3, size / 2, size - 1, rand.Int64N(size)} {
			checkForeignInclusion(t, l, f, index, size)
		}
	}
}

func checkForeignInclusion(t *testing.T, l *Log, f *foreignTree, index, size int64) {
	t.Helper()
	text, err := l.ProofAt(index, size)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProof(text)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tlog.ProveRecord(size, index, f)
	if err != nil {
		t.Fatal(err)
	}
	if !equalHashes(p.Hashes, want) {
		t.Fatalf("proof of %d in %d: %v, want %v", index, size, p.Hashes, want)
	}
	c, err := CheckInclusion(p, RecordHash(testEntry(index)), testOrigin, testPolicy())
	if err != nil || c.Size != size || c.Root != f.root(t, size) {
		t.Fatalf("proof of %d in %d: %v, %v", index, size, c, err)
	}
}

func equalHashes(got []Hash, want []tlog.Hash) bool {
	for i := range got {
		if i < len(want) && got[i] != Hash(want[i]) {
			return false
		}
	}
	return len(got) == len(want)
}

func TestConsistencyAgainstForeignTree(t *testing.T) {
	l, f := openTest(t, diskOptions(newDisk())), newForeignTree(t, 600)
	grow(t, l, 600)
	for newer := int64(1); newer <= 600; newer++ {
		for _, older := range []int64{1, newer / 2, newer - 1, newer, 1 + rand.Int64N(newer)} {
			if older > 0 {
				checkForeignConsistency(t, l, f, older, newer)
			}
		}
	}
}

func checkForeignConsistency(t *testing.T, l *Log, f *foreignTree, older, newer int64) {
	t.Helper()
	got, err := l.Consistency(older, newer)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tlog.ProveTree(newer, older, f)
	if err != nil {
		t.Fatal(err)
	}
	if !equalHashes(got, want) {
		t.Fatalf("consistency %d to %d: %v, want %v", older, newer, got, want)
	}
	from, to := Checkpoint{testOrigin, older, f.root(t, older)}, Checkpoint{testOrigin, newer, f.root(t, newer)}
	if err := CheckConsistency(from, to, got); err != nil {
		t.Fatal(err)
	}
	to.Root[0] ^= 1
	wantReason(t, CheckConsistency(from, to, got), "proof-consistency")
}

// TestTilesAgainstForeignLayout compares all tiles, and lets tlog read proofs from them.
func TestTilesAgainstForeignLayout(t *testing.T) {
	for _, size := range []int64{1, 255, 256, 257, 600, 70_000} {
		l, f := openTest(t, diskOptions(newDisk())), newForeignTree(t, size)
		grow(t, l, size)
		publish(t, l)
		checkForeignTiles(t, l, f, size)
		checkBundles(t, l, size)
		tree := tlog.Tree{N: size, Hash: tlog.Hash(f.root(t, size))}
		if _, err := tlog.ProveRecord(size, size/2, tlog.TileHashReader(tree, tileReader{l})); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func checkForeignTiles(t *testing.T, l *Log, f *foreignTree, size int64) {
	t.Helper()
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		want, err := tlog.ReadTileData(tile, f)
		if err != nil {
			t.Fatal(err)
		}
		path := Tile{tile.L, tile.N, tile.W}.Path()
		if got, err := l.ReadTile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("size %d: %s differs (%v)", size, path, err)
		}
	}
}

func checkBundles(t *testing.T, l *Log, size int64) {
	t.Helper()
	for first := int64(0); first < size; first += tileWidth {
		name := tileAt(Entries, first)
		name.Width = name.widthAt(size)
		b, err := l.ReadTile(name.Path())
		if err != nil {
			t.Fatal(err)
		}
		entries, err := ParseBundle(b)
		if err != nil || len(entries) != name.Width {
			t.Fatalf("%s: %d entries, %v", name.Path(), len(entries), err)
		}
		for i, e := range entries {
			if !bytes.Equal(e, testEntry(first+int64(i))) {
				t.Fatalf("entry %d is %q", first+int64(i), e)
			}
		}
	}
}

type tileReader struct{ l *Log }

func (r tileReader) Height() int                     { return tileHeight }
func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		b, err := r.l.ReadTile(Tile{tile.L, tile.N, tile.W}.Path())
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
