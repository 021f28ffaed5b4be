// Package sim is a computer in memory on which the real journal, over the real SQLite, and the real log run in one process, one step at a
// time: its disk keeps what is written apart from what is durable, fails at the operation it is told to, and loses power there. A seed
// decides every interleaving and every fault, so that a run that fails fails again. It is for tests only.
//
// Start with New and Machine.Power; Install makes SQLite use the machine's disk (vfs.go), and Machine is the file system of a log. The
// simulation of a whole ledger on it is the test of this package (make sim).
package sim

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/writ-trust/writ/internal/powercut"
	"github.com/writ-trust/writ/log"
)

// Errors of a disk's operations.
var (
	ErrFault = errors.New("sim: the operation failed")
	ErrDead  = errors.New("sim: the process is dead")
)

// Fault is what happens to one operation of the disk.
type Fault int

// The faults. Those whose names begin with Fail report an error and the process lives; the others end the process, as kill -9 or a
// power cut does: whoever starts it again decides which it was.
const (
	FailBefore Fault = iota // nothing happens
	FailAfter               // it happens all the same
	FailTorn                // half of a write happens; a sync forgets what it was to write
	EndBefore               // nothing happens
	EndAfter                // it happens
	EndTorn                 // half of a write happens
	Faults                  // their number
)

func (f Fault) String() string {
	return [...]string{"fails", "is done and reported as failed", "is done by half and fails", "ends the process before it is done",
		"ends the process after it is done", "ends the process half done"}[f]
}

// Machine is a disk and the one process on it. Its methods are safe for concurrent use, but its trace is a function of the seed only
// where the operations come one at a time.
type Machine struct {
	mu     sync.Mutex
	disk   *powercut.Disk
	life   *life
	trace  hash.Hash
	recent []string // the newest operations that change the disk
	ops    int      // operations that change the disk, of all lives
	due    int      // the fault hits the operation after so many; 0 is none
	kind   string   // of those that count: how their names begin
	fault  Fault
	struck string // what the fault of this life hit, "" before
}

// life is one process, from its start to its end. Its locks and its shared memory go with it.
type life struct {
	dead  bool
	locks map[string]bool
	files map[string]*locking // of SQLite, by path
}

// New is a machine with an empty disk and a process that just began.
func New() *Machine {
	m := &Machine{disk: powercut.NewDisk(), trace: sha256.New()}
	m.disk.Release()
	m.begin()
	return m
}

func (m *Machine) begin() {
	m.life = &life{locks: map[string]bool{}, files: map[string]*locking{}}
	m.due, m.struck = 0, ""
}

// Strike lets a fault hit the operation that comes so many later, from 1, of those whose names begin with kind: "" for any, sync,
// write, truncate, make, mkdir, rename, remove, syncdir.
func (m *Machine) Strike(kind string, later int, fault Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kind, m.due, m.fault = kind, later, fault
}

// hits says whether the fault is due at an operation.
func (m *Machine) hits(name string) bool {
	if m.due == 0 || !strings.HasPrefix(name, m.kind) {
		return false
	}
	m.due--
	return m.due == 0
}

// Struck says what the fault of this life hit, and whether that ended it.
func (m *Machine) Struck() (what string, dead bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.struck, m.life.dead
}

// Operations is how many operations changed the disk so far.
func (m *Machine) Operations() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// Kill ends the process: from now on everything that it asks of the disk fails.
func (m *Machine) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life.dead = true
}

// Start begins another process after the one before has ended, on the disk as programs saw it.
func (m *Machine) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life.dead = true
	m.begin()
	fmt.Fprintln(m.trace, "start")
}

// Power is Start after a power cut.
func (m *Machine) Power(loss powercut.Loss, luck *rand.Rand) powercut.Lost {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life.dead = true
	lost := m.disk.Cut(loss, luck)
	m.disk.Release()
	m.begin()
	fmt.Fprintln(m.trace, "power", lost)
	return lost
}

// remembered is how many operations Recent tells.
const remembered = 60

// Recent are the newest operations that changed the disk, or would have.
func (m *Machine) Recent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.recent)
}

// Trace is the digest of everything that was done to the disk, in its order: names, places and bytes.
func (m *Machine) Trace() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%x", m.trace.Sum(nil)[:16])
}

// read runs an operation that changes nothing: no fault hits it, and it fails when the process is dead.
func (m *Machine) read(l *life, op func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.dead {
		return ErrDead
	}
	return op()
}

