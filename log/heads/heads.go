// Package heads keeps the heads of a log: the map from each chain to its newest entry, as a compact sparse Merkle tree. Its root
// is the last entry under every published checkpoint (spec/protocol.md section 16).
//
// The map is a function of the public entries: whoever replays them with Map.Add comes to the same roots. It knows nothing of what
// an entry says. To check what somebody shows of one chain call ParseProof, then Proof.CheckHead or Proof.CheckAbsent.
package heads

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"sort"

	"github.com/writ-trust/writ/log"
)

// Chain is the id of a chain: 32 bytes, the key of the map.
type Chain [sha256.Size]byte

// bit returns the bit of the chain's id at a depth from 0 to 255; depth 0 is the first byte's highest bit.
func (c *Chain) bit(depth int) byte { return c[depth/8] >> (7 - depth%8) & 1 }

// common counts the bits that two ids begin with alike: 256 if they are equal.
func (c *Chain) common(d *Chain) int {
	for i := 0; i < len(c); i += 8 {
		if x := binary.BigEndian.Uint64(c[i:]) ^ binary.BigEndian.Uint64(d[i:]); x != 0 {
			return 8*i + bits.LeadingZeros64(x)
		}
	}
	return depths
}

// depths is the number of bits of a chain's id.
const depths = 8 * sha256.Size

// Head is the newest entry of a chain.
type Head struct {
	Seq   int64    // the entry's number on the chain, ≥ 1
	Index int64    // the entry's index in the log, ≥ 0
	Leaf  log.Hash // the entry's leaf hash
}

// Value is what the map holds under the chain: SHA-256(seq ‖ index ‖ leaf hash), numbers in eight bytes, big-endian.
func (h Head) Value() log.Hash {
	var b [8 + 8 + sha256.Size]byte
	binary.BigEndian.PutUint64(b[:], uint64(h.Seq))
	binary.BigEndian.PutUint64(b[8:], uint64(h.Index))
	copy(b[16:], h.Leaf[:])
	return sha256.Sum256(b[:])
}

// EmptyRoot is the root of a map without chains: the hash of nothing.
var EmptyRoot = log.Hash(sha256.Sum256(nil))

// leafHash is the node of one chain. Its prefix, and that of a branch, are none of the log's own tree.
func leafHash(c *Chain, value log.Hash) log.Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 0x02
	copy(b[1:], c[:])
	copy(b[1+sha256.Size:], value[:])
	return sha256.Sum256(b[:])
}

