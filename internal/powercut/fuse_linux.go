package powercut

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// cached is how long the kernel may keep names and attributes: all changes come through it.
var cached = time.Hour

// Mount shows the disk in a folder until unmount is called. The error is ErrUnavailable where this machine mounts nothing for us.
//
// Locks are the kernel's, and shared memory maps of files work, as SQLite's -shm needs them. The program that mounts must not map a
// file of the disk itself: a page fault would wait for this very program.
func (d *Disk) Mount(dir string) (unmount func() error, err error) {
	server, err := fs.Mount(dir, &node{disk: d, inode: d.root}, &fs.Options{EntryTimeout: &cached, AttrTimeout: &cached,
		MountOptions: fuse.MountOptions{FsName: "powercut", DirectMount: true, DisableXAttrs: true}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return func() error { return unmountFrom(server) }, keepFromChildren()
}

// keepFromChildren closes the device in programs that we start. go-fuse does not when it mounts without a helper program; a child would
// keep the disk mounted after us, and wait for ever for an answer from nobody.
func keepFromChildren() error {
	files, err := os.ReadDir("/proc/self/fd")
	for _, f := range files {
		if target, err := os.Readlink("/proc/self/fd/" + f.Name()); err != nil || target != Device {
			continue
		}
		fd, err := strconv.Atoi(f.Name())
		if err != nil {
			return err
		}
		syscall.CloseOnExec(fd)
	}
	return err
}

// unmountFrom tries for a while: the kernel still closes the files of programs that were killed.
func unmountFrom(server *fuse.Server) (err error) {
	for range 100 {
		if err = server.Unmount(); err == nil {
			server.Wait()
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("powercut: unmount: %w", err)
}

// node is what the kernel knows of an inode in one mount.
type node struct {
	fs.Inode
	disk  *Disk
	inode *inode
}

var _ interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeReaddirer
	fs.NodeOpener
	fs.NodeCreater
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeFlusher
	fs.NodeMkdirer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeLinker
} = (*node)(nil)

func (n *node) attr(of *inode, out *fuse.Attr) {
	out.Ino, out.Mode, out.Size, out.Nlink = of.id, of.mode, uint64(len(of.live)), uint32(max(1, of.links))
	out.Mtime, out.Ctime, out.Atime = uint64(of.seconds), uint64(of.seconds), uint64(of.seconds)
}

// child is the kernel's node for an inode below n.
func (n *node) child(ctx context.Context, of *inode, out *fuse.EntryOut) *fs.Inode {
	n.attr(of, &out.Attr)
	return n.NewInode(ctx, &node{disk: n.disk, inode: of}, fs.StableAttr{Mode: of.mode & syscall.S_IFMT, Ino: of.id})
}

// Lookup implements fs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (found *fs.Inode, errno syscall.Errno) {
	errno = n.disk.do(func() syscall.Errno {
		of, ok := n.inode.names[name]
		if !ok {
			return syscall.ENOENT
		}
		found = n.child(ctx, of, out)
		return 0
	})
	return found, errno
}

// Getattr implements fs.NodeGetattrer.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		n.attr(n.inode, &out.Attr)
		return 0
	})
}

// Setattr implements fs.NodeSetattrer: the size, permissions and the time of modification.
func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		if mode, ok := in.GetMode(); ok {
			n.inode.mode = n.inode.mode&syscall.S_IFMT | mode&0o7777
		}
		if at, ok := in.GetMTime(); ok {
			n.inode.seconds = at.Unix()
		}
		if size, ok := in.GetSize(); ok {
			n.disk.write(n.inode, write{offset: int64(size), cut: true})
		}
		n.attr(n.inode, &out.Attr)
		return 0
	})
}

// Readdir implements fs.NodeReaddirer.
func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	var list []fuse.DirEntry
	errno := n.disk.do(func() syscall.Errno {
		for name, of := range n.inode.names {
			list = append(list, fuse.DirEntry{Name: name, Ino: of.id, Mode: of.mode})
		}
		return 0
	})
	return fs.NewListDirStream(list), errno
}

