// Package powercut is a disk in memory whose power can be cut: what was not synced by then is undone, all of it, a random part, or the
// last of it torn. Disk.Mount shows it to real programs through FUSE, so that kill -9, Cut and another Mount are to them what a power
// cut is. It is for tests, and stricter than the file systems that people use: a file's bytes are durable only after fsync of the file,
// its name only after fsync of its folder, and neither brings the other along. fdatasync is fsync. Modes and times are durable at once.
// There are no symbolic links, and no renames or links from one folder to another (EXDEV).
package powercut

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
)

// Loss is what a power cut does to changes that were not synced.
type Loss int

// The losses. What is kept may be kept without what came before it: nothing orders changes but a sync.
const (
	DropAll  Loss = iota // none is there
	DropSome             // each is there or not, by chance, and some of the writes only in part
	TearLast             // all are there but the last one, which is there in part if it is a write
	Losses               // their number
)

// Lost counts what a cut undid.
type Lost struct {
	Writes int // to files, truncations too
	Names  int // made, renamed and removed
	Torn   int // writes that are there in part
}

// Add sums the losses of several cuts.
func (l Lost) Add(m Lost) Lost {
	return Lost{Writes: l.Writes + m.Writes, Names: l.Names + m.Names, Torn: l.Torn + m.Torn}
}

// Disk is a tree of folders and files in memory that knows what of it is durable. It is safe for concurrent use.
type Disk struct {
	mu      sync.Mutex
	root    *inode
	lastID  uint64
	changes int // made so far, syncs included: the disk's clock
	offAt   int // number of the change after which the power goes; 0 while nobody asked
	off     bool
	dark    chan struct{} // closed when the power goes
	dead    chan struct{} // closed by Release
	full    bool          // files take no more than room bytes in addition
	room    int64
}

// inode is a file or a folder, as running programs see it (live) and as it is after a cut (durable), with the changes between the two.
type inode struct {
	id      uint64
	mode    uint32 // type and permissions
	seconds int64  // of the last modification, Unix
	links   int    // live names

	live, durable []byte
	writes        []write

	names, durableNames map[string]*inode // nil for files
	renames             []rename
}

// write is a change of a file's bytes. cut says that the file ends at offset from then on, shorter or longer than before.
type write struct {
	at     int // its number among the disk's changes
	offset int64
	data   []byte
	cut    bool
}

// rename is a change of a folder's names, done wholly or not at all: nil removes a name.
type rename struct {
	at    int
	names map[string]*inode
}

// NewDisk returns an empty disk, switched on. Its root is its first change, and always durable.
func NewDisk() *Disk {
	d := &Disk{changes: 1, dark: make(chan struct{}), dead: make(chan struct{})}
	d.root = d.newInode(syscall.S_IFDIR | 0o755)
	return d
}

func (d *Disk) newInode(mode uint32) *inode {
	d.lastID++
	n := &inode{id: d.lastID, mode: mode}
	if n.isDir() {
		n.names, n.durableNames = map[string]*inode{}, map[string]*inode{}
	}
	return n
}

func (n *inode) isDir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// PowerOff lets the power go after so many more changes, at once where that is 0. The channel is closed when it is gone. From then on
// every call hangs, and nothing that a program does reaches the disk.
func (d *Disk) PowerOff(after int) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offAt = d.changes + after
	d.darken()
	return d.dark
}

func (d *Disk) darken() {
	if d.offAt > 0 && d.changes >= d.offAt && !d.off {
		d.off = true
		close(d.dark)
	}
}

// Release fails the calls that hang, after the programs that made them were killed: until then, they cannot end.
func (d *Disk) Release() { close(d.dead) }

// Cut undoes what was not synced when the power went, and switches the disk on again. It must not be mounted.
func (d *Disk) Cut(loss Loss, luck *rand.Rand) Lost {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := cutter{loss: loss, luck: luck, seen: map[*inode]bool{}}
	c.newest(d.root)
	c.last, c.seen = c.latest, map[*inode]bool{}
	c.settle(d.root)
	d.off, d.offAt = false, 0
	d.dark, d.dead = make(chan struct{}), make(chan struct{})
	return c.lost
}

type cutter struct {
	loss         Loss
	luck         *rand.Rand
	latest, last int // number of the last change that was not synced
	seen         map[*inode]bool
	lost         Lost
}

