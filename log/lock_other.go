//go:build !unix

package log

import (
	"errors"
	"io"
)

// Lock implements FS: two processes on one log would sign two trees, so without file locks there is no log.
func (OS) Lock(string) (io.Closer, error) {
	return nil, errors.New("this system has no file locks that end with the process")
}
