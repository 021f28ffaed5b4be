package powercut

import (
	"errors"
	"os"
)

// ErrUnavailable says that this machine shows no file system of ours to programs: it has no FUSE, or we may not mount.
var ErrUnavailable = errors.New("powercut: no file system can be mounted here")

// Device is what a machine with FUSE has.
const Device = "/dev/fuse"

// Required says whether a test that cannot mount fails, rather than say that it checked nothing: where continuous integration (CI=true)
// has the device, and where somebody asked for it by WRIT_POWERCUT=required.
func Required(lookup func(string) string) bool {
	_, err := os.Stat(Device)
	return lookup("WRIT_POWERCUT") == "required" || lookup("CI") == "true" && err == nil
}
