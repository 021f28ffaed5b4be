package log

import (
	"fmt"
	"sync"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
)

// view is the state that readers work on: the tree may grow meanwhile, which they do not see.
type view struct {
	tree              edge
	newest, published head
}

func (l *Log) view() (view, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return view{l.tree, l.newest, l.published}, l.fatal
}

// Proof returns the tlog-proof of the entry at index under the newest checkpoint.
func (l *Log) Proof(index int64) ([]byte, error) {
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	return l.prove(v, index, v.newest)
}

// ProofAt returns the tlog-proof of the entry at index under the checkpoint of an earlier size, which it signs
// again: the same bytes as when the log had that size.
func (l *Log) ProofAt(index, size int64) ([]byte, error) {
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	at, err := l.signedAt(v, size)
	if err != nil {
		return nil, err
	}
	return l.prove(v, index, at)
}

// signedAt returns the checkpoint of a size, signed: the same bytes as when the log had that size.
func (l *Log) signedAt(v view, size int64) (at head, err error) {
	if size == v.newest.Size {
		return v.newest, nil
	}
	if at.Checkpoint, err = l.checkpointAt(v, size); err != nil {
		return head{}, err
	}
	if at.signed, err = at.Sign(l.signer); err != nil {
		return head{}, fmt.Errorf("log: sign: %w", err)
	}
	return at, nil
}

func (l *Log) prove(v view, index int64, at head) ([]byte, error) {
	if index < 0 || index >= at.Size {
		return nil, fmt.Errorf("%w: no entry %d in a tree of %d", ErrNotFound, index, at.Size)
	}
	nodes, err := proof.Inclusion(uint64(index), uint64(at.Size))
	if err != nil {
		return nil, err
	}
	hashes, err := l.hashes(v.tree, nodes)
	if err != nil {
		return nil, err
	}
	return InclusionProof{Index: index, Hashes: hashes, Checkpoint: at.signed}.Marshal(), nil
}

// Consistency returns the proof that the tree of size older is the start of the tree of size newer (RFC 6962 §2.1.2).
func (l *Log) Consistency(older, newer int64) ([]Hash, error) {
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	if older < 0 || older > newer || newer > v.newest.Size {
		return nil, fmt.Errorf("%w: no trees of %d and %d entries in one of %d", ErrNotFound, older, newer, v.newest.Size)
	}
	nodes, err := proof.Consistency(uint64(older), uint64(newer))
	if err != nil {
		return nil, err
	}
	return l.hashes(v.tree, nodes)
}

// CheckpointAt returns the checkpoint that the log had, or would have had, at a size up to Size.
func (l *Log) CheckpointAt(size int64) (Checkpoint, error) {
	v, err := l.view()
	if err != nil {
		return Checkpoint{}, err
	}
	return l.checkpointAt(v, size)
}

func (l *Log) checkpointAt(v view, size int64) (Checkpoint, error) {
	if size < 0 || size > v.newest.Size {
		return Checkpoint{}, fmt.Errorf("%w: no tree of %d entries in one of %d", ErrNotFound, size, v.newest.Size)
	}
	hashes, err := l.nodes(v.tree, compact.RangeNodes(0, uint64(size), nil))
	return Checkpoint{l.signer.name, size, foldRoot(hashes)}, err
}

// hashes returns the proof made of the nodes: one of them may have to be computed from several.
func (l *Log) hashes(tree edge, nodes proof.Nodes) ([]Hash, error) {
	all, err := l.nodes(tree, nodes.IDs)
	if err != nil {
		return nil, err
	}
	_, begin, end := nodes.Ephem()
	if begin == end {
		return all, nil
	}
	missing := all[begin]
	for _, left := range all[begin+1 : end] {
		missing = nodeHash(left, missing)
	}
	return append(append(all[:begin:begin], missing), all[end:]...), nil
}

func (l *Log) nodes(tree edge, ids []compact.NodeID) ([]Hash, error) {
	hashes := make([]Hash, len(ids))
	for i, id := range ids {
		name, height, at := locate(id)
		t, err := l.tile(tree, name)
		if err != nil {
			return nil, err
		}
		hashes[i] = t.node(height, at)
	}
	return hashes, nil
}

