package log

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// TestStaticCopy lets golang.org/x/mod/sumdb/tlog read proofs of what a plain file server has.
func TestStaticCopy(t *testing.T) {
	for _, size := range []int64{0, 1, 255, 256, 257, 600, 66_000} {
		l := openTest(t, diskOptions(newDisk()))
		if size > 0 {
			grow(t, l, size)
		}
		dir := t.TempDir()
		writeStatic(t, l, publish(t, l), dir)
		server := httptest.NewServer(http.FileServer(http.Dir(dir)))
		copied := fileReader{t, server.URL}
		c, err := OpenCheckpoint(copied.get("checkpoint"), &testSigner(1, nil).Verifier)
		if err != nil || c.Size != size {
			t.Fatalf("size %d: %v, %v", size, c, err)
		}
		tree := tlog.Tree{N: size, Hash: tlog.Hash(c.Root)}
		for index := range min(size, 3) {
			if _, err := tlog.ProveRecord(size, size-1-index, tlog.TileHashReader(tree, copied)); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
		}
		if size > 1 {
			if _, err := tlog.ProveTree(size, size/2, tlog.TileHashReader(tree, copied)); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
		}
		server.Close()
	}
}

func writeStatic(t *testing.T, l *Log, signed []byte, dir string) {
	t.Helper()
	read := func(tile Tile) ([]byte, error) { return l.ReadTile(tile.Path()) }
	if err := WriteStatic(signed, read, toFolder(dir)); err != nil {
		t.Fatal(err)
	}
}

func toFolder(dir string) func(string, []byte) error {
	return func(path string, data []byte) error {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o644)
	}
}

// fileReader reads a log over HTTP as tlog does.
type fileReader struct {
	t   *testing.T
	url string
}

func (r fileReader) get(path string) []byte {
	response, err := http.Get(r.url + "/" + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return data
}

func (r fileReader) Height() int                     { return tileHeight }
func (r fileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r fileReader) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		all = append(all, r.get(Tile{tile.L, tile.N, tile.W}.Path()))
	}
	return all, nil
}

func TestStaticCopyRefuses(t *testing.T) {
	l := openTest(t, diskOptions(newDisk()))
	grow(t, l, 300)
	signed := publish(t, l)
	written := map[string]bool{}
	write := func(path string, _ []byte) error { written[path] = true; return nil }
	spoiled := func(spoil func([]byte) []byte) error {
		return WriteStatic(signed, func(tile Tile) ([]byte, error) {
			b, err := l.ReadTile(tile.Path())
			return spoil(b), err
		}, write)
	}
	wantReason(t, spoiled(func(b []byte) []byte { b[9] ^= 1; return b }), "log-root-mismatch")
	wantReason(t, spoiled(func(b []byte) []byte { return b[:len(b)-1] }), "bundle-syntax")
	wantReason(t, spoiled(func(b []byte) []byte { return b[:2+len(testEntry(0))] }), "bundle-syntax")
	wantReason(t, WriteStatic([]byte("x"), nil, write), "note-syntax")
	if written["checkpoint"] {
		t.Error("a checkpoint was written that the entries do not give")
	}
}
