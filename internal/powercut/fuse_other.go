//go:build !linux

package powercut

// Mount shows the disk in a folder, on Linux.
func (d *Disk) Mount(string) (unmount func() error, err error) { return nil, ErrUnavailable }
