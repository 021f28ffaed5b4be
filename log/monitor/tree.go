package monitor

import (
	"context"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/writ-trust/writ/log"
)

var ranges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// tree is the tree of the first entries of a log, rebuilt from them: the roots of its perfect subtrees.
type tree struct{ *compact.Range }

func newTree(size int64, hashes []log.Hash) (tree, error) {
	var all [][]byte
	for _, h := range hashes {
		all = append(all, h[:])
	}
	r, err := ranges.NewRange(0, uint64(size), all)
	return tree{r}, err
}

func (t tree) size() int64 { return int64(t.End()) }

// clone returns a tree that grows apart from t.
func (t tree) clone() tree {
	c, _ := newTree(t.size(), t.hashes()) // which are as many as its size asks for
	return c
}

func (t tree) hashes() []log.Hash {
	var all []log.Hash
	for _, h := range t.Hashes() {
		all = append(all, log.Hash(h))
	}
	return all
}

func (t tree) add(leaf log.Hash) error { return t.Append(leaf[:], nil) }

func (t tree) root() log.Hash {
	if t.size() == 0 {
		return log.Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	root, _ := t.GetRootHash(nil) // which fails only for a range that does not begin at 0
	return log.Hash(root)
}

// tiles reads the hashes of a signed tree from its tiles, and checks them against its root.
type tiles struct {
	ctx    context.Context
	source Source
	failed error // what kept a tile from being read; else what the tiles say is wrong
}

// Height implements tlog.TileReader.
func (r *tiles) Height() int { return 8 }

// SaveTiles implements tlog.TileReader. It keeps nothing.
func (r *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (r *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range wanted {
		name := log.Tile{Level: t.L, Index: t.N, Width: t.W}
		data, err := tileAt(r.ctx, r.source, name)
		if err != nil {
			r.failed = err
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", name.Path(), len(data))
		}
		all = append(all, data[:t.W*tlog.HashSize])
	}
	return all, nil
}

// errTiles is wrapped by errors about tiles that are not those of the root.
var errTiles = errors.New("the tiles are not those of the root")

// rootAt returns the root of the first size entries of the tree that c signs, from its tiles.
func rootAt(ctx context.Context, s Source, c log.Checkpoint, size int64) (log.Hash, error) {
	switch size {
	case c.Size:
		return c.Root, nil
	case 0:
		return log.Hash(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	r := &tiles{ctx: ctx, source: s}
	h, err := tlog.TreeHash(size, tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: tlog.Hash(c.Root)}, r))
	return log.Hash(h), r.judge(err)
}

// leafAt returns the leaf hash of an entry of the tree that c signs, from its tiles.
func leafAt(ctx context.Context, s Source, c log.Checkpoint, index int64) (log.Hash, error) {
	r := &tiles{ctx: ctx, source: s}
	h, err := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: tlog.Hash(c.Root)}, r).ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err = r.judge(err); err != nil {
		return log.Hash{}, err
	}
	return log.Hash(h[0]), nil
}

// judge tells tiles that could not be had from tiles that are wrong.
func (r *tiles) judge(err error) error {
	if err == nil || r.failed != nil {
		return r.failed
	}
	return fmt.Errorf("%w: %w", errTiles, err)
}