// Open implements fs.NodeOpener.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	errno := n.disk.do(func() syscall.Errno {
		if flags&syscall.O_TRUNC != 0 && len(n.inode.live) > 0 {
			n.disk.write(n.inode, write{cut: true})
		}
		return 0
	})
	return nil, fuse.FOPEN_KEEP_CACHE, errno
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	made, errno := n.make(ctx, name, syscall.S_IFREG|mode&0o7777, out)
	return made, nil, fuse.FOPEN_KEEP_CACHE, errno
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, name, syscall.S_IFDIR|mode&0o7777, out)
}

func (n *node) make(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (made *fs.Inode, errno syscall.Errno) {
	errno = n.disk.do(func() syscall.Errno {
		if _, exists := n.inode.names[name]; exists {
			return syscall.EEXIST
		}
		of := n.disk.newInode(mode)
		n.disk.rename(n.inode, map[string]*inode{name: of})
		made = n.child(ctx, of, out)
		return 0
	})
	return made, errno
}

// Read implements fs.NodeReader.
func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	length := 0
	errno := n.disk.do(func() syscall.Errno {
		if offset < int64(len(n.inode.live)) {
			length = copy(dest, n.inode.live[offset:])
		}
		return 0
	})
	return fuse.ReadResultData(dest[:length]), errno
}

// Write implements fs.NodeWriter.
func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	errno := n.disk.do(func() syscall.Errno {
		if full := n.disk.grow(n.inode, offset+int64(len(data))); full != 0 {
			return full
		}
		n.disk.write(n.inode, write{offset: offset, data: data})
		return 0
	})
	return uint32(len(data)), errno
}

// Fsync implements fs.NodeFsyncer, for files and folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		n.disk.sync(n.inode)
		return 0
	})
}

// Flush implements fs.NodeFlusher: closing a file syncs nothing.
func (n *node) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

// Unlink implements fs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.remove(name, func(of *inode) syscall.Errno {
		if of.isDir() {
			return syscall.EISDIR
		}
		return 0
	})
}

// Rmdir implements fs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.remove(name, func(of *inode) syscall.Errno {
		switch {
		case !of.isDir():
			return syscall.ENOTDIR
		case len(of.names) > 0:
			return syscall.ENOTEMPTY
		}
		return 0
	})
}

func (n *node) remove(name string, may func(*inode) syscall.Errno) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		of, ok := n.inode.names[name]
		if !ok {
			return syscall.ENOENT
		}
		if errno := may(of); errno != 0 {
			return errno
		}
		n.disk.rename(n.inode, map[string]*inode{name: nil})
		return 0
	})
}

// Rename implements fs.NodeRenamer, within one folder.
func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	return n.disk.do(func() syscall.Errno {
		of, ok := n.inode.names[name]
		target := n.inode.names[newName]
		switch {
		case !ok:
			return syscall.ENOENT
		case to.(*node).inode != n.inode:
			return syscall.EXDEV
		case flags != 0:
			return syscall.EINVAL
		case target != nil && target.isDir():
			return syscall.EISDIR
		case name != newName:
			n.disk.rename(n.inode, map[string]*inode{name: nil, newName: of})
		}
		return 0
	})
}

// Link implements fs.NodeLinker, within one folder: a second name for a file.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (made *fs.Inode, errno syscall.Errno) {
	of := target.(*node).inode
	errno = n.disk.do(func() syscall.Errno {
		switch {
		case n.inode.names[name] != nil:
			return syscall.EEXIST
		case !slices.Contains(slices.Collect(maps.Values(n.inode.names)), of):
			return syscall.EXDEV
		}
		n.disk.rename(n.inode, map[string]*inode{name: of})
		made = n.child(ctx, of, out)
		return 0
	})
	return made, errno
}
