package log

import (
	"slices"

	"github.com/transparency-dev/merkle/compact"
)

// hashTile is a tile of hashes in memory, with all nodes of its subtree that exist.
//
// Copies share nodes. A push writes only nodes that no copy of smaller or equal width may read, so a reader may
// keep a copy while the tree grows; but of two copies that grow apart only the last pushed to may be used.
type hashTile struct {
	index int64
	width int // hashes at height 0: 0 to 256
	nodes *[2*tileWidth - 1]Hash
}

func newHashTile(index int64) hashTile {
	return hashTile{index: index, nodes: new([2*tileWidth - 1]Hash)}
}

// node returns the i-th node at a height (0 to 8) above the tile's hashes. The caller knows that it exists.
func (t hashTile) node(height uint, i int64) Hash {
	return t.nodes[2*tileWidth-2*tileWidth>>height+int(i)]
}

// push adds a hash, and every inner node that it completes.
func (t *hashTile) push(h Hash) {
	i := t.width
	t.width++
	t.nodes[i] = h
	for height := 1; i&1 == 1; height++ {
		offset, below := 2*tileWidth-2*tileWidth>>height, 2*tileWidth-2*tileWidth>>(height-1)
		h = nodeHash(t.nodes[below+i-1], h)
		i >>= 1
		t.nodes[offset+i] = h
	}
}

// pushAll adds the first width hashes of tile bytes.
func (t *hashTile) pushAll(b []byte, width int) error {
	if len(b) < width*len(Hash{}) {
		return fault("log-damaged", "a tile has %d bytes, want %d hashes", len(b), width)
	}
	for i := range width {
		t.push(Hash(b[i*len(Hash{}):]))
	}
	return nil
}

// hashes returns the hashes [from, to) as tile bytes.
func (t hashTile) hashes(from, to int) []byte {
	b := make([]byte, 0, (to-from)*len(Hash{}))
	for _, h := range t.nodes[from:to] {
		b = append(b, h[:]...)
	}
	return b
}

// edge is the right edge of a tree: for each level from 0 the tile that grows next, 0 to 255 wide.
// It determines the tree's size and root.
type edge []hashTile

func newEdge() edge { return edge{newHashTile(0)} }

func (e edge) size() int64 { return e[0].index*tileWidth + int64(e[0].width) }

// grow adds a leaf hash, returns the edge and notes the tiles that this filled.
func (e edge) grow(leaf Hash, filled map[Tile]hashTile) edge {
	for level, h := 0, leaf; ; level++ {
		if level == len(e) {
			e = append(e, newHashTile(0))
		}
		e[level].push(h)
		if e[level].width < tileWidth {
			return e
		}
		full := e[level]
		filled[Tile{level, full.index, tileWidth}] = full
		e[level] = newHashTile(full.index + 1)
		h = full.node(tileHeight, 0)
	}
}

// clone returns a copy that may grow while e is still read; see hashTile for what may not.
func (e edge) clone() edge { return slices.Clone(e) }

// root returns the root hash (RFC 6962 §2.1): the perfect subtrees, all on the edge, folded from the right.
func (e edge) root() Hash {
	var hashes []Hash
	for _, id := range compact.RangeNodes(0, uint64(e.size()), nil) {
		t, height, i := locate(id)
		hashes = append(hashes, e[t.Level].node(height, i))
	}
	return foldRoot(hashes)
}

// locate says where a node is kept: in which full or growing tile, at which height and position there.
func locate(id compact.NodeID) (t Tile, height uint, i int64) {
	height = id.Level % tileHeight
	perTile := int64(tileWidth >> height)
	t = Tile{int(id.Level / tileHeight), int64(id.Index) / perTile, tileWidth}
	return t, height, int64(id.Index) % perTile
}

// foldRoot combines the roots of a tree's perfect subtrees, left to right.
func foldRoot(hashes []Hash) Hash {
	if len(hashes) == 0 {
		return emptyRoot
	}
	root := hashes[len(hashes)-1]
	for _, left := range slices.Backward(hashes[:len(hashes)-1]) {
		root = nodeHash(left, root)
	}
	return root
}
