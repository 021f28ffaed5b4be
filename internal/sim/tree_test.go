package sim

import (
	"crypto/sha256"

	"github.com/writ-trust/writ/log"
)

// tree computes roots by the recursion of RFC 6962 section 2.1, and remembers those of its full subtrees.
type tree struct {
	leaves []log.Hash
	known  map[[2]int64]log.Hash
}

func newTree(leaves []log.Hash) *tree { return &tree{leaves, map[[2]int64]log.Hash{}} }

// root is that of the leaves from one to another, which is not included.
func (t *tree) root(from, to int64) log.Hash {
	if to-from == 1 {
		return t.leaves[from]
	}
	place := [2]int64{from, to}
	if h, ok := t.known[place]; ok {
		return h
	}
	k := int64(1)
	for k*2 < to-from {
		k *= 2
	}
	left, right := t.root(from, from+k), t.root(from+k, to)
	h := log.Hash(sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...)))
	t.known[place] = h
	return h
}
