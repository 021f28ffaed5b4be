package log

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
)

var (
	errInjected = errors.New("injected fault")
	errPower    = errors.New("the power is off")
)

// disk is a file system in memory that knows which bytes and names are durable.
type disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as running programs see it
	durable map[string]*inode // after a power cut
	locks   map[string]bool
	ops     int
	trace   []string
	faultAt int // operation number, from 1; 0 for none
	fault   faultKind
	off     bool
}

type faultKind int

const (
	failBefore faultKind = iota // nothing happens, error
	failAfter                   // it happens, error
	failTorn                    // a write is done by half, error
	powerAfter                  // it happens, then the power goes
	powerTorn                   // half of it happens, then the power goes
	faultKinds
)

// inode has the bytes that programs see, the bytes that are durable, and the changes between the two.
type inode struct {
	data, durable []byte
	pending       []change
}

type change struct {
	offset int
	data   []byte // nil: cut the file at offset
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		if len(b) > c.offset {
			return b[:c.offset:c.offset]
		}
		return append(b, make([]byte, c.offset-len(b))...)
	}
	if end := c.offset + len(c.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	b = bytes.Clone(b)
	copy(b[c.offset:], c.data)
	return b
}

func newDisk() *disk {
	return &disk{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}}
}

// do runs one operation, or the fault that is due. torn may be nil.
func (d *disk) do(name string, op, torn func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return errPower
	}
	d.ops++
	d.trace = append(d.trace, name)
	if d.ops != d.faultAt {
		op()
		return nil
	}
	if torn == nil {
		torn = func() {}
	}
	switch d.fault {
	case failAfter:
		op()
	case failTorn:
		torn()
	case powerAfter:
		op()
		d.off = true
	case powerTorn:
		torn()
		d.off = true
	}
	return errInjected
}

// cutPower drops what is not durable, except for a random part of it, and switches the disk on again.
// keep is the chance of each change to have reached the disk.
func (d *disk) cutPower(r *rand.Rand, keep float64) {
	for name, n := range d.names {
		if d.durable[name] != n && r.Float64() < keep {
			d.durable[name] = n
		}
	}
	for name := range d.durable {
		if _, exists := d.names[name]; !exists && r.Float64() < keep {
			delete(d.durable, name)
		}
	}
	d.names = maps.Clone(d.durable)
	for _, n := range d.names {
		n.settle(r, keep)
	}
	d.locks = map[string]bool{}
	d.off, d.faultAt = false, 0
}

func (n *inode) settle(r *rand.Rand, keep float64) {
	for _, c := range n.pending {
		if r.Float64() >= keep {
			continue
		}
		if len(c.data) > 0 && r.IntN(3) == 0 {
			c.data = c.data[:r.IntN(len(c.data))+1]
		}
		n.durable = c.apply(n.durable)
	}
	n.data, n.pending = n.durable, nil
}

// restart ends the process: locks go, bytes stay.
func (d *disk) restart() {
	d.locks, d.faultAt = map[string]bool{}, 0
}

// backup returns a copy of all files under a folder; restore puts them back.
func (d *disk) backup(dir string) map[string]*inode {
	saved := map[string]*inode{}
	for name, n := range d.names {
		if filepath.Dir(name) != "/guard" && len(name) > len(dir) && name[:len(dir)] == dir {
			saved[name] = &inode{data: n.data, durable: n.data}
		}
	}
	return saved
}

func (d *disk) restore(dir string, saved map[string]*inode) {
	maps.DeleteFunc(d.names, func(name string, _ *inode) bool { return len(name) > len(dir) && name[:len(dir)] == dir })
	maps.Copy(d.names, saved)
}

func (d *disk) MkdirAll(string) error { return d.do("mkdir", func() {}, nil) }

func (d *disk) OpenFile(name string) (File, error) {
	var n *inode
	err := d.do("open", func() {
		if n = d.names[name]; n == nil {
			n = &inode{}
			d.names[name] = n
		}
	}, nil)
	return &handle{d, n}, err
}

func (d *disk) ReadFile(name string) ([]byte, error) {
	var b []byte
	missing := false
	err := d.do("read", func() {
		n := d.names[name]
		if missing = n == nil; !missing {
			b = bytes.Clone(n.data)
		}
	}, nil)
	if err == nil && missing {
		err = fs.ErrNotExist
	}
	return b, err
}

func (d *disk) Rename(oldName, newName string) error {
	return d.do("rename", func() {
		d.names[newName] = d.names[oldName]
		delete(d.names, oldName)
	}, nil)
}

func (d *disk) SyncDir(dir string) error {
	in := func(name string) bool { return filepath.Dir(name) == dir }
	return d.do("syncdir", func() {
		maps.DeleteFunc(d.durable, func(name string, _ *inode) bool { return in(name) && d.names[name] == nil })
		for name, n := range d.names {
			if in(name) {
				d.durable[name] = n
			}
		}
	}, nil)
}

func (d *disk) Lock(name string) (io.Closer, error) {
	held := false
	err := d.do("lock", func() {
		held = d.locks[name]
		d.locks[name] = true
	}, nil)
	if err == nil && held {
		err = errors.New("locked")
	}
	return unlocker{d, name}, err
}

type unlocker struct {
	d    *disk
	name string
}

func (u unlocker) Close() error { delete(u.d.locks, u.name); return nil }

type handle struct {
	d *disk
	n *inode
}

func (h *handle) change(c change) {
	c.data = slices.Clone(c.data)
	h.n.data = c.apply(h.n.data)
	h.n.pending = append(h.n.pending, c)
}

func (h *handle) WriteAt(b []byte, offset int64) (int, error) {
	err := h.d.do("write",
		func() { h.change(change{int(offset), b}) },
		func() { h.change(change{int(offset), b[:(len(b)+1)/2]}) })
	return len(b), err
}

func (h *handle) Truncate(size int64) error {
	return h.d.do("truncate", func() { h.change(change{int(size), nil}) }, nil)
}

// Sync that fails forgets what it was to write, as Linux does: reading still shows it, and no later Sync writes it.
func (h *handle) Sync() error {
	lost := false
	err := h.d.do("sync", func() {
		for _, c := range h.n.pending {
			h.n.durable = c.apply(h.n.durable)
		}
		h.n.pending = nil
		lost = true
	}, nil)
	if err != nil && !lost {
		h.n.pending = nil
	}
	return err
}

func (h *handle) Close() error { return h.d.do("close", func() {}, nil) }
