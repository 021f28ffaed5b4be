package log

import (
	"errors"
	"io"
	"os"
)

// FS is what the engine asks of a file system. Names are as in package os. Nothing survives a power cut but what
// was synced: a file's bytes by File.Sync, its name by SyncDir on its folder.
type FS interface {
	// MkdirAll makes a folder and those above it, unless they exist. It syncs nothing.
	MkdirAll(dir string) error
	// OpenFile opens a file for writing and makes it if missing.
	OpenFile(name string) (File, error)
	// ReadFile returns a file's bytes, or an error that is fs.ErrNotExist.
	ReadFile(name string) ([]byte, error)
	// Rename replaces newName by oldName, at once for every reader.
	Rename(oldName, newName string) error
	SyncDir(dir string) error
	// Lock takes an exclusive lock that ends with the process, or fails at once if another process holds it.
	Lock(name string) (io.Closer, error)
}

// File is a file open for writing.
type File interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// OS is the file system of the operating system.
type OS struct{}

// MkdirAll implements FS.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o755) }

// OpenFile implements FS.
func (OS) OpenFile(name string) (File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
}

// ReadFile implements FS.
func (OS) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }

// Rename implements FS.
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// SyncDir implements FS.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