// do runs an operation that changes the disk, or the fault that is due. torn does half of it; nil is nothing.
func (m *Machine) do(l *life, name string, data []byte, op, torn func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.dead {
		return ErrDead
	}
	m.ops++
	m.recent = append(m.recent[max(0, len(m.recent)-remembered+1):], name)
	fmt.Fprintf(m.trace, "%s %d ", name, len(data))
	m.trace.Write(data)
	if !m.hits(name) {
		return op()
	}
	m.struck = name
	fmt.Fprintln(m.trace, m.fault)
	if torn == nil {
		torn = func() error { return nil }
	}
	var err error
	switch m.fault {
	case FailAfter, EndAfter:
		err = op()
	case FailTorn, EndTorn:
		err = torn()
	}
	l.dead = m.fault >= EndBefore
	return errors.Join(ErrFault, err)
}

// handle is a file that a process has open.
type handle struct {
	m    *Machine
	life *life
	name string
	file *powercut.File
}

// open opens a file, which is an operation only where it makes it.
func (m *Machine) open(name string, create bool) (*handle, error) {
	m.mu.Lock()
	l := m.life
	m.mu.Unlock()
	h := &handle{m: m, life: l, name: name}
	get := func(create bool) func() error {
		return func() (err error) {
			h.file, err = m.disk.Open(name, create)
			return err
		}
	}
	err := m.read(l, get(false))
	if errors.Is(err, fs.ErrNotExist) && create {
		err = m.do(l, "make "+name, nil, get(true), nil)
	}
	return h, err
}

// WriteAt implements io.WriterAt.
func (h *handle) WriteAt(b []byte, offset int64) (n int, err error) {
	write := func(b []byte) func() error {
		return func() error {
			n, err = h.file.WriteAt(b, offset)
			return err
		}
	}
	err = h.m.do(h.life, fmt.Sprint("write ", h.name, " ", offset), h.traced(b), write(b), write(b[:len(b)/2]))
	return n, err
}

// traced is what of a write is part of the trace: of SQLite's write-ahead log the pages, not the headers, which have salts that SQLite draws.
func (h *handle) traced(b []byte) []byte {
	if strings.HasSuffix(h.name, "-wal") && len(b) != pageSize {
		return nil
	}
	return b
}

// ReadAt implements io.ReaderAt.
func (h *handle) ReadAt(b []byte, offset int64) (n int, err error) {
	err = h.m.read(h.life, func() error {
		n, err = h.file.ReadAt(b, offset)
		return err
	})
	return n, err
}

// Truncate implements log.File.
func (h *handle) Truncate(size int64) error {
	return h.m.do(h.life, fmt.Sprint("truncate ", h.name, " ", size), nil, func() error { return h.file.Truncate(size) }, nil)
}

// Sync implements log.File. One that fails loses what it was to write, as on Linux; one that the process did not live to make does not.
func (h *handle) Sync() error {
	forget := func() error {
		if h.m.fault == FailTorn {
			return h.file.Forget()
		}
		return nil
	}
	return h.m.do(h.life, "sync "+h.name, nil, h.file.Sync, forget)
}

// Close implements io.Closer.
func (h *handle) Close() error { return h.m.read(h.life, func() error { return nil }) }

// MkdirAll implements log.FS.
func (m *Machine) MkdirAll(dir string) error {
	return m.do(m.now(), "mkdir "+dir, nil, func() error { return m.disk.MkdirAll(dir) }, nil)
}

// OpenFile implements log.FS.
func (m *Machine) OpenFile(name string) (log.File, error) { return m.open(name, true) }

// ReadFile implements log.FS.
func (m *Machine) ReadFile(name string) ([]byte, error) {
	h, err := m.open(name, false)
	if err != nil {
		return nil, err
	}
	size, err := h.file.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := h.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// Rename implements log.FS, within one folder.
func (m *Machine) Rename(oldName, newName string) error {
	return m.do(m.now(), "rename "+oldName+" "+newName, nil, func() error { return m.disk.Rename(oldName, path.Base(newName)) }, nil)
}

// SyncDir implements log.FS.
func (m *Machine) SyncDir(dir string) error {
	return m.do(m.now(), "syncdir "+dir, nil, func() error { return m.disk.SyncDir(dir) }, nil)
}

// Lock implements log.FS.
func (m *Machine) Lock(name string) (io.Closer, error) {
	l := m.now()
	err := m.read(l, func() error {
		if l.locks[name] {
			return errors.New("sim: locked")
		}
		l.locks[name] = true
		return nil
	})
	return unlocker{m, l, name}, err
}

type unlocker struct {
	m    *Machine
	life *life
	name string
}

// Close implements io.Closer.
func (u unlocker) Close() error {
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	delete(u.life.locks, u.name)
	return nil
}

// now is the process that is alive.
func (m *Machine) now() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life
}