// branchHash is the node over two others, whose chains have all bits before depth in common and differ at depth.
func branchHash(depth uint8, left, right log.Hash) log.Hash {
	var b [2 + 2*sha256.Size]byte
	b[0], b[1] = 0x03, depth
	copy(b[2:], left[:])
	copy(b[2+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// Map is the heads of a log. Its methods must not be called concurrently, but for those that only read. It takes about 124
// bytes a chain. The zero value is the empty map.
//
// Every branch has two nodes below it, so n chains have n−1 branches. Branch i was made when leaf i came in and keeps it below,
// which gives every branch a chain to compare with.
type Map struct {
	leaves   arena[leaf]
	branches arena[branch] // as many as leaves; the first one is never used
	root     ref
	rootHash log.Hash
	pending  map[Chain]Head // added since the last Root
}

type leaf struct {
	chain Chain
	head  Head
}

type branch struct {
	hash        log.Hash
	left, right ref
	depth       uint8
}

// ref names a node: leaf or branch number i.
type ref uint32

const branchRef ref = 1 << 31

func (r ref) isBranch() bool { return r&branchRef != 0 }
func (r ref) number() int    { return int(r &^ branchRef) }

// change is a chain's new head.
type change struct {
	chain Chain
	head  Head
}

// Len returns the number of chains that Root covers.
func (m *Map) Len() int { return m.leaves.n }

// Add says that an entry is the newest of a chain. The next Root covers it.
// Reason: heads-seq (the entry is not the one that follows the chain's newest); then nothing has changed.
func (m *Map) Add(c Chain, h Head) error {
	last, ok := m.pending[c]
	if !ok {
		last, ok = m.Head(c)
	}
	if !ok {
		last.Index = -1
	}
	if h.Seq != last.Seq+1 || h.Index <= last.Index {
		return fault("heads-seq", "entry %d is number %d of chain %x, whose newest is number %d", h.Index, h.Seq, c, last.Seq)
	}
	m.put(c, h)
	return nil
}

// loadStep bounds what Load holds beside the tree, in chains.
const loadStep = 1 << 16

// Load puts chains into the map whose heads are known already, whatever their seq.
func (m *Map) Load(heads iter.Seq2[Chain, Head]) {
	for c, h := range heads {
		m.put(c, h)
		if len(m.pending) == loadStep {
			m.Root()
		}
	}
}

func (m *Map) put(c Chain, h Head) {
	if m.pending == nil {
		m.pending = map[Chain]Head{}
	}
	m.pending[c] = h
}

// Root brings the tree up to all that was added and returns its root. Its cost is that of the chains that changed.
func (m *Map) Root() log.Hash {
	if len(m.pending) > 0 {
		changes := make([]change, 0, len(m.pending))
		for c, h := range m.pending {
			changes = append(changes, change{c, h})
		}
		m.pending = nil // clearing it would cost as much as it ever held
		slices.SortFunc(changes, func(a, b change) int { return bytes.Compare(a.chain[:], b.chain[:]) })
		if m.leaves.n == 0 {
			m.root, m.rootHash = m.build(changes)
		} else {
			m.root, m.rootHash = m.merge(m.root, changes)
		}
	}
	return m.treeRoot()
}

func (m *Map) treeRoot() log.Hash {
	if m.leaves.n == 0 {
		return EmptyRoot
	}
	return m.rootHash
}

// build makes the tree of new chains, at least one, in order.
func (m *Map) build(changes []change) (ref, log.Hash) {
	first, last := &changes[0], &changes[len(changes)-1]
	if len(changes) == 1 {
		m.branches.push(branch{})
		number := m.leaves.push(leaf(*first))
		return ref(number), leafHash(&first.chain, first.head.Value())
	}
	depth := first.chain.common(&last.chain)
	i := split(changes, depth)
	left, leftHash := m.build(changes[:i])
	number := m.leaves.n
	right, rightHash := m.build(changes[i:])
	return m.join(number, depth, [2]ref{left, right}, [2]log.Hash{leftHash, rightHash})
}

// merge brings the tree below n up to the changes, in order, and returns what stands there now.
func (m *Map) merge(n ref, changes []change) (ref, log.Hash) {
	if len(changes) == 0 {
		return n, m.hash(n)
	}
	some := &m.leaves.at(n.number()).chain
	depth := min(some.common(&changes[0].chain), some.common(&changes[len(changes)-1].chain))
	switch own := m.depth(n); {
	case depth < own:
		return m.diverge(n, depth, some.bit(depth), changes)
	case own == depths: // so there is one change, of this very chain
		l := m.leaves.at(n.number())
		l.head = changes[0].head
		return n, leafHash(&l.chain, l.head.Value())
	default:
		b := m.branches.at(n.number())
		i := split(changes, own)
		var left, right log.Hash
		b.left, left = m.merge(b.left, changes[:i])
		b.right, right = m.merge(b.right, changes[i:])
		b.hash = branchHash(b.depth, left, right)
		return n, b.hash
	}
}

// diverge makes a branch at depth, above n, whose chains have the bit there: the changes that have the other are beside it.
func (m *Map) diverge(n ref, depth int, bit byte, changes []change) (ref, log.Hash) {
	i := split(changes, depth)
	same, other := changes[:i], changes[i:]
	if bit == 1 {
		same, other = other, same
	}
	var below [2]ref
	var hashes [2]log.Hash
	below[bit], hashes[bit] = m.merge(n, same)
	number := m.leaves.n
	below[1-bit], hashes[1-bit] = m.build(other)
	return m.join(number, depth, below, hashes)
}

// join makes branch number over two nodes.
func (m *Map) join(number, depth int, below [2]ref, hashes [2]log.Hash) (ref, log.Hash) {
	b := m.branches.at(number)
	*b = branch{branchHash(uint8(depth), hashes[0], hashes[1]), below[0], below[1], uint8(depth)}
	return ref(number) | branchRef, b.hash
}

// split returns how many of the changes, which have all bits before depth in common, have 0 there.
func split(changes []change, depth int) int {
	return sort.Search(len(changes), func(i int) bool { return changes[i].chain.bit(depth) == 1 })
}

func (m *Map) depth(n ref) int {
	if n.isBranch() {
		return int(m.branches.at(n.number()).depth)
	}
	return depths
}

func (m *Map) hash(n ref) log.Hash {
	if n.isBranch() {
		return m.branches.at(n.number()).hash
	}
	l := m.leaves.at(n.number())
	return leafHash(&l.chain, l.head.Value())
}

// Head returns a chain's newest entry as of the last Root.
func (m *Map) Head(c Chain) (Head, bool) {
	if m.leaves.n == 0 {
		return Head{}, false
	}
	l := m.search(&c, func(*branch, byte) {})
	if l.chain != c {
		return Head{}, false
	}
	return l.head, true
}

// search goes down from the root by the bits of a chain's id, says at each branch which side it takes, and returns the leaf that it
// comes to. The map is not empty.
func (m *Map) search(c *Chain, passing func(b *branch, bit byte)) *leaf {
	n := m.root
	for n.isBranch() {
		b := m.branches.at(n.number())
		bit := c.bit(int(b.depth))
		passing(b, bit)
		n = b.left
		if bit == 1 {
			n = b.right
		}
	}
	return m.leaves.at(n.number())
}

// All goes through the chains that the last Root covers, in order of their ids.
func (m *Map) All() iter.Seq2[Chain, Head] {
	return func(yield func(Chain, Head) bool) {
		if m.leaves.n > 0 {
			m.walk(m.root, yield)
		}
	}
}

func (m *Map) walk(n ref, yield func(Chain, Head) bool) bool {
	if !n.isBranch() {
		l := m.leaves.at(n.number())
		return yield(l.chain, l.head)
	}
	b := m.branches.at(n.number())
	return m.walk(b.left, yield) && m.walk(b.right, yield)
}

// Prove shows what the last Root says of a chain: its head, or that it has no entry.
func (m *Map) Prove(c Chain) Proof {
	var p Proof
	if m.leaves.n == 0 {
		return p
	}
	l := m.search(&c, func(b *branch, bit byte) {
		beside := b.right
		if bit == 1 {
			beside = b.left
		}
		p.Steps = append(p.Steps, Step{b.depth, m.hash(beside)})
	})
	slices.Reverse(p.Steps)
	p.Chain, p.Value = l.chain, l.head.Value()
	return p
}

// Shown is what a heads entry says of some chains.
type Shown struct {
	Entry  int64    // index of the heads entry in the log
	Root   log.Hash // which it has
	Heads  []Head   // in the order in which the chains were asked for; zero for a chain without an entry
	Proofs []Proof  // in the same order
}

// Show gathers what the last Root, which is that of an entry, says of chains.
func (m *Map) Show(entry int64, chains []Chain) Shown {
	s := Shown{Entry: entry, Root: m.treeRoot()}
	for _, c := range chains {
		h, _ := m.Head(c)
		s.Heads, s.Proofs = append(s.Heads, h), append(s.Proofs, m.Prove(c))
	}
	return s
}

// arena is a list that grows without moving what it has, and that the garbage collector need not look into.
type arena[T any] struct {
	chunks [][]T
	n      int
}

const chunk = 4096

func (a *arena[T]) at(i int) *T { return &a.chunks[i/chunk][i%chunk] }

func (a *arena[T]) push(v T) int {
	if a.n%chunk == 0 {
		a.chunks = append(a.chunks, make([]T, chunk))
	}
	*a.at(a.n) = v
	a.n++
	return a.n - 1
}

func fault(reason, format string, args ...any) error {
	return &log.Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
