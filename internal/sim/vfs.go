package sim

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"sync"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Everything in this file is how SQLite calls a file system: C functions over C structures (https://sqlite.org/vfs.html). Return values
// are SQLite's result codes. Pointers are uintptr and belong to the C heap; none points to Go memory but the functions.

const (
	name      = "writ-sim"
	longest   = 512       // bytes of a path
	pageSize  = 4096      // bytes that the disk writes at once
	shmSlots  = 8         // locks of the shared memory
	unixEpoch = 2440587.5 // as a Julian day
)

// sqliteFile is what SQLite keeps of an open file: its own part, and our name for ours.
type sqliteFile struct {
	methods uintptr
	id      uintptr
}

// installed are the machine that SQLite uses and the files that it has open, whichever machine they are of.
var installed struct {
	once    sync.Once
	err     error
	tls     *libc.TLS
	methods uintptr

	mu      sync.Mutex
	machine *Machine
	random  io.Reader
	clock   func() time.Time
	opened  map[uintptr]*sqlFile
	last    uintptr
}

// sqlFile is a file that a connection has open.
type sqlFile struct {
	*handle
	*locking      // nil for files that are not databases
	unnamed  bool // a journal whose folder is to be synced with it the first time
	level    int32
	shared   [shmSlots]bool
	excluded [shmSlots]bool
}

// locking is what the connections of one process to one database share.
type locking struct {
	users                        int
	sharing                      int // connections with a lock, of any level
	reserved, pending, exclusive *sqlFile
	regions                      []uintptr // shared memory
	shared                       [shmSlots]int
	excluded                     [shmSlots]*sqlFile
}

// Install makes the machine's disk, a clock and a source of randomness those of SQLite in this process, for all databases that are
// opened from now on; before it, none may be open. The last one that was installed counts.
func Install(m *Machine, random io.Reader, clock func() time.Time) error {
	installed.once.Do(register)
	installed.mu.Lock()
	installed.machine, installed.random, installed.clock = m, random, clock
	installed.mu.Unlock()
	if installed.err == nil {
		sqlite3.Xsqlite3_randomness(installed.tls, 0, 0) // it draws its seed anew
	}
	return installed.err
}

// register makes this file system the default one.
func register() {
	installed.tls = libc.NewTLS()
	installed.opened = map[uintptr]*sqlFile{}
	if rc := sqlite3.Xsqlite3_initialize(installed.tls); rc != sqlite3.SQLITE_OK {
		installed.err = fmt.Errorf("sim: SQLite does not begin: %d", rc)
		return
	}
	methods := sqlite3.Tsqlite3_io_methods{FiVersion: 2, FxClose: function(xClose), FxRead: function(xRead), FxWrite: function(xWrite),
		FxTruncate: function(xTruncate), FxSync: function(xSync), FxFileSize: function(xFileSize), FxLock: function(xLock),
		FxUnlock: function(xUnlock), FxCheckReservedLock: function(xCheckReservedLock), FxFileControl: function(xFileControl),
		FxSectorSize: function(xSectorSize), FxDeviceCharacteristics: function(xDeviceCharacteristics), FxShmMap: function(xShmMap),
		FxShmLock: function(xShmLock), FxShmBarrier: function(xShmBarrier), FxShmUnmap: function(xShmUnmap)}
	installed.methods = allocate(unsafe.Sizeof(methods))
	*(*sqlite3.Tsqlite3_io_methods)(pointer(installed.methods)) = methods
	cName, err := libc.CString(name)
	if err != nil {
		installed.err = err
		return
	}
	vfs := sqlite3.Tsqlite3_vfs{FiVersion: 1, FszOsFile: int32(unsafe.Sizeof(sqliteFile{})), FmxPathname: longest, FzName: cName,
		FxOpen: function(xOpen), FxDelete: function(xDelete), FxAccess: function(xAccess), FxFullPathname: function(xFullPathname),
		FxRandomness: function(xRandomness), FxSleep: function(xSleep), FxCurrentTime: function(xCurrentTime)}
	p := allocate(unsafe.Sizeof(vfs))
	*(*sqlite3.Tsqlite3_vfs)(pointer(p)) = vfs
	if rc := sqlite3.Xsqlite3_vfs_register(installed.tls, p, 1); rc != sqlite3.SQLITE_OK {
		installed.err = fmt.Errorf("sim: SQLite refuses the file system: %d", rc)
	}
}

// function is a Go function as the translated C code calls it: by the address of its value.
func function(f any) uintptr {
	return (*[2]uintptr)(unsafe.Pointer(&f))[1]
}

// pointer is an address in the C heap.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func allocate(size uintptr) uintptr { return libc.Xcalloc(installed.tls, 1, libc.Tsize_t(size)) }

// memory is n bytes of the C heap.
func memory(p uintptr, n int32) []byte { return unsafe.Slice((*byte)(pointer(p)), n) }

func putInt32(p uintptr, n int32) { *(*int32)(pointer(p)) = n }

// fileAt is the file that SQLite means.
func fileAt(p uintptr) *sqlFile {
	installed.mu.Lock()
	defer installed.mu.Unlock()
	return installed.opened[(*sqliteFile)(pointer(p)).id]
}

func current() *Machine {
	installed.mu.Lock()
	defer installed.mu.Unlock()
	return installed.machine
}

func xOpen(_ *libc.TLS, _, zName, p uintptr, flags int32, outFlags uintptr) int32 {
	f := (*sqliteFile)(pointer(p))
	*f = sqliteFile{}
	if zName == 0 {
		return sqlite3.SQLITE_CANTOPEN // temporary files: there are none
	}
	m, path := current(), libc.GoString(zName)
	h, err := m.open(path, flags&sqlite3.SQLITE_OPEN_CREATE != 0)
	if err != nil {
		return sqlite3.SQLITE_CANTOPEN
	}
	opened := &sqlFile{handle: h}
	const journals = sqlite3.SQLITE_OPEN_WAL | sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_SUPER_JOURNAL
	opened.unnamed = flags&sqlite3.SQLITE_OPEN_CREATE != 0 && flags&journals != 0
	if flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0 {
		opened.locking = m.lockingOf(h.life, path)
	}
	installed.mu.Lock()
	defer installed.mu.Unlock()
	installed.last++
	installed.opened[installed.last] = opened
	*f = sqliteFile{installed.methods, installed.last}
	if outFlags != 0 {
		putInt32(outFlags, flags)
	}
	return sqlite3.SQLITE_OK
}

func (m *Machine) lockingOf(l *life, path string) *locking {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.files[path] == nil {
		l.files[path] = &locking{}
	}
	l.files[path].users++
	return l.files[path]
}

func xClose(_ *libc.TLS, p uintptr) int32 {
	if f := fileAt(p); f.locking != nil {
		f.release()
	}
	installed.mu.Lock()
	defer installed.mu.Unlock()
	delete(installed.opened, (*sqliteFile)(pointer(p)).id)
	return sqlite3.SQLITE_OK
}

// release gives up the locks of a connection, and with the last one the shared memory.
func (f *sqlFile) release() {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.unlock(0)
	f.unlockSlots(0, shmSlots)
	if f.users--; f.users > 0 {
		return
	}
	for _, region := range f.regions {
		libc.Xfree(installed.tls, region)
	}
	f.regions = nil
}

func xRead(_ *libc.TLS, p, buffer uintptr, amount int32, offset int64) int32 {
	b := memory(buffer, amount)
	n, err := fileAt(p).ReadAt(b, offset)
	switch {
	case errors.Is(err, io.EOF):
		clear(b[n:])
		return sqlite3.SQLITE_IOERR_SHORT_READ
	case err != nil:
		return sqlite3.SQLITE_IOERR_READ
	}
	return sqlite3.SQLITE_OK
}

func xWrite(_ *libc.TLS, p, buffer uintptr, amount int32, offset int64) int32 {
	_, err := fileAt(p).WriteAt(memory(buffer, amount), offset)
	return result(err, sqlite3.SQLITE_IOERR_WRITE)
}

func xTruncate(_ *libc.TLS, p uintptr, size int64) int32 {
	return result(fileAt(p).Truncate(size), sqlite3.SQLITE_IOERR_TRUNCATE)
}

// xSync also makes the name of a journal durable, as SQLite does on Unix: the first time, and whether or not that works.
func xSync(_ *libc.TLS, p uintptr, _ int32) int32 {
	f := fileAt(p)
	if err := f.Sync(); err != nil {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	if f.unnamed {
		f.unnamed = false
		f.m.SyncDir(path.Dir(f.name))
	}
	return sqlite3.SQLITE_OK
}

func xFileSize(_ *libc.TLS, p, out uintptr) int32 {
	f := fileAt(p)
	return result(f.m.read(f.life, func() error {
		size, err := f.file.Size()
		*(*int64)(pointer(out)) = size
		return err
	}), sqlite3.SQLITE_IOERR_FSTAT)
}

func xSectorSize(*libc.TLS, uintptr) int32 { return pageSize }

// xDeviceCharacteristics promises what SQLite takes for granted on Unix: a write leaves the bytes around it alone.
func xDeviceCharacteristics(*libc.TLS, uintptr) int32 {
	return sqlite3.SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

func xFileControl(*libc.TLS, uintptr, int32, uintptr) int32 { return sqlite3.SQLITE_NOTFOUND }

func xDelete(_ *libc.TLS, _, zPath uintptr, syncDir int32) int32 {
	m, name := current(), libc.GoString(zPath)
	err := m.do(m.now(), "remove "+name, nil, func() error { return m.disk.Remove(name) }, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sqlite3.SQLITE_IOERR_DELETE_NOENT
	case err == nil && syncDir != 0:
		err = m.SyncDir(path.Dir(name))
	}
	return result(err, sqlite3.SQLITE_IOERR_DELETE)
}

// xAccess says that every file that exists may be read and written, except an empty one, which the caller wants to be no journal.
func xAccess(_ *libc.TLS, _, zPath uintptr, _ int32, out uintptr) int32 {
	putInt32(out, 0)
	h, err := current().open(libc.GoString(zPath), false)
	if errors.Is(err, fs.ErrNotExist) {
		return sqlite3.SQLITE_OK
	}
	if err != nil {
		return sqlite3.SQLITE_IOERR_ACCESS
	}
	if size, err := h.file.Size(); err == nil && size > 0 {
		putInt32(out, 1)
	}
	return sqlite3.SQLITE_OK
}

func xFullPathname(_ *libc.TLS, _, zPath uintptr, size int32, out uintptr) int32 {
	path := libc.GoString(zPath)
	if len(path)+1 > int(size) {
		return sqlite3.SQLITE_CANTOPEN
	}
	copy(memory(out, size), path+"\x00")
	return sqlite3.SQLITE_OK
}

func xRandomness(_ *libc.TLS, _ uintptr, size int32, out uintptr) int32 {
	installed.mu.Lock()
	defer installed.mu.Unlock()
	n, err := installed.random.Read(memory(out, size))
	if err != nil {
		return 0
	}
	return int32(n)
}

// xSleep takes no time: what a caller waits for does not come meanwhile, since the steps come one at a time.
func xSleep(_ *libc.TLS, _ uintptr, micros int32) int32 { return micros }

func xCurrentTime(_ *libc.TLS, _, out uintptr) int32 {
	installed.mu.Lock()
	defer installed.mu.Unlock()
	const day = 24 * time.Hour
	days := float64(installed.clock().UnixMilli()) / float64(day.Milliseconds())
	*(*uint64)(pointer(out)) = math.Float64bits(unixEpoch + days)
	return sqlite3.SQLITE_OK
}

func result(err error, otherwise int32) int32 {
	if err != nil {
		return otherwise
	}
	return sqlite3.SQLITE_OK
}

// Locks, as os_unix.c has them, without the ones of other processes.

func xLock(_ *libc.TLS, p uintptr, level int32) int32 {
	f := fileAt(p)
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.life.dead {
		return sqlite3.SQLITE_IOERR_LOCK
	}
	if level > f.level && !f.lock(level) {
		return sqlite3.SQLITE_BUSY
	}
	return sqlite3.SQLITE_OK
}

// lock takes a higher lock if nobody else is in the way. The caller holds the machine's mutex.
func (f *sqlFile) lock(level int32) bool {
	free := func(owner *sqlFile) bool { return owner == nil || owner == f }
	switch {
	case !free(f.exclusive), f.level == 0 && !free(f.pending):
		return false
	case f.level == 0:
		f.sharing++
		f.level = sqlite3.SQLITE_LOCK_SHARED
	}
	if level == sqlite3.SQLITE_LOCK_SHARED {
		return true
	}
	if !free(f.reserved) || !free(f.pending) {
		return false
	}
	if level == sqlite3.SQLITE_LOCK_RESERVED {
		f.reserved, f.level = f, level
		return true
	}
	f.pending, f.level = f, sqlite3.SQLITE_LOCK_PENDING
	if f.sharing > 1 {
		return false
	}
	f.exclusive, f.level = f, level
	return true
}

func xUnlock(_ *libc.TLS, p uintptr, level int32) int32 {
	f := fileAt(p)
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.unlock(level)
	return sqlite3.SQLITE_OK
}

func (f *sqlFile) unlock(level int32) {
	if f.level <= level {
		return
	}
	for _, owner := range []**sqlFile{&f.reserved, &f.pending, &f.exclusive} {
		if *owner == f {
			*owner = nil
		}
	}
	if level == 0 {
		f.sharing--
	}
	f.level = level
}

func xCheckReservedLock(_ *libc.TLS, p, out uintptr) int32 {
	f := fileAt(p)
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	putInt32(out, 0)
	if f.reserved != nil || f.exclusive != nil {
		putInt32(out, 1)
	}
	return sqlite3.SQLITE_OK
}

// xShmMap gives a region of the shared memory, which all connections of a process to a database share.
func xShmMap(_ *libc.TLS, p uintptr, region, size, extend int32, out uintptr) int32 {
	f := fileAt(p)
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	*(*uintptr)(pointer(out)) = 0
	for extend != 0 && len(f.regions) <= int(region) {
		f.regions = append(f.regions, allocate(uintptr(size)))
	}
	if int(region) < len(f.regions) {
		*(*uintptr)(pointer(out)) = f.regions[region]
	}
	return sqlite3.SQLITE_OK
}

func xShmLock(_ *libc.TLS, p uintptr, offset, n, flags int32) int32 {
	f := fileAt(p)
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	switch {
	case flags&sqlite3.SQLITE_SHM_UNLOCK != 0:
		f.unlockSlots(int(offset), int(n))
	case !f.lockSlots(int(offset), int(n), flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0):
		return sqlite3.SQLITE_BUSY
	}
	return sqlite3.SQLITE_OK
}

// lockSlots takes all of the locks, or none.
func (f *sqlFile) lockSlots(from, n int, exclusively bool) bool {
	for i := from; i < from+n; i++ {
		own := 0
		if f.shared[i] {
			own = 1
		}
		excluded := f.locking.excluded[i]
		if excluded != nil && excluded != f || exclusively && f.locking.shared[i] > own {
			return false
		}
	}
	for i := from; i < from+n; i++ {
		switch {
		case exclusively:
			f.excluded[i], f.locking.excluded[i] = true, f
		case !f.shared[i]:
			f.shared[i] = true
			f.locking.shared[i]++
		}
	}
	return true
}

func (f *sqlFile) unlockSlots(from, n int) {
	for i := from; i < from+n; i++ {
		if f.shared[i] {
			f.locking.shared[i]--
		}
		if f.excluded[i] {
			f.locking.excluded[i] = nil
		}
		f.shared[i], f.excluded[i] = false, false
	}
}

func xShmBarrier(*libc.TLS, uintptr) {}

// xShmUnmap keeps the memory: it goes with the last connection.
func xShmUnmap(*libc.TLS, uintptr, int32) int32 { return sqlite3.SQLITE_OK }