// newest finds the last change below n, whether or not n still has a name.
func (c *cutter) newest(n *inode) {
	if c.seen[n] {
		return
	}
	c.seen[n] = true
	for _, w := range n.writes {
		c.latest = max(c.latest, w.at)
	}
	for _, child := range n.durableNames {
		c.newest(child)
	}
	for _, r := range n.renames {
		c.latest = max(c.latest, r.at)
		for _, child := range r.names {
			if child != nil {
				c.newest(child)
			}
		}
	}
	n.links = 0
}

// settle leaves of n, and of all below it, what the cut leaves.
func (c *cutter) settle(n *inode) {
	if c.seen[n] {
		return
	}
	c.seen[n] = true
	for _, w := range n.writes {
		if c.keeps(w.at) {
			n.durable = w.apply(n.durable)
		} else if part := c.part(w); part > 0 {
			c.lost.Torn++
			w.data = w.data[:part]
			n.durable = w.apply(n.durable)
		} else {
			c.lost.Writes++
		}
	}
	for _, r := range n.renames {
		if c.keeps(r.at) {
			r.apply(n.durableNames)
		} else {
			c.lost.Names++
		}
	}
	n.live, n.names = bytes.Clone(n.durable), maps.Clone(n.durableNames)
	n.writes, n.renames = nil, nil
	for _, name := range slices.Sorted(maps.Keys(n.names)) { // in one order, so that the same luck leaves the same
		n.names[name].links++
		c.settle(n.names[name])
	}
}

func (c *cutter) keeps(change int) bool {
	switch c.loss {
	case DropSome:
		return c.luck.IntN(2) == 0
	case TearLast:
		return change != c.last
	}
	return false
}

// part is how many bytes of a write that is not kept are there all the same.
func (c *cutter) part(w write) int {
	if c.loss == DropAll || len(w.data) < 2 || c.loss == DropSome && c.luck.IntN(3) > 0 {
		return 0
	}
	return 1 + c.luck.IntN(len(w.data)-1)
}

func (w write) apply(b []byte) []byte {
	end := int(w.offset) + len(w.data)
	if w.cut && end < len(b) {
		return b[:end]
	}
	if grow := end - len(b); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[w.offset:], w.data)
	return b
}

func (r rename) apply(names map[string]*inode) {
	for name, n := range r.names {
		if n == nil {
			delete(names, name)
		} else {
			names[name] = n
		}
	}
}

// do runs a call on the disk, which hangs while the power is off.
func (d *Disk) do(call func() syscall.Errno) syscall.Errno {
	d.mu.Lock()
	if d.off {
		dead := d.dead
		d.mu.Unlock()
		<-dead
		return syscall.EIO
	}
	defer d.mu.Unlock()
	return call()
}

// changed counts a change, after which the power may go.
func (d *Disk) changed() int {
	d.changes++
	d.darken()
	return d.changes
}

// Fill leaves room for so many more bytes in files: what would grow one beyond that fails with ENOSPC, until Free.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.room = true, room
}

// Free makes room without end again.
func (d *Disk) Free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = false
}

// grow takes the room that a file needs to end at an offset.
func (d *Disk) grow(n *inode, end int64) syscall.Errno {
	more := end - int64(len(n.live))
	if !d.full || more <= 0 {
		return 0
	}
	if more > d.room {
		return syscall.ENOSPC
	}
	d.room -= more
	return 0
}

func (d *Disk) write(n *inode, w write) {
	w.at = d.changed()
	w.data = bytes.Clone(w.data)
	n.live = w.apply(n.live)
	n.writes = append(n.writes, w)
}

func (d *Disk) rename(dir *inode, names map[string]*inode) {
	r := rename{at: d.changed(), names: names}
	for name, n := range names {
		if before := dir.names[name]; before != nil {
			before.links--
		}
		if n != nil {
			n.links++
		}
	}
	r.apply(dir.names)
	dir.renames = append(dir.renames, r)
}

// sync makes a file's bytes durable, or a folder's names.
func (d *Disk) sync(n *inode) {
	d.changed()
	for _, w := range n.writes {
		n.durable = w.apply(n.durable)
	}
	for _, r := range n.renames {
		r.apply(n.durableNames)
	}
	n.writes, n.renames = nil, nil
}