// tile returns a tile of hashes, full or growing: from memory, or from its file if that has the hash that stands
// for it in the tile above, and so on up to the edge, whose root was checked.
func (l *Log) tile(tree edge, name Tile) (hashTile, error) {
	if t := tree[name.Level]; t.index == name.Index {
		return t, nil
	}
	if t, ok := l.cache.get(name); ok {
		return t, nil
	}
	b, err := l.store.read(name)
	if err != nil {
		return hashTile{}, fmt.Errorf("log: tile: %w", err)
	}
	t := newHashTile(name.Index)
	if err := t.pushAll(b, tileWidth); err != nil {
		return hashTile{}, err
	}
	parent, err := l.tile(tree, tileAt(name.Level+1, name.Index))
	if err != nil {
		return hashTile{}, err
	}
	if t.node(tileHeight, 0) != parent.node(0, name.Index%tileWidth) {
		return hashTile{}, fault("log-damaged", "the file of %s is not the tile that was published", name.Path())
	}
	l.cache.put(name, t)
	return t, nil
}

// Entry returns the entry at index, checked against its leaf hash.
func (l *Log) Entry(index int64) ([]byte, error) {
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= v.newest.Size {
		return nil, fmt.Errorf("%w: no entry %d in a log of %d", ErrNotFound, index, v.newest.Size)
	}
	return l.entry(v.tree, index)
}

func (l *Log) entry(tree edge, index int64) ([]byte, error) {
	rest, err := l.store.read(tileAt(Entries, index))
	if err != nil {
		return nil, fmt.Errorf("log: bundle: %w", err)
	}
	var entry []byte
	for i := int64(0); i <= index%tileWidth; i++ {
		var ok bool
		if entry, rest, ok = cutEntry(rest); !ok {
			return nil, fault("log-damaged", "the file of entry %d ends before it", index)
		}
	}
	return entry, l.checkEntry(tree, index, entry)
}

func (l *Log) checkEntry(tree edge, index int64, entry []byte) error {
	t, err := l.tile(tree, tileAt(0, index))
	if err != nil {
		return err
	}
	if RecordHash(entry) != t.node(0, index%tileWidth) {
		return fault("log-damaged", "entry %d in its file is not the one whose hash is in the tree", index)
	}
	return nil
}

// bundlePrefix returns the first Width entries of a bundle as bundle bytes, checked against their leaf hashes.
func (l *Log) bundlePrefix(tree edge, name Tile) ([]byte, error) {
	b, err := l.store.read(name)
	if err != nil {
		return nil, fmt.Errorf("log: bundle: %w", err)
	}
	rest := b
	for i := range name.Width {
		entry, after, ok := cutEntry(rest)
		if !ok {
			return nil, fault("log-damaged", "the file of %s ends before entry %d", name.Path(), i)
		}
		if err := l.checkEntry(tree, name.Index*tileWidth+int64(i), entry); err != nil {
			return nil, err
		}
		rest = after
	}
	return b[:len(b)-len(rest)], nil
}

// ReadTile returns a resource of the published log by its path below the log's prefix: checkpoint, or a tile or
// entry bundle. Partial ones of any width are cut from wider ones (tlog-tiles.md, "Partial Tiles", asks for those of
// signed sizes); what is wider than the published tree has is not found. Reason: tile-path.
func (l *Log) ReadTile(path string) ([]byte, error) {
	v, err := l.view()
	if err != nil {
		return nil, err
	}
	if path == "checkpoint" {
		return v.published.signed, nil
	}
	name, err := ParseTile(path)
	if err != nil {
		return nil, err
	}
	if name.Width > name.widthAt(v.published.Size) {
		return nil, fmt.Errorf("%w: %s is not in the published tree of %d entries", ErrNotFound, path, v.published.Size)
	}
	if name.Level == Entries {
		return l.bundlePrefix(v.tree, name)
	}
	t, err := l.tile(v.tree, Tile{name.Level, name.Index, tileWidth})
	if err != nil {
		return nil, err
	}
	return t.hashes(0, name.Width), nil
}

// cachedTiles limits the full tiles held in memory, 16 KiB each.
const cachedTiles = 256

// tileCache holds full tiles, which never change. When it is full the oldest makes room. The zero value is ready.
type tileCache struct {
	mu    sync.Mutex
	tiles map[Tile]hashTile
	ring  []Tile
	next  int
}

func (c *tileCache) get(name Tile) (hashTile, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tiles[name]
	return t, ok
}

func (c *tileCache) put(name Tile, t hashTile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tiles == nil {
		c.tiles, c.ring = make(map[Tile]hashTile, cachedTiles), make([]Tile, cachedTiles)
	}
	if _, ok := c.tiles[name]; ok {
		return
	}
	delete(c.tiles, c.ring[c.next])
	c.tiles[name], c.ring[c.next] = t, name
	c.next = (c.next + 1) % cachedTiles
}
