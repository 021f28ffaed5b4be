package powercut

import (
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// File is a file of a disk, for programs of this very process, which need no mount. It is safe for concurrent use.
//
// Calls on a disk whose power is off hang until Release, and fail from then on: a simulation calls Release before it begins.
type File struct {
	disk  *Disk
	inode *inode
}

// Open opens a file by its path, such as data/journal.db, and makes it where create is set. The folder must exist.
func (d *Disk) Open(path string, create bool) (f *File, err error) {
	err = d.in(path, func(dir *inode, name string) syscall.Errno {
		n := dir.names[name]
		if n == nil && create {
			n = d.newInode(syscall.S_IFREG | 0o600)
			d.rename(dir, map[string]*inode{name: n})
		}
		switch {
		case n == nil:
			return syscall.ENOENT
		case n.isDir():
			return syscall.EISDIR
		}
		f = &File{d, n}
		return 0
	})
	return f, err
}

// MkdirAll makes a folder and those above it, unless they exist.
func (d *Disk) MkdirAll(path string) error {
	return failure(d.do(func() syscall.Errno {
		at := d.root
		for _, name := range elements(path) {
			next := at.names[name]
			if next == nil {
				next = d.newInode(syscall.S_IFDIR | 0o700)
				d.rename(at, map[string]*inode{name: next})
			}
			if !next.isDir() {
				return syscall.ENOTDIR
			}
			at = next
		}
		return 0
	}))
}

// Remove removes a file's name.
func (d *Disk) Remove(path string) error {
	return d.in(path, func(dir *inode, name string) syscall.Errno {
		if dir.names[name] == nil {
			return syscall.ENOENT
		}
		d.rename(dir, map[string]*inode{name: nil})
		return 0
	})
}

// Rename gives a file another name in its folder, in place of the file that had it.
func (d *Disk) Rename(path, newName string) error {
	return d.in(path, func(dir *inode, name string) syscall.Errno {
		n := dir.names[name]
		if n == nil {
			return syscall.ENOENT
		}
		d.rename(dir, map[string]*inode{name: nil, newName: n})
		return 0
	})
}

// SyncDir makes a folder's names durable.
func (d *Disk) SyncDir(path string) error {
	return failure(d.do(func() syscall.Errno {
		dir := d.folder(elements(path))
		if dir == nil {
			return syscall.ENOENT
		}
		d.sync(dir)
		return 0
	}))
}

// in calls f with the folder that a path is in and its name there.
func (d *Disk) in(path string, f func(dir *inode, name string) syscall.Errno) error {
	all := elements(path)
	if len(all) == 0 {
		return syscall.EINVAL
	}
	return failure(d.do(func() syscall.Errno {
		dir := d.folder(all[:len(all)-1])
		if dir == nil {
			return syscall.ENOENT
		}
		return f(dir, all[len(all)-1])
	}))
}

// folder is the one with this path, nil where there is none.
func (d *Disk) folder(path []string) *inode {
	dir := d.root
	for _, name := range path {
		if dir = dir.names[name]; dir == nil || !dir.isDir() {
			return nil
		}
	}
	return dir
}

func elements(path string) []string {
	all := strings.Split(path, "/")
	return slices.DeleteFunc(all, func(name string) bool { return name == "" || name == "." })
}

func failure(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.ENOENT:
		return fs.ErrNotExist
	}
	return errno
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(b []byte, offset int64) (n int, err error) {
	err = failure(f.disk.do(func() syscall.Errno {
		if offset < int64(len(f.inode.live)) {
			n = copy(b, f.inode.live[offset:])
		}
		return 0
	}))
	if err == nil && n < len(b) {
		err = io.EOF
	}
	return n, err
}

// WriteAt implements io.WriterAt.
func (f *File) WriteAt(b []byte, offset int64) (int, error) {
	err := f.change(write{offset: offset, data: b})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// Truncate lets the file end at size.
func (f *File) Truncate(size int64) error { return f.change(write{offset: size, cut: true}) }

func (f *File) change(w write) error {
	return failure(f.disk.do(func() syscall.Errno {
		f.disk.write(f.inode, w)
		return 0
	}))
}

// Size is the number of bytes in the file.
func (f *File) Size() (size int64, err error) {
	err = failure(f.disk.do(func() syscall.Errno {
		size = int64(len(f.inode.live))
		return 0
	}))
	return size, err
}

// Sync makes the file's bytes durable.
func (f *File) Sync() error {
	return failure(f.disk.do(func() syscall.Errno {
		f.disk.sync(f.inode)
		return 0
	}))
}

// Forget is what a sync that fails does on Linux: programs go on seeing what was written since the last one, and no later sync writes it.
func (f *File) Forget() error {
	return failure(f.disk.do(func() syscall.Errno {
		f.disk.changed()
		f.inode.writes = nil
		return 0
	}))
}
